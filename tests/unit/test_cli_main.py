from __future__ import annotations

import sys

import click
import pytest

from cli import main as cli
from lakegate.settings import Settings


class PanicError(BaseException):
    """As a Rust library's panic: no Exception."""


@pytest.mark.parametrize("kind", [ValueError, PanicError])
def test_an_error_that_nobody_foresaw_says_its_kind_and_place_and_not_its_text(
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


def test_an_exit_and_an_interrupt_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
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
        (["--home", "x", "demo"], "--home stands before the verb. Write options after it: lakegate VERB --home ..."),
        (["statsu"], "No such command 'statsu'. Did you mean 'status'?"),
        (["nothing"], "No such command 'nothing'."),
    ],
)
def test_a_slip_in_the_call_is_told_with_what_was_meant(
    said: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lakegate", *said])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
