"""Words that were renamed: the old one works in this release, is listed nowhere, and names the new one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from cli.terminal import say

R = TypeVar("R")

OLD_VERBS: Final = {"clean": "expire", "keep": "pin", "docs": "data-docs"}


def renew_verb(args: list[str]) -> list[str]:
    """The arguments of a call, its verb as it is called now."""
    if not args or args[0] not in OLD_VERBS:
        return args
    old, new, rest = args[0], OLD_VERBS[args[0]], args[1:]
    if old == "keep" and "--ended" in rest:
        old, new, rest = "keep --ended", "unpin", [arg for arg in rest if arg != "--ended"]
    _notify(f"lakegate {old}", f"lakegate {new}")
    return [new, *rest]


def old_option(old: str, new: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Let the old name of a flag do what its new one does.

    Args:
        old: The name that it had, with its dashes.
        new: The name that it has, which the verb's function takes as its parameter.
    """

    def added(function: Callable[..., R]) -> Callable[..., R]:
        @click.option(old, "old_word", is_flag=True, hidden=True)
        @functools.wraps(function)
        def wrapped(*args: Any, old_word: bool, **kwargs: Any) -> R:
            if old_word:
                _notify(old, new)
                kwargs[new.removeprefix("--").replace("-", "_")] = True
            return function(*args, **kwargs)

        return wrapped

    return added


def _notify(old: str, new: str) -> None:
    say(f"`{old}` is called `{new}` now; the old word goes with the next release", err=True)
