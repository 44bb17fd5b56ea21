"""What a dataset promises: contracts, read and checked. Knows no engine, no lake and no Dagster."""
