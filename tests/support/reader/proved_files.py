"""Files with proofs of their byte ranges."""

import io

import pyarrow.parquet as pq

from lake.tables.range_hashes import ends_of
from lakegate.files import ranges
from lakegate.files.ranges import measure
from lakegate.manifest import Proof


def reading(raw):
    return lambda start, stop: memoryview(raw)[start:stop]


def with_proofs(lake, *files):
    """The proofs of files as a publish makes them, in the lake."""
    found = {}
    for file in files:
        raw = lake.block(file).read_bytes()
        digest, found[file.path] = measure(reading(raw), len(raw), ends_of(reading(raw), len(raw)))
        assert digest == file.sha256
    body = ranges.to_bytes(found)
    put = lake.put("proofs.json", body, len(files))
    return Proof("_lakegate/proofs/flights/v1.json", put.physical, put.size, put.sha256, [*found])


def parts_of(raw):
    """Of a Parquet file: the bytes of its footer, and of each column's dictionary and data pages, as [start,
    stop) by name.
    """
    metadata = pq.read_metadata(io.BytesIO(raw))
    length = int.from_bytes(raw[-8:-4], "little") + 8
    found = {("footer", ""): [(len(raw) - length, len(raw))]}
    for number in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(number).column(index)
            start = column.dictionary_page_offset or column.data_page_offset
            stop = start + column.total_compressed_size
            if column.dictionary_page_offset:
                found.setdefault(("dictionary", column.path_in_schema), []).append(
                    (start, column.data_page_offset)
                )
            found.setdefault(("data", column.path_in_schema), []).append((column.data_page_offset, stop))
    return found
