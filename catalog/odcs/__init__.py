"""Contracts as the Open Data Contract Standard writes them, from its words to values.

In here: the reader of a contract, part by part. May import: all other packages of `catalog`. A new custom
property goes to `custom_properties`, and its meaning to `policy` or `dataset_parts`; the parts of a column,
to `schema`; the order in which a contract is read, to `loader`.
"""
