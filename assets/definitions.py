"""The code location: everything that Dagster knows of a lake. `workspace.yaml` loads `defs` from here."""

from __future__ import annotations

import logging

from dagster import Definitions, in_process_executor

from assets import resource
from assets.factory import make_assets
from assets.resource import LakegateResource
from catalog.files import load_catalog
from lakegate.media import line, message
from lakegate.settings import Settings
from sensors.feature_sensor import follow_features
from sensors.landing_sensor import new_drops
from sensors.maintenance import clean_up_nightly, mend


def define(settings: Settings) -> Definitions:
    """Assets, checks, jobs and sensors of a project's contracts.

    Raises:
        UsageError: The project has no contracts.
    """
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    made = make_assets(catalog, settings.project)
    for name, error in made.errors.items():
        logging.getLogger(__name__).warning("the contract %s is left out: %s", line(name), message(error))
    lake = LakegateResource(settings)
    drops = {name: job for name, job in made.jobs.items() if catalog.contracts[name].kind == "dataset"}
    features = {name: job for name, job in made.jobs.items() if name not in drops}
    return Definitions(
        assets=[*made.assets, *made.triggers, *made.broken],
        jobs=list(made.jobs.values()),
        sensors=[new_drops(lake, drops), follow_features(lake, features), mend(lake)],
        schedules=[clean_up_nightly(catalog)],
        resources={resource.NAME: lake},
        # A step of its own process would outlive a killed run and write after it.
        executor=in_process_executor,
    )


defs = define(Settings.load())
