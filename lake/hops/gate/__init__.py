"""The gate of a hop: its verdict on a job, a person's approval, the words for both, and their records.

In here: everything that follows from outcomes of rules, without a publish. May import: the modules of
`lake.hops` below `runner` (`job`, `events`, `published`, `evaluate`, `file_names`), nothing of the three
hops. A message to a person is in `messages`, the verdict in `judgement`, what a person approved in
`approvals`, the ledger's records in `records`; what a job results in that was published before in
`published_before`.
"""
