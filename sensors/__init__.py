"""Dagster's sensors: new drops of a source, features that follow their inputs, and upkeep that nobody has to think of.

In here: what Dagster's daemon evaluates. May import: `assets`, `lake`.
Where deliveries come from is in `lake.sources`; what a run is asked for, in `landing_sensor` and `feature_sensor`; what is
mended and cleaned up by itself, in `maintenance`.
"""
