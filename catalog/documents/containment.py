"""Whatever goes wrong while one file is read is that file's mistake and stops no other file (promise P7).

Parsers and libraries have limits of their own: how deep something is nested, how long a number is, how much
memory there is. Those limits can't be listed, so everything that is raised counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from catalog.documents.document import Document, Steps
from lakegate.errors import ContractError, LakegateError


@contextlib.contextmanager
def mistakes_in(path: Path) -> Iterator[None]:
    """Turn whatever is raised within into the mistake of a file.

    Raises:
        ContractError: Something was raised. The error names the file; of an error that is not Lakegate's,
            only its kind.
    """
    try:
        yield
    except ContractError:
        raise
    except LakegateError as error:
        raise ContractError(error.what, where=error.where or str(path), fix=error.fix) from error
    except RecursionError as error:
        what, fix = (
            "it is nested too deeply to be read",
            "write it flatter: a few dozen nested brackets at most",
        )
        raise ContractError(what, where=str(path), fix=fix) from error
    except Exception as error:
        what = f"it can't be read ({type(error).__name__})"
        fix = (
            "look for what is unusual in it, such as very long numbers or texts; report this where nothing is"
        )
        raise ContractError(what, where=str(path), fix=fix) from error


def mistake_of(path: Path, check: Callable[[], ContractError | None]) -> ContractError | None:
    """The mistake that a check finds in a file, or its own failure; None where all is well."""
    try:
        with mistakes_in(path):
            return check()
    except ContractError as error:
        return error


def check_texts(document: Document) -> None:
    """Refuse texts that no file can hold: halves of characters, written as escapes.

    Raises:
        ContractError: There is one.
    """
    _check_texts(document, document.data, ())


def _check_texts(document: Document, part: Any, at: Steps) -> None:
    if isinstance(part, dict):
        for name, value in part.items():
            _check_texts(document, name, (*at, name))
            _check_texts(document, value, (*at, name))
    elif isinstance(part, list):
        for number, value in enumerate(part):
            _check_texts(document, value, (*at, number))
    elif isinstance(part, str):
        try:
            part.encode()
        except UnicodeEncodeError:
            what = "a text holds half of a character"
            raise document.error(what, *at, fix="write the character itself, not its surrogates") from None
