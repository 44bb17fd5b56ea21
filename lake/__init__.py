"""How a drop becomes a version: receive, parse, judge, write, publish. Knows lakeFS and Delta, not Dagster.

In here: `session` (an open lake), `paths` (what lies where in it), and a package for each part of the way. May import:
`expectations`, `catalog`, `lakegate`. docs/how-it-works.md walks one drop through it; the layers between the packages stand
in pyproject.toml, and a linter holds them.
"""
