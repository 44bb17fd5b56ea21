"""YAML and JSON documents that know the line of each of their parts.

In here: how a file becomes values, and how its mistakes are reported with file and line. May import:
`lakegate`. A change to the YAML that is read goes to `yaml_reader`; to what is suggested for a misspelt
word, to `document` and `meanings`.
"""
