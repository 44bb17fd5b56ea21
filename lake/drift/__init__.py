"""Histograms stored beside versions, and a table's history as they show it.

In here: how histograms are stored with a version and found again; what they are is in `expectations.drift`.
May import: `lake.tables`. A change to what is stored goes to `version_histograms`; to how it is read, to
`histogram_store`.
"""
