"""What a gate asks: contract -> suite -> plan -> verdict. Great Expectations is imported only where its code runs.

In here: suites (`suite`), verdicts (`verdict`) and the packages that make and ask rules. May import: `catalog`, `lakegate`.
Where rules come from is in `building`, what each asks in `rules` and `drift`, how they are asked together in `plan`.
"""
