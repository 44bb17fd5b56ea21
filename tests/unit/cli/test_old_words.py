"""Words that were renamed: each old one does what its new one does, once more, and says which that is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lakegate.errors import UsageError
from tests.support.commands.exit_code import ended
from tests.support.places import ROOT

FLIGHTS = "flights@v12"
CALLS = [
    (
        ("clean", "--dry-run"),
        ("expire", "--dry-run"),
        "`lakegate clean` is called `lakegate expire` now",
        "lake.maintenance.retention.clean_up",
    ),
    (
        ("keep", FLIGHTS, "--until", "2031-12-31", "--reason", "audit"),
        ("pin", FLIGHTS, "--until", "2031-12-31", "--reason", "audit"),
        "`lakegate keep` is called `lakegate pin` now",
        "lake.maintenance.pins.pin_version",
    ),
    (
        ("keep", FLIGHTS, "--used-by", "delays-7", "--ended", "--reason", "replaced"),
        ("unpin", FLIGHTS, "--used-by", "delays-7", "--reason", "replaced"),
        "`lakegate keep --ended` is called `lakegate unpin` now",
        "lake.maintenance.pins.unpin_version",
    ),
    (
        ("docs", FLIGHTS),
        ("data-docs", FLIGHTS),
        "`lakegate docs` is called `lakegate data-docs` now",
        "lake.reports.data_docs.write_docs",
    ),
    (
        ("compare", FLIGHTS, "--whole"),
        ("compare", FLIGHTS, "--full-table"),
        "`--whole` is called `--full-table` now",
        "lake.reports.compare.compare",
    ),
    (
        ("ingest", "airlines", __file__, "--again"),
        ("ingest", "airlines", __file__, "--force"),
        "`--again` is called `--force` now",
        "lake.pipeline.ingest.ingest",
    ),
    (
        ("ingest", "airlines", __file__, "--again", "--dry-run"),
        ("ingest", "airlines", __file__, "--force", "--dry-run"),
        "`--again` is called `--force` now",
        "lake.pipeline.dry_run.dry_run",
    ),
]


class Session:
    """As much of one as these verbs touch before they call what they are for."""

    backfill = False


@pytest.mark.parametrize("case", CALLS, ids=[f"{case[2]} {case[3]}" for case in CALLS])
def test_old_word_does_what_the_new_one_does_and_names_it(
    case: tuple[tuple[str, ...], tuple[str, ...], str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new, told, does = case
    asked: list[Any] = []

    def done(session: Session, *given: Any, **named: Any) -> None:
        asked.append(
            (given, {name: value for name, value in named.items() if name not in ("tell", "on_error")})
        )
        raise UsageError("done", fix="nothing")

    home = tmp_path / "home"
    home.mkdir()
    (home / "lakegate.json").write_text('{"format": 1}\n')
    monkeypatch.setattr("lake.session.open_session", lambda *_, **__: Session())
    monkeypatch.setattr("cli.notify.open_with_listeners", lambda *_, **__: Session())
    monkeypatch.setattr("cli.notify.tell_listeners", lambda _: None)
    monkeypatch.setattr(does, done)
    where = ("--home", str(home), "--project", str(ROOT))
    assert ended(*new, *where) == 2
    assert "is called" not in capsys.readouterr().err
    assert ended(*old, *where) == 2
    assert capsys.readouterr().err.count(told) == 1
    assert asked[0] == asked[1]
    flags = [value for value in asked[0][1].values() if isinstance(value, bool)]
    assert any(flags) or not flags, "a flag that is asked for is set"


def test_pin_is_told_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def done(session: Session, *given: Any, **named: Any) -> None:
        asked.update(named)
        raise UsageError("done", fix="nothing")

    (tmp_path / "lakegate.json").write_text('{"format": 1}\n')
    monkeypatch.setattr("lake.session.open_session", lambda *_, **__: Session())
    monkeypatch.setattr("cli.notify.open_with_listeners", lambda *_, **__: Session())
    monkeypatch.setattr("cli.notify.tell_listeners", lambda _: None)
    monkeypatch.setattr("lake.maintenance.pins.pin_version", done)
    said = (
        "pin",
        FLIGHTS,
        "--until",
        "2031-12-31",
        "--reason",
        "audit",
        "--home",
        str(tmp_path),
        "--project",
        str(ROOT),
    )
    assert ended(*said) == 2
    assert asked == {"reason": "audit", "until": date(2031, 12, 31), "used_by": None}


@pytest.mark.parametrize("verb", [(), ("ingest",), ("compare",), ("pin",), ("expire",)])
def test_lists_of_words_name_no_old_one(verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*verb, "--help") == 0
    written = capsys.readouterr()
    words = written.out.replace(",", " ").split()
    assert not {"clean", "keep", "docs"} & {
        line.split()[0] for line in written.out.splitlines() if line.strip()
    }
    assert not {"--again", "--whole", "--ended"} & set(words)
    assert written.err == ""


def test_help_of_an_old_verb_is_that_of_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("clean", "--help") == 0
    written = capsys.readouterr()
    assert "lakegate expire [OPTIONS]" in written.out
    assert "`lakegate expire`" in written.err
