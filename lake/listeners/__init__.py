"""Listeners: who gets the event of each hop, whichever command or run did it, and how events are delivered.

In here: `registry` names the listeners of every lake, and a module for each that needs no Dagster. May
import: everything else in `lake` but `lake.reports`. What an event is, and how it is spooled, is in
`lake.hops.events`.
"""
