"""What Lakegate costs, measured; each measurement is a target of `targets.mk`, most write a page of docs/.

In here: `rivals` (`make bench`: the gate against what one would write without it), `scale` (`bench-publish`,
`bench-many`, `bench-growth`: whether it stays as fast over thousands of versions, files and contracts),
`reading` (`bench-reader`: a reader that proves each byte), `drift` (`bench-drift`: false alarms and planted
faults). What they share is in `machine` and `rides`; tests use `rides`, too. May import: all of Lakegate,
which imports none of them.
"""
