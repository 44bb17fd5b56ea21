"""Great Expectations' own expectation types that a contract or a suite may use."""

from __future__ import annotations

from typing import Final

from catalog.rules.expectation import (
    BOUNDED,
    FRAMED,
    IGNORE,
    MIN_MAX,
    NUMBERS,
    ORDERED,
    TEXT,
    Expectation,
    column_rule,
    row_rule,
    table_rule,
)

GX_TYPES: Final[dict[str, Expectation]] = {
    "expect_column_values_to_not_be_null": row_rule("range", "column"),
    "expect_column_values_to_be_null": row_rule("range", "column"),
    "expect_column_values_to_be_between": row_rule("range", "column", types=ORDERED, **BOUNDED),
    "expect_column_values_to_be_in_set": row_rule("range", "column", "value_set"),
    "expect_column_values_to_not_be_in_set": row_rule("range", "column", "value_set"),
    "expect_column_values_to_match_regex": row_rule("range", "column", "regex", types=TEXT),
    "expect_column_values_to_not_match_regex": row_rule("range", "column", "regex", types=TEXT),
    "expect_column_values_to_match_regex_list": row_rule(
        "range", "column", "regex_list", takes={"match_on"}, types=TEXT
    ),
    "expect_column_values_to_not_match_regex_list": row_rule("range", "column", "regex_list", types=TEXT),
    "expect_column_values_to_match_like_pattern": row_rule("range", "column", "like_pattern", types=TEXT),
    "expect_column_values_to_not_match_like_pattern": row_rule("range", "column", "like_pattern", types=TEXT),
    "expect_column_values_to_match_like_pattern_list": row_rule(
        "range", "column", "like_pattern_list", takes={"match_on"}, types=TEXT
    ),
    "expect_column_values_to_not_match_like_pattern_list": row_rule(
        "range", "column", "like_pattern_list", types=TEXT
    ),
    "expect_column_value_lengths_to_be_between": row_rule("range", "column", types=TEXT, **BOUNDED),
    "expect_column_value_lengths_to_equal": row_rule("range", "column", "value", types=TEXT),
    "expect_column_pair_values_a_to_be_greater_than_b": row_rule(
        "consistency", "column_A", "column_B", takes=IGNORE | {"or_equal"}, types=ORDERED
    ),
    "expect_column_pair_values_to_be_equal": row_rule("consistency", "column_A", "column_B", takes=IGNORE),
    "expect_column_pair_values_to_be_in_set": row_rule(
        "consistency", "column_A", "column_B", "value_pairs_set", takes=IGNORE
    ),
    "expect_multicolumn_sum_to_equal": row_rule(
        "consistency", "column_list", "sum_total", takes=IGNORE, types=NUMBERS
    ),
    "expect_multicolumn_values_to_be_equal": row_rule("consistency", "column_list", takes=IGNORE),
    "expect_select_column_values_to_be_unique_within_record": row_rule(
        "consistency", "column_list", takes=IGNORE
    ),
    "expect_compound_columns_to_be_unique": row_rule("duplicate", "column_list", takes=IGNORE),
    "expect_column_values_to_be_unique": row_rule("duplicate", "column"),
    "expect_column_values_to_be_json_parseable": row_rule("schema", "column", types=TEXT, planned=False),
    "expect_column_values_to_match_strftime_format": row_rule(
        "temporal", "column", "strftime_format", types=TEXT, planned=False
    ),
    "expect_column_values_to_match_json_schema": row_rule(
        "schema", "column", "json_schema", types=TEXT, planned=False
    ),
    "expect_column_values_to_be_of_type": table_rule("schema", "column", "type_", hops=FRAMED),
    "expect_column_values_to_be_in_type_list": table_rule("schema", "column", "type_list", hops=FRAMED),
    "expect_column_type_to_be": table_rule("schema", "column", "type_", hops=FRAMED),
    "expect_column_min_to_be_between": column_rule("range", types=ORDERED, **BOUNDED),
    "expect_column_max_to_be_between": column_rule("range", types=ORDERED, **BOUNDED),
    "expect_column_sum_to_be_between": column_rule("range", types=NUMBERS, **BOUNDED),
    "expect_column_mean_to_be_between": column_rule("range", types=NUMBERS, **BOUNDED),
    "expect_column_median_to_be_between": column_rule("range", types=NUMBERS, **BOUNDED),
    "expect_column_stdev_to_be_between": column_rule("range", types=NUMBERS, **BOUNDED),
    "expect_column_quantile_values_to_be_between": column_rule(
        "distribution", "quantile_ranges", types=NUMBERS
    ),
    "expect_column_unique_value_count_to_be_between": column_rule("duplicate", **BOUNDED),
    "expect_column_proportion_of_unique_values_to_be_between": column_rule("duplicate", **BOUNDED),
    "expect_column_proportion_of_non_null_values_to_be_between": column_rule("range", **BOUNDED),
    "expect_column_distinct_values_to_be_in_set": column_rule("range", "value_set"),
    "expect_column_distinct_values_to_contain_set": column_rule("range", "value_set"),
    "expect_column_distinct_values_to_equal_set": column_rule("range", "value_set"),
    "expect_column_most_common_value_to_be_in_set": column_rule(
        "distribution", "value_set", takes={"ties_okay"}
    ),
    "expect_column_kl_divergence_to_be_less_than": column_rule(
        "distribution",
        "partition_object",
        "threshold",
        takes={"bucketize_data", "tail_weight_holdout", "internal_weight_holdout"},
    ),
    "expect_column_to_exist": table_rule("schema", "column", takes={"column_index"}),
    "expect_table_columns_to_match_set": table_rule("schema", "column_set", takes={"exact_match"}),
    "expect_table_columns_to_match_ordered_list": table_rule("schema", "column_list"),
    "expect_table_column_count_to_be_between": table_rule("schema", bounds=MIN_MAX),
    "expect_table_column_count_to_equal": table_rule("schema", "value"),
    "expect_table_row_count_to_be_between": table_rule("schema", **BOUNDED),
    "expect_table_row_count_to_equal": table_rule("schema", "value"),
    "expect_table_row_count_to_equal_other_table": table_rule(
        "consistency", "other_table_name", hops=frozenset({"features"})
    ),
}
"""Each type by its name."""
