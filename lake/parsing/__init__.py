"""Delivered bytes become a staging file and an exact list of what can't be read.

In here: everything that knows how a file is written. It knows no lakeFS and no engine. May import:
`lake.runtime`. What a kind of file must be able to do is in `formats`, one module a kind; what one kind alone
needs is in a package named by it, as `csv`. A change to how a delivery is unpacked goes to `decompress`; to
the types that are read at once, to `fast_typing`; to JSON columns, to `json_checks`; to the original record
of a quarantined row, to `source_records`.
"""
