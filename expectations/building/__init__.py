"""From a contract and its suite files to the suite of each hop.

In here: where rules come from. May import: `expectations.rules`, `expectations.drift`.
A rule that every contract gets goes to `build`; what a suite file may hold, to `suite_files`.
"""
