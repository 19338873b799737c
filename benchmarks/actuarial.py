"""The actuary's review against an independent count by lifelines, on real portfolios.

    python -m benchmarks.actuarial DATA

DATA holds ``es_motor/`` and ``casdatasets/``. Lapses and policy-years per policy year and calendar year come from
akb (`akb.value.actuarial`, reading the export as ``akb check`` does) and from lifelines' life table over the same
policies of the file, which knows nothing of akb: durations in policy years, entry and exit at the ends of the calendar
year. Lapses have to be the same; years at risk within .2 %, for lifelines counts a policy year as one and akb days.
Below it: what was expected of each calendar year from the whole years before it.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from lifelines.utils import survival_table_from_events

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.value.actuarial.review import review
from akb.value.in_force import InForce
from benchmarks.own_columns import uslapseagent

BANDS = {"1": (0, 1), "2": (1, 2), "3": (2, 3), "4-5": (3, 5), "6-10": (5, 10), "11-20": (10, 20), "21+": (20, 99)}
CLOSE, GAP = 0.002, 31


def age(start: date, day: date) -> float:
    """Policy years between two days: whole anniversaries, and the share of the year since."""

    def anniversary(year: int) -> date:
        return date(year, 2, 28) if (start.month, start.day) == (2, 29) and year % 4 else start.replace(year=year)

    last = day.year if anniversary(day.year) <= day else day.year - 1
    since = anniversary(last)
    return last - start.year + (day - since).days / (anniversary(last + 1) - since).days


def counted(rows: list[tuple[date, date, date, bool]]) -> dict[str, tuple[float, int]]:
    """Band -> policy-years at risk and lapses of (start, entry, exit, lapsed), by lifelines."""
    entry, leave = (
        [age(start, day) for start, day in days] for days in ([r[:2] for r in rows], [(r[0], r[2]) for r in rows])
    )
    table = survival_table_from_events(leave, [row[3] for row in rows], entry)
    found = {}
    times = [*table.index]
    present = (table["at_risk"] - table["entrance"]).tolist()
    for name, (first, last) in BANDS.items():
        years = sum(
            count * max(0.0, min(time, last) - max(before, first))
            for before, time, count in zip([0.0, *times], times, present, strict=False)
        )
        inside = table[(table.index > first) & (table.index <= last)]
        found[name] = (years, int(inside["observed"].sum()))
    return found


def chained(export: pl.DataFrame) -> list[tuple[date, date, date | None, bool]]:
    """First start of its line, start, end and whether that is a lapse, of every policy of the file.

    A policy is continued by the nearest of the same customer and branch that starts within `GAP` days of its end."""
    groups: dict[tuple[str, str], list[tuple[date, date | None]]] = defaultdict(list)
    for customer, branch, start, end in export.select("customer_id", "branch", "start_date", "end_date").iter_rows():
        groups[customer, branch].append((start, end))
    found = []
    for rows in groups.values():
        rows.sort(key=lambda row: (row[0], row[1] or date.max))
        near = sorted(
            (abs((start - end).days), start < end, i, j)
            for i, (began, end) in enumerate(rows) if end is not None
            for j, (start, _) in enumerate(rows)
            if i != j and abs((start - end).days) <= GAP and (start >= end or (end - began).days > GAP)
        )  # fmt: skip
        follows: dict[int, int] = {}
        for _, _, i, j in near:
            if i not in follows and j not in follows.values():
                follows[i] = j
        before = {j: i for i, j in follows.items()}
        for place, (start, end) in enumerate(rows):
            first = place
            while first in before and rows[before[first]][0] <= rows[first][0]:
                first = before[first]
            found.append((rows[first][0], start, end, end is not None and place not in follows))
    return found


def compare(name: str, export: pl.DataFrame, as_of: date) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "polissen.csv"
        export.write_csv(path)
        settings = load_settings()
        book = read_portfolio(Sources((path,), b"0" * 32, as_of), settings)
    found = review(InForce(book, None, settings))  # type: ignore[arg-type]
    assert found is not None
    print(f"\n{name} as of {as_of}: {found.since + timedelta(days=1)} to {found.until}")
    print("year    policy year   lapses akb  lifelines   policy-years akb  lifelines     A/E (from the years before)")
    good, lines = True, chained(export.filter(pl.col("start_date") <= as_of))
    for year in sorted(found.table["year"].unique()):
        first, last = max(date(year - 1, 12, 31), found.since), min(date(year, 12, 31), found.until)
        rows = [
            (origin, max(start, first), min(end or last, last), lapses and end is not None and end <= last)
            for origin, start, end, lapses in lines
            if start < last and (end is None or (end > first and end > start))
        ]
        truth = counted(rows)
        told = found.table.filter((pl.col("year") == year) & (pl.col("branch") != "all"))
        for band in BANDS:
            cell = told.filter(pl.col("policy_year") == band)
            lapses, years = int(cell["lapses"].sum()), float(cell["policy_years"].sum())
            ours, ok = truth[band], lapses == truth[band][1] and abs(years - truth[band][0]) <= CLOSE * max(years, 1.0)
            good &= ok
            expected = cell["expected"].sum() if cell.height and not cell["expected"].null_count() else 0.0
            ratio = f"{lapses / expected:.2f}" if expected else ""
            if years or ours[0]:
                print(f"{year} {band:>12} {lapses:12,} {ours[1]:10,} {years:18,.1f} {ours[0]:10,.1f}   {ratio:>5}"
                      f"{'' if ok else '   DIFFERS'}")  # fmt: skip
    return good


def main() -> None:
    data = Path(sys.argv[1])
    motor = pl.read_csv(data / "es_motor" / "portfolio.csv", try_parse_dates=True)
    motor = motor.select("customer_id", "policy_id", "branch", "start_date", "end_date", "premium")
    life = uslapseagent(data).drop("rider", "premium_times", "risk_state", "underwriting", "living")
    good = [compare("es_motor", motor, date(2018, 11, 30)), compare("uslapseagent", life, date(2009, 5, 31))]
    print(f"\nequal: {'yes' if all(good) else 'no'}")


if __name__ == "__main__":
    main()
