"""The embedded lakeFS as a process: found or built, started, watched, replaced, ended, backed up.

In here: whatever is needed only because lakeFS runs beside us. May import: `lake.lakefs`, `lake.runtime`.
A change to the version of lakeFS goes to `install`; to its configuration and keys, to `state_files`; to what is told when it
doesn't start, to `startup_errors`.
"""
