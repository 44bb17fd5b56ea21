"""The expectation types that a contract or a suite may use: family, row or table rule, and the arguments of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, get_args

from catalog.contract import ColumnType, Family, Hop


@dataclass(frozen=True)
class Expectation:
    """What is known of an expectation type. `needs` and `takes` are argument names; of `bounds` at least one is given."""

    family: Family
    row_rule: bool
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    bounds: frozenset[str] = frozenset()
    types: frozenset[ColumnType] = frozenset(get_args(ColumnType))
    """Types of column that it can judge."""
    hops: frozenset[Hop] = frozenset({"raw", "processed", "features"})
    """Where it can be asked."""
    generated: bool = False
    """Made from the contract's schema only; nobody writes it by hand."""
    planned: bool = True
    """Whether the plan answers it; where not, Great Expectations itself is asked, at the cost of its import and its queries."""

    @property
    def arguments(self) -> frozenset[str]:
        """All arguments."""
        return self.needs | self.takes | self.bounds


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


_CONDITION: Final = _of("row_condition", "condition_parser")
_FRAMED: Final[frozenset[Hop]] = frozenset({"processed", "features"})


def _row(
    family: Family,
    *needs: str,
    takes: frozenset[str] = frozenset(),
    hops: frozenset[Hop] = _FRAMED,
    **more: Any,
) -> Expectation:
    return Expectation(
        family, row_rule=True, needs=_of(*needs), takes=takes | _CONDITION | _of("mostly"), hops=hops, **more
    )


def _column(family: Family, *needs: str, takes: frozenset[str] = frozenset(), **more: Any) -> Expectation:
    """A table rule over one column's values."""
    return Expectation(
        family, row_rule=False, needs=_of("column", *needs), takes=takes | _CONDITION, hops=_FRAMED, **more
    )


def _counted(family: Family, *needs: str, takes: frozenset[str] = frozenset(), **more: Any) -> Expectation:
    """A table rule that a column's histogram answers."""
    return Expectation(family, row_rule=False, needs=_of("column", *needs), takes=takes, hops=_FRAMED, **more)


def _table(family: Family, *needs: str, **more: Any) -> Expectation:
    return Expectation(family, row_rule=False, needs=_of(*needs), **more)


_MIN_MAX: Final = _of("min_value", "max_value")
_STRICT: Final = _of("strict_min", "strict_max")
_BOUNDED: Final[dict[str, Any]] = {"takes": _STRICT, "bounds": _MIN_MAX}
_IGNORE: Final = _of("ignore_row_if")
_NUMBERS: Final[frozenset[ColumnType]] = frozenset({"integer", "double"})
_ORDERED: Final[frozenset[ColumnType]] = frozenset({"integer", "double", "date", "timestamp"})
_TEXT: Final[frozenset[ColumnType]] = frozenset({"string"})
_CLASSES: Final[frozenset[ColumnType]] = frozenset({"string", "boolean"})
_RAW: Final[frozenset[Hop]] = frozenset({"raw"})
_PROCESSED: Final[frozenset[Hop]] = frozenset({"processed"})
_TIMES: Final[frozenset[ColumnType]] = frozenset({"date", "timestamp"})
_MOMENTS: Final[frozenset[ColumnType]] = frozenset({"timestamp"})

NESTED_FIELDS: Final = "expect_nested_fields_to_be_as_declared"
REPEATED_HEADER: Final = "expect_records_not_to_repeat_the_header"
LINE_END: Final = "expect_last_record_to_have_a_line_end"

EXPECTATIONS: Final[dict[str, Expectation]] = {
    "expect_column_values_to_not_be_null": _row("range", "column"),
    "expect_column_values_to_be_null": _row("range", "column"),
    "expect_column_values_to_be_between": _row("range", "column", types=_ORDERED, **_BOUNDED),
    "expect_column_values_to_be_in_set": _row("range", "column", "value_set"),
    "expect_column_values_to_not_be_in_set": _row("range", "column", "value_set"),
    "expect_column_values_to_match_regex": _row("range", "column", "regex", types=_TEXT),
    "expect_column_values_to_not_match_regex": _row("range", "column", "regex", types=_TEXT),
    "expect_column_values_to_match_regex_list": _row(
        "range", "column", "regex_list", takes=_of("match_on"), types=_TEXT
    ),
    "expect_column_values_to_not_match_regex_list": _row("range", "column", "regex_list", types=_TEXT),
    "expect_column_values_to_match_like_pattern": _row("range", "column", "like_pattern", types=_TEXT),
    "expect_column_values_to_not_match_like_pattern": _row("range", "column", "like_pattern", types=_TEXT),
    "expect_column_values_to_match_like_pattern_list": _row(
        "range", "column", "like_pattern_list", takes=_of("match_on"), types=_TEXT
    ),
    "expect_column_values_to_not_match_like_pattern_list": _row(
        "range", "column", "like_pattern_list", types=_TEXT
    ),
    "expect_column_value_lengths_to_be_between": _row("range", "column", types=_TEXT, **_BOUNDED),
    "expect_column_value_lengths_to_equal": _row("range", "column", "value", types=_TEXT),
    "expect_column_pair_values_a_to_be_greater_than_b": _row(
        "consistency", "column_A", "column_B", takes=_IGNORE | _of("or_equal"), types=_ORDERED
    ),
    "expect_column_pair_values_to_be_equal": _row("consistency", "column_A", "column_B", takes=_IGNORE),
    "expect_column_pair_values_to_be_in_set": _row(
        "consistency", "column_A", "column_B", "value_pairs_set", takes=_IGNORE
    ),
    "expect_multicolumn_sum_to_equal": _row(
        "consistency", "column_list", "sum_total", takes=_IGNORE, types=_NUMBERS
    ),
    "expect_multicolumn_values_to_be_equal": _row("consistency", "column_list", takes=_IGNORE),
    "expect_select_column_values_to_be_unique_within_record": _row(
        "consistency", "column_list", takes=_IGNORE
    ),
    "expect_compound_columns_to_be_unique": _row("duplicate", "column_list", takes=_IGNORE),
    "expect_column_values_to_be_unique": _row("duplicate", "column"),
    "expect_column_values_to_be_of_declared_type": _row(
        "schema", "column", "type", takes=_of("format"), generated=True
    ),
    NESTED_FIELDS: _row(
        "schema", "column", "check", "path", takes=_of("type"), types=_TEXT, hops=_PROCESSED, generated=True
    ),
    REPEATED_HEADER: _row("schema", "column_list", "header", hops=_PROCESSED, generated=True),
    "expect_column_values_to_exist_in_reference": _row(
        "consistency",
        "reference",
        takes=_of("column", "reference_column"),
        generated=True,
    ),
    "expect_compound_columns_to_exist_in_reference": _row(
        "consistency", "column_list", "reference", "reference_column_list", generated=True
    ),
    "expect_column_values_to_be_json_parseable": _row("schema", "column", types=_TEXT, planned=False),
    "expect_column_values_to_match_strftime_format": _row(
        "temporal", "column", "strftime_format", types=_TEXT, planned=False
    ),
    "expect_column_values_to_match_json_schema": _row(
        "schema", "column", "json_schema", types=_TEXT, planned=False
    ),
    "expect_column_values_to_be_of_type": _table("schema", "column", "type_", hops=_FRAMED),
    "expect_column_values_to_be_in_type_list": _table("schema", "column", "type_list", hops=_FRAMED),
    "expect_column_type_to_be": _table("schema", "column", "type_", hops=_FRAMED),
    "expect_column_min_to_be_between": _column("range", types=_ORDERED, **_BOUNDED),
    "expect_column_max_to_be_between": _column("range", types=_ORDERED, **_BOUNDED),
    "expect_column_sum_to_be_between": _column("range", types=_NUMBERS, **_BOUNDED),
    "expect_column_mean_to_be_between": _column("range", types=_NUMBERS, **_BOUNDED),
    "expect_column_median_to_be_between": _column("range", types=_NUMBERS, **_BOUNDED),
    "expect_column_stdev_to_be_between": _column("range", types=_NUMBERS, **_BOUNDED),
    "expect_column_quantile_values_to_be_between": _column("distribution", "quantile_ranges", types=_NUMBERS),
    "expect_column_unique_value_count_to_be_between": _column("duplicate", **_BOUNDED),
    "expect_column_proportion_of_unique_values_to_be_between": _column("duplicate", **_BOUNDED),
    "expect_column_proportion_of_non_null_values_to_be_between": _column("range", **_BOUNDED),
    "expect_column_distinct_values_to_be_in_set": _column("range", "value_set"),
    "expect_column_distinct_values_to_contain_set": _column("range", "value_set"),
    "expect_column_distinct_values_to_equal_set": _column("range", "value_set"),
    "expect_column_most_common_value_to_be_in_set": _column(
        "distribution", "value_set", takes=_of("ties_okay")
    ),
    "expect_column_kl_divergence_to_be_less_than": _column(
        "distribution",
        "partition_object",
        "threshold",
        takes=_of("bucketize_data", "tail_weight_holdout", "internal_weight_holdout"),
    ),
    "expect_column_distribution_to_stay_close": _counted(
        "distribution",
        "baseline",
        "statistic",
        "max_value",
        takes=_of("significance", "history"),
        types=_CLASSES | _NUMBERS,
    ),
    "expect_column_distributions_to_stay_close": _table(
        "distribution",
        "column_list",
        "baseline",
        "statistic",
        "max_value",
        takes=_of("significance", "history"),
        types=_CLASSES | _NUMBERS,
        hops=_FRAMED,
    ),
    "expect_column_null_share_to_stay_close": _counted(
        "range", "baseline", "max_change", takes=_of("significance", "history")
    ),
    "expect_column_null_shares_to_stay_close": _table(
        "range", "column_list", "baseline", "max_change", takes=_of("significance", "history"), hops=_FRAMED
    ),
    "expect_column_majority_share_to_be_at_most": _counted(
        "distribution", "max_share", takes=_of("baseline"), types=_CLASSES | {"integer"}
    ),
    "expect_column_majority_shares_to_be_at_most": _table(
        "distribution",
        "column_list",
        "max_share",
        takes=_of("baseline"),
        types=_CLASSES | {"integer"},
        hops=_FRAMED,
    ),
    "expect_column_group_shares_to_be_close_to": _counted(
        "distribution", "shares", "max_difference", types=_CLASSES
    ),
    "expect_column_outlier_share_to_be_at_most": _counted(
        "distribution", "method", "max_share", takes=_of("factor"), types=_NUMBERS
    ),
    "expect_column_outliers_not_to_cluster": _counted(
        "distribution", "group_by", "max_share", takes=_of("factor"), types=_NUMBERS
    ),
    "expect_column_to_exist": _table("schema", "column", takes=_of("column_index")),
    "expect_table_columns_to_be_in_set": _table("schema", "column_set"),
    "expect_table_columns_to_match_set": _table("schema", "column_set", takes=_of("exact_match")),
    "expect_table_columns_to_match_ordered_list": _table("schema", "column_list"),
    "expect_table_column_count_to_be_between": _table("schema", bounds=_MIN_MAX),
    "expect_table_column_count_to_equal": _table("schema", "value"),
    "expect_table_columns_to_be_unique": _table("schema", hops=_RAW),
    "expect_table_row_count_to_be_between": _table("schema", **_BOUNDED),
    "expect_table_row_count_to_equal": _table("schema", "value"),
    "expect_table_row_count_to_equal_other_table": _table(
        "consistency", "other_table_name", hops=frozenset({"features"})
    ),
    "expect_key_to_stand_once": _row(
        "duplicate", "column_list", "keep", takes=_of("order_by"), hops=_PROCESSED
    ),
    "expect_rows_to_be_distinct": _row("duplicate", hops=_PROCESSED),
    "expect_rows_not_to_be_delivered_again": _table(
        "duplicate", "max_share", takes=_of("column_list"), hops=_PROCESSED
    ),
    "expect_no_burst_of_repeats": _table(
        "duplicate", "column_list", "max_repeats", takes=_CONDITION, hops=_FRAMED
    ),
    "expect_no_overlap_between_splits": _table(
        "duplicate", "column_list", "split_column", takes=_CONDITION, hops=_FRAMED
    ),
    "expect_rows_to_satisfy": _row("consistency", "condition"),
    "expect_columns_to_determine": _row("consistency", "column_list", "column", takes=_of("keep")),
    "expect_column_to_agree_with_reference": _row(
        "consistency", "column", "on", "reference", "reference_on", "reference_column"
    ),
    "expect_sum_to_agree_with_reference": Expectation(
        "consistency",
        row_rule=False,
        needs=_of("column", "reference", "reference_column"),
        takes=_CONDITION | _of("by", "reference_by", "tolerance"),
        types=_NUMBERS,
        hops=_FRAMED,
    ),
    "expect_column_values_to_be_within_watermark": _row(
        "temporal", "column", "max_late_seconds", types=_TIMES, hops=_PROCESSED
    ),
    "expect_column_offsets_to_agree": _table(
        "temporal", "column", takes=_CONDITION, types=_MOMENTS | _TEXT, hops=_PROCESSED
    ),
    "expect_series_to_have_no_gaps": _column(
        "temporal", "step_seconds", takes=_of("by", "max_missing"), types=_TIMES
    ),
    "expect_column_values_to_be_before_delivery": _row(
        "temporal", "column", takes=_of("tolerance_seconds"), types=_TIMES, hops=_PROCESSED
    ),
    "expect_column_values_to_be_before_cutoff": _row(
        "temporal", "column", takes=_of("or_equal"), bounds=_of("cutoff", "cutoff_column"), types=_TIMES
    ),
    "expect_column_text_to_state_its_offset": _row(
        "temporal", "column", types=_MOMENTS | _TEXT, hops=_PROCESSED
    ),
    "expect_local_time_to_exist": _row("temporal", "column", "time_zone", types=_MOMENTS),
    "expect_local_time_to_be_unambiguous": _row("temporal", "column", "time_zone", types=_MOMENTS),
    "expect_records_to_be_readable": _table("schema", bounds=_of("max_share", "max_rows"), generated=True),
    "expect_quarantined_share_to_be_at_most": _table(
        "schema", bounds=_of("max_share", "max_rows"), generated=True
    ),
    "expect_table_not_to_shrink": _table("schema", "max_share", hops=_FRAMED, generated=True),
    LINE_END: _table("schema", hops=_RAW, generated=True),
}
"""All types, by name."""

OWN: Final = frozenset(
    {
        "expect_column_values_to_be_of_declared_type",
        NESTED_FIELDS,
        REPEATED_HEADER,
        LINE_END,
        "expect_column_values_to_exist_in_reference",
        "expect_table_columns_to_be_in_set",
        "expect_table_columns_to_be_unique",
        "expect_records_to_be_readable",
        "expect_quarantined_share_to_be_at_most",
        "expect_table_not_to_shrink",
        "expect_column_distribution_to_stay_close",
        "expect_column_distributions_to_stay_close",
        "expect_column_null_share_to_stay_close",
        "expect_column_null_shares_to_stay_close",
        "expect_column_majority_share_to_be_at_most",
        "expect_column_majority_shares_to_be_at_most",
        "expect_column_group_shares_to_be_close_to",
        "expect_column_outlier_share_to_be_at_most",
        "expect_column_outliers_not_to_cluster",
        "expect_key_to_stand_once",
        "expect_rows_to_be_distinct",
        "expect_rows_not_to_be_delivered_again",
        "expect_no_burst_of_repeats",
        "expect_no_overlap_between_splits",
        "expect_rows_to_satisfy",
        "expect_columns_to_determine",
        "expect_compound_columns_to_exist_in_reference",
        "expect_column_to_agree_with_reference",
        "expect_sum_to_agree_with_reference",
        "expect_column_values_to_be_within_watermark",
        "expect_column_offsets_to_agree",
        "expect_series_to_have_no_gaps",
        "expect_column_values_to_be_before_delivery",
        "expect_column_values_to_be_before_cutoff",
        "expect_column_text_to_state_its_offset",
        "expect_local_time_to_exist",
        "expect_local_time_to_be_unambiguous",
    }
)
"""Lakegate's own types, registered with GX where a suite is run by it (`expectations.gx.expectation_classes`)."""
