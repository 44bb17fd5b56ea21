"""What a version is in lakeFS: candidate, commit, merge as a compare-and-set, tag, origin.

In here: functions of a repository; none knows a session. May import: `lake.lakefs`, `lake.paths`. A change to
how a version becomes visible goes to `publish`; to what names it, to `tags`; to what is recorded of the code
and settings that made it, to `provenance`.
"""
