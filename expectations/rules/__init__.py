"""What each rule checks, as SQL over a typed frame: rules on a row, on a table, on other tables.

In here: from an expectation type to an expression or a query. May import: the root of `expectations`. A new
row rule goes to `row_rules`, a new table rule to `aggregate_rules`; a rule that needs other rows or tables,
to `join_rules`.
"""
