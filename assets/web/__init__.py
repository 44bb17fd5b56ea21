"""Dagster's UI behind a door: its process, who may come in, and how it ends.

In here: what `lakegate dev` starts. May import: `lakegate`, `assets.instance`.
Who may come in is in `door`; what is started, in `services`; how it ends, in `dev_process`.
"""
