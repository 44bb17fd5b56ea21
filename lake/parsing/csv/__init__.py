"""Delimited text: where its records and fields begin and end, and pyarrow's reader held to that.

In here: what CSV is, and nothing that another format needs. May import: `lake.parsing`, but for `formats`.
A change to what a field is goes to `grammar`; to what a record is, to `lines`, `quotes` and
`record_splitter`; to column names, to `header`; to what other files are recognized as, to `file_signatures`.
"""
