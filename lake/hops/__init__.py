"""One drop, one hop, exactly once.

In here: the three hops and the steps that they share. May import: everything below `lake.hops`. The steps of
every hop are in `runner`, the hops themselves in `raw`, `processed` and `features`. Rows are judged in
`evaluate`; `is_quarantined` in `expectations.plan.rule_bitmask` says what quarantines one. The verdict of a
hop, its words and its records are in `gate`.
"""
