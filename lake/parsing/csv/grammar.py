"""How a record divides into fields: RFC 4180, section 2; a field that begins with no quote may hold some."""

from __future__ import annotations

import re

import numpy as np

TERMINATOR = re.compile(rb"\r\n|\r|\n")


class Grammar:
    """How a record divides into fields; `columns` is how many it must have to run over line ends."""

    def __init__(self, delimiter: str, max_lines: int = 1, columns: int | None = None) -> None:
        self.delimiter, self.max_lines, self.columns = delimiter.encode(), max_lines, columns
        mark = re.escape(self.delimiter)
        # Possessive, so that a broken record costs one look at each byte.
        self._field = re.compile(
            rb'(?:\A|%b)(?:"(?:[^"]++|"")*+"(?=%b|\Z)|[^"%b\r\n][^%b\r\n]*+|(?=%b|\Z))'
            % (mark, mark, mark, mark, mark)
        )
        self.edge = np.isin(np.arange(256), list(self.delimiter + b'"\r\n'))

    def fields(self, record: bytes) -> list[bytes] | None:
        """The fields with their quotes; None where the record can't be divided without guessing."""
        found = self._field.findall(record)
        if sum(map(len, found)) != len(record):
            return None
        return [found[0], *(field[len(self.delimiter) :] for field in found[1:])]

    def spans_lines(self, record: bytes) -> bool:
        """Whether lines taken together are one record, with no field on more lines than allowed.

        One of more or fewer fields than columns is a record too, where no line within it is a sound record.
        """
        fields = self.fields(record)
        if fields is None or any(len(TERMINATOR.findall(field)) >= self.max_lines for field in fields):
            return False
        inner = TERMINATOR.split(record)[1:-1]
        return self.columns in (None, len(fields)) or not any(map(self._sound, inner))

    def _sound(self, line: bytes) -> bool:
        """Whether a line is a record by itself."""
        return bool(line) and len(self.fields(line) or ()) == self.columns
