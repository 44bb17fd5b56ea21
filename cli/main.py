"""`lakegate`: finds the verb, imports only that one, and turns errors into exit codes."""

from __future__ import annotations

import difflib
import gc
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from cli.old_words import renew_verb
from cli.terminal import complain, say, show_usage
from lakegate import __version__
from lakegate.errors import Exit, LakegateError

GROUPS: Final = {
    "ingest": {
        "demo": "Process a year of real flights from drop to tagged version.",
        "init": "Write a lake of your own: contracts, suites, SQL.",
        "plan": "Show how a dataset's rules are evaluated, and what each costs.",
        "ingest": "Process files of a dataset through all hops.",
    },
    "read": {
        "status": "Tell how the lake is.",
        "versions": "List the published versions of a table.",
        "quarantine": "List the quarantined rows of a dataset.",
        "ledger": "Tell where every drop is at every hop, and why.",
        "trace": "Show what one run put on record.",
        "compare": "Compare a version's columns with an earlier version's, before training on it.",
        "data-docs": "Write Data Docs of what was judged.",
    },
    "decide": {
        "approve": "Let a drop pass that the gate held for a person.",
        "reject": "Give up a drop that was held, refused or failed.",
        "replay": "Judge quarantined rows again; publish those that pass.",
        "discard": "Decide that quarantined rows never come back.",
        "reprocess": "Rebuild a table from raw under the present rules.",
        "rollback": "Publish the state of an earlier version as the next one.",
    },
    "maintain": {
        "dev": "Open Dagster's UI on the lake, sensors included.",
        "up": "Start the embedded lakeFS and mend the home's caches.",
        "down": "Stop the embedded lakeFS.",
        "verify": "Prove every byte of a version, or name each gap.",
        "reconcile": "Mend what attempts that died left behind, or tell of it.",
        "pin": "Keep a version whatever its contract's retention says.",
        "unpin": "Leave a pinned version to its contract's retention again.",
        "expire": "End versions that are retained no longer, and free their files.",
        "backup": "Copy the home into a folder.",
        "restore": "Put a backup in the place of a home.",
    },
}
"""Each verb with its line in --help, by the package of `cli` that has its module."""

PLACES: Final = {
    verb: f"cli.{group}.{verb.replace('-', '_')}" for group, verbs in GROUPS.items() for verb in verbs
}
"""The module of each verb."""


class Verbs(click.Group):
    """A group whose verbs are modules, imported when they are called and never for --help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The verbs as --help lists them."""
        return list(PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb."""
        if cmd_name not in PLACES:
            return None
        command: click.Command = import_module(PLACES[cmd_name]).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say of an option before the verb where it belongs."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            option = error.option_name
            what = f"{option} comes before the verb. Write options after it: lakegate VERB {option} ..."
            raise click.UsageError(what, ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take an old word for the verb that it became, and suggest the verb that was meant."""
        args = renew_verb(args)
        if args and args[0] not in PLACES and (meant := difflib.get_close_matches(args[0], PLACES, n=1)):
            what = f"No such command {args[0]!r}. Did you mean {meant[0]!r}?"
            raise click.UsageError(what, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs by group, without importing them."""
        for group, verbs in GROUPS.items():
            with formatter.section(group.capitalize()):
                formatter.write_dl([(f"{verb:<10}", text) for verb, text in verbs.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lakegate")
def lakegate() -> None:
    """Take data from raw files to tagged, explained versions, through a gate at every hop.

    State lives in a home folder (.lakegate, --home or LAKEGATE_HOME); contracts come from the project
    (--project, LAKEGATE_PROJECT, the working directory where it has catalog/contracts/, else the demo's,
    which is said). Results go to stdout, all else to stderr. Exit: 0 published or unchanged, 4 published and
    no row taken, 3 blocked, held, waiting or moved too far, 2 wrong call or contract, 1 anything else.
    """


GARBAGE: Final = (50_000, 20, 100)
"""Python's collector looks for cycles each 700 objects; imports make some 500,000 that stay: a fifth of a
verb's time."""

PACKAGES: Final = ("lakegate", "catalog", "expectations", "lake", "assets", "sensors", "cli")


def unexpected(error: BaseException) -> str:
    """The message of an unforeseen error: its kind and where, never its text, which may quote values (P6)."""
    root = Path(__file__).resolve().parent.parent
    ours = []
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(root) and path.relative_to(root).parts[0] in PACKAGES:
            ours.append((f"{path.relative_to(root)}:{frame.lineno}", frame.name))
    where, name = ours[-1] if ours else ("an unknown place", "main")
    fix = "report this"
    if ours[:-1]:
        fix += f", with the lines that led there: {', '.join(place for place, _ in ours[:-1])}"
    return f"error: unexpected {type(error).__name__} at {where} in {name}\n  -> {fix}"


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(*GARBAGE)
    try:
        # Without standalone mode click returns the code of its own Exit exception instead of raising it.
        code = lakegate.main(standalone_mode=False)
    except click.Abort:
        say("stopped", err=True)
        sys.exit(Exit.FAILED)
    except click.ClickException as error:
        show_usage(error)
        sys.exit(Exit.USAGE)
    except LakegateError as error:
        complain(error)
        sys.exit(error.exit_code)
    except (SystemExit, KeyboardInterrupt):
        raise
    except OSError as error:
        from lake.runtime.disk_errors import disk_error

        full = disk_error(error, Path.cwd())
        say(f"error: {full}" if full else unexpected(error), err=True)
        sys.exit(Exit.FAILED)
    except BaseException as error:  # noqa: BLE001  (a panic in a Rust library is no Exception)
        say(unexpected(error), err=True)
        sys.exit(Exit.FAILED)
    sys.exit(code if isinstance(code, int) else Exit.OK)


if __name__ == "__main__":
    main()
