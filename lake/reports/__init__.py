"""Read-only reports for the command line and the UI.

In here: whatever only reads; each report is of one commit of main. May import: everything else in `lake`,
where nothing imports it. A new report is a module of its own here.
"""
