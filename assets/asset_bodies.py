"""The bodies of the assets: carry a drop through one hop, then tell Dagster, last of all.

A version is materialized, with its checks and its content hash as data version, from what its manifest says: an
attempt that finds the publish of a dead one tells the same. A blocked or held drop gives its failed checks and a failure, and
no materialization. A drop that waits gives an observation and no output: the run ends well, and the asset's partition
stays missing until the drop's turn has come.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DagsterError,
    DataVersion,
    Failure,
    MaterializeResult,
    MetadataValue,
    OpExecutionContext,
    RetryRequested,
)

from assets import run_tags
from assets.checks import check_results, source_result
from assets.metadata import rules_before, version_metadata
from assets.partitions import drop_of
from assets.reported_versions import DATA_VERSION, untold
from assets.resource import LakegateResource
from assets.triggers import trigger_event
from catalog.contract import Contract, Hop
from expectations.verdict import Verdict
from lake.hops.features import carry_features
from lake.hops.job import HopResult
from lake.hops.published import published_version
from lake.hops.raw import carry_raw
from lake.listeners.registry import tell_listeners
from lake.pipeline.ordering import carry_after_raw
from lake.runtime.disk_errors import disk_errors
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Published
from lakegate.errors import LakegateError, Transient
from lakegate.media import line, markdown, message
from lakegate.names import VersionName

Told = MaterializeResult[Any] | AssetCheckResult

TRIES: Final = 3
"""Attempts of one run at a hop that fails for a transient reason; after them the sensor decides."""

ENGINES: Final = ("pyspark", "grpc")
"""Whose unexpected errors are worth another attempt: an engine loses an answer now and then."""

BACKOFF: Final = 2.0
"""Seconds before the second attempt, doubled for each further one."""


def carry_drop(
    context: AssetExecutionContext,
    lake: LakegateResource,
    contract: Contract,
    hop: Hop,
    families: Sequence[str],
) -> Iterator[Told]:
    """The body of a raw or processed asset: its partition's drop through that hop."""
    with _failures(context, lake):
        session = lake.session
        session.run, session.backfill = context.run_id, run_tags.BACKFILL in context.run.tags
        drop = drop_of(session, contract.name, context.partition_key)
        context.instance.add_run_tags(context.run_id, {run_tags.DROP: drop.sha256, **_claim(contract)})
        try:
            result = (carry_raw if hop == "raw" else carry_after_raw)(session, contract, drop)
        except Transient:
            if hop == "raw":
                yield source_result(session.settings, contract)
            raise
        if hop == "raw":
            yield source_result(session.settings, contract)
        if result.verdict is Verdict.WAITING or (
            result.verdict is Verdict.UNCHANGED and result.version is None
        ):
            _observe_waiting(context, result, partition=context.partition_key)
        elif result.version is None:
            yield from _refused(context, contract, result, families)
        else:
            yield _told(context, session, contract, _published(session, result.version), families)


def carry_feature(
    context: AssetExecutionContext, lake: LakegateResource, contract: Contract, families: Sequence[str]
) -> Iterator[Told]:
    """The body of a feature's asset: every version that is missing, each told of in order; the newest as the run's result."""
    with _failures(context, lake):
        session, table = lake.session, contract.name
        session.run, session.backfill = context.run_id, False
        context.instance.add_run_tags(context.run_id, _claim(contract))
        late = [_published(session, str(name)) for name in untold(session, context.instance, table)]
        refused = None
        for result in _missing(session, contract):
            if result.version is None:
                refused = result
            elif not any(str(item.name) == result.version for item in late):
                late.append(_published(session, result.version))
        if not late and refused is None and (head := publish.head(session.repository, table)) is not None:
            late.append(_published(session, str(VersionName(table, int(head["version"])))))
        for published in late if refused else late[:-1]:
            _log_version(context, session, contract, published)
        if refused is not None:
            yield from _refused(context, contract, refused, families)
        elif late:
            yield _told(context, session, contract, late[-1], families)
        else:
            reason = f"{table} needs a version of each of {', '.join(contract.inputs)}"
            _observe_waiting(
                context, HopResult("features", table, Verdict.WAITING, None, {}, [], reason), partition=None
            )


def _missing(session: Session, contract: Contract) -> Iterator[HopResult]:
    known = None
    while (result := carry_features(session, contract)) is not None:
        if result.version is not None and result.version == known:
            return
        yield result
        if result.version is None:
            return
        known = result.version


def _published(session: Session, version: str) -> Published:
    return published_version(session, VersionName.parse(version))


def _claim(contract: Contract) -> dict[str, str]:
    return run_tags.tags_for(contract) | {run_tags.PROCESS: run_tags.this_process()}


def _told(
    context: AssetExecutionContext,
    session: Session,
    contract: Contract,
    published: Published,
    families: Sequence[str],
) -> MaterializeResult[Any]:
    manifest, table = published.manifest, published.name.table
    if (trigger := trigger_event(published)) is not None:
        context.log_event(trigger)  # before the version itself: a run that dies in between raises it again
    result: MaterializeResult[Any] = MaterializeResult(
        asset_key=table,
        metadata=version_metadata(session, contract, published),
        data_version=DataVersion(manifest.content_hash),
        check_results=check_results(
            table,
            families,
            manifest.rules,
            publish.manifest_counts(manifest),
            before=rules_before(session, published.name),
        ),
    )
    session.report_step(table, "tell")
    return result


def version_events(
    session: Session, contract: Contract, published: Published, *, partition: str | None = None
) -> list[AssetMaterialization]:
    """The materialization of a version, behind that of its trigger, where it raises one.

    Whoever dies between the two raises the trigger again, and never too seldom.
    """
    tags = {DATA_VERSION: published.manifest.content_hash, f"{DATA_VERSION}_is_user_provided": "true"}
    metadata = version_metadata(session, contract, published)
    version = AssetMaterialization(
        asset_key=published.name.table, partition=partition, metadata=metadata, tags=tags
    )
    trigger = trigger_event(published)
    return [version] if trigger is None else [trigger, version]


def _log_version(
    context: AssetExecutionContext, session: Session, contract: Contract, published: Published
) -> None:
    session.report_step(contract.name, "tell")
    for event in version_events(session, contract, published):
        context.log_event(event)


def waiting_event(result: HopResult, *, partition: str | None) -> AssetObservation:
    """What is told of a drop that waits, or of a feature that misses an input."""
    metadata = {"verdict": str(result.verdict), "because": message(result.reason)}
    return AssetObservation(asset_key=result.table, partition=partition, metadata=metadata)


def _observe_waiting(context: AssetExecutionContext, result: HopResult, *, partition: str | None) -> None:
    context.log.info("%s: %s", line(result.verdict), message(result.reason))
    context.log_event(waiting_event(result, partition=partition))


def _refused(
    context: AssetExecutionContext, contract: Contract, result: HopResult, families: Sequence[str]
) -> Iterator[Told]:
    yield from check_results(result.table, families, result.rules, result.counts, only_judged=True)
    refuse(context, contract, result)


def refusal_kind(result: HopResult) -> str:
    """The tag of a run whose drop was held or blocked."""
    return run_tags.HELD if result.verdict is Verdict.HELD else run_tags.BLOCKED


def refuse(
    context: AssetExecutionContext | OpExecutionContext, contract: Contract, result: HopResult
) -> NoReturn:
    """Fail a run whose drop was held or blocked: its tag says which, its failure why, and whom to ask."""
    _tag_failure(context, refusal_kind(result))
    metadata: dict[str, Any] = {
        "verdict": str(result.verdict),
        "reason": message(result.reason),
        "support": MetadataValue.md(markdown(contract.support or "-")),
    }
    raise Failure(message(result.reason), metadata=metadata, allow_retries=False)


@contextlib.contextmanager
def _failures(context: AssetExecutionContext, lake: LakegateResource) -> Iterator[None]:
    """Turn an error into a failure of the step that says what to do; texts of foreign errors may quote values (P6)."""
    try:
        with disk_errors(lake.settings.home.root):
            yield
    except (Failure, RetryRequested, DagsterError):
        raise
    except Transient as error:
        _try_again(context)
        raise _failed(context, lake, error) from None
    except LakegateError as error:
        raise _failed(context, lake, error) from None
    except Exception as error:  # noqa: BLE001  (whatever it is, its text must not reach Dagster's log)
        if type(error).__module__.startswith(ENGINES):
            _try_again(context)
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        what = f"an unexpected {type(error).__name__}"
        raise _failed(
            context, lake, LakegateError(what, where=frames[-1], fix="report this"), frames=frames
        ) from None
    finally:
        for name, kind in (tell_listeners(lake.opened) if lake.opened else {}).items():
            context.log.warning("%s was not told (%s); the next run tells it", line(name), line(kind))


def _try_again(context: AssetExecutionContext) -> None:
    """Ask for another attempt, where there is one left; a hop can be begun again at any point."""
    if context.retry_number + 1 < TRIES:
        raise RetryRequested(
            max_retries=TRIES - 1, seconds_to_wait=BACKOFF * 2**context.retry_number
        ) from None


def _failed(
    context: AssetExecutionContext,
    lake: LakegateResource,
    error: LakegateError,
    *,
    frames: Sequence[str] = (),
) -> Failure:
    kind = type(error).__name__
    _tag_failure(context, kind)
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


def _tag_failure(context: AssetExecutionContext | OpExecutionContext, kind: str) -> None:
    context.instance.add_run_tags(context.run_id, {run_tags.FAILURE: kind})
