"""The door of Dagster's UI: nothing gets in without the token, from another site, under another name,
or as a GET that changes something.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.web.door import Door

TOKEN = "t" * 43
HOST = "127.0.0.1:3000"
COOKIE = {"host": HOST, "cookie": f"other=1; lakegate={TOKEN}"}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
MUTATION = "query=mutation%7BlaunchRun%7D"


def asked(
    headers: dict[str, str], *, method: str = "GET", path: str = "/", query: str = "", kind: str = "http"
) -> tuple[int, dict[str, str], bool]:
    """Status (0: Dagster was asked; 1008: a socket that was closed), headers, and whether Dagster saw it."""
    seen, sent = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": f"{kind}.connect"}

    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()
        ],
    }
    asyncio.run(Door(app, TOKEN)(scope, receive, send))
    if not sent:
        return 0, {}, bool(seen)
    found = {name.decode(): value.decode() for name, value in sent[0].get("headers", [])}
    return sent[0].get("status", sent[0].get("code")), found, bool(seen)


def test_link_with_the_token_gives_the_cookie_and_leads_to_the_page_without_it() -> None:
    status, headers, seen = asked({"host": HOST}, path="/runs", query=f"a=1&token={TOKEN}")
    assert (status, headers["location"], seen) == (303, "/runs?a=1", False)
    assert headers["set-cookie"] == f"lakegate={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert asked(COOKIE, path="/runs")[2]
    assert asked({"host": HOST, "authorization": f"Bearer {TOKEN}"}, method="POST", path="/graphql")[2]


def test_link_never_leads_to_another_server() -> None:
    assert (
        asked({"host": HOST}, path="//evil.example/a", query=f"token={TOKEN}")[1]["location"]
        == "/evil.example/a"
    )


@given(
    st.text(max_size=60),
    st.sampled_from(METHODS),
    st.sampled_from(["/", "/graphql", "/logs"]),
    st.sampled_from(["http", "websocket"]),
)
def test_door_lets_nothing_in_without_the_token(guess: str, method: str, path: str, kind: str) -> None:
    if guess == TOKEN:
        return
    safe = guess.replace(";", "")
    for headers in ({"cookie": f"lakegate={safe}"}, {"authorization": f"Bearer {guess}"}, {}):
        status, _, seen = asked({"host": HOST, **headers}, method=method, path=path, kind=kind)
        assert (status, seen) == (401 if kind == "http" else 1008, False)


@given(st.from_regex(r"[a-z0-9.\-\[\]:]{0,40}", fullmatch=True), st.sampled_from(["http", "websocket"]))
def test_door_refuses_another_name_for_this_machine_whoever_asks(host: str, kind: str) -> None:
    name = (
        host.rpartition(":")[0]
        if host.rpartition(":")[2].isdecimal() and ":" in host and host.rpartition(":")[0]
        else host
    )
    if name in ("127.0.0.1", "localhost", "[::1]"):
        return
    status, _, seen = asked({**COOKIE, "host": host}, kind=kind)
    assert (status, seen) == (421 if kind == "http" else 1008, False)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:3001", "127.0.0.1:3000", "[::1]:3000", "LocalHost:3000"]
)
def test_door_takes_this_machines_own_names_with_any_port(host: str) -> None:
    assert asked({**COOKIE, "host": host})[2]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:8888",
        "http://localhost:3000",
        "http://127.0.0.1:3000.evil.example",
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_page_of_another_site_gets_nothing_even_with_the_cookie(origin: str, kind: str) -> None:
    status, _, seen = asked({**COOKIE, "origin": origin}, method="POST", path="/graphql", kind=kind)
    assert (status, seen) == (403 if kind == "http" else 1008, False)
    assert asked({**COOKIE, "origin": f"http://{HOST}"}, method="POST", path="/graphql", kind=kind)[2]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_get_changes_nothing(method: str, path: str) -> None:
    status, _, seen = asked(COOKIE, method=method, path=path, query=MUTATION)
    assert (status, seen) == (405, False)
    assert asked(COOKIE, method="POST", path=path)[2]
    assert asked(COOKIE, path=path)[2], "the page to write queries on"


def test_message_that_is_neither_request_nor_connection_passes() -> None:
    assert asked({}, kind="lifespan")[2]
