"""Pandera on polars: a schema, its lazy report of failure cases, and the frame parted by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandera.errors
import pandera.polars as pa
import polars as pl

from benchmarks.rivals.case import Case, Outcome, run_program
from benchmarks.rivals.programs.place import QUARANTINE, TRIPS, Place, records
from benchmarks.rivals.programs.polars_delta import broken, read_typed
from benchmarks.rivals.rules import Rule, columns_of, rules_of


def check(rule: Rule, kinds: dict[str, Any], airports: pl.Series) -> pa.Check:
    """Pandera's own check where it has one."""
    match rule.kind:
        case "in_set":
            return pa.Check.isin(list(rule.args["values"]))
        case "not_in_set":
            return pa.Check.notin(list(rule.args["values"]))
        case "regex":
            return pa.Check.str_matches(rule.args["pattern"])
        case "length":
            return pa.Check.str_length(rule.args["low"], rule.args["high"])
        case "fk":
            return pa.Check.isin(airports.to_list())
        case "between" if kinds[rule.column] != "timestamp" and "where" not in rule.args:
            return pa.Check.in_range(rule.args["low"], rule.args["high"])
    wrong = broken(rule, kinds, airports)
    return pa.Check(lambda data: data.lazyframe.select(~wrong), ignore_na=False, name=rule.id)


def run(case: Case, found: Outcome) -> None:
    """Read, validate lazily, part, write."""
    place, kinds, rules = Place(case), columns_of(case.columns), rules_of(case.columns, case.rules)
    airports = pl.Series(place.reference().to_pylist())
    with found.step("read"):
        frame, typed = read_typed(case)
        texts = [pl.col(name).alias(f"text_{name}") for name, kind in kinds.items() if kind != "string"]
        rows = frame.with_columns(
            *texts, *[expr.alias(name) for name, expr in typed.items() if kinds[name] != "string"]
        ).collect()
    own: dict[str, list[Rule]] = {name: [] for name in kinds}
    for rule in rules:
        if rule.kind != "required":  # `unique=True` takes missing keys for one key that repeats
            own[rule.column].append(rule)
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(
                rows.schema[name],
                nullable=not any(rule.kind == "required" and rule.column == name for rule in rules),
                checks=[check(rule, kinds, airports) for rule in own[name]],
            )
            for name in kinds
        }
    )
    ids = {(rule.column, str(number)): rule.id for name in kinds for number, rule in enumerate(own[name])}
    ids |= {(rule.column, "not_nullable"): rule.id for rule in rules if rule.kind == "required"}
    broken_by = pl.DataFrame(schema={"at": pl.Int64, "rule": pl.String})
    with found.step("validate"):
        try:
            schema.validate(rows, lazy=True)
        except pandera.errors.SchemaErrors as errors:
            named = pl.DataFrame(
                [(*pair, rule) for pair, rule in ids.items()],
                schema=["column", "number", "rule"],
                orient="row",
            )
            number = pl.coalesce(pl.col("check_number").cast(pl.String), pl.col("check"))
            broken_by = (
                errors.failure_cases.lazy()
                .select("column", number.alias("number"), pl.col("index").cast(pl.Int64).alias("at"))
                .join(named.lazy(), on=["column", "number"], how="left")
                .select("at", "rule")
                .collect()
            )
    counts = dict(broken_by["rule"].value_counts().iter_rows())
    found.failed = {rule.id: int(counts.get(rule.id, 0)) for rule in rules}
    reasons = broken_by.group_by("at").agg(pl.col("rule").sort().alias("_reasons")).sort("at")
    found.quarantined, found.valid = reasons.height, rows.height - reasons.height
    with found.step("write"):
        rows = rows.with_row_index("at").with_columns(
            pl.col("at").cast(pl.Int64), pl.col("_row").cast(pl.Int64)
        )
        valid = rows.join(reasons, on="at", how="anti") if reasons.height else rows
        valid.select(*kinds, pl.lit(Path(case.csv).name).alias("_file"), "_row").write_delta(
            place.uri(TRIPS), storage_options=place.options
        )
        if reasons.height:
            numbers = reasons["at"] + 1
            table = reasons.select(numbers.alias("_row"), "_reasons").with_columns(
                _file=pl.lit(Path(case.csv).name),
                _record=pl.Series(records(Path(case.csv), numbers.to_numpy())),
            )
            table.write_delta(place.uri(QUARANTINE), storage_options=place.options)


if __name__ == "__main__":
    run_program(run)
