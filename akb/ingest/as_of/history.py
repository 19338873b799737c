"""How far back the recorded history reaches: since when are ended policies in the file?

An export often holds the ended policies of the last so many months only. Before that day there are
survivors and no ends, so the monthly number of ends falls far below what so many policies must have
seen."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months, months_between
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import known, rule
from akb.ingest.types import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.as_of.snapshots import Snapshots
    from akb.ingest.columns.notes import Table

_RECENT = 24  # months that set the usual rate
_LATE = 3  # latest months that may be thin
_OTHER_REVENUE = ("fee_cents", "signing_cents", "profit_cents")
_NEAR = 3  # days from the first of the month, or expected ends, that need no explanation


def stated_start(
    tables: Sequence[Table],
    snapshots: Snapshots,
    policies: pl.DataFrame,
    clock: Clock,
    settings: Settings,
) -> date | None:
    """Return the day from which the files themselves say that ends are recorded; None if they do
    not.

    Deliveries of policies in force record ends from the first one on; a header may say how many
    months of lapsed policies are included (``AL_MNDGP``)."""
    if snapshots.days:
        first = snapshots.days[0]
        ended = policies.filter(pl.col("end_date") <= clock.as_of)
        return (
            first if ended.filter(pl.col("end_date") <= first).height * 20 <= ended.height else None
        )
    found = []
    for table in tables:
        months = (
            known(table.texts("ended_months"))
            .str.extract(r"^(\d{1,3})(?:\.0)?$")
            .cast(pl.Int32)
            .unique()
        )
        day = read_dates(
            table.texts("header_day"), date_format=settings.ingest.date_format
        ).values.unique()
        if months.len() == 1 and months[0] and day.len() == 1 and day[0]:
            found.append(add_months(day[0], -int(months[0])))
    return max(found, default=None)


def find_history(policies: pl.DataFrame, as_of: date, stated: date | None = None) -> History:
    """Return since when ends are recorded, and what they teach.

    Parameters
    ----------
    policies
        The canonical policies (see `Portfolio`).
    as_of
        X; later ends do not count.
    stated
        From which day ends are recorded by the file's own word; ends before it are chance finds.
    """
    ended = policies.filter(pl.col("end_date") <= as_of)
    since = recorded_from(policies["start_date"], ended["end_date"], as_of)
    since = max(since, stated) if since and stated and stated <= as_of else since
    lapses = ended.filter(pl.col("cause") != "technical", pl.col("replaced_on").is_null())
    known = lapses.filter(pl.col("cause") != "unknown").height
    sources = policies["commission_source"].drop_nulls()
    given = int((sources == "given").sum())
    commission = (
        "none" if sources.is_empty() else "given" if 2 * given >= sources.len() else "derived"
    )
    if commission == "none" and any(
        name in policies.columns and policies[name].count() for name in _OTHER_REVENUE
    ):
        commission = "given"
    return History(
        recorded_from=since,
        months=0 if since is None else max(0, months_between(since, as_of + timedelta(days=1))),
        reasons=lapses.height > 0 and 2 * known >= lapses.height,
        commission=commission,
    )


def recorded_from(starts: pl.Series, ends: pl.Series, as_of: date) -> date | None:
    """Return the first day from which ends are recorded; None without any end.

    Months are counted back from X and taken together until eight ends are expected at the usual
    rate of the last two years. The first block with less than a quarter of them lies before the
    recorded history."""
    ends = ends.drop_nulls()
    ends = ends.filter(ends <= as_of)
    if ends.is_empty():
        return None
    first = min(starts.min(), ends.min())  # type: ignore[type-var]
    edges = _edges(first, as_of)  # type: ignore[arg-type]
    begun, over = _days(starts), _days(ends)
    counts = np.searchsorted(over, edges[:-1], "left") - np.searchsorted(over, edges[1:], "left")
    exposed = np.searchsorted(begun, edges[1:], "left") - np.searchsorted(over, edges[1:], "left")
    recent = slice(0, _RECENT) if counts[:_RECENT].sum() else slice(0, len(counts))
    rate = counts[recent].sum() / max(exposed[recent].sum(), 1)
    expected = rate * np.maximum(exposed, 0)
    last_good = _last_recorded(counts, expected)
    if last_good == len(counts) - 1:
        return first  # type: ignore[return-value]
    place = int(np.searchsorted(over, edges[last_good + 1], "left"))
    found = int(
        over[min(place, len(over) - 1)]
    )  # with a handful of ends there may be none that recent
    day = date(1970, 1, 1) + timedelta(days=found)
    waited = (day.day - 1) * expected[last_good] / 30
    month = day.replace(day=1)
    return month if day.day - 1 <= _NEAR or waited <= _NEAR else day


def _days(series: pl.Series) -> npt.NDArray[np.int64]:
    return np.sort(series.drop_nulls().dt.epoch("d").to_numpy().astype(np.int64))


def _edges(first: date, as_of: date) -> npt.NDArray[np.int64]:
    """Return month edges from the day after X back to the first start, as day numbers,
    descending.
    """
    edge, edges, months = as_of + timedelta(days=1), [], 0
    day = edge
    while True:
        edges.append((day - date(1970, 1, 1)).days)
        if day <= first:
            return np.array(edges, dtype=np.int64)
        months += 1
        day = add_months(edge, -months)


def _last_recorded(counts: npt.NDArray[np.int64], expected: npt.NDArray[np.float64]) -> int:
    """Return the index of the earliest month (0 is the last one) that belongs to the recorded
    history.

    The last three months may be thin (lapses are registered late), and a gap that ends within half
    a year is a gap, not the start of the record. So are the empty months of an office that
    registers most ends on one day of the year."""
    share, wanted, whole = (
        rule("history", name) for name in ("share", "block_events", "year_share")
    )
    seen, due, block = 0.0, 0.0, 0

    def goes_on(month: int, months: int, least: float) -> bool:
        earlier = slice(month + 1, month + 1 + months)
        due = expected[earlier].sum()
        return bool(due >= wanted and counts[earlier].sum() >= least * due)

    for month in range(len(counts)):
        seen, due = seen + counts[month], due + expected[month]
        if due < wanted and month < len(counts) - 1:
            continue
        gap = goes_on(month, 6, share) or goes_on(month, 12, whole)
        if seen < share * due and due >= 1 and month >= _LATE and not gap:
            while block <= month and counts[block] >= max(1, share * expected[block]):
                block += 1
            return max(block - 1, 0)
        seen, due, block = 0.0, 0.0, month + 1
    return len(counts) - 1
