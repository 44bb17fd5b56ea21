"""The command line: one file a verb, each calling one function of a package below.

In here: arguments, what a person sees, exit codes. May import: all other packages, each inside the verb that needs it.
A new verb is a module of its own and a line in `main.VERBS`; what is printed goes through `terminal`; who is told of what
was carried, through `notify`.
"""
