"""Whether Lakegate stays as fast: over many versions, writers and files, and beside much else.

In here: `publishes` (with `writers`, `publisher`), `many_files`, `growth`; each is a target of its own, with
bars.
"""
