"""`python -m benchmarks.rivals.stock HOME PROJECT AIRPORTS`: a home with the reference."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.rivals.arena import bucket
from benchmarks.rivals.rules import REFERENCE
from lake.lakefs.files import sha256_of
from lake.pipeline.ingest import ingest
from lake.server.lifecycle import stop_server
from lake.session import open_session
from lakegate.settings import Settings


def main(home: str, project: str, airports: Path) -> None:
    """Publish the reference; put it as Parquet into the rivals' bucket; stop the server."""
    from pyarrow import csv, parquet

    settings = Settings.load(home=home, project=project)
    try:
        session = open_session(settings)
        ingest(session, REFERENCE, [airports])
        local = Path(home) / f"{REFERENCE}.parquet"
        parquet.write_table(csv.read_csv(airports), local)
        repository = bucket(session.endpoint)
        repository.create()
        repository.upload("main", local.name, local, etag=sha256_of(local))
    finally:
        stop_server(settings.home)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
