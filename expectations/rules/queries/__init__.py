"""Table rules that take a query of their own over the rows that pass.

In here: the queries, and the outcomes of their results. May import: the other modules of
`expectations.rules`. A rule on repeats goes to `query_rules`, one on a series to `time_series_rules`.
"""
