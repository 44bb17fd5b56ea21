"""The few calls to lakeFS that Lakegate makes, retried, their errors made ours.

In here: the client and what it answers. `sdk` alone imports lakeFS's own client. May import: `lake.runtime`.
A change to what is tried again goes to `client`; to what an error says, to `errors`; a new call goes to `repository`, or to
`objects` where it moves bytes.
"""
