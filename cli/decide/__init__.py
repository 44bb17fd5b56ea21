"""Verbs by which a person decides, each with a version or a record of it.

On drops (approve, reject), on quarantined rows (replay, discard), on a table (reprocess, rollback).

May import: `cli`, and `lake.decisions` inside a verb. `after_decision` makes the features that follow a new
version.
"""
