"""Verbs that only look: versions, quarantined rows, the ledger, drift, and how the lake is.

May import: `cli`, and `lake.reports` inside a verb. A new report is a module there and one here that prints
it.
"""
