"""What Dagster shows of a table and a version: metadata, column lineage, checks, triggers, events.

In here: values and events made from contracts, manifests and hop results; none is written to Dagster here.
May import: `lake`, and all below it. What is shown of a version goes into `metadata`; of its rules, into
`checks`.
"""
