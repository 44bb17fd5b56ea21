"""A process that reads a version on request, with whichever `lakegate` is on its path, and times each read.

Arguments: version, home. Each line of its standard input names a column, or `*` for all of them; it prints
seconds, rows and bytes in Arrow. Its first line says which `lakegate` it is.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Read until the input ends."""
    import lakegate

    name, home = sys.argv[1:]
    print(json.dumps({"lakegate": lakegate.__file__}), flush=True)
    for line in sys.stdin:
        columns = None if (column := line.strip()) == "*" else [column]
        start = time.perf_counter()
        table = lakegate.open_snapshot(name, home=home).arrow(columns)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "rows": table.num_rows, "bytes": table.nbytes}), flush=True)
        del table


if __name__ == "__main__":
    main()
