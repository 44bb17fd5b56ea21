"""Lakegate's own expectation types, registered with GX where it runs a suite (`expectations.gx`)."""

from __future__ import annotations

from typing import Final

from catalog.rules.expectation import (
    CLASSES,
    CONDITION,
    FRAMED,
    MOMENTS,
    NUMBERS,
    PROCESSED,
    RAW,
    TEXT,
    TIMES,
    Expectation,
    column_rule,
    histogram_rule,
    row_rule,
    table_rule,
)

NESTED_FIELDS: Final = "expect_nested_fields_to_be_as_declared"
REPEATED_HEADER: Final = "expect_records_not_to_repeat_the_header"
LINE_END: Final = "expect_last_record_to_have_a_line_end"

OWN_TYPES: Final[dict[str, Expectation]] = {
    "expect_column_values_to_be_of_declared_type": row_rule(
        "schema", "column", "type", takes={"format"}, generated=True
    ),
    NESTED_FIELDS: row_rule(
        "schema", "column", "check", "path", takes={"type"}, types=TEXT, hops=PROCESSED, generated=True
    ),
    REPEATED_HEADER: row_rule("schema", "column_list", "header", hops=PROCESSED, generated=True),
    "expect_column_values_to_exist_in_reference": row_rule(
        "consistency",
        "reference",
        takes={"column", "reference_column"},
        generated=True,
    ),
    "expect_compound_columns_to_exist_in_reference": row_rule(
        "consistency", "column_list", "reference", "reference_column_list", generated=True
    ),
    "expect_column_distribution_to_stay_close": histogram_rule(
        "distribution",
        "baseline",
        "statistic",
        "max_value",
        takes={"significance", "history"},
        types=CLASSES | NUMBERS,
    ),
    "expect_column_distributions_to_stay_close": table_rule(
        "distribution",
        "column_list",
        "baseline",
        "statistic",
        "max_value",
        takes={"significance", "history"},
        types=CLASSES | NUMBERS,
        hops=FRAMED,
    ),
    "expect_column_null_share_to_stay_close": histogram_rule(
        "range", "baseline", "max_change", takes={"significance", "history"}
    ),
    "expect_column_null_shares_to_stay_close": table_rule(
        "range", "column_list", "baseline", "max_change", takes={"significance", "history"}, hops=FRAMED
    ),
    "expect_column_majority_share_to_be_at_most": histogram_rule(
        "distribution", "max_share", takes={"baseline"}, types=CLASSES | {"integer"}
    ),
    "expect_column_majority_shares_to_be_at_most": table_rule(
        "distribution",
        "column_list",
        "max_share",
        takes={"baseline"},
        types=CLASSES | {"integer"},
        hops=FRAMED,
    ),
    "expect_column_group_shares_to_be_close_to": histogram_rule(
        "distribution", "shares", "max_difference", types=CLASSES
    ),
    "expect_column_outlier_share_to_be_at_most": histogram_rule(
        "distribution", "method", "max_share", takes={"factor"}, types=NUMBERS
    ),
    "expect_column_outliers_not_to_cluster": histogram_rule(
        "distribution", "group_by", "max_share", takes={"factor"}, types=NUMBERS
    ),
    "expect_table_columns_to_be_in_set": table_rule("schema", "column_set"),
    "expect_table_columns_to_be_unique": table_rule("schema", hops=RAW),
    "expect_key_to_stand_once": row_rule(
        "duplicate", "column_list", "keep", takes={"order_by"}, hops=PROCESSED
    ),
    "expect_rows_to_be_distinct": row_rule("duplicate", hops=PROCESSED),
    "expect_rows_not_to_be_delivered_again": table_rule(
        "duplicate", "max_share", takes={"column_list"}, hops=PROCESSED
    ),
    "expect_no_burst_of_repeats": table_rule(
        "duplicate", "column_list", "max_repeats", takes=CONDITION, hops=FRAMED
    ),
    "expect_no_overlap_between_splits": table_rule(
        "duplicate", "column_list", "split_column", takes=CONDITION, hops=FRAMED
    ),
    "expect_rows_to_satisfy": row_rule("consistency", "condition"),
    "expect_columns_to_determine": row_rule("consistency", "column_list", "column", takes={"keep"}),
    "expect_column_to_agree_with_reference": row_rule(
        "consistency", "column", "on", "reference", "reference_on", "reference_column"
    ),
    "expect_sum_to_agree_with_reference": column_rule(
        "consistency",
        "reference",
        "reference_column",
        takes={"by", "reference_by", "tolerance"},
        types=NUMBERS,
    ),
    "expect_column_values_to_be_within_watermark": row_rule(
        "temporal", "column", "max_late_seconds", types=TIMES, hops=PROCESSED
    ),
    "expect_column_offsets_to_agree": table_rule(
        "temporal", "column", takes=CONDITION, types=MOMENTS | TEXT, hops=PROCESSED
    ),
    "expect_series_to_have_no_gaps": column_rule(
        "temporal", "step_seconds", takes={"by", "max_missing"}, types=TIMES
    ),
    "expect_column_values_to_be_before_delivery": row_rule(
        "temporal", "column", takes={"tolerance_seconds"}, types=TIMES, hops=PROCESSED
    ),
    "expect_column_values_to_be_before_cutoff": row_rule(
        "temporal", "column", takes={"or_equal"}, bounds=frozenset({"cutoff", "cutoff_column"}), types=TIMES
    ),
    "expect_column_text_to_state_its_offset": row_rule(
        "temporal", "column", types=MOMENTS | TEXT, hops=PROCESSED
    ),
    "expect_local_time_to_exist": row_rule("temporal", "column", "time_zone", types=MOMENTS),
    "expect_local_time_to_be_unambiguous": row_rule("temporal", "column", "time_zone", types=MOMENTS),
    "expect_records_to_be_readable": table_rule(
        "schema", bounds=frozenset({"max_share", "max_rows"}), generated=True
    ),
    "expect_quarantined_share_to_be_at_most": table_rule(
        "schema", bounds=frozenset({"max_share", "max_rows"}), generated=True
    ),
    "expect_table_not_to_shrink": table_rule("schema", "max_share", hops=FRAMED, generated=True),
    LINE_END: table_rule("schema", hops=RAW, generated=True),
}
"""Each type by its name."""
