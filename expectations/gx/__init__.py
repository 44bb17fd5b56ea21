"""Great Expectations, imported nowhere else: its classes of our types, its own rules, its pages.

In here: whatever imports it. May import: `expectations.rules`. A GX type without SQL of ours is evaluated in
`fallback`; how Data Docs look is in `data_docs` and `offline_page`.
"""
