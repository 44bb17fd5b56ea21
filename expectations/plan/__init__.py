"""A suite becomes one plan, and the plan is run: one pass over the rows, however many rules.

In here: how rules are asked together. May import: all other packages of `expectations`.
What is asked is in `plan`; how, in `execute`; that a row is quarantined, in `rule_bitmask`; the rules of a delivery's header are asked in `raw_gate`.
"""
