"""The contestants' programs, each run as a process of its own on a case in JSON (`benchmarks.rivals.case`).

May import: `benchmarks.rivals.case`, `rules` and `contract`, and the libraries of requirements/bench.txt; of
Lakegate only `lakegate_ingest` does. What the hand-written ones share is in `place`.
"""
