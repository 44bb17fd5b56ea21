"""Verbs of upkeep: the server, Dagster's UI, proofs, repairs, retention, and copies of the home.

May import: `cli`, and `lake.maintenance`, `lake.server` and `assets.web` inside a verb.
"""
