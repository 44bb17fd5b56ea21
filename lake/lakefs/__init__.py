"""The few calls to lakeFS that Lakegate makes, retried, their errors made ours.

In here: the client and what it returns. `sdk` alone imports lakeFS's own client. May import: `lake.runtime`.
A change to what is retried goes to `client`; to what an error says, to `errors`. A new call goes to
`repository`; to `objects` where it is about objects; to `files` where it moves bytes from or to this disk.
"""
