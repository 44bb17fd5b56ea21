"""A process that reads a version as often as it is told to, with whichever `lakegate` is on its path, and tells how long each read took.

Arguments: version, home. Each line of its standard input names a column, or `*` for all of them; it answers with seconds, rows and bytes in
Arrow. Its first line says which `lakegate` it is.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Read until nobody asks any more."""
    import lakegate

    name, home = sys.argv[1:]
    print(json.dumps({"lakegate": lakegate.__file__}), flush=True)
    for line in sys.stdin:
        columns = None if (asked := line.strip()) == "*" else [asked]
        start = time.perf_counter()
        table = lakegate.open_snapshot(name, home=home).arrow(columns)
        print(
            json.dumps(
                {"seconds": time.perf_counter() - start, "rows": table.num_rows, "bytes": table.nbytes}
            ),
            flush=True,
        )
        del table


if __name__ == "__main__":
    main()
