"""Dagster's assets, checks and runs, made from contracts.

In here: everything that Dagster is told. May import: `lake`, and all below it; `definitions` alone imports `sensors`, too.
What an asset does is in `asset_bodies`; what a command did is told in `report`; what the UI shows of a version, in
`metadata` and `checks`; how the UI is started, in `web`.
"""
