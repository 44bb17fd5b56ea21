"""`make bench`: Lakegate and hand-written programs turn the same delivery into the same two tables.

In here: the cases (`rules`, `data`, `contract`), the contestants and the place that they write to, the watch
over their processes, and the page. What a contestant runs is in `programs`. A new one is a module there and a
line in `contestants`.
"""
