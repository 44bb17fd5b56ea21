"""Verbs that bring data in: a new lake, its rules, files delivered by hand, and the demo.

May import: `cli`, and `catalog`, `expectations` and `lake` inside a verb. Files that come by themselves are
`sensors`.
"""
