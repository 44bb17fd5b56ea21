"""Which rule an engine failed on: where a plan fails as a whole, each of its rules is evaluated alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from expectations.plan.execute import count_rows
from expectations.plan.plan import Plan
from expectations.rules.joins import Tables
from lakegate.errors import ContractError, LakegateError, Transient

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine


_FIX: Final = (
    "correct the rule, or leave it out: it fails of this drop each time; `lakegate plan` shows its SQL. "
    "This is no verdict, nothing was published"
)


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
            try:
                count_rows(marked, replace(plan, steps=(step,)), engine.rows, tables)
            except Transient:
                raise
            except LakegateError as found:
                what, where = f"{step.rule.type} can't be evaluated: {found.what}", f"rule {step.rule.id}"
                raise LakegateError(what, where=where, fix=_FIX) from error
        raise
