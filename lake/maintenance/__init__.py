"""Upkeep that nobody waits for: retention, pins, verification, and what attempts that died left behind.

In here: what runs by itself at night, and what a command starts by name. May import: `lake.hops` and all
below. `retention_policy` says which versions stay, `retention` frees the files of the others, `verify` proves
versions.
"""
