"""Dagster's assets, checks and runs, made from contracts.

In here: everything that is reported to Dagster. May import: `lake`, and all below it; `definitions` alone
imports `sensors`, too. What an asset does is in `asset_bodies`, how it fails in `step_failures`; what a
command did is reported in `report`; what the UI shows of a table and a version is made in `events`; the UI is
started in `web`.
"""
