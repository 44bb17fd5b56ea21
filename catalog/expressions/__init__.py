"""Expressions of SQL, read strictly and written anew, so that both engines give the same result (promise P5).

In here: conditions over a row, and what queries share with them. May import: `catalog.contract`,
`catalog.documents`. A function that conditions may use goes to `functions`; a cast, to `casts`; what a
condition may not hold, to `lint`.
"""
