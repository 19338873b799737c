"""What stands before every request, whoever asks: by which name it came, from which page, how
large it is; and the headers of every answer.

A page elsewhere that makes a browser ask this server under a name of its own (DNS rebinding)
comes with that name in ``Host``, and is refused. There is no cookie, so a request that a foreign
page sends has no token."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_LOG = logging.getLogger("akb.serve")
_YEAR = 365 * 86_400
_PATIENCE = 10.0  # seconds for a body to come in whole


@dataclass(frozen=True)
class Door:
    """Under which names the server may be asked.

    Parameters
    ----------
    public
        The name that browsers use where something in front speaks TLS; empty: none.
    """

    host: str
    port: int
    public: str = ""

    @property
    def hosts(self) -> frozenset[str]:
        """Values that ``Host`` may have."""
        own = {self.host if ":" not in self.host else f"[{self.host}]", *LOOPBACK}
        return frozenset({f"{each}:{self.port}" for each in own} | ({self.public} - {""}))

    @property
    def origins(self) -> frozenset[str]:
        """Values that ``Origin`` may have."""
        plain = {f"http://{host}" for host in self.hosts - {self.public}}
        return frozenset(plain | ({f"https://{self.public}"} if self.public else set()))


class Guard:
    """The app behind the checks that need nobody's name."""

    def __init__(self, app: ASGIApp, door: Door, most_bytes: int) -> None:
        self._app, self._door, self._most = app, door, most_bytes
        extra = {"strict-transport-security": f"max-age={_YEAR}"} if door.public else {}
        self._headers = [
            (name.encode(), value.encode()) for name, value in {**_HEADERS, **extra}.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket: nothing here speaks it
            await send({"type": "websocket.close", "code": 1002})
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name.lower() for name, _ in message.get("headers", ())}
                more = [each for each in self._headers if each[0] not in named]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        status = self._refused(scope)
        body = b"" if status else await self._body(receive)
        if status or body is None:
            await _short(answered, status or 413)
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        try:
            await self._app(scope, replayed, answered)
        except Exception as error:  # it has answered 500; the message may hold client data
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            _LOG.error("akb: a fault in akb itself (%s at %s)", type(error).__name__, where)

    async def _body(self, receive: Receive) -> bytes | None:
        """Return what was sent; None where it is more than any page sends, or does not come."""
        body = b""
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    message = await receive()
                    body += bytes(message.get("body", b""))
                    if len(body) > self._most:
                        return None
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return body
        except TimeoutError:
            return None

    def _refused(self, scope: Scope) -> int:
        """Return the status with which a request is refused; 0: it may pass."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name.lower(), []).append(value)
        hosts = [value.decode("latin-1").lower() for value in found.get(b"host", ())]
        if len(hosts) != 1 or hosts[0] not in self._door.hosts:
            return 421
        origins = [value.decode("latin-1") for value in found.get(b"origin", ())]
        if any(origin not in self._door.origins for origin in origins):
            return 403
        site = found.get(b"sec-fetch-site", [b""])[0]
        if scope["path"] != "/" and site in (b"cross-site", b"same-site"):
            return 403
        length = found.get(b"content-length", [b"0"])[0]
        return 413 if not length.isdigit() or int(length) > self._most else 0


async def _short(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
