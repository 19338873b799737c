"""The evidence of one customer: gaps that were seen, and what was said of them, by day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.live.duty.listed import ListedBranches
from akb.live.duty.register import ATTEMPTED, entries_of
from akb.live.registry import runs_of
from akb.store.manifest import manifest_of
from akb.store.private import relations_of

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from akb.live.book import ClientBook
    from akb.live.registry import RecordedRun

SCHEMA = "akb.duty_evidence/1"
OPEN = "open"
_PSEUDONYM = re.compile(r"K-[0-9A-F]{16}")


def customer_evidence(
    book: ClientBook, customer: str, day: date, *, reveal: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Return what the book holds of one customer.

    Parameters
    ----------
    customer
        Pseudonym or relation number.
    day
        On which it is made.
    reveal
        With the relation numbers in it.

    Returns
    -------
    dict
        ``customer``, ``relations`` (None: not asked), ``client``, ``made``, ``runs`` {first, last,
        count}, ``gaps`` [{branch, first, last, share, runs, current, what, day}] (``what``: the
        last that was said of it, or ``open``), ``entries`` [{day, branch, what, mode, by, list,
        note}], the first first.

    Raises
    ------
    AkbError
        If the book knows no such customer, or his relation number is asked for and unknown.
    """
    runs = list({each.run: each for each in runs_of(book)}.values())  # scored again is the same run
    name, numbers = _resolved(runs, customer)
    entries = entries_of(book, name, dry_run=dry_run)
    gaps = _gaps(runs, name, entries)
    if entries.is_empty() and not gaps and not numbers:
        raise AkbError(
            "the book knows no such customer",
            "Give the pseudonym (K-…) or the relation number as the export has it.",
        )
    if reveal and not numbers:
        raise AkbError("no run of the book holds the relation number", "Leave out --reveal.")
    client = manifest_of(runs[-1].folder)["settings"]["client"]["name"] if runs else ""
    return {
        "schema": SCHEMA,
        "customer": name,
        "relations": numbers if reveal else None,
        "client": client,
        "made": day.isoformat(),
        "runs": {
            "first": runs[0].as_of if runs else None,
            "last": runs[-1].as_of if runs else None,
            "count": len(runs),
        },
        "gaps": gaps,
        "entries": [
            {
                "day": row["day"].isoformat(),
                **{key: row[key] for key in ("branch", "what", "mode", "by", "list", "note")},
            }
            for row in entries.iter_rows(named=True)
        ],
    }


def _resolved(runs: list[RecordedRun], customer: str) -> tuple[str, list[str]]:
    """Return pseudonym and relation numbers, of the latest run that knows them."""
    wanted = _plain(customer)
    for run in reversed(runs):
        try:
            known = relations_of(run.folder)
        except AkbError:
            continue
        for name, numbers in known.items():
            if wanted and wanted in (_plain(name), *map(_plain, numbers)):
                return name, numbers
    if _PSEUDONYM.fullmatch(wanted):
        return wanted, []
    raise AkbError(
        "the book knows no such customer",
        "Give the pseudonym (K-…) or the relation number as the export has it.",
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s.]", "", name.removeprefix("'")).upper()


def _gaps(runs: list[RecordedRun], customer: str, entries: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the gaps that runs listed, with the last that was said of each."""
    lists = ListedBranches({each.run: each.folder for each in runs})
    seen: dict[str, dict[str, Any]] = {}
    for run in runs:
        branch, share = lists.gap_of(run.run, customer)
        if not branch:
            continue
        row = seen.setdefault(branch, {"branch": branch, "first": run.as_of, "runs": 0})
        row |= {
            "last": run.as_of,
            "share": None if share is None else float(share),
            "runs": row["runs"] + 1,
        }
    said = entries.filter(entries["what"] != ATTEMPTED)
    for branch, row in seen.items():
        last = said.filter(branch=branch).tail(1).to_dicts()
        row |= {
            "current": row["last"] == runs[-1].as_of,
            "what": last[0]["what"] if last else OPEN,
            "day": last[0]["day"].isoformat() if last else None,
        }
    return list(seen.values())
