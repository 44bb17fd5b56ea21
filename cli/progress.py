"""What a person sees while drops are carried: a line per hop, and on a terminal the step that is under way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self

from cli.terminal import Coloured, StatusLine, say
from expectations.verdict import Verdict
from lake.hops.job import HopResult
from lakegate.media import line

if TYPE_CHECKING:
    from lake.pipeline.ingest import DropResult

NAMED: Final = 5
"""Most columns that a line names."""
_COLOURS = {
    Verdict.PASSED: "green",
    Verdict.QUARANTINED: "yellow",
    Verdict.BLOCKED: "red",
    Verdict.HELD: "magenta",
    Verdict.WAITING: "cyan",
    Verdict.UNCHANGED: "bright_black",
}


class Progress:
    """Lines on stderr; a status line at the bottom where stderr is a terminal. A quiet one tells only what was not published."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._status = StatusLine(quiet=quiet)

    def __enter__(self) -> Self:
        self._status.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.__exit__()

    def step(self, table: str, name: str) -> None:
        """Show the step under way (a `lake.runtime.step_timer.Watcher`)."""
        if not name.endswith(".done"):
            self._status.update(f"{table}: {name}")

    def drop(self, result: DropResult) -> None:
        """Print what became of a drop at each hop."""
        if not self._quiet:
            say(f"{result.dataset}: {line(result.file)} ({result.drop[:12]})", err=True)
        for hop in result.hops:
            self.hop(hop)
            if self._quiet and hop.reason:
                told = hop.reason.removeprefix(f"{result.file}: ")
                say(f"{line(result.file)}: {hop.verdict}: {told}", err=True)

    def hop(self, result: HopResult) -> None:
        """Print one hop's outcome."""
        if self._quiet:
            return
        counts, version = result.counts, result.version
        if (now := result.reprocessed) is not None:
            counts, version = (
                {"valid": now["rows_valid"], "quarantined": now["rows_quarantined"]},
                now["name"],
            )
        told = Coloured(f"{result.verdict!s:<11}", _COLOURS[result.verdict])
        rows = f"{counts.get('valid', 0):>9,} rows" if counts else ""
        aside = f", {counts['quarantined']:,} quarantined" if counts.get("quarantined") else ""
        lost = f", {counts['unreadable']:,} unreadable" if counts.get("unreadable") else ""
        late = f", {counts['outdated']:,} outdated" if counts.get("outdated") else ""
        total = (
            f"   table {counts['after']:,}"
            if "after" in counts and version and result.hop == "processed"
            else ""
        )
        say(
            f"  {result.hop:<10}{version or result.table:<24}",
            told,
            f"{rows}{late}{aside}{lost}{total}",
            err=True,
        )
        for severity in ("warn", "trigger"):
            if result.reprocessed is None and (rules := _broken(result, severity)):
                say(f"             {severity}s: {', '.join(rules)}", err=True)
        if result.reason:
            say(f"             {result.reason}", err=True)


def _broken(result: HopResult, severity: str) -> list[str]:
    """The rules of a severity that were broken, each with the columns that it asked of several and found."""
    broken = [rule for rule in result.rules if rule["severity"] == severity and rule["failed"]]
    return [f"{rule['rule']}{named(rule.get('columns', []))}" for rule in broken]


def named(columns: Sequence[str]) -> str:
    """Columns in brackets, the first of them where there are many; nothing of none."""
    more = f" and {len(columns) - NAMED} more" if len(columns) > NAMED else ""
    return f" ({', '.join(columns[:NAMED])}{more})" if columns else ""
