"""The server of a book: where it listens, and until when.

It listens on loopback. Elsewhere it listens only for something in front of it that speaks TLS, for
a token that crosses a network in the clear is anybody's."""

from __future__ import annotations

import errno
import ipaddress
import re
import signal
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.live.book import ClientBook
    from akb.live.serving.guard import Door

INSTALL = "python -m pip install 'akb[serve]'"
_NAME = re.compile(r"(?=.{1,253}(:\d{1,5})?$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


def opened_door(host: str, port: int, public: str) -> Door:
    """Return where to listen and under which names to be asked.

    Parameters
    ----------
    public
        The name in the address that browsers use, where something in front speaks TLS.

    Raises
    ------
    AkbError
        If the host is no address, or is another machine's to reach and nothing speaks TLS.
    """
    from akb.live.serving.guard import Door

    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise AkbError(
            f"--host {host} is no address", "Give one such as 127.0.0.1; no name is looked up."
        ) from None
    if not address.is_loopback and not public:
        raise AkbError(
            f"--host {address} can be reached from other machines, and akb speaks no TLS",
            "Put something that does in front, and say by which name: --tls-in-front akb.office.nl",
        )
    public = public.lower()
    if public and not _NAME.fullmatch(public):
        raise AkbError(
            f"--tls-in-front {public} is no name of a host",
            "Give what stands between https:// and the next / in the browsers' address.",
        )
    return Door(str(address), port, public)


def serve(book: ClientBook, door: Door, ready: Callable[[str], None]) -> None:
    """Serve the book's newest run until the process is asked to end.

    Parameters
    ----------
    ready
        Is called with the address once it answers.

    Raises
    ------
    AkbError
        If the extra is not installed, the port is not free, or the book has no run.
    """
    try:
        import uvicorn

        from akb.live.serving.app import PortalServer
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise AkbError(
            "akb serve needs Starlette and uvicorn", f"Install them: {INSTALL}"
        ) from None
    server = PortalServer(book)
    with closing(_listening(door)) as listener:
        bound = type(door)(door.host, listener.getsockname()[1], door.public)
        config = uvicorn.Config(
            server.app(bound),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
            limit_concurrency=server.state.rules["connections"],
            h11_max_incomplete_event_size=16_384,
        )
        host = f"[{bound.host}]" if ":" in bound.host else bound.host
        ready(f"https://{bound.public}/" if bound.public else f"http://{host}:{bound.port}/")
        # uvicorn ends gracefully and raises the signal again: both usual ends are no failure
        signal.signal(signal.SIGTERM, _interrupt)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _listening(door: Door) -> socket.socket:
    """Return a socket of this server alone.

    It says that it speaks TCP: asyncio sends small answers at once (``TCP_NODELAY``) on those
    only, and otherwise each waits 40 ms for the page to confirm the one before.
    """
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((door.host, door.port))
        listener.listen()
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        why = "is in use" if taken else f"cannot be listened on: {error.strerror}"
        raise AkbError(
            f"port {door.port} of {door.host} {why}", "Choose another one with --port or --host."
        ) from None
    return listener
