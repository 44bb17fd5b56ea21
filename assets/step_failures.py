"""How a step of Dagster fails: which errors are worth another attempt, and what a failure says.

The run's tag says how it failed: sensors go by it. An error that nobody foresaw is shown by its kind and
place, because its text may quote values (P6).
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from dagster import (
    AssetExecutionContext,
    DagsterError,
    Failure,
    MetadataValue,
    OpExecutionContext,
    RetryRequested,
)

from assets import run_tags
from assets.resource import LakegateResource
from catalog.contract import Contract
from expectations.verdict import Verdict
from lake.hops.job import HopResult
from lake.listeners.registry import tell_listeners
from lake.runtime.disk_errors import disk_errors
from lakegate.errors import LakegateError, Transient
from lakegate.media import line, markdown, message

TRIES: Final = 3
"""Attempts of one run at a hop that fails for a transient reason; after them the sensor decides."""

ENGINES: Final = ("pyspark", "grpc")
"""Packages whose unexpected errors are worth another attempt: an engine loses a response now and then."""

BACKOFF: Final = 2.0
"""Seconds before the second attempt, doubled for each further one."""


def refusal_kind(result: HopResult) -> str:
    """The tag of a run whose drop was held or blocked."""
    return run_tags.HELD if result.verdict is Verdict.HELD else run_tags.BLOCKED


def refuse(
    context: AssetExecutionContext | OpExecutionContext, contract: Contract, result: HopResult
) -> NoReturn:
    """Fail a run whose drop was held or blocked: its tag says which, its failure why, and whom to ask."""
    context.instance.add_run_tags(context.run_id, {run_tags.FAILURE: refusal_kind(result)})
    metadata: dict[str, Any] = {
        "verdict": str(result.verdict),
        "reason": message(result.reason),
        "support": MetadataValue.md(markdown(contract.support or "-")),
    }
    raise Failure(message(result.reason), metadata=metadata, allow_retries=False)


@contextlib.contextmanager
def step_failures(context: AssetExecutionContext, lake: LakegateResource) -> Iterator[None]:
    """Turn an error into a failure of the step that says what to do; in the end, tell the listeners."""
    try:
        with disk_errors(lake.settings.home.root):
            yield
    except (Failure, RetryRequested, DagsterError):
        raise
    except LakegateError as error:
        if isinstance(error, Transient):
            _try_again(context)
        raise _failure(context, lake, error) from None
    except Exception as error:  # noqa: BLE001  (whatever it is, its text must not reach Dagster's log)
        if type(error).__module__.startswith(ENGINES):
            _try_again(context)
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        what = f"an unexpected {type(error).__name__}"
        unforeseen = LakegateError(what, where=frames[-1], fix="report this")
        raise _failure(context, lake, unforeseen, frames=frames) from None
    finally:
        for name, kind in (tell_listeners(lake.opened) if lake.opened else {}).items():
            context.log.warning("%s was not notified (%s); the next run notifies it", line(name), line(kind))


def _try_again(context: AssetExecutionContext) -> None:
    """Ask for another attempt, where there is one left; a hop can be begun again at any point."""
    if context.retry_number + 1 < TRIES:
        seconds = BACKOFF * 2**context.retry_number
        raise RetryRequested(max_retries=TRIES - 1, seconds_to_wait=seconds) from None


def _failure(
    context: AssetExecutionContext,
    lake: LakegateResource,
    error: LakegateError,
    *,
    frames: Sequence[str] = (),
) -> Failure:
    kind = type(error).__name__
    context.instance.add_run_tags(context.run_id, {run_tags.FAILURE: kind})
    lake.fail(error)
    metadata = {
        "kind": kind,
        "what": message(error.what),
        "where": line(error.where) or "-",
        "what to do": message(error.fix) or "-",
    }
    if frames:
        metadata["came by"] = "\n".join(frames)
    return Failure(message(error), metadata=metadata, allow_retries=False)
