"""All hops of a drop in the order that contracts ask for, without Dagster.

In here: whose turn it is, what follows a version, what `lakegate ingest` and the assets call. May import:
`lake.hops` and all below. A change to the order of drops goes to `ordering`; to which features follow, to
`downstream`.
"""
