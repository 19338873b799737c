"""What of a run may leave the server: the columns of its portal, cut down to the customers whom a
person may see.

A row that he may not see is in no answer, and of the names on the page (offices, advisers,
managers, reasons) only those that his own rows use."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.errors import AkbError, RefusedError
from akb.core.wording.text import load_toml
from akb.live.registry import runs_of
from akb.report.portal.document import SCHEMA
from akb.store.columns import page_block, taken, unpacked
from akb.store.feedback import unmarked
from akb.store.folders import PRIVATE

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook
    from akb.live.serving.people import Person

PORTAL = "portal.html"
_NAMES = ("manager", "office", "sub_office", "adviser", "done_by")
"""Names that are somebody's: blank where none of a person's rows has them."""
_REASON = "reason"

Scope = tuple[str | None, ...] | None
"""Offices whose customers are seen; see `Person.offices`."""


@dataclass(frozen=True)
class ServedRun:
    """The portal of a finished run.

    Parameters
    ----------
    stamp
        What tells it from the same folder written again.
    head
        The page's block ``akb-run``.
    columns
        Its block ``akb-columns``.
    """

    folder: Path
    stamp: tuple[str, int]
    head: dict[str, Any]
    columns: dict[str, Any]
    _cut: dict[Scope, bytes] = field(default_factory=dict)

    @property
    def run(self) -> str:
        """Name of the run."""
        return str(self.head["run"])

    @property
    def language(self) -> str:
        """Language of its page."""
        return str(self.head["language"])

    @cached_property
    def customers(self) -> list[str]:
        """Pseudonyms, in the order of the columns."""
        return unpacked(self.columns["customer"])

    @cached_property
    def offices(self) -> list[str]:
        """The offices that it names."""
        return list(self.head["names"]["office"])

    @cached_property
    def _office(self) -> np.ndarray[Any, Any]:
        return np.array(unpacked(self.columns["office"]), dtype=np.int64)

    def rows(self, scope: Scope) -> np.ndarray[Any, Any]:
        """Return the places of the customers of some offices."""
        if scope is None:
            return np.arange(len(self.customers))
        code = {name: place for place, name in enumerate(self.offices, start=1)}
        wanted = [
            0 if name is None else code[name] for name in scope if name is None or name in code
        ]
        return np.flatnonzero(np.isin(self._office, wanted))

    def seen(self, scope: Scope) -> frozenset[str]:
        """Return the customers of some offices."""
        return frozenset(self.customers[place] for place in self.rows(scope))

    def document(self, person: Person) -> bytes:
        """Return everything that a person's page shows, as JSON."""
        if person.offices not in self._cut:
            self._cut[person.offices] = self._columns(person.offices)
        parts = [self._cut[person.offices][:-1], b',"person":', _json(person_shown(person))]
        if person.relations:
            parts += [b',"relations":', _json(self.relations(person.offices))]
        return b"".join([*parts, b"}"])

    def relations(self, scope: Scope) -> dict[str, str] | None:
        """Return customer -> relation numbers, joined from the run's private file; None where it
        cannot be read, which the page says.
        """
        mine, out = self.seen(scope), dict[str, str]()
        try:
            with (self.folder / PRIVATE).open(encoding="utf-8-sig", newline="") as lines:
                for row in csv.DictReader(lines):
                    name = row["customer"]
                    if name in mine:
                        number = unmarked(row["relation"])
                        out[name] = f"{out[name]} + {number}" if name in out else number
        except (OSError, KeyError, UnicodeDecodeError):
            return None
        return out

    def _columns(self, scope: Scope) -> bytes:
        rows = self.rows(scope)
        made = {name: taken(column, rows) for name, column in self.columns.items()}
        names = dict(self.head["names"])
        for name in _NAMES:
            used = set(unpacked(made[name]))
            names[name] = [
                text if place in used else "" for place, text in enumerate(names[name], start=1)
            ]
        names[_REASON] = self._reasons(made["why"], names[_REASON])
        offices = [] if scope is None else [name for name in scope if name in self.offices]
        run = {
            **self.head,
            "names": names,
            "store": "shared",
            "scope": ", ".join(map(str, offices)),
        }
        run["poll"] = load_toml("live.toml")["serve"]["poll_seconds"]
        return _json({"run": run, "columns": made})

    def _reasons(self, why: dict[str, Any], texts_: list[str]) -> list[str]:
        """Blank the reasons that no clause of these rows gives: (template, number, number)."""
        clause = self.head["templates"].index(_REASON)
        used = {
            row[place + 1]
            for row in unpacked(why)
            for place in range(0, len(row), 3)
            if row[place] == clause
        }
        return [text if place in used else "" for place, text in enumerate(texts_)]


def person_shown(person: Person) -> dict[str, Any]:
    """Return what his own page says of a person."""
    return {"name": person.name, "role": person.role, "relations": person.relations}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def newest_run(book: ClientBook) -> ServedRun:
    """Return the portal of the book's newest run.

    Raises
    ------
    AkbError
        If the book has no run.
    RefusedError
        If its run has no page that can be served.
    """
    runs = runs_of(book)
    if not runs:
        raise AkbError(
            "the book holds no run to serve", "Make one with akb retrain, or akb score --book."
        )
    return read_run(runs[-1].folder)


def stamp_of(folder: Path) -> tuple[str, int]:
    """Return what tells a run from another one, and from the same folder written again."""
    try:
        return folder.name, (folder / PORTAL).stat().st_mtime_ns
    except OSError:
        return folder.name, 0


def read_run(folder: Path) -> ServedRun:
    """Return the portal of a run; see `newest_run`."""
    stamp = stamp_of(folder)
    try:
        page = (folder / PORTAL).read_text("utf-8")
    except OSError as error:
        raise RefusedError(
            f"{folder / PORTAL} cannot be read: {error.strerror}", "Make the run again."
        ) from None
    head, columns = page_block(page, "akb-run"), page_block(page, "akb-columns")
    if not head or not columns or head.get("schema") != SCHEMA:
        raise RefusedError(
            f"{folder / PORTAL} is no page with schema {SCHEMA}",
            "Make the run again with this akb.",
        )
    if head["named"]:
        raise RefusedError(
            f"{folder} shows relation numbers, so it is not served",
            "Run akb score --book without --no-pseudonyms; akb serve joins numbers for those who "
            "may see them.",
        )
    return ServedRun(folder, stamp, head, columns)
