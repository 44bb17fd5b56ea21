"""A good hand-written program: DuckDB judges, delta-rs keeps the tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.rivals.case import Case, Outcome, run_program
from benchmarks.rivals.programs.place import QUARANTINE, TRIPS, Hashing, Place, records
from benchmarks.rivals.rules import Rule, columns_of, rules_of

_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "timestamp": "TIMESTAMPTZ", "string": "VARCHAR"}
PARTS = 4
"""Files of the table: one goes out while the next is made."""


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(_text(value) for value in values)


def broken(rule: Rule, kinds: dict[str, str]) -> str:
    """SQL over the typed row and, as text_*, what was delivered: true where it breaks the rule."""
    column = rule.column
    match rule.kind:
        case "type":
            return f"text_{column} is not null and {column} is null"
        case "required":
            return f"{column} is null"
        case "fk":
            return f"{column} is not null and {column} not in (select faa from airports)"
        case "between":
            literal = (lambda value: f"TIMESTAMPTZ {_text(value)}") if kinds[column] == "timestamp" else str
            outside = f"{column} < {literal(rule.args['low'])} or {column} > {literal(rule.args['high'])}"
            if "where" not in rule.args:
                return outside
            name, value = rule.args["where"]
            return f"{name} = {_text(value)} and ({outside})"
        case "in_set":
            return f"{column} not in ({_listed(rule.args['values'])})"
        case "not_in_set":
            return f"{column} in ({_listed(rule.args['values'])})"
        case "regex":
            return f"not regexp_matches({column}, {_text(rule.args['pattern'])})"
        case "not_regex":
            return f"regexp_matches({column}, {_text(rule.args['pattern'])})"
        case "length":
            return f"length({column}) not between {rule.args['low']} and {rule.args['high']}"
        case "greater":
            return f"{column} <= {rule.args['other']}"
    raise AssertionError(rule.kind)


def run(case: Case, found: Outcome) -> None:
    """One scan that types and labels, one aggregation by the key, files out as they are made."""
    place = Place(case)
    hashing, scratch, source = Hashing(place), Path(case.scratch), Path(case.csv)
    kinds, rules = columns_of(case.columns), rules_of(case.columns, case.rules)
    (key,) = (bit for bit, rule in enumerate(rules) if rule.kind == "key")
    database = duckdb.connect(config={"threads": 2, "temp_directory": str(scratch)})
    database.execute("set timezone = 'UTC'")
    database.register("reference", pa.table({"faa": place.reference()}))
    database.execute("create table airports as select * from reference")

    with found.step("judge"):
        delivered = ", ".join(f"{name}: 'VARCHAR'" for name in kinds)
        dialect = "header = true, delim = ',', quote = '\"', nullstr = ['', 'NA'], auto_detect = false"
        read = f"read_csv({_text(source)}, {dialect}, columns = {{{delivered}}})"
        typed = [
            f"{name}"
            if kind == "string"
            else f"{name} as text_{name}, try_cast({name} as {_TYPES[kind]}) as typed_{name}"
            for name, kind in kinds.items()
        ]
        named = [
            name if kind == "string" else f"text_{name}, typed_{name} as {name}"
            for name, kind in kinds.items()
        ]
        mask = " + ".join(
            f"case when {broken(rule, kinds)} then {1 << bit} else 0 end"
            for bit, rule in enumerate(rules)
            if rule.kind != "key"
        )
        database.execute(
            f"create table judged as select {', '.join(kinds)}, ({mask})::BIGINT as mask"
            f" from (select {', '.join(named)} from (select {', '.join(typed)} from {read}))"
        )
        column = rules[key].column
        database.execute(
            f"create table repeated as select {column} as k from judged where {column} is not null"
            f" group by {column} having count(*) > 1"
        )
        ((repeats,),) = database.execute("select count(*) from repeated").fetchall()
        twice = f"{column} in (select k from repeated)" if repeats else "false"
        again = f"case when {column} is not null and {twice} then {1 << key} else 0 end" if repeats else "0"
        broken_rows = database.sql(
            f"select rowid + 1 as _row, mask | {again} as mask from judged"
            f" where mask <> 0 or coalesce({twice}, false) order by rowid"
        ).to_arrow_table()
    found.quarantined, found.valid = broken_rows.num_rows, case.rows - broken_rows.num_rows
    if broken_rows.num_rows:
        lines = hashing.beside(lambda: records(source, broken_rows.column("_row").to_numpy()))
    database.register("broken_rows", broken_rows)
    counts = ", ".join(f"count(*) filter (mask & {1 << bit} <> 0)" for bit in range(len(rules)))
    (counted,) = database.execute(f"select {counts} from broken_rows").fetchall()
    found.failed = {rule.id: int(count) for rule, count in zip(rules, counted, strict=True)}

    drop, passing = hashing.source.result(), f"mask = 0 and not coalesce({twice}, false)"
    with found.step("table"):
        for part in range(PARTS):
            low, high = (case.rows * (part + at) // PARTS for at in (0, 1))
            local = scratch / f"part-{part}.parquet"
            database.execute(
                f"copy (select {', '.join(kinds)}, {_text(drop)} as _drop, rowid + 1 as _row from judged"
                f" where rowid >= {low} and rowid < {high} and {passing})"
                f" to {_text(local)} (format parquet, compression snappy)"
            )
            hashing.put(local, TRIPS)
    with found.step("content"):
        every, turned = ", ".join(kinds), ", ".join(reversed(kinds))
        ((first, second),) = database.execute(
            f"select sum(hash({every})::HUGEINT), sum(hash({turned})::HUGEINT) from judged where {passing}"
        ).fetchall()
        found.content = f"{(int(first or 0) << 64 ^ int(second or 0)) % (1 << 128):032x}"
    with found.step("quarantine"):
        if broken_rows.num_rows:
            named_rules = ", ".join(
                f"case when mask & {1 << bit} <> 0 then {_text(rule.id)} end"
                for bit, rule in enumerate(rules)
            )
            database.register("quarantine", broken_rows.append_column("_record", lines.result()))
            local = scratch / "quarantined.parquet"
            database.execute(
                f"copy (select {_text(drop)} as _drop, _row, {_text(source.name)} as _file,"
                f" list_filter([{named_rules}], lambda reason: reason is not null) as _reasons, _record"
                " from quarantine)"
                f" to {_text(local)} (format parquet, compression snappy)"
            )
            hashing.put(local, QUARANTINE)
    with found.step("commit"):
        hashing.close(found)


if __name__ == "__main__":
    run_program(run)
