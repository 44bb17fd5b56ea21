"""The custom property `file`: how a delivered file is to be read."""

from __future__ import annotations

import re
from typing import Final, get_args

from catalog.contract import FileFormat, FileKind
from catalog.documents.document import suggest
from catalog.odcs.custom_properties import BUDGET, Custom, are_texts, budget_of
from lakegate.errors import ContractError

_FILE: Final = (
    "format",
    "delimiter",
    "nullValues",
    "maxLines",
    "maxBytes",
    "maxColumns",
    "maxUnreadable",
    "finalLineEnd",
)
_DELIMITER: Final = re.compile(r'[\x00-\x7f](?<![A-Za-z0-9"\r\n])')
"""An ASCII character that is no letter, digit, quote or line end."""


def file_format(custom: Custom) -> FileFormat:
    """How a delivered file is to be read. An empty field is always null, beside the `nullValues`.

    Raises:
        ContractError: An option is unknown or has a value that it can't have.
    """
    given = custom.mapping("file", _FILE)
    default = FileFormat()

    def bad(key: str, fix: str) -> ContractError:
        return custom.error("file", f"{key} is {given.get(key)!r}", key, fix=fix)

    kind, kinds = given.get("format", default.kind), get_args(FileKind)
    if kind not in kinds:
        raise bad("format", suggest(kind, kinds))
    delimiter = given.get("delimiter", default.delimiter)
    if not isinstance(delimiter, str) or not _DELIMITER.fullmatch(delimiter):
        raise bad("delimiter", 'write one ASCII character in quotes, such as "," or ";" or "\\t"')
    if not are_texts(nulls := given.get("nullValues", [])):
        raise bad("nullValues", "write a list of texts, such as [NA]; quote numbers")
    if given.get("finalLineEnd", "required") != "required":
        raise bad("finalLineEnd", "write required, or leave it out")
    unreadable = given.get("maxUnreadable", default.max_unreadable)
    share, rows = budget_of(unreadable, bad("maxUnreadable", BUDGET))
    for key in ("maxLines", "maxBytes", "maxColumns"):
        if key in given and (type(given[key]) is not int or given[key] < 1):
            raise bad(key, "write a whole number, 1 or more")
    return FileFormat(
        kind=kind,
        delimiter=delimiter,
        null_values=tuple(dict.fromkeys(("", *nulls))),
        max_lines=given.get("maxLines", default.max_lines),
        max_bytes=given.get("maxBytes", default.max_bytes),
        max_columns=given.get("maxColumns", default.max_columns),
        max_unreadable=share,
        max_unreadable_rows=rows,
        final_line_end="finalLineEnd" in given,
    )
