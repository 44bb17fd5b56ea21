"""How a drop becomes a version: receive, parse, judge, write, publish. Knows lakeFS and Delta, not Dagster."""
