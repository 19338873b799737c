"""Where an experiment is kept: a folder of its own, or the client's book.

In the book registration and assignments are one transaction: two commands at once draw one after
the other, and a kill leaves all of a draw or nothing of it. What stands there is read by the lists
of `akb score`, by `akb export` and by `akb evaluate`, so that nobody has to be told of it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.draws import experiment_name
from akb.core.errors import AkbError, did_you_mean
from akb.live.experiment.assignment import CONTROL, SCHEMA
from akb.live.experiment.records import add_rows, alone, read_rows
from akb.live.experiment.registration import (
    FILE,
    read_registration,
    registration_of,
    write_registration,
)
from akb.live.registry import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from akb.live.book import ClientBook
    from akb.live.experiment.registration import Registration

RECORD = "assignments.csv"
EXPERIMENTS = "experiments"
"""The folder in a book with a folder per experiment for what its analysis leaves."""
_COLUMNS = ", ".join(SCHEMA)
_ROWS = f"SELECT {_COLUMNS} FROM assignments WHERE experiment = ? ORDER BY rowid"


class TrialFolder:
    """An experiment in a folder of its own: ``experiment.json`` and ``assignments.csv``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let one command at a time draw."""
        with alone(self.folder):
            yield

    def registration(self) -> Registration | None:
        """Return the experiment; None where there is none yet."""
        return read_registration(self.folder) if (self.folder / FILE).exists() else None

    def record(self) -> pl.DataFrame:
        """Return everybody who was ever assigned, columns of `SCHEMA`."""
        return read_rows(self.folder / RECORD, SCHEMA)

    def register(self, registration: Registration) -> None:
        """Write an experiment down, once."""
        write_registration(self.folder, registration)

    def add(self, rows: pl.DataFrame) -> None:
        """Add who joined."""
        if rows.height:
            add_rows(self.folder / RECORD, list(SCHEMA), rows)


@dataclass
class TrialInBook:
    """An experiment in the client's book.

    name
        As `experiment_name` makes it.
    """

    book: ClientBook
    name: str

    def __post_init__(self) -> None:
        self._state: sqlite3.Connection | None = None

    def __str__(self) -> str:
        return f"experiment '{self.name}' of {self.book.folder}"

    @property
    def folder(self) -> Path:
        """Where what its analysis leaves lies."""
        return self.book.folder / EXPERIMENTS / self.name.replace(" ", "-")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Draw in one transaction: what is read in it is what is written on."""
        with self.book.transaction() as state:
            self._state = state
            try:
                yield
            finally:
                self._state = None

    def registration(self) -> Registration | None:
        """Return the experiment; None where there is none yet."""
        with self._reading() as state:
            row = state.execute(
                "SELECT document FROM experiments WHERE experiment = ?", (self.name,)
            ).fetchone()
        return None if row is None else registration_of(json.loads(row[0]), str(self))

    def record(self) -> pl.DataFrame:
        """Return everybody who was ever assigned, columns of `SCHEMA`."""
        with self._reading() as state:
            return _frame(state.execute(_ROWS, (self.name,)).fetchall())

    def register(self, registration: Registration) -> None:
        """Write an experiment down, once."""
        assert self._state is not None
        document = json.dumps(registration.document(), ensure_ascii=False, sort_keys=True)
        self._state.execute(
            "INSERT INTO experiments VALUES (?, ?, ?)", (self.name, now(), document)
        )

    def add(self, rows: pl.DataFrame) -> None:
        """Add who joined."""
        assert self._state is not None
        moment, places = now(), ", ".join("?" * (len(SCHEMA) + 2))
        self._state.executemany(
            f"INSERT INTO assignments (experiment, {_COLUMNS}, assigned) VALUES ({places})",
            [
                (self.name, *row, moment)
                for row in rows.select(*SCHEMA)
                .with_columns(pl.col("joined").cast(pl.String))
                .iter_rows()
            ],
        )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._state is not None:
            yield self._state
            return
        with self.book.read() as state:
            yield state


Trial = TrialFolder | TrialInBook


def trial_for(book: ClientBook, name: str | None, as_of: date) -> TrialInBook:
    """Return the experiment of a book that customers of a run of a day join: the one under that
    name that has not stopped, else a new one.
    """
    wanted = name or "akb"
    for each in reversed(registered(book)):
        if each.name.rpartition(" ")[0] == wanted and each.started <= as_of < each.stop:
            return TrialInBook(book, each.name)
    return TrialInBook(book, experiment_name(wanted, as_of))


def trial_named(book: ClientBook, name: str | None) -> TrialInBook:
    """Return an experiment of a book; without a name the only one.

    Raises
    ------
    AkbError
        If there is none, or more and none was named.
    """
    names = [each.name for each in registered(book)]
    if not names:
        raise AkbError("the book holds no experiment", "Run akb experiment assign first.")
    found = [each for each in names if name in (None, each, each.rpartition(" ")[0])]
    if len(found) == 1:
        return TrialInBook(book, found[0])
    if name is None:
        raise AkbError(
            "the book holds more than one experiment", f"Name one with --name: {', '.join(names)}."
        )
    raise AkbError(
        f"no experiment '{name}' of this book is the one{did_you_mean(name, names)}",
        f"Known are {', '.join(names)}.",
    )


def registered(book: ClientBook) -> list[Registration]:
    """Return the experiments of a book, the first first."""
    with book.read() as state:
        rows = state.execute(
            "SELECT experiment, document FROM experiments ORDER BY rowid"
        ).fetchall()
    return [registration_of(json.loads(document), name) for name, document in rows]


def arms_of(book: ClientBook) -> pl.DataFrame:
    """Return customer (pseudonym), ``arm``, ``joined`` and ``until`` (the stop date) of everybody
    in an experiment of the book; whoever is in two is in the control arm where one of them says so.
    """
    parts = [
        TrialInBook(book, each.name)
        .record()
        .select("customer", "arm", "joined", until=pl.lit(each.stop, pl.Date))
        for each in registered(book)
    ]
    if not parts:
        schema = {"customer": pl.String, "arm": pl.String, "joined": pl.Date, "until": pl.Date}
        return pl.DataFrame(schema=schema)
    return pl.concat(parts)


def running(arms: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return customer and ``arm`` of those of `arms_of` whose experiment runs on a day, each
    once.
    """
    now_ = arms.filter((pl.col("joined") <= day) & (pl.col("until") > day))
    return (
        now_.group_by("customer")
        .agg(control=(pl.col("arm") == CONTROL).any())
        .select(
            "customer",
            arm=pl.when("control").then(pl.lit(CONTROL)).otherwise(pl.lit("treated")),
        )
        .sort("customer")
    )


def _frame(rows: list[Any]) -> pl.DataFrame:
    text = {**SCHEMA, "joined": pl.String}
    frame = pl.DataFrame(rows, schema=text, orient="row")
    return frame.with_columns(pl.col("joined").str.to_date("%Y-%m-%d"))
