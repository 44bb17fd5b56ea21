"""What a gate checks: contract -> suite -> plan -> verdict. Great Expectations is imported only where needed.

In here: suites (`suite`), verdicts (`verdict`) and the packages of rules. May import: `catalog`, `lakegate`.
`building` makes rules, `rules` and `drift` say what each checks, `plan` runs all of them together.
"""
