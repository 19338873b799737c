"""The client's book: what outlives runs, in one folder that two commands can use at once.

    BOOK/ (0700)
      key            the client's key for pseudonyms (0600)
      state.sqlite   runs, champion, challenges, events, experiments, assignments (0600, WAL)
      log.jsonl      a line per command (`akb.live.journal`)
      lock           whoever holds it writes in runs/ (the kernel lets go of it at a kill)
      runs/          a folder per run, each swapped in whole

A run is written first and recorded after it. So a kill between the two leaves a run that nobody
recorded; `akb.live.registry.adopt` records it at the next command. Everything else is one
transaction: there whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from akb.core.errors import AkbError, RefusedError
from akb.store.atomic import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "akb.book/1"
STATE = "state.sqlite"
_WAIT = 60.0  # seconds that a command waits for another one's transaction
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS runs (
  run TEXT NOT NULL,           -- R-…, of the manifest: the same customers on the same day
  folder TEXT NOT NULL UNIQUE, -- below runs/
  kind TEXT NOT NULL,          -- eda | score
  as_of TEXT NOT NULL,
  models TEXT NOT NULL,        -- hash of the manifest of its models
  fitted TEXT NOT NULL,        -- the as-of date that its models were fitted on
  recorded TEXT NOT NULL,      -- UTC
  PRIMARY KEY (run, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS champion (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- the latest is the champion; rows are never changed
  run TEXT NOT NULL,           -- a run of kind eda
  since TEXT NOT NULL,         -- UTC
  why TEXT NOT NULL,           -- first | won | back
  document TEXT NOT NULL       -- JSON: rule, window, figures
) STRICT;
CREATE TABLE IF NOT EXISTS challenges (
  as_of TEXT NOT NULL,         -- of the export that the challenger was fitted on
  champion INTEGER NOT NULL REFERENCES champion (number),
  outcome TEXT NOT NULL,       -- won | level | stays | few | early
  document TEXT NOT NULL,      -- JSON: rule, window, figures
  recorded TEXT NOT NULL,      -- UTC
  PRIMARY KEY (as_of, champion, outcome)
) STRICT;
CREATE TABLE IF NOT EXISTS events (
  id TEXT PRIMARY KEY,         -- hash of what was recorded: the same event twice is one
  run TEXT NOT NULL,
  customer TEXT NOT NULL,
  recorded TEXT NOT NULL,
  "by" TEXT NOT NULL,
  list TEXT NOT NULL,
  event TEXT NOT NULL,         -- status | feedback
  status TEXT,
  day TEXT,
  mode TEXT,
  kind TEXT,
  note TEXT NOT NULL,
  imported TEXT NOT NULL       -- UTC
) STRICT;
CREATE INDEX IF NOT EXISTS events_customer ON events (customer);
CREATE TABLE IF NOT EXISTS experiments (
  experiment TEXT PRIMARY KEY,
  registered TEXT NOT NULL,    -- UTC
  document TEXT NOT NULL       -- JSON: the design, fixed before anybody is drawn
) STRICT;
CREATE TABLE IF NOT EXISTS assignments (
  experiment TEXT NOT NULL REFERENCES experiments (experiment),
  customer TEXT NOT NULL,      -- pseudonym
  unit TEXT NOT NULL,          -- what was drawn: the customer, or his adviser
  arm TEXT NOT NULL,           -- treated | control
  stratum TEXT NOT NULL,
  joined TEXT NOT NULL,        -- the day of the run whose list he was on
  adviser TEXT,
  office TEXT,
  forecast_relations REAL,     -- of the 12 months after that day
  forecast_policies REAL,
  forecast_euros REAL,
  assigned TEXT NOT NULL,      -- UTC
  PRIMARY KEY (experiment, customer)
) STRICT;
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER IF NOT EXISTS champions_stay BEFORE UPDATE ON champion
  BEGIN SELECT RAISE(ABORT, 'champions are only added'); END;
CREATE TRIGGER IF NOT EXISTS assignments_stay BEFORE UPDATE ON assignments
  BEGIN SELECT RAISE(ABORT, 'assignments are only added'); END;
"""


@dataclass(frozen=True)
class ClientBook:
    """A book that exists; see the module."""

    folder: Path

    @property
    def key_file(self) -> Path:
        """Where the client's key lies."""
        return self.folder / "key"

    @property
    def runs(self) -> Path:
        """Where its runs lie."""
        return self.folder / "runs"

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for looking only: one moment of the book, whatever others write."""
        with closing(self._connected()) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose changes are there together at the end, or after an error not at
        all.
        """
        with closing(self._connected()) as connection:
            connection.execute("BEGIN IMMEDIATE")  # waits for the other command
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            sys.audit("akb.book.commit", str(self.folder))
            connection.execute("COMMIT")
            sys.audit("akb.book.committed", str(self.folder))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the right to write in ``runs/``; wait while another command has it."""
        with locked(self.folder / "lock", wait=True):
            yield

    def _connected(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.folder / STATE, timeout=_WAIT, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is not there
            connection.execute("PRAGMA synchronous = FULL")  # what was confirmed survives a cut
        except sqlite3.Error as error:
            raise RefusedError(f"{self.folder / STATE} cannot be opened: {error}") from None
        return connection


def is_book(folder: Path) -> bool:
    """Whether a folder is a book."""
    return (folder / STATE).is_file()


def existing_book(folder: Path) -> ClientBook:
    """Return a book that is there already, for a command that only looks into it.

    Raises
    ------
    AkbError
        If there is none.
    """
    if not is_book(folder):
        raise AkbError(
            f"{folder} is no book of akb", "akb retrain and akb feedback import make one."
        )
    return open_book(folder)


@contextmanager
def book_to_write(folder: Path, *, dry_run: bool) -> Iterator[ClientBook]:
    """Yield a book as `open_book` returns it; for a dry run without one, an empty one elsewhere,
    which goes with it.
    """
    if not dry_run or is_book(folder) or not _vacant(folder):
        yield open_book(folder)
        return
    with TemporaryDirectory(prefix="akb-") as elsewhere:
        yield open_book(Path(elsewhere) / "book")


def open_book(folder: Path) -> ClientBook:
    """Return a book; made, with a key of its own, where there is nothing or an empty folder.

    Raises
    ------
    AkbError
        If the folder is something else, or cannot be written.
    RefusedError
        If it was made by an akb with another schema.
    """
    from akb.core.privacy.pseudonyms import load_or_create_key

    folder = folder.resolve()
    if not is_book(folder) and not _vacant(folder):
        raise AkbError(
            f"{folder} exists and is no book of akb, so it is left alone",
            "Name another folder; akb makes it.",
        )
    book = ClientBook(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        book.runs.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise AkbError(f"cannot write {folder}: {error.strerror}") from error
    load_or_create_key(book.key_file)
    _prepare(book)
    return book


def _vacant(folder: Path) -> bool:
    """Whether there is no such folder, or nothing in it but what a book's own first command makes,
    or left at a kill.
    """
    own = ("key", ".key-", "runs", "lock", STATE)
    if not folder.exists():
        return True
    return folder.is_dir() and all(each.name.startswith(own) for each in folder.iterdir())


def _prepare(book: ClientBook) -> None:
    """Make the tables where they are missing, and check whose they are."""
    state = book.folder / STATE
    os.close(os.open(state, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        with closing(book._connected()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            schema = _schema(connection)
        if schema is None or (schema == SCHEMA and not _of_today(book)):
            with book.transaction() as connection:
                if schema == SCHEMA:
                    connection.execute("DROP TABLE assignments")  # no akb has written in that one
                for statement in _statements():
                    connection.execute(statement)
                connection.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (SCHEMA,))
                schema = SCHEMA
    except sqlite3.DatabaseError as error:
        raise RefusedError(f"{state} is no book that akb can read: {error}") from None
    if schema != SCHEMA:
        raise RefusedError(
            f"{book.folder} is a book with schema {schema}; this akb reads {SCHEMA}",
            "Use the akb that made it.",
        )


def _schema(connection: sqlite3.Connection) -> str | None:
    known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone()
    if known is None:
        return None
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return None if row is None else str(row[0])


def _of_today(book: ClientBook) -> bool:
    """Whether a book of this schema has the table of assignments that is written in."""
    with closing(book._connected()) as connection:
        names = {row[1] for row in connection.execute("PRAGMA table_info(assignments)")}
    return "joined" in names


def _statements() -> list[str]:
    found, part = [], ""
    for line in _TABLES.strip().splitlines():
        part += line + "\n"
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
