"""Histograms, how far two of them lie apart, and the rules that they decide.

In here: figures of distributions, free of lakeFS. May import: the root of `expectations`.
A new statistic goes to `statistics`; a rule that compares with an earlier version, to `baseline_rules`.
"""
