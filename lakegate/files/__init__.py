"""A version's files: where they are, and the proof of each byte before it is handed out.

In here: reading and proving, without lakeFS's client and without an engine.
May import: the root of `lakegate`.
A change to what is hashed goes to `ranges` and `proved`; to where files are looked for, to `store`; to how
Parquet becomes a table, to `parquet`; to what `verify` finds, to `verify`.
"""
