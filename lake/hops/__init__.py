"""One drop, one hop, exactly once.

In here: the three hops, the steps that they share, and what each answers. May import: everything below `lake.hops`.
What a hop does step by step is in `runner`; what raw, processed and features are is in `raw`, `processed` and `features`;
rows are judged in `evaluate`, and what quarantines one is said by `is_quarantined` in
`expectations.plan.rule_bitmask`; what a refusal says is in `messages`.
"""
