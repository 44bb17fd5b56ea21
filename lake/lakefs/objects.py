"""The objects of a tenant's lakeFS repository: small ones as bytes, and listings of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from lake.lakefs.client import Calls
from lake.lakefs.errors import NotThere
from lake.lakefs.listing import Listed
from lakegate.home import Endpoint

PAGE: Final = 1000
"""Most entries that lakeFS returns per listing."""


class Objects(Calls):
    """The objects of one repository.

    Args:
        endpoint: URL and keys of lakeFS.
        name: The repository's id.
        namespace: Storage namespace to create it in.
        blocks: The folder of its blockstore, where that is on this disk.
        reconnect: See `Calls`.
        proved: See `Calls`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        namespace: str,
        blocks: Path | None = None,
        reconnect: Callable[[], Endpoint | None] = lambda: None,
        proved: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(endpoint, reconnect=reconnect, proved=proved)
        self.name, self.namespace, self.blocks = name, namespace, blocks

    def _ask(self, call: str, *arguments: Any, doing: str, retry: bool = True, **options: Any) -> Any:
        """Call a method of lakeFS's client about this repository; see `_call`.

        Args:
            call: The method, for example `objects_api.get_object`.
            arguments: What it takes after the repository's id.
            doing: What is done, for errors.
            retry: Whether it may be called again.
            options: What it takes by name.
        """
        return self._call(
            lambda: attrgetter(call)(self._api)(self.name, *arguments, **options), doing=doing, retry=retry
        )

    def _pages(
        self, call: str, *arguments: Any, doing: str, after: str = "", first: int = PAGE, **options: Any
    ) -> Iterator[Any]:
        """All entries that a listing method of lakeFS's client returns, page by page; see `_ask`.

        Args:
            call: The method.
            arguments: What it takes after the repository's id.
            doing: What is done, for errors.
            after: List only what sorts behind this.
            first: Entries of the first page; lakeFS spends time on each, whether it is used or not.
            options: What it takes by name.
        """
        amount = first
        while True:
            page = self._ask(call, *arguments, after=after, amount=amount, doing=doing, **options)
            yield from page.results
            if not page.pagination.has_more:
                return
            after, amount = page.pagination.next_offset, PAGE

    def put(self, branch: str, path: str, content: bytes) -> str:
        """Write one small object onto a branch, and return where it lies (see `physical`)."""
        call = "objects_api.upload_object"
        put = self._ask(call, branch, path, content=content, doing=f"writing {path}")
        return self.physical(put.physical_address)

    def delete(self, branch: str, path: str) -> None:
        """Delete one object from a branch; nothing happens where it is not there."""
        with contextlib.suppress(NotThere):
            self._ask("objects_api.delete_object", branch, path, doing=f"deleting {path}")

    def get(self, ref: str, path: str) -> bytes | None:
        """Read one small object; None where it is not there."""
        with contextlib.suppress(NotThere):
            return bytes(self._ask("objects_api.get_object", ref, path, doing=f"reading {path}"))
        return None

    def get_json(self, ref: str, path: str) -> dict[str, Any] | None:
        """Read one small JSON object; None where it is not there."""
        raw = self.get(ref, path)
        return None if raw is None else json.loads(raw)

    def listing(self, ref: str, prefix: str, *, after: str = "") -> list[Listed]:
        """The objects below a prefix, those behind the path `after`."""
        return [
            Listed.of(entry)
            for entry in self._entries(ref, prefix, after=after)
            if entry["path_type"] == "object"
        ]

    def _entries(self, ref: str, prefix: str, *, after: str) -> Iterator[dict[str, Any]]:
        """The entries of a listing as plain JSON: the SDK's models of them take ten times as long."""
        fixed = {"prefix": prefix, "amount": PAGE, "user_metadata": False, "_preload_content": False}

        def page(start: str) -> bytes:
            api = self._api.objects_api
            found: bytes = api.list_objects_with_http_info(self.name, ref, after=start, **fixed).raw_data
            return found

        more = True
        while more:
            found = json.loads(self._call(partial(page, after), doing=f"listing {prefix}"))
            yield from found["results"]
            more, after = found["pagination"]["has_more"], found["pagination"]["next_offset"]

    def uncommitted(self, branch: str) -> list[str]:
        """Paths that lie uncommitted on a branch."""
        pages = self._pages("branches_api.diff_branch", branch, doing=f"comparing {branch}")
        return [str(item.path) for item in pages]

    def changed(self, branch: str) -> list[Any]:
        """The objects that a branch holds and main doesn't, committed or not; each has `physical_address`."""
        pages = self._pages("refs_api.diff_refs", "main", branch, doing=f"comparing {branch}")
        committed = {str(item.path) for item in pages if item.path_type == "object"}
        found = (self.stat(branch, path) for path in sorted(committed.union(self.uncommitted(branch))))
        return [item for item in found if item is not None]

    def stat(self, ref: str, path: str) -> Any:
        """What lakeFS knows of one object, as in a listing; None where it is not there."""
        with contextlib.suppress(NotThere):
            return self._ask("objects_api.stat_object", ref, path, doing=f"looking for {path}")
        return None

    def physical(self, address: str) -> str:
        """An object's physical address relative to the store's root, so that a home can be moved."""
        marker = f"/{self.namespace.split('://', 1)[-1].strip('/').rsplit('/', 1)[-1]}/"
        if address.startswith("local://") and marker in address:
            return address[address.index(marker) + 1 :]
        return address

    def local(self, physical: str) -> Path | None:
        """The file of the object at a physical address (see `physical`), where the store is on this disk."""
        return self.blocks / physical if self.blocks is not None and "://" not in physical else None
