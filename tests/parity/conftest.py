"""One session an engine for all modules of this folder: to start Spark takes longer than most of what is asked of it."""

from __future__ import annotations

import os

import pytest

from lake.engine import Engine
from lake.environment import prepare_environment
from lakegate.home import Endpoint
from lakegate.settings import Settings
from tests.parity.test_engines import java_or_loud_skip

SHORT_LIVED_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that lives for a minute is gone before what its second compiler makes has paid: a quarter less CPU time."""


@pytest.fixture(scope="session", autouse=True)
def short_lived_jvms() -> None:
    """For this process and those that it starts."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", SHORT_LIVED_JVM)


def _engine(name: str, factory: pytest.TempPathFactory) -> Engine:
    prepare_environment()
    settings = Settings.load(home=factory.mktemp(name), environ={"LAKEGATE_ENGINE": name})
    engine = Engine(settings, Endpoint("http://127.0.0.1:9", "none", "none"))
    assert engine.spark is not None
    return engine


@pytest.fixture(scope="session")
def sail_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return _engine("sail", tmp_path_factory)


@pytest.fixture(scope="session")
def spark_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    java_or_loud_skip()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SPARK_CONNECT_MODE_ENABLED", raising=False)  # Sail's session set it, and no JVM starts where it is set
        engine = _engine("spark", tmp_path_factory)
    engine.spark.conf.set("spark.sql.adaptive.enabled", "false")  # many joins of few rows, each of which it would plan again
    return engine
