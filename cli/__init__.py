"""The command line: one module a verb, each calling one function of a package below.

In here: arguments, what a person sees, exit codes. May import: all other packages, each inside the verb that
needs it. Verbs lie as `lakegate --help` groups them: `ingest` (deliver files), `read` (change nothing),
`decide` (a person's word, with a version or a record of it) and `maintain` (the server, the home, what is
retained). A new verb is a module in one of these and a line in `main.GROUPS`. A verb that runs hops does so
in `hop_run`; all that is printed goes through `terminal`; listeners of hops hear of them in `notify`.
"""
