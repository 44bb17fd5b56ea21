"""Data Docs: a version's report as the page that Great Expectations itself makes of it, offline.

Importing GX takes six seconds; only `lakegate data-docs` does.
"""

from __future__ import annotations

import logging
from typing import Any

from expectations.gx.offline_page import harmless, offline


def page(report: dict[str, Any], *, title: str, at: str) -> str:
    """A report in GX's format (`expectations.verdict.report`) as one HTML page.

    Args:
        report: Counts and numbers; it holds no value of a personal column (promise P6), so neither does the
            page.
        title: The run's name, such as `flights@v3`.
        at: When it was judged, ISO 8601.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    import expectations.gx.expectation_classes  # noqa: F401  (registers Lakegate's own types)

    name, report = harmless(title), {**report, "results": [_harmless(item) for item in report["results"]]}
    results = [
        ExpectationValidationResult(
            success=item["success"],
            expectation_config=ExpectationConfiguration(
                type=item["expectation_config"]["type"],
                kwargs=item["expectation_config"]["kwargs"],
                meta=item["expectation_config"]["meta"],
            ),
            result=item["result"],
            meta=item["meta"],
            exception_info=item["exception_info"],
        )
        for item in report["results"]
    ]
    run = {
        "run_id": {"run_name": name, "run_time": at},
        "validation_time": at,
        "batch_kwargs": {},
        "active_batch_definition": {},
    }
    suite = ExpectationSuiteValidationResult(
        success=report["success"],
        results=results,
        suite_name=harmless(report["suite_name"]),
        statistics=report["statistics"],
        meta=harmless(report["meta"]) | run,
    )
    rendered: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(suite))
    return offline(rendered, title=title)


def _harmless(result: dict[str, Any]) -> dict[str, Any]:
    """A rule's result whose texts are shown as texts; the type is one that GX knows."""
    config = result["expectation_config"]
    return {**harmless(result), "expectation_config": {**harmless(config), "type": config["type"]}}
