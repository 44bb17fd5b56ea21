"""Sail and Spark behind one value, and all that differs between them.

In here: how each engine is started, guarded and asked, and its errors as ours. May import: `lake.runtime`, `lake.parsing`.
A difference between the engines goes to `engine`; how one is started, to `startup`; what its process may do, to `sail_guard`.
"""
