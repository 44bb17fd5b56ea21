"""Rules as a contract or a suite file states them, judged before any data is read.

In here: types of expectations, their arguments, and what is wrong with either. May import:
`catalog.expressions`. A new expectation type goes to `gx_types` or `own_types`; what its arguments may be,
to `scalars`, `arguments` or `combined_arguments`.
"""
