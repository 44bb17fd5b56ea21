"""Migrations: what an earlier release wrote into a home and its lake is brought to this release's format.

In here: the steps from one format to the next, each in the words of its own day. A session runs them when it
is opened. May import: `lake.lakefs`, `lake.runtime`, `lake.paths`. The next change of format gets a module of
steps, an entry in `migrate.MIGRATIONS` and the next number in `lakegate.home`.
"""
