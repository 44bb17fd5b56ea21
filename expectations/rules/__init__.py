"""What each rule asks, as SQL over a typed frame: of a row, of a table, of other tables.

In here: from an expectation type to an expression or a query; nothing is run. May import: the root of `expectations`.
A new row rule goes to `row_rules`, a new table rule to `aggregate_rules`; a rule that looks something up, to `join_rules`.
"""
