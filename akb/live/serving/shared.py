"""The one state that pages share: who may come in, what was recorded, and how a status is kept when
two people have the same customer open.

The book is the truth; memory only holds what polls ask for. Every change of the book, by this
server or any other command, moves SQLite's ``data_version``, and the next request reads what is
new. An answer that says *saved* is sent after the commit."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.core.wording.text import load_toml
from akb.live.book import STATE
from akb.live.feedback.events import event_id, event_row, insert_events
from akb.live.forgetting import forgotten_among, forgotten_count
from akb.live.registry import now
from akb.live.serving.people import Person, people_by_token, token_hash
from akb.live.serving.tables import audit, prepare
from akb.store.feedback import COLUMNS, Feedback, checked_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.live.book import ClientBook

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_STORED = {"date": "day", "type": "kind"}
"""Names of the book's columns where the page's are other ones."""
_SELECT = "SELECT rowid, id, customer, " + ", ".join(
    "'akb.feedback/1'" if name == "schema" else f"coalesce(\"{_STORED.get(name, name)}\", '')"
    for name in COLUMNS
)
FROM_PAGE = ("run", "customer", "list", "event", "status", "date", "mode", "type", "note")
"""What a page says of an event; who recorded it, and when, the server knows."""


@dataclass(frozen=True)
class SharedEvent:
    """An event as pages get it.

    Parameters
    ----------
    number
        Its place in the order in which the book got to hold events.
    text
        JSON: its id, then the cells of `COLUMNS`.
    """

    number: int
    customer: str
    text: str


@dataclass(frozen=True)
class SavedEvent:
    """What became of an event: kept, or too late (``conflict``), with the event that now stands."""

    event: SharedEvent
    conflict: bool = False


class SharedState:
    """What a server knows of its book; used by one thread at a time."""

    def __init__(self, book: ClientBook) -> None:
        prepare(book)
        self.book = book
        self.rules: Mapping[str, Any] = load_toml("live.toml")["serve"]
        self._since = (datetime.now(UTC) - timedelta(days=self.rules["history_days"])).strftime(
            _MOMENT
        )
        self._reading = sqlite3.connect(
            book.folder / STATE, isolation_level=None, check_same_thread=False
        )
        self._reading.execute("PRAGMA query_only = ON")
        self._version, self._forgotten = -1, 0
        self._people: dict[str, Person] = {}
        self._events: list[SharedEvent] = []
        self._numbers: list[int] = []
        self.last = 0  # number of the newest event that was looked at
        self.refresh()

    def close(self) -> None:
        """Let go of the book."""
        self._reading.close()

    def refresh(self) -> bool:
        """Read what the book got since the last time, and return whether it got anything."""
        version = self._reading.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        # the version is older than what is read now: at worst the next call reads nothing new
        self._version = version
        self._reading.execute("BEGIN")
        try:
            self._people = people_by_token(self._reading)
            forgotten = forgotten_count(self._reading)
            if forgotten != self._forgotten:  # what pages get is read anew, without him
                self._forgotten, self.last = forgotten, 0
                self._events.clear()
                self._numbers.clear()
            newest = self._reading.execute("SELECT coalesce(max(rowid), 0) FROM events").fetchone()
            rows = self._reading.execute(
                f"{_SELECT} FROM events WHERE rowid > ? AND recorded >= ? ORDER BY rowid",
                (self.last, self._since),
            )
            found = [_shared(row) for row in rows]
        finally:
            self._reading.execute("COMMIT")
        self._events += found
        self._numbers += [event.number for event in found]
        self.last = newest[0]
        return True

    def person(self, token: str) -> Person | None:
        """Return whose token it is; None: nobody's, or no longer."""
        return self._people.get(token_hash(token))

    def since(self, number: int, seen: frozenset[str]) -> str:
        """Return the events after a number, of some customers, as the inside of a JSON list."""
        begin = bisect_right(self._numbers, number)
        return ",".join(each.text for each in self._events[begin:] if each.customer in seen)

    def keep(
        self, person: Person, given: Mapping[str, Any], *, before: str, key: str
    ) -> SavedEvent:
        """Store an event and return it once it is on disk.

        Parameters
        ----------
        given
            Of `FROM_PAGE`.
        before
            The id of the customer's last status that the page knew; empty: of none. Where another
            one came in meanwhile nothing is kept, and that one is returned.
        key
            Of the page, for this save: where the answer got lost, the same request again keeps
            nothing twice.

        Raises
        ------
        AkbError
            If the event is not as it should be.
        """
        draft = {name: given.get(name, "") for name in FROM_PAGE}
        event = checked_event(
            {**draft, "schema": "akb.feedback/1", "recorded": now(), "by": person.name}
        )
        with self.book.transaction() as state:
            known = state.execute(
                "SELECT event FROM saved WHERE person = ? AND key = ?", (person.number, key)
            ).fetchone()
            if known is not None:
                return SavedEvent(_event(state, known[0]))
            if state.execute("SELECT 1 FROM runs WHERE run = ?", (event.run,)).fetchone() is None:
                raise AkbError("column run: the book holds no such run")
            if forgotten_among(self.book, state, [event.customer]):
                raise AkbError("column customer: the book holds no such customer")
            latest = self._latest(state, event.customer)
            if event.event == "status" and latest is not None and latest[1] != before:
                audit(state, "conflict", person.number, event=latest[1])
                return SavedEvent(_shared(latest), conflict=True)
            event = _after(event, latest)
            insert_events(state, [event_row(event, now())])
            mark = event_id(event)
            state.execute("INSERT INTO saved VALUES (?, ?, ?)", (person.number, key, mark))
            audit(state, "saved", person.number, event=mark)
            return SavedEvent(_event(state, mark))

    def audit(self, what: str, person: int | None = None, count: int | None = None) -> None:
        """Add a line to the audit log."""
        with self.book.transaction() as state:
            audit(state, what, person, count=count)

    def _latest(self, state: sqlite3.Connection, customer: str) -> tuple[Any, ...] | None:
        """Return the customer's last status of those that pages get."""
        with closing(
            state.execute(
                f"{_SELECT} FROM events WHERE customer = ? AND event = 'status' AND recorded >= ? "
                "ORDER BY recorded DESC, rowid DESC LIMIT 1",
                (customer, self._since),
            )
        ) as found:
            row: tuple[Any, ...] | None = found.fetchone()
        return row


def _after(event: Feedback, latest: tuple[Any, ...] | None) -> Feedback:
    """Return a status that is later than the one it follows: two in one second, or one from a
    laptop whose clock is ahead, would have no order.
    """
    if latest is None or event.event != "status":
        return event
    earlier = datetime.strptime(latest[3 + COLUMNS.index("recorded")], _MOMENT).replace(tzinfo=UTC)
    if earlier < event.recorded.astimezone(UTC):
        return event
    return event.model_copy(update={"recorded": earlier + timedelta(seconds=1)})


def _event(state: sqlite3.Connection, mark: str) -> SharedEvent:
    return _shared(state.execute(f"{_SELECT} FROM events WHERE id = ?", (mark,)).fetchone())


def _shared(row: tuple[Any, ...]) -> SharedEvent:
    number, mark, customer, *cells = row
    return SharedEvent(number, customer, json.dumps([mark, *cells], ensure_ascii=False))
