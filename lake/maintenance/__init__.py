"""Upkeep that nobody waits for: retention, pins, verification, and what attempts that died left behind.

In here: whatever runs by itself at night, or is asked for by name. May import: `lake.hops` and all below.
Which versions are kept is in `retention_policy`; what frees their files, in `retention`; what proves them, in `verify`.
"""
