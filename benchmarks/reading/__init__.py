"""`make bench-reader`: the cost of proving each byte, against the reader before, which proved sizes.

In here: the measurement (`reader`), the process that reads (`reads`), and the table that is read (`wide`).
"""
