"""What a person sees while hops run: a line per hop, and on a terminal the step under way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Self

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
    """Lines on stderr, and a status line at the bottom where stderr is a terminal.

    Args:
        quiet: Print only what was not published, and why.
    """

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
        """Print the outcome of a drop at each hop."""
        file = line(result.file)
        if not self._quiet:
            say(f"{result.dataset}: {file} ({result.drop[:12]})", err=True)
        for hop in result.hops:
            if not self._quiet:
                _print_hop(hop)
            elif hop.reason:
                say(f"{file}: {hop.verdict}: {hop.reason.removeprefix(f'{result.file}: ')}", err=True)


def _print_hop(result: HopResult) -> None:
    counts: dict[str, Any] = result.counts
    version = result.version
    if (now := result.reprocessed) is not None:
        counts = {"valid": now["rows_valid"], "quarantined": now["rows_quarantined"]}
        version = now["name"]
    rows = f"{counts.get('valid', 0):>9,} rows" if counts else ""
    rows += "".join(
        f", {counts[name]:,} {name}" for name in ("outdated", "quarantined", "unreadable") if counts.get(name)
    )
    if "after" in counts and version and result.hop == "processed":
        rows += f"   table {counts['after']:,}"
    verdict = Coloured(f"{result.verdict!s:<11}", _COLOURS[result.verdict])
    say(f"  {result.hop:<10}{version or result.table:<24}", verdict, rows, err=True)
    for severity in ("warn", "trigger"):
        if result.reprocessed is None and (rules := _broken(result, severity)):
            say(f"             {severity}s: {', '.join(rules)}", err=True)
    if result.reason:
        say(f"             {result.reason}", err=True)


def _broken(result: HopResult, severity: str) -> list[str]:
    """The broken rules of a severity, each with the columns that it found where it judges several."""
    broken = [rule for rule in result.rules if rule["severity"] == severity and rule["failed"]]
    return [f"{rule['rule']}{_in_brackets(rule.get('columns', []))}" for rule in broken]


def _in_brackets(columns: Sequence[str]) -> str:
    """Columns in brackets, the first of them where there are many; nothing of none."""
    more = f" and {len(columns) - NAMED} more" if len(columns) > NAMED else ""
    return f" ({', '.join(columns[:NAMED])}{more})" if columns else ""
