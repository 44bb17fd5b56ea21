"""The embedded lakeFS as a process: found or built, started, watched, replaced, ended, backed up.

In here: whatever is needed only because lakeFS runs beside us. May import: `lake.lakefs`, `lake.runtime`.
A change to the version of lakeFS goes to `lakefs_version`; to how it is built, to `build`; to its
configuration and keys, to `state_files`; to the error when it doesn't start, to `startup_errors`; to what a
backup holds, to `home_copy`.
"""
