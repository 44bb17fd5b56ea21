from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from catalog.project import init_project
from cli import main as cli
from lakegate.settings import SHIPPED, Settings
from tests.support.commands.exit_code import ended


class PanicError(BaseException):
    """As a Rust library's panic: no Exception."""


@pytest.mark.parametrize("kind", [ValueError, PanicError])
def test_error_that_nobody_foresaw_says_its_kind_and_place_and_not_its_text(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(**_: object) -> None:
        raise kind("Anna, born 1970-01-01")

    monkeypatch.setattr(Settings, "load", load)
    monkeypatch.setattr(sys, "argv", ["lakegate", "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    written = capsys.readouterr()
    assert ended.value.code == 1
    assert f"error: unexpected {kind.__name__} at cli/" in written.err
    assert "-> report this, with the lines that led there: cli/main.py:" in written.err
    assert "Anna" not in written.err + written.out
    assert "Traceback" not in written.err


def test_exit_and_an_interrupt_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for raised, code in ((SystemExit(7), 7), (click.exceptions.Exit(3), 3)):

        def load(raised: BaseException = raised, **_: object) -> None:
            raise raised

        monkeypatch.setattr(Settings, "load", load)
        monkeypatch.setattr(sys, "argv", ["lakegate", "status"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            ["--home", "x", "demo"],
            "--home comes before the verb. Write options after it: lakegate VERB --home ...",
        ),
        (["statsu"], "No such command 'statsu'. Did you mean 'status'?"),
        (["nothing"], "No such command 'nothing'."),
    ],
)
def test_slip_in_the_call_is_told_with_what_was_meant(
    said: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lakegate", *said])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_folder_without_contracts_is_told_whose_are_taken_and_a_slip_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LAKEGATE_PROJECT", "LAKEGATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    taken = f"project {SHIPPED}, which ships with Lakegate (this folder has no catalog/contracts/"
    slips = (
        (("ingest", "readings", __file__), "unknown dataset 'readings'"),
        (("ingest", "airlines", "none.csv"), "can't be read"),
    )
    for said, told in slips:
        assert ended(*said) == 2
        written = capsys.readouterr()
        assert written.err.startswith(taken)
        assert told in written.err
        assert list(tmp_path.iterdir()) == []
    assert ended("status", "--project", str(SHIPPED)) == 2
    assert ended("down") == 0
    assert "project" not in capsys.readouterr().err


def test_in_a_lake_of_the_users_own_nothing_starts_that_has_no_contract_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAKEGATE_PROJECT", raising=False)
    init_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    for said, told in (
        (("ingest", "readings", __file__), "write a contract"),
        (("demo",), "no contracts of the demo's airlines, airports"),
    ):
        assert ended(*said) == 2
        written = capsys.readouterr()
        assert "ships with" not in written.err
        assert told in written.err
        assert not (tmp_path / ".lakegate").exists()
