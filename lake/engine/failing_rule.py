"""Which rule an engine failed on: where a plan fails as a whole, each of its rules is asked alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from expectations.plan.execute import count_rows
from expectations.plan.plan import Plan
from expectations.plan.steps import Step
from expectations.rules.joins import Tables
from lakegate.errors import ContractError, LakegateError, Transient

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine


@contextlib.contextmanager
def naming_the_rule(engine: Engine, marked: DataFrame, plan: Plan, tables: Tables) -> Iterator[None]:
    """Name the rule where an engine's error is one rule's; it is no verdict, and nobody is told to try again.

    Args:
        engine: What failed.
        marked: The rows, typed, and joined with what the rules look up.
        plan: Of the rules that are asked.
        tables: What they are held against.

    Raises:
        LakegateError: What was raised, as the rule's own where one of them fails alone.
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
    fix = "correct the rule, or leave it out: it fails of this drop each time; `lakegate plan` shows its SQL. This is no verdict, nothing was published"
    return LakegateError(
        f"{step.rule.type} can't be evaluated: {error.what}", where=f"rule {step.rule.id}", fix=fix
    )
