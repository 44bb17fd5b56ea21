"""People with personal columns, rules of every kind about them, and drops that break these rules."""

from __future__ import annotations

import json
from typing import Any

NAME, BORN, PAY = "Quintessa", "1907-03-29", 987654321987
NEEDLES = [NAME.encode(), BORN.encode(), str(PAY).encode()]
"""Stand in every personal column that is delivered here; that of pay is its least,
its greatest and its most common value.
"""


def rule(name: str, kind: str, severity: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    implementation = {"type": kind, "kwargs": kwargs}
    return {
        "id": name,
        "type": "custom",
        "engine": "greatExpectations",
        "severity": severity,
        "implementation": implementation,
    }


RULES = [
    rule(
        "age-range",
        "expect_column_values_to_be_between",
        "quarantine",
        {"column": "age", "min_value": 0, "max_value": 150},
    ),
    rule(
        "name-shape",
        "expect_column_values_to_match_regex",
        "quarantine",
        {"column": "name", "regex": "^[A-Z][a-z]+$"},
    ),
    rule(
        "name-length", "expect_column_value_lengths_to_be_between", "warn", {"column": "name", "max_value": 3}
    ),
    rule("name-once", "expect_column_values_to_be_unique", "warn", {"column": "name"}),
    rule("name-team", "expect_columns_to_determine", "warn", {"column_list": ["team"], "column": "name"}),
    rule(
        "born-late",
        "expect_column_values_to_be_before_cutoff",
        "warn",
        {"column": "born", "cutoff": "1800-01-01"},
    ),
    rule("pay-least", "expect_column_min_to_be_between", "warn", {"column": "pay", "max_value": 1}),
    rule("pay-most", "expect_column_max_to_be_between", "warn", {"column": "pay", "max_value": 1}),
    rule("pay-mean", "expect_column_mean_to_be_between", "warn", {"column": "pay", "max_value": 1}),
    rule("pay-sum", "expect_column_sum_to_be_between", "warn", {"column": "pay", "max_value": 1}),
    rule("pay-median", "expect_column_median_to_be_between", "warn", {"column": "pay", "max_value": 1}),
    rule(
        "pay-quartiles",
        "expect_column_quantile_values_to_be_between",
        "warn",
        {"column": "pay", "quantile_ranges": {"quantiles": [0.25, 0.75], "value_ranges": [[0, 1], [0, 1]]}},
    ),
    rule(
        "born-nulls",
        "expect_column_null_share_to_stay_close",
        "warn",
        {"column": "born", "baseline": "previous", "max_change": 0.01},
    ),
    rule(
        "teams",
        "expect_column_group_shares_to_be_close_to",
        "warn",
        {"column": "team", "shares": {"red": 1.0}, "max_difference": 0.1},
    ),
    rule(
        "by-name",
        "expect_column_outliers_not_to_cluster",
        "warn",
        {"column": "age", "group_by": "name", "max_share": 0.1},
    ),
    rule(
        "age-mean",
        "expect_column_mean_to_be_between",
        "hold",
        {"column": "age", "min_value": 20, "max_value": 60},
    ),
]
PERSONAL = [("name", "string"), ("born", "date"), ("pay", "integer")]
PROPERTIES = [
    {
        "name": "id",
        "logicalType": "integer",
        "required": True,
        "primaryKey": True,
        "primaryKeyPosition": 1,
        "classification": "public",
    },
    *[{"name": name, "logicalType": kind, "classification": "personal"} for name, kind in PERSONAL],
    {"name": "team", "logicalType": "string", "classification": "public"},
    {"name": "age", "logicalType": "integer", "classification": "public"},
    {
        "name": "doc",
        "logicalType": "object",
        "classification": "public",
        "properties": [
            {"name": "who", "logicalType": "string", "classification": "personal"},
            {"name": "n", "logicalType": "integer"},
        ],
    },
]


def contract(rules: list[dict[str, Any]]) -> str:
    """The contract of people: JSON is YAML."""
    head = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "people",
        "name": "people",
        "version": "1.0.0",
        "status": "active",
    }
    custom = [
        {"property": "writeMode", "value": "append"},
        {"property": "file", "value": {"format": "csv", "maxUnreadable": 0.5}},
    ]
    custom.append({"property": "unexpectedColumns", "value": "rescue"})
    schema = [{"name": "people", "properties": PROPERTIES, "quality": rules}]
    return json.dumps({**head, "schema": schema, "customProperties": custom}, indent=1)


HEADER = "id,name,born,pay,team,age,doc,note"
REST = f'"{{""who"":""{NAME}"",""n"":1}}",{NAME}'
"""JSON with a personal field, and a column that no contract announced."""
ODD = f'"{{""who"":1,""{NAME}"":""{NAME}""}}",{NAME}'


def drop(first: int, age: int = 33, rows: int = 120) -> bytes:
    """Rows that pass but for a few of every kind; ids from `first` on."""
    lines = [
        f"{first + at},{NAME},{BORN},{PAY},{'red' if at % 2 else 'blue'},{age},{REST}" for at in range(rows)
    ]
    lines += [
        f"{first + rows},{NAME}a,{BORN},{PAY},red,900,{REST}",
        f"{first + rows + 1},{NAME} the second,{BORN},{PAY},red,31,{REST}",
        f"{first + rows + 2},{NAME}b,{NAME},{BORN},blue,30,{ODD}",
        f'{first + rows + 3},"{NAME}, quoted",,{NAME},blue,x,{NAME},{NAME}',
        f"{first + rows + 4},{NAME}c,{BORN},{PAY},red,29,{REST},ragged",
        f'{first + rows + 5},"{NAME}d,{BORN},{PAY},red,28,{REST}',
    ]
    return "\n".join([HEADER, *lines, ""]).encode()


HEADLESS = f"1,{NAME},{BORN},{PAY},red,33\n2,{NAME},{NAME},{PAY},{NAME},33\n".encode()
