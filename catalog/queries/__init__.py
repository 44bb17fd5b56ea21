"""The SQL of feature tables, read strictly and written anew, each column in its contract's type.

In here: SELECTs, their sources, groups and windows. May import: `catalog.expressions`, `catalog.mistakes`.
What a query may hold is listed in `allowed`; a clause of SELECT has the module of its name, and
`feature_sql` reads the file.
"""
