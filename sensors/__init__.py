"""Dagster sensors: new drops, and features that follow their inputs."""
