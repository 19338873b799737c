"""The tables of `akb serve` in the book's ``state.sqlite``: who may come in, what was saved under
which key, and the audit log.

They are made when they are first needed, so a book of an earlier akb gets them too; no other
command reads them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from akb.live.registry import now

if TYPE_CHECKING:
    from akb.live.book import ClientBook

_STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS people (
  person INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  role TEXT NOT NULL,          -- adviser | manager
  offices TEXT NOT NULL,       -- JSON: names; null among them: customers without one; null: all
  relations INTEGER NOT NULL,  -- 1: may see relation numbers
  token TEXT NOT NULL UNIQUE,  -- SHA-256 of it; the token itself is nowhere
  added TEXT NOT NULL,         -- UTC
  revoked TEXT                 -- UTC; null: may come in
) STRICT""",
    "CREATE UNIQUE INDEX IF NOT EXISTS people_name ON people (name) WHERE revoked IS NULL",
    """CREATE TABLE IF NOT EXISTS saved (
  person INTEGER NOT NULL REFERENCES people (person),
  key TEXT NOT NULL,           -- of the page, once per save: a repeated request saves nothing
  event TEXT NOT NULL REFERENCES events (id),
  PRIMARY KEY (person, key)
) STRICT""",
    """CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,            -- UTC
  person INTEGER,              -- of people; null: nobody, or whoever runs the server
  what TEXT NOT NULL,          -- one of akb.live.serving.tables.AUDITED
  event TEXT,                  -- of events
  count INTEGER                -- of customers
) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END""",
    """CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END""",
)
AUDITED = (
    "added",
    "revoked",
    "started",
    "stopped",
    "opened",
    "relations",
    "saved",
    "conflict",
    "refused",
    "limited",
)
"""What the audit log tells: a token made or taken back, the server begun or ended, the customers of
a person handed to his page (``opened``) and their relation numbers, an event kept, one that came
too late, a wrong token, and too many requests."""


def prepare(book: ClientBook) -> None:
    """Make the tables where they are missing."""
    with book.read() as state:
        found = state.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit_is_kept'").fetchone()
    if found is None:
        with book.transaction() as state:
            for statement in _STATEMENTS:
                state.execute(statement)


def audit(
    state: sqlite3.Connection,
    what: str,
    person: int | None = None,
    *,
    event: str | None = None,
    count: int | None = None,
) -> None:
    """Add a line to the audit log, in the transaction of what it tells."""
    if what not in AUDITED:
        raise ValueError(f"{what} is none of AUDITED")
    state.execute(
        "INSERT INTO audit (at, person, what, event, count) VALUES (?, ?, ?, ?, ?)",
        (now(), person, what, event, count),
    )


def audit_rows(book: ClientBook) -> list[dict[str, object]]:
    """Return the audit log, the oldest line first."""
    names = ("number", "at", "person", "what", "event", "count")
    with book.read() as state:
        rows = state.execute(f"SELECT {', '.join(names)} FROM audit ORDER BY number").fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
