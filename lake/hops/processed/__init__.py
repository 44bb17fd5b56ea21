"""The processed hop: a raw drop becomes typed, judged rows of a Delta table, and quarantined rows beside it.

In here: the hop from its raw version to its publish. May import: everything else in `lake.hops`. How rows are
judged is in `judge_rows`, how they are written in `write_rows`; `hop` puts the two together, and `superseded`
says when a later delivery leaves nothing to do.
"""
