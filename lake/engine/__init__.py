"""Sail and Spark behind one value, and all that differs between them.

In here: how each engine is started, guarded and queried, and its errors as ours. May import: `lake.runtime`,
`lake.parsing`. A difference between the engines goes to `engine`; how one is started, to `startup`; who may
connect to Sail's process, to `sail_guard`.
"""
