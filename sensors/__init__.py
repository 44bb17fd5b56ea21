"""Dagster's sensors: new drops of a source, features that follow their inputs, and upkeep by itself.

In here: what Dagster's daemon evaluates. May import: `assets`, `lake`. Where deliveries come from is in
`lake.sources`; which runs are requested, in `landing_sensor` and `feature_sensor`, and how, in
`run_requests`; what is mended and cleaned up, in `maintenance`.
"""
