"""Delta tables of a branch: rows written, files proved, the quarantine and what became of its rows.

In here: whatever reads or writes rows and files of a table. May import: `lake.session`, `lake.engine`,
`lake.versions`. Rows are read by `reader` and written by `writer` (frames by `Engine.write_delta`, which it
calls). How a drop changes a table is in `change`, by key in `upsert`; the content hash is in `content_hash`.
"""
