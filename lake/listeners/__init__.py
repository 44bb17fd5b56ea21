"""Listeners: who hears what each hop came to, whoever carries it, and how they are told at the end.

In here: `registry` names the listeners of every lake, and a module for each that needs no Dagster. May import: everything
else in `lake` but `lake.reports`. What an event is, and how it waits, is in `lake.hops.events`.
"""
