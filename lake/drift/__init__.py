"""Histograms kept beside versions, and a table's past as they tell it.

In here: how histograms are laid beside a version and found again; what they are is in `expectations.drift`. May import:
`lake.tables`. A change to what is kept goes to `version_histograms`; to how it is read, to `histogram_store`.
"""
