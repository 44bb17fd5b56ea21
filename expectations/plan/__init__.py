"""From a suite to its outcomes: the plan of all rules, and the queries that evaluate them together.

In here: how rules are evaluated together. May import: all other packages of `expectations`. `plan` and
`steps` say what is evaluated, `execute` runs it, `rule_bitmask` says which rows are quarantined; rules on
histograms are in `execute_distributions`.
"""
