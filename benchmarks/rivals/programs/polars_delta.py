"""A good hand-written program: polars judges, delta-rs keeps the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.rivals.case import Case, Outcome, run_program
from benchmarks.rivals.programs.place import QUARANTINE, TRIPS, Hashing, Place, records
from benchmarks.rivals.rules import ColumnType, Rule, columns_of, rules_of

PARTS = 4
"""Files of the table: one goes out while the next is made."""


def read_typed(case: Case, *more: pl.Expr) -> tuple[pl.LazyFrame, dict[str, pl.Expr]]:
    """The file's rows as text with `_row`, and each column as its type."""
    kinds = columns_of(case.columns)
    frame = pl.scan_csv(
        case.csv,
        schema=dict.fromkeys(kinds, pl.String),
        null_values=["", "NA"],
        row_index_name="_row",
        row_index_offset=1,
    )
    return frame.with_columns(*more), {name: _typed(name, kind) for name, kind in kinds.items()}


def _typed(name: str, kind: ColumnType) -> pl.Expr:
    column = pl.col(name)
    match kind:
        case "integer":
            return column.cast(pl.Int64, strict=False)
        case "number":
            return column.cast(pl.Float64, strict=False)
        case "timestamp":
            return column.str.to_datetime(
                "%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False, exact=True
            ).dt.replace_time_zone("UTC")
        case _:
            return column


def broken(rule: Rule, kinds: dict[str, Any], airports: pl.Series) -> pl.Expr:
    """True where the typed row (beside `text_*`, what was delivered) breaks the rule."""
    column = pl.col(rule.column)
    match rule.kind:
        case "type":
            found = pl.col(f"text_{rule.column}").is_not_null() & column.is_null()
        case "required":
            found = column.is_null()
        case "key":
            found = column.is_not_null() & column.is_duplicated()
        case "fk":
            found = ~column.is_in(airports.implode())
        case "between":
            low, high = (
                pl.lit(value)
                .str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
                .dt.replace_time_zone("UTC")
                if kinds[rule.column] == "timestamp"
                else pl.lit(value)
                for value in (rule.args["low"], rule.args["high"])
            )
            found = (column < low) | (column > high)
            if "where" in rule.args:
                name, value = rule.args["where"]
                found = (pl.col(name) == value) & found
        case "in_set":
            found = ~column.is_in(list(rule.args["values"]))
        case "not_in_set":
            found = column.is_in(list(rule.args["values"]))
        case "regex":
            found = ~column.str.contains(rule.args["pattern"])
        case "not_regex":
            found = column.str.contains(rule.args["pattern"])
        case "length":
            found = ~column.str.len_chars().is_between(rule.args["low"], rule.args["high"])
        case "greater":
            found = column <= pl.col(rule.args["other"])
    return found.fill_null(value=False)


def run(case: Case, found: Outcome) -> None:
    """One scan that types and labels, one look at the keys, files out as they are made."""
    place = Place(case)
    hashing, scratch, source = Hashing(place), Path(case.scratch), Path(case.csv)
    kinds, rules = columns_of(case.columns), rules_of(case.columns, case.rules)
    airports = pl.Series(place.reference().to_pylist())

    with found.step("judge"):
        frame, typed = read_typed(case)
        texts = [pl.col(name).alias(f"text_{name}") for name, kind in kinds.items() if kind != "string"]
        frame = frame.with_columns(
            *texts, *[expr.alias(name) for name, expr in typed.items() if kinds[name] != "string"]
        )
        bits = [
            pl.when(broken(rule, kinds, airports)).then(1 << bit).otherwise(0).cast(pl.Int64)
            for bit, rule in enumerate(rules)
            if rule.kind != "key"
        ]
        judged = frame.select(
            *kinds, pl.col("_row").cast(pl.Int64), pl.sum_horizontal(bits).alias("mask")
        ).collect(engine="streaming")
        keys = [
            pl.when(broken(rule, kinds, airports)).then(1 << bit).otherwise(0).cast(pl.Int64)
            for bit, rule in enumerate(rules)
            if rule.kind == "key"
        ]
        mask = judged.select(pl.sum_horizontal(pl.col("mask"), *keys)).to_series()
        broken_rows = judged.select("_row").with_columns(mask=mask).filter(mask != 0)
        valid = judged.filter(mask == 0).drop("mask") if broken_rows.height else judged.drop("mask")
        del judged
    found.quarantined, found.valid = broken_rows.height, valid.height
    if broken_rows.height:
        lines = hashing.beside(lambda: records(source, broken_rows["_row"].to_numpy()))
    counted = broken_rows.select(
        [(pl.col("mask") & (1 << bit) != 0).sum().alias(rule.id) for bit, rule in enumerate(rules)]
    )
    found.failed = {name: int(count) for name, count in counted.row(0, named=True).items()}

    drop = hashing.source.result()
    with found.step("table"):
        size = -(-valid.height // PARTS)
        for part in range(PARTS):
            local = scratch / f"part-{part}.parquet"
            piece = valid.slice(part * size, size).select(*kinds, pl.lit(drop).alias("_drop"), "_row")
            piece.write_parquet(local, compression="snappy", row_group_size=200_000)
            hashing.put(local, TRIPS)
    with found.step("content"):
        rows = valid.select(*kinds)
        sums = [int(rows.hash_rows(seed=seed).cast(pl.Int128).sum() or 0) for seed in (1, 2)]
        found.content = f"{(sums[0] << 64 ^ sums[1]) % (1 << 128):032x}"
    with found.step("quarantine"):
        if broken_rows.height:
            masks = broken_rows["mask"].unique()  # a few hundred at most, so each one's reasons are made once
            named = [[rule.id for bit, rule in enumerate(rules) if mask >> bit & 1] for mask in masks]
            reasons = pl.DataFrame({"mask": masks, "_reasons": named})
            table = (
                broken_rows.with_columns(_record=pl.Series(lines.result()))
                .join(reasons, on="mask", maintain_order="left")
                .select(
                    pl.lit(drop).alias("_drop"),
                    "_row",
                    pl.lit(source.name).alias("_file"),
                    "_reasons",
                    "_record",
                )
            )
            local = scratch / "quarantined.parquet"
            table.write_parquet(local, compression="snappy")
            hashing.put(local, QUARANTINE)
    with found.step("commit"):
        hashing.close(found)


if __name__ == "__main__":
    run_program(run)
