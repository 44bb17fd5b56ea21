"""Dagster assets, made from contracts."""
