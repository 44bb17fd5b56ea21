"""What a person decides, each with a reason, each a version or a record.

In here: one module for each decision, and the writers that they share. May import: `lake.pipeline`,
`lake.maintenance`. A new decision is a module of its own here and a verb in `cli/`.
"""
