"""Feedback as events of the book: only added, each once, and never a churn label.

Customers stand in the events under their pseudonyms. A run that shows relation numbers gives those
in its feedback; they become pseudonyms under the book's key before anything is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.wording.text import load_toml
from akb.live.forgetting import forgotten_among
from akb.live.registry import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from akb.live.book import ClientBook
    from akb.store.feedback import Feedback

EVENT_COLUMNS = (
    "id", "run", "customer", "recorded", "by", "list", "event", "status", "day", "mode", "kind",
    "note", "imported",
)  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """How many events a file held, how many of them were new, and how many of which run."""

    events: int
    new: int
    runs: dict[str, int]
    customers: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"schema": "akb.imported/1", **vars(self), "known": self.events - self.new}


def import_events(
    book: ClientBook, events: Sequence[Feedback], *, dry_run: bool = False
) -> Imported:
    """Add events to the book; those that it has stay as they are, those of customers whom it has
    forgotten are left out.

    Returns
    -------
    Imported
        In a dry run what would have been added.
    """
    moment = now()
    with book.read() as state:
        gone = forgotten_among(book, state, {event.customer for event in events})
    rows = {
        event_id(event): event_row(event, moment) for event in events if event.customer not in gone
    }
    known = _known(book, rows)
    fresh = [row for key, row in rows.items() if key not in known]
    added = len(fresh)
    if fresh and not dry_run:
        with book.transaction() as state:
            added = insert_events(state, fresh)
    runs: dict[str, int] = {}
    for event in events:
        runs[event.run] = runs.get(event.run, 0) + 1
    return Imported(len(rows), added, runs, len({event.customer for event in events}))


def event_id(event: Feedback) -> str:
    """Return what tells an event from every other: a hash of what was recorded."""
    text = json.dumps(event.row()).encode()
    return blake2b(text, digest_size=16, person=b"akb feedback").hexdigest()


def insert_events(state: sqlite3.Connection, rows: Iterable[tuple[str | None, ...]]) -> int:
    """Add rows of `event_row` in a transaction and return how many were new."""
    places = ", ".join("?" * len(EVENT_COLUMNS))
    before = state.total_changes
    state.executemany(f"INSERT OR IGNORE INTO events VALUES ({places})", rows)
    return state.total_changes - before


def event_row(event: Feedback, moment: str) -> tuple[str | None, ...]:
    """Return what is stored of an event that came in at a moment, in the order of
    `EVENT_COLUMNS`.
    """
    return (
        event_id(event),
        event.run,
        event.customer,
        event.recorded.strftime("%Y-%m-%dT%H:%M:%SZ"),
        event.by,
        event.listed,
        event.event,
        event.status,
        event.day.isoformat() if event.day else None,
        event.mode,
        event.kind,
        event.note,
        moment,
    )


def _known(book: ClientBook, keys: Iterable[str]) -> set[str]:
    with book.read() as state:
        asked = list(keys)
        found: set[str] = set()
        for first in range(0, len(asked), 500):
            part = asked[first : first + 500]
            marks = ", ".join("?" * len(part))
            rows = state.execute(f"SELECT id FROM events WHERE id IN ({marks})", part)
            found |= {str(row[0]) for row in rows}
    return found


def events_of(book: ClientBook) -> pl.DataFrame:
    """Return every event of the book in the order in which they were recorded."""
    with book.read() as state:
        rows = state.execute("SELECT * FROM events ORDER BY recorded, id").fetchall()
    frame = pl.DataFrame(rows, schema=dict.fromkeys(EVENT_COLUMNS, pl.String), orient="row")
    return frame.with_columns(
        pl.col("day").str.to_date("%Y-%m-%d"),
        on=pl.col("recorded").str.slice(0, 10).str.to_date("%Y-%m-%d"),
    )


def latest_statuses(events: pl.DataFrame) -> pl.DataFrame:
    """Return per customer the status that was recorded last."""
    return (
        events.filter(pl.col("event") == "status")
        .sort("recorded", "id")
        .unique("customer", keep="last", maintain_order=True)
    )


def recorded_contacts(book: ClientBook) -> pl.DataFrame:
    """Return customer (pseudonym), ``date`` (of a talk; null: none) and ``left`` (said to have
    left): who is kept off lists.

    Feedback says what an adviser believes. It keeps a customer off a list; it is no end of a
    relation, and no label of any model.
    """
    events, rules = events_of(book), load_toml("live.toml")["contacted"]
    talks = events.filter(pl.col("status").is_in(rules["statuses"])).select(
        "customer", date=pl.min_horizontal(pl.col("day").fill_null(pl.col("on")), "on"), left=False
    )
    gone = events.filter(pl.col("kind").is_in(rules["left"])).select(
        "customer", date=pl.lit(None, dtype=pl.Date), left=True
    )
    return pl.concat([talks, gone]).unique(maintain_order=True)
