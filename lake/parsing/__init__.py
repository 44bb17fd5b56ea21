"""Delivered bytes become a staging file and an exact list of what can't be read.

In here: everything that knows how a file is written. It knows no lakeFS and no engine. May import: `lake.runtime`.
A change to what CSV is goes to `csv_grammar` and `record_splitter`; to how a delivery is unpacked, to `decompress`; to the
types that are read at once, to `fast_typing`; to JSON columns, to `json_checks`.
"""
