"""What a dataset promises: contracts, read and checked. Knows no engine, no lake and no Dagster.

In here: contracts as values (`contract`), the packages that read them, and all contracts of a project
(`files`). May import: `lakegate`. The reading of the standard is in `odcs`, rules are checked in `rules`,
SQL in `expressions` and `queries`.
"""
