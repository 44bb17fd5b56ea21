"""The door of Dagster's UI: who may come in.

Dagster knows no accounts, takes mutations by GET, and responds under any host name.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE: Final = "lakegate"
PARAMETER: Final = "token"
HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""With whatever port: a tunnel may have another at its other end."""
GRAPHQL: Final = "/graphql"
Refusal = tuple[HTTPStatus, str]


class Door:
    """An ASGI application that lets requests through to another one.

    Args:
        app: Dagster's.
        token: What a request has to bring, as a cookie or as `Authorization: Bearer`; a link brings it first,
            and takes the cookie.
    """

    def __init__(self, app: App, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, or one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        refused = _foreign(headers)
        given = dict(query).get(PARAMETER) if scope["type"] == "http" else None
        if refused is None and given is not None and self._fits(given):
            await _respond(send, HTTPStatus.SEE_OTHER, "", self._taken(scope["path"], query))
            return
        refused = refused or self._without_token(headers) or _query_by_get(scope, query)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _respond(send, refused[0], refused[1] + "\n", [])

    def _without_token(self, headers: dict[str, str]) -> Refusal | None:
        if self._fits(_cookie(headers)) or self._fits(_bearer(headers)):
            return None
        fix = "Open the link that `lakegate dev` printed: it brings the token that this page asks for."
        return HTTPStatus.UNAUTHORIZED, fix

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token)

    def _taken(self, path: str, query: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
        """The headers that hand the token over as a cookie, and lead to the same page without it."""
        rest = urlencode([pair for pair in query if pair[0] != PARAMETER])
        # A path that begins with two strokes would lead to another server.
        where = "/" + path.lstrip("/\\") + (f"?{rest}" if rest else "")
        cookie = f"{COOKIE}={self._token.decode()}; Path=/; HttpOnly; SameSite=Strict"
        return [
            (b"location", where.encode("ascii", "replace")),
            (b"set-cookie", cookie.encode()),
            (b"referrer-policy", b"no-referrer"),
        ]


def _foreign(headers: dict[str, str]) -> Refusal | None:
    """Refuse another name for this machine (DNS rebinding), and another site's page."""
    host = headers.get("host", "")
    name, _, port = host.rpartition(":")
    if (name if port.isdecimal() and name else host).lower() not in HOSTS:
        return HTTPStatus.MISDIRECTED_REQUEST, "This is 127.0.0.1 and no other host: open it by that name."
    own = (f"http://{host.lower()}", f"https://{host.lower()}")
    if (origin := headers.get("origin")) is not None and origin.lower() not in own:
        return HTTPStatus.FORBIDDEN, "Another site's page requested this."
    return None


def _query_by_get(scope: Scope, query: list[tuple[str, str]]) -> Refusal | None:
    if scope["type"] != "http" or scope["method"] == "POST" or str(scope["path"]).rstrip("/") != GRAPHQL:
        return None
    if "query" not in dict(query):
        return None
    what = "GraphQL takes queries by POST: a GET can be made by any page that a browser opens."
    return HTTPStatus.METHOD_NOT_ALLOWED, what


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _bearer(headers: dict[str, str]) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


async def _respond(send: Send, status: HTTPStatus, text: str, headers: list[tuple[bytes, bytes]]) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": int(status), "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": text.encode()})
