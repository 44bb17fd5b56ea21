"""How a drop becomes a version: receive, parse, judge, write, publish. Knows lakeFS and Delta, not Dagster.

In here: `session` (an open lake), `paths` (the paths in its tree), and a package for each part of the way.
May import: `expectations`, `catalog`, `lakegate`. docs/how-it-works.md follows one drop through it. A linter
checks the layers of the packages, which pyproject.toml lists.
"""
