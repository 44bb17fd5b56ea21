"""All records of a file at once, as the splitter finds them block by block."""

from __future__ import annotations

import numpy as np

from lake.parsing.csv.lines import Buffer
from lake.parsing.csv.record_splitter import Split, split_blocks


def split(data: Buffer, *, delimiter: str = ",", max_lines: int = 1) -> Split:
    """Split a whole file."""
    return joined(list(split_blocks(data, delimiter=delimiter, max_lines=max_lines)))


def joined(parts: list[Split]) -> Split:
    """Consecutive parts as one."""
    return Split(
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        reason=np.concatenate([part.reason for part in parts]),
        header=next((part.header for part in parts if part.header), None),
        blank=sum(part.blank for part in parts),
        bom_bytes=sum(part.bom_bytes for part in parts),
        header_bytes=sum(part.header_bytes for part in parts),
        record_bytes=sum(part.record_bytes for part in parts),
        blank_bytes=sum(part.blank_bytes for part in parts),
    )
