"""What a person decides, each with a reason, each a version or a record.

In here: one module for each decision, `decision` for what they share, and their judging and writing. May
import: `lake.pipeline`, `lake.maintenance`. A new decision is a module of its own here and a verb in `cli/`.
"""
