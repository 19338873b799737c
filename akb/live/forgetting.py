"""``akb forget`` on the client's book: a customer is nowhere in it any more, and what was counted
stays counted.

Events, the register of the duty of care and assignments are only ever added, so nothing is taken
out of them: where the customer stood, a *tombstone* stands (a hash with the book's own key, by
which nobody without that key can tell whose it was), his notes are emptied, and what was forecast
of him in an experiment is gone. All in one transaction, after the trigger that forbids changes has
been lifted and before it is put back. So the counts of events, customers and arms are what they
were, and one customer is still one.

The tombstone also stands in the list of who was forgotten: an old file of feedback, or a page that
is still open somewhere, brings nothing back. His rows leave every run of the book; what a run kept
to score with has the tombstone too, without year of birth and postcode."""

from __future__ import annotations

import re
from contextlib import closing
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError
from akb.live.registry import champion_of, now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from akb.live.book import ClientBook

SCHEMA = "akb.forget/2"
_PSEUDONYM = re.compile(r"K-[0-9A-F]{16}")
_TABLE = """CREATE TABLE IF NOT EXISTS forgotten (
  tombstone TEXT PRIMARY KEY, -- of the pseudonym, by the book's key
  at TEXT NOT NULL            -- UTC
) STRICT"""
_CHANGES = {
    "events": "UPDATE events SET customer = :tombstone, note = '' WHERE customer = :name",
    "assignments": "UPDATE assignments SET customer = :tombstone, "
    "unit = CASE unit WHEN :name THEN :tombstone ELSE unit END, adviser = NULL, office = NULL, "
    "forecast_relations = NULL, forecast_policies = NULL, forecast_euros = NULL "
    "WHERE customer = :name",
}


def tombstone(book: ClientBook, pseudonym: str) -> str:
    """Return what stands where a customer stood, such as ``X-7F3A90C2D4E1B605``."""
    from akb.core.privacy.pseudonyms import load_or_create_key

    key = load_or_create_key(book.key_file)
    hashed = blake2b(pseudonym.encode(), key=key, person=b"akb forgotten", digest_size=8)
    return "X-" + hashed.hexdigest().upper()


def forgotten_among(
    book: ClientBook, state: sqlite3.Connection, pseudonyms: Iterable[str]
) -> set[str]:
    """Return which of these customers the book has forgotten."""
    if not _has_table(state):
        return set()
    gone = {str(row[0]) for row in state.execute("SELECT tombstone FROM forgotten")}
    return {name for name in pseudonyms if gone and tombstone(book, name) in gone}


def forgotten_count(state: sqlite3.Connection) -> int:
    """Return how many customers the book has forgotten."""
    found = state.execute("SELECT count(*) FROM forgotten") if _has_table(state) else None
    return 0 if found is None else int(found.fetchone()[0])


def _has_table(state: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE name = 'forgotten'"
    return state.execute(query).fetchone() is not None


def forget_in_book(book: ClientBook, customer: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Take a customer out of the book; what a kill or a refusal stopped, a second call finishes.

    Parameters
    ----------
    customer
        Pseudonym or relation number.

    Returns
    -------
    dict
        ``events``, ``assignments`` (rows), ``runs`` {folder: {file: rows}}.

    Raises
    ------
    AkbError
        If the book knows no such customer; the message does not repeat the name.
    RefusedError
        If a run holds a file that cannot be searched, or somebody is reading the book.
    """
    name = _pseudonym(book, customer)
    mark = tombstone(book, name)
    with book.at_work():
        found = _in_state(book, name)
        if not dry_run and (found["events"] or found["assignments"]):
            _redact(book, name, mark)
        runs = _in_runs(book, customer, name, mark, dry_run=dry_run)
        with book.read() as state:
            before = bool(forgotten_among(book, state, [name]))
        if not (any(found.values()) or runs or before):
            raise AkbError(
                f"no such customer in {book.folder}",
                "Give a pseudonym (K-…) or a relation number of a run of the book.",
            )
        if not dry_run:
            _redact(book, name, mark)  # who stood in runs only is forgotten too
            _emptied(book)
    return {"schema": SCHEMA, **found, "runs": runs, "written": not dry_run}


def _pseudonym(book: ClientBook, customer: str) -> str:
    """A customer of a run by his relation number, in whatever way it is written; else by the
    key.
    """
    from akb.core.privacy.pseudonyms import client_key, load_or_create_key, pseudonym
    from akb.store.folders import is_run
    from akb.store.forgetting import names_of
    from akb.store.manifest import manifest_of

    wanted = re.sub(r"[\s.]", "", customer).upper()
    if _PSEUDONYM.fullmatch(wanted):
        return wanted
    for folder in sorted(book.runs.iterdir()):
        if is_run(folder):
            found = names_of(folder, customer)
            named = [name for name in found if _PSEUDONYM.fullmatch(name)]
            if named:
                return named[0]
    champion = champion_of(book)
    settings = {} if champion is None else manifest_of(champion.run.folder)["settings"]
    client = settings.get("client", {}).get("name", "")
    return pseudonym(customer.strip(), client_key(load_or_create_key(book.key_file), client))


def _in_state(book: ClientBook, name: str) -> dict[str, int]:
    with book.read() as state:
        return {
            table: int(
                state.execute(
                    f"SELECT count(*) FROM {table} WHERE customer = ?", (name,)
                ).fetchone()[0]
            )
            for table in _CHANGES
        }


def _redact(book: ClientBook, name: str, mark: str) -> None:
    with book.transaction() as state:
        state.execute(_TABLE)
        state.execute("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", (mark, now()))
        for table, change in _CHANGES.items():
            (trigger, text), *_ = state.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
                (table,),
            ).fetchall()
            state.execute(f"DROP TRIGGER {trigger}")
            state.execute(change, {"name": name, "tombstone": mark})
            state.execute(text)


def _in_runs(
    book: ClientBook, customer: str, name: str, mark: str, *, dry_run: bool
) -> dict[str, dict[str, int]]:
    from akb.store.folders import heal_beside, is_run
    from akb.store.forgetting import forget_customer

    if not dry_run:
        heal_beside(book.runs)
    removed: dict[str, dict[str, int]] = {}
    for folder in sorted(book.runs.iterdir()):
        if folder.name.startswith(".") or not is_run(folder):
            continue
        for called in dict.fromkeys((name, customer)):  # a run with relation numbers has those
            try:
                rows = forget_customer(folder, called, kept_as=mark, dry_run=dry_run)
            except RefusedError:
                raise
            except AkbError:
                continue  # this run does not hold him
            removed[folder.name] = rows
            break
    return removed


def _emptied(book: ClientBook) -> None:
    """Let nothing of what was overwritten stand in the log of the database.

    Deleted content is overwritten with zeros (`ClientBook` sets ``secure_delete``)."""
    with closing(book._connected()) as state:
        busy, *_ = state.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise RefusedError(
            "somebody is reading the book, so the log of its database still holds what was there",
            "Stop akb serve or the other command, and forget him again.",
        )
