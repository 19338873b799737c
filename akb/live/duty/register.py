"""The register: an entry per event of an adviser that says something of a customer and a branch.

It is made of the book's events (`akb.live.feedback.events`) and kept beside them, because the
branch stands in the lists of the run on that day, and lists pass. Entries are only added. A talk
whose run the book does not hold, or in which no branch stood, is an entry without a branch: it was
held all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.wording.text import load_toml
from akb.live.duty.listed import ListedBranches
from akb.live.feedback.events import recorded_contacts
from akb.live.registry import now, runs_of

if TYPE_CHECKING:
    from akb.live.book import ClientBook

ATTEMPTED, DISCUSSED, OFFERED = "attempted", "discussed", "offered"
AGREED, REFUSED, UNSUITABLE = "agreed", "refused", "unsuitable"
WHAT = (ATTEMPTED, DISCUSSED, OFFERED, AGREED, REFUSED, UNSUITABLE)
"""What an entry says: nobody was reached, it was discussed, there is a quote, taken, not wanted, or
the adviser finds that it does not suit the customer."""
SPOKEN = (DISCUSSED, OFFERED, AGREED, REFUSED)
"""After these the customer knows of it."""
_COLUMNS = (
    "event", "run", "customer", "branch", "what", "day", "by", "list", "mode", "gap", "note",
    "recorded",
)  # fmt: skip
_TABLES = (
    """CREATE TABLE IF NOT EXISTS duty (
  event TEXT PRIMARY KEY REFERENCES events (id),
  branch TEXT NOT NULL,   -- key of the taxonomy; empty: none stood in the list
  what TEXT NOT NULL,
  day TEXT NOT NULL,      -- of the talk
  gap TEXT,               -- share of comparable customers with the branch, where it was a gap
  recorded TEXT NOT NULL  -- UTC
) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS duty_stays BEFORE UPDATE ON duty
  BEGIN SELECT RAISE(ABORT, 'entries are only added'); END""",
)
_HAS = "SELECT count(*) FROM sqlite_master WHERE name = 'duty'"
_EVENTS = """SELECT id, run, customer, recorded, "by", list, coalesce(status, kind, ''), day, mode,
  note FROM events ORDER BY id"""
_ENTRIES = "SELECT event, branch, what, day, gap, recorded FROM duty"


def record_duty(book: ClientBook) -> int:
    """Add an entry for every event that says something and has none yet; return how many."""
    fresh = _entries(book)[1]
    if not fresh:
        return 0
    with book.transaction() as state:
        for statement in _TABLES:
            state.execute(statement)
        before = state.total_changes
        state.executemany("INSERT OR IGNORE INTO duty VALUES (?, ?, ?, ?, ?, ?)", fresh)
        return int(state.total_changes - before)


def entries_of(
    book: ClientBook, customer: str | None = None, *, dry_run: bool = False
) -> pl.DataFrame:
    """Return the entries in the order of their days: event, run, customer (pseudonym), branch,
    what, day, by, list, mode, gap, note, recorded; of one customer where he is named.

    What events say and is no entry yet becomes one, unless it is a dry run.
    """
    if not dry_run:
        record_duty(book)
    known, fresh = _entries(book)
    with book.read() as state:
        events = {row[0]: row for row in state.execute(_EVENTS)}
    rows = []
    for event, branch, what, day, gap, recorded in [*known, *fresh]:
        _, run, who, moment, by, listed, _, _, mode, note = events[event]
        entry = (event, run, who, branch, what, day, by, listed, mode, gap, note, recorded)
        rows.append((*entry, moment))
    schema = dict.fromkeys((*_COLUMNS, "moment"), pl.String)
    frame = (
        pl.DataFrame(rows, schema=schema, orient="row")
        .with_columns(pl.col("day").str.to_date("%Y-%m-%d"), pl.col("gap").cast(pl.Float64))
        .sort("day", "moment", "event")
        .drop("moment")
    )
    return frame if customer is None else frame.filter(customer=customer)


def _entries(book: ClientBook) -> tuple[list[Any], list[Any]]:
    """Return the entries that there are, and those that events ask for."""
    said = _meanings()
    with book.read() as state:
        there = state.execute(_HAS).fetchone()[0]
        known = state.execute(_ENTRIES).fetchall() if there else []
        events = state.execute(_EVENTS).fetchall()
    having = {row[0] for row in known}
    waiting = [row for row in events if row[6] in said and row[0] not in having]
    if not waiting:
        return known, []
    branches = ListedBranches({each.run: each.folder for each in runs_of(book)})
    moment, fresh = now(), []
    for event, run, customer, recorded, _, listed, word, day, *_ in waiting:
        branch, gap = branches.of(run, customer, listed)
        talk = min(day or recorded[:10], recorded[:10])
        fresh.append((event, branch, said[word], talk, gap, moment))
    return known, fresh


def counts(entries: pl.DataFrame) -> list[dict[str, Any]]:
    """Return per branch (empty: none) how many customers each kind of entry is about."""
    seen = entries.unique(["customer", "branch", "what"])
    return [
        {
            "branch": branch,
            **{what: seen.filter(branch=branch, what=what).height for what in WHAT},
        }
        for branch in sorted(set(entries["branch"]))
    ]


def recorded_duty(book: ClientBook, *, dry_run: bool = False) -> pl.DataFrame:
    """Return what is recorded of contacts and of the duty of care, for lists and report.

    `akb.live.feedback.events.recorded_contacts` with rows of its own for the last entry per
    customer and branch: ``branch``, ``what`` and ``said`` (the day), without a date of a talk,
    which the contacts have.
    """
    last = (
        entries_of(book, dry_run=dry_run)
        .filter((pl.col("branch") != "") & (pl.col("what") != ATTEMPTED))
        .unique(["customer", "branch"], keep="last", maintain_order=True)
    )
    rows = last.select("customer", "branch", "what", said="day").with_columns(left=False)
    return pl.concat([recorded_contacts(book), rows], how="diagonal")


def _meanings() -> dict[str, str]:
    """Return status or type of feedback -> what it says."""
    rules: dict[str, list[str]] = load_toml("live.toml")["duty"]
    return {word: what for what in WHAT for word in rules[what]}
