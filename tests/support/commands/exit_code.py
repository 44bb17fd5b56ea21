"""The command line in this process."""

from __future__ import annotations

import sys

import pytest

from cli import main as cli


def ended(*said: str) -> int:
    """The exit code of a command."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["lakegate", *said])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert isinstance(end.value.code, int)
    return end.value.code
