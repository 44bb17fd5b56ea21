"""Migrations: what an earlier release wrote into a home and its lake, brought to the format of this one when a session is opened.

In here: the steps from one format to the next, each as it was on the day of that format. May import: `lake.lakefs`, `lake.runtime`,
`lake.paths`. A format that changes next gets a module of steps, an entry in `migrate.MIGRATIONS` and the next number in `lakegate.home`.
"""
