"""Which rule an engine failed on: where a plan fails as a whole, each of its rules is evaluated alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from expectations.plan.execute import count_rows
from expectations.plan.plan import Plan, Step
from expectations.rules.joins import Tables
from lakegate.errors import ContractError, LakegateError, Transient

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine


@contextlib.contextmanager
def naming_the_rule(engine: Engine, marked: DataFrame, plan: Plan, tables: Tables) -> Iterator[None]:
    """Name the rule in the engine's error, where one rule causes it; the error is no verdict.

    Args:
        engine: The engine that failed.
        marked: The rows, typed, and joined with what the rules look up.
        plan: The evaluated rules.
        tables: The tables that rules compare with.

    Raises:
        LakegateError: The error that was raised; the rule's own where one of them fails alone.
    """
    try:
        yield
    except (Transient, ContractError):
        raise
    except LakegateError as error:
        for step in plan.steps:
            if (found := _alone(engine, marked, replace(plan, steps=(step,)), tables)) is not None:
                raise _of_rule(step, found) from error
        raise


def _alone(engine: Engine, marked: DataFrame, plan: Plan, tables: Tables) -> LakegateError | None:
    try:
        count_rows(marked, plan, engine.rows, tables)
    except LakegateError as error:
        return error
    return None


def _of_rule(step: Step, error: LakegateError) -> LakegateError:
    if isinstance(error, Transient):
        return error
    what, where = f"{step.rule.type} can't be evaluated: {error.what}", f"rule {step.rule.id}"
    fix = "correct the rule, or leave it out: it fails of this drop each time; `lakegate plan` shows its SQL."
    return LakegateError(what, where=where, fix=f"{fix} This is no verdict, nothing was published")
