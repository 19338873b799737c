"""Which branch stood beside a customer in the lists of a run: what a talk was about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError
from akb.live.evaluation.stored_run import stored_run
from akb.store.private import relations_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from akb.live.evaluation.stored_run import PastRun

GAPS, OFFERS, ACTIONS = "care_gaps", "next_best_policy", "next_best_action"
Found = dict[str, tuple[str, str | None]]


class ListedBranches:
    """The branches of runs; each list is read once, when it is asked for.

    Parameters
    ----------
    folders
        Name of a run -> its folder.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._runs: dict[str, PastRun | None] = {}
        self._lists: dict[tuple[str, str], Found] = {}

    def of(self, run: str, customer: str, listed: str) -> tuple[str, str | None]:
        """Return the branch that stood beside a customer (pseudonym), and the share of comparable
        customers who have it where it was his gap; empty and None where there was none.
        """
        name = listed if listed in (GAPS, OFFERS) else ACTIONS
        branch, _ = self._list(run, name).get(customer, ("", None))
        gap, share = self._list(run, GAPS).get(customer, ("", None))
        return branch, share if branch and gap == branch else None

    def gap_of(self, run: str, customer: str) -> tuple[str, str | None]:
        """Return the widest gap of a customer in a run, and the share; empty and None without."""
        return self._list(run, GAPS).get(customer, ("", None))

    def _list(self, run: str, name: str) -> Found:
        if (run, name) not in self._lists:
            past = self._run(run)
            self._lists[run, name] = {} if past is None else _branches(past, name)
        return self._lists[run, name]

    def _run(self, run: str) -> PastRun | None:
        if run not in self._runs:
            folder = self._folders.get(run)
            try:
                self._runs[run] = None if folder is None else stored_run(folder)
            except AkbError:  # a run of an earlier akb, or one that somebody took away
                self._runs[run] = None
        return self._runs[run]


def _branches(run: PastRun, name: str) -> Found:
    """Return customer (pseudonym) -> the branch of his first row, and its share, by their keys."""
    frame = run.listed(name)
    if frame.is_empty() or not {"customer", "branch"} <= set(frame.columns):
        return {}
    names = {each.name_nl: key for key, each in run.settings.taxonomy().items()}
    shown = _pseudonyms(run)
    share = pl.col("share") if "share" in frame.columns else pl.lit(None, dtype=pl.String)
    found: dict[str, tuple[str, Any]] = {}
    rows = frame.select("customer", "branch", share).drop_nulls("branch")
    for customer, branch, part in rows.iter_rows():
        found.setdefault(
            shown.get(customer, customer),
            (names.get(branch, branch), None if part is None else part.replace(",", ".")),
        )
    return found


def _pseudonyms(run: PastRun) -> dict[str, str]:
    """Return relation number -> pseudonym, of a run whose lists show relation numbers."""
    if run.customer == "pseudonym":
        return {}
    try:
        known = relations_of(run.folder)
    except AkbError:
        return {}
    return {number: customer for customer, numbers in known.items() for number in numbers}
