"""Records beside the data: receipts of deliveries, attempts and decisions; where they disagree with main.

In here: whatever is written about a drop or a version and is no part of it. May import: `lake.session`,
`lake.versions`. A new kind of record goes to `records`; a record about a version, to `version_records`; what
is found missing, to `repair`.
"""
