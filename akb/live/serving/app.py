"""What the server answers.

    GET  /             the page, without anything of the client in it
    GET  /api/portal   what the person's page shows
    GET  /api/events   what was recorded since a number: ``?after=17``
    POST /api/events   record a status or feedback: ``{"key", "before", "event": {...}}``

Everything below ``/api`` wants ``Authorization: Bearer TOKEN``."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from akb.core.errors import AkbError
from akb.live.duty.register import record_duty
from akb.live.registry import runs_of
from akb.live.serving.guard import Guard
from akb.live.serving.limits import RateLimit
from akb.live.serving.served import newest_run, stamp_of
from akb.live.serving.shared import SharedState
from akb.report.portal import served_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from akb.live.book import ClientBook
    from akb.live.serving.guard import Door
    from akb.live.serving.people import Person
    from akb.live.serving.served import ServedRun

_KEY = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"\d{1,15}")
_PART = 1 << 18
_LOOK = 5.0  # seconds after which a change of the run's files is looked for


class PortalServer:
    """A book's newest run and its shared state, answering requests.

    Writing has a thread of its own, so that a commit that waits for the disk keeps nobody who
    only looks.
    """

    def __init__(self, book: ClientBook, clock: Callable[[], float] = time.monotonic) -> None:
        self.book = book
        self.state = SharedState(book)
        self.served: ServedRun = newest_run(book)
        self._seen: dict[Any, frozenset[str]] = {}
        self._clock, self._looked = clock, clock()
        rules = self.state.rules
        self._asked = RateLimit(per_second=rules["per_second"], burst=rules["burst"], clock=clock)
        failures = rules["failures_per_minute"]
        self._failed = RateLimit(per_second=failures / 60, burst=failures, clock=clock)
        self._noted = RateLimit(per_second=1 / 60, burst=1, clock=clock)
        self._writer = ThreadPoolExecutor(1, "akb-write")
        self._page = {self.served.language: served_page(self.served.language)}
        self._renewing: asyncio.Task[None] | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing newer is being looked for."""
        return self._renewing is None or self._renewing.done()

    def app(self, door: Door) -> ASGIApp:
        """Return the application behind its guard."""

        @asynccontextmanager
        async def life(_: Starlette) -> AsyncIterator[None]:
            await self._write(self.state.audit, "started")
            yield
            await self._write(self.state.audit, "stopped")
            await self._write(record_duty, self.book)
            self._writer.shutdown()
            self.state.close()

        routes = [
            Route("/", self.page),
            Route("/api/portal", self.portal),
            Route("/api/events", self.events),
            Route("/api/events", self.record, methods=["POST"]),
        ]
        inside = Starlette(
            routes=routes, lifespan=life, exception_handlers={AnswerError: _answered}
        )
        return Guard(inside, door, self.state.rules["body_bytes"])

    async def page(self, request: Request) -> Response:
        """Answer with the page: scripts, style and words, and nothing of the client."""
        content, policy = self._page[self.served.language]
        headers = {"content-security-policy": f"{policy}; frame-ancestors 'none'"}
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    async def portal(self, request: Request) -> Response:
        """Answer with what a person's page shows; who asked is in the audit log before he has
        it.
        """
        person = await self._person(request)
        served = self.served
        count = len(self._customers(person))
        await self._write(self.state.audit, "opened", person.number, count)
        if person.relations:
            await self._write(self.state.audit, "relations", person.number, count)
        content = await asyncio.to_thread(served.document, person)
        return StreamingResponse(
            _parts(content),
            media_type="application/json",
            headers={"content-length": str(len(content))},
        )

    async def events(self, request: Request) -> Response:
        """Answer with what was recorded since a number."""
        person = await self._person(request)
        after = request.query_params.get("after", "0")
        if not _NUMBER.fullmatch(after):
            raise AnswerError(422, "after is no number")
        events = self.state.since(int(after), self._customers(person))
        return _json(
            f'{{"run":{json.dumps(self.served.run)},"last":{self.state.last},"events":[{events}]}}'
        )

    async def record(self, request: Request) -> Response:
        """Keep an event; the answer leaves when it is on disk."""
        person = await self._person(request)
        given = await _content(request)
        customer = given["event"].get("customer")
        if not isinstance(customer, str) or customer not in self._customers(person):
            raise AnswerError(404, "there is no such customer")  # or he is somebody else's
        keep = partial(
            self.state.keep, person, given["event"], before=given["before"], key=given["key"]
        )
        try:
            kept = await self._write(keep)
        except AkbError as error:
            raise AnswerError(422, error.message) from None
        return _json(f'{{"event":{kept.event.text}}}', 409 if kept.conflict else 201)

    async def _person(self, request: Request) -> Person:
        """Return who asks; raise the answer to somebody who may not."""
        # a page that is written again (akb forget) moves nothing in the book's state
        if self.state.refresh() or self._clock() - self._looked > _LOOK:
            self._looked = self._clock()
            self._renew()
        token = request.headers.get("authorization", "")
        person = self.state.person(token[7:]) if token[:7].lower() == "bearer " else None
        if person is None:
            raise await self._stranger(request)
        wait = self._asked.wait(person.number)
        if wait:
            if not self._noted.wait(person.number):
                await self._write(self.state.audit, "limited", person.number)
            raise AnswerError.later(wait)
        return person

    async def _stranger(self, request: Request) -> AnswerError:
        """Return the answer to a wrong token, so often a minute and no more."""
        wait = self._failed.wait(request.client.host if request.client else "")
        if wait:
            return AnswerError.later(wait)
        await self._write(self.state.audit, "refused")
        return AnswerError(401, "the token is none, or no longer", {"www-authenticate": "Bearer"})

    def _customers(self, person: Person) -> frozenset[str]:
        """Return whom a person may see."""
        if person.offices not in self._seen:
            self._seen[person.offices] = self.served.seen(person.offices)
        return self._seen[person.offices]

    async def _write(self, what: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, what, *given)

    def _renew(self) -> None:
        """Look, beside what is asked, whether the book has a newer run."""
        if self.settled:
            self._renewing = asyncio.create_task(self._newer())

    async def _newer(self) -> None:
        try:
            latest = await asyncio.to_thread(runs_of, self.book)
            if not latest or stamp_of(latest[-1].folder) == self.served.stamp:
                return
            served = await asyncio.to_thread(newest_run, self.book)
        except (AkbError, ValueError):  # a run that cannot be served: the one before it stays
            return
        if served.language not in self._page:
            self._page[served.language] = served_page(served.language)
        self.served, self._seen = served, {}


async def _content(request: Request) -> dict[str, Any]:
    """Return ``event``, ``key`` and ``before`` as a page sends them."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise AnswerError(415, "the content is no application/json")
    try:
        given = json.loads(await request.body())
    except (ValueError, RecursionError):
        given = None
    wanted = {"event": dict, "key": str, "before": str}
    if not isinstance(given, dict) or not all(
        isinstance(given.get(name), kind) for name, kind in wanted.items()
    ):
        raise AnswerError(422, "the content is not as the page sends it")
    if not _KEY.fullmatch(given["key"]):
        raise AnswerError(422, "key is no 32 hexadecimal digits")
    return given


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), _PART):
        yield content[begin : begin + _PART]


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


class AnswerError(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.headers = status, why, headers

    @classmethod
    def later(cls, seconds: float) -> AnswerError:
        """Return the answer to who asks too often."""
        return cls(429, "too many requests", {"retry-after": str(math.ceil(seconds))})


def _answered(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnswerError)
    content = json.dumps({"error": error.why})
    return Response(content, error.status, error.headers, media_type="application/json")
