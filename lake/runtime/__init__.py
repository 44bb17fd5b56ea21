"""What a process needs beside others on one machine: leases, circuit breaker, scratch folders, step times.

In here: whatever would be the same without lakeFS, Delta or an engine. May import: `lakegate`, `catalog`.
A change to how long others wait goes to `leases`; to when a failing source is left alone, to
`circuit_breaker`; to the errors of a full disk, to `disk_errors`.
"""
