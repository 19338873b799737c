"""The review: actual against expected lapse by branch, policy year and calendar year, out of time.

What is expected of a calendar year comes from the whole years before it, so no year is judged by
its own lapses; the basis for what comes next is made of all closed years."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from akb.core.typed import made
from akb.value.actuarial.basis import dispersion, dispersions, lapse_basis
from akb.value.actuarial.credibility import effective, limited_fluctuation
from akb.value.actuarial.exposure import (
    BANDS,
    DAYS,
    added,
    band_of,
    calendar_years,
    cells,
    closed_periods,
    with_origin,
)
from akb.value.actuarial.trend import count_interval, months, trend
from akb.value.beside import ALONE
from akb.value.types import (
    ActuarialReview,
    BranchExperience,
    CalendarYear,
    Experience,
    LapseReview,
    SeasonMonth,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from akb.value.actuarial.basis import Basis
    from akb.value.actuarial.exposure import Counted, Period
    from akb.value.beside import Start
    from akb.value.in_force import InForce

Key = TypeVar("Key")
ALL, REST = "all", "rest"
"""Labels of a total, and of what is shown together because too few customers stand behind each."""
MOST_YEARS = 10
_COLUMNS = (
    "policy",
    "customer",
    "branch",
    "start_date",
    "end_date",
    "cause",
    "replaced_on",
    "replaces",
    "level_cents",
)
"""What exposure and lapses are counted from."""


def review(base: InForce, start: Start = ALONE) -> ActuarialReview | None:
    """Return the review of a portfolio; None where not one whole year of ends was recorded.

    Exposure and lapses are counted in whole numbers, by parts of the customers."""
    recorded = base.portfolio.history.recorded_from
    if recorded is None:
        return None
    time = base.settings.time
    since = recorded - timedelta(days=1)
    until = base.as_of - timedelta(days=time.gap_days + time.registration_lag_days)
    closed = closed_periods(since, until)
    if not closed:
        return None
    years = calendar_years(since, until)
    policies = base.policies.select(_COLUMNS)
    step = partial(_counted, periods=(closed, years))
    (found, lapses), (yearly, ended) = added(start.on_parts(step, _shares(policies, start)))
    branches = sorted(found["branch"].unique().to_list())
    basis = lapse_basis(found, lapses, branches)
    expected = _ahead(yearly, ended, years)
    limit = base.settings.report.suppress_below
    return ActuarialReview(
        since,
        until,
        _table(expected, ended, years, basis, limit),
        _shown_basis(basis, limit),
        replace(
            _figures(basis, basis.expected(found), lapses, closed, limit),
            months=_months(months(policies, closed[0].first, closed[-1].last), limit),
            calendar=_calendar(expected, ended, years),
        ),
    )


def _shares(policies: pl.DataFrame, start: Start) -> list[pl.DataFrame]:
    """Return the policies by parts of the customers, if others work them out."""
    if start.workers is None:
        return [policies]
    part = pl.col("customer") % start.parts
    return [policies.filter(part == number) for number in range(start.parts)]


def _counted(policies: pl.DataFrame, periods: Sequence[Sequence[Period]]) -> list[Counted]:
    known = with_origin(policies)
    return [cells(known, some) for some in periods]


def _ahead(yearly: pl.DataFrame, ended: pl.DataFrame, years: Sequence[Period]) -> pl.DataFrame:
    """Return the cells of all calendar years with what the whole years before each made one
    expect.
    """
    found = []
    for year in years:
        own = yearly.filter(pl.col("period") == year.label)
        before = [each.label for each in years if each.whole and each.label < year.label]
        known = pl.col("period").is_in(before[-MOST_YEARS:])
        if before and own.height:
            names = sorted(own["branch"].unique().to_list())
            basis = lapse_basis(yearly.filter(known), ended.filter(known), names)
            found.append(basis.expected(own))
        else:
            nothing = pl.lit(None, dtype=pl.Float64)
            found.append(own.with_columns(expected=nothing, expected_cents=nothing))
    return pl.concat(found)


def _table(
    found: pl.DataFrame, lapses: pl.DataFrame, years: Sequence[Period], basis: Basis, limit: int
) -> pl.DataFrame:
    """Return the rows that may be shown, per year: bands in branches, branches, the book."""
    shown = _shown_cells(found, limit)
    sums = (
        _three_ways(found, shown)
        .group_by(_KEYS, maintain_order=True)
        .agg(
            pl.col(
                "days", "cent_days", "lapses", "lapsed_cents", "expected", "expected_cents"
            ).sum(),
            known=pl.col("expected").is_not_null().all(),
        )
    )
    evidence = (
        _three_ways(lapses, shown)
        .group_by(*_KEYS, "customer")
        .len("n")
        .group_by(_KEYS)
        .agg(
            independent=pl.col("n").cast(pl.Int64).sum() ** 2
            / (pl.col("n").cast(pl.Int64) ** 2).sum()
        )
    )
    whole = {year.label: year.whole for year in years}
    rows = sums.join(evidence, on=_KEYS, how="left").sort(
        "period", pl.col("branch") != ALL, pl.col("branch") == REST, "branch", "first_year"
    )
    return pl.DataFrame(
        [_row(row, whole=whole[row["period"]], basis=basis) for row in rows.to_dicts()],
        schema=_NO_ROWS.schema,
    )


_KEYS = ["branch", "first_year", "period"]
_WHOLE, _OTHERS = 0, 999  # for a band of policy years: all of them, and those shown together


def _three_ways(rows: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the rows once for the book, once for their branch, once for their band in it."""
    named = (
        rows.with_columns(band=band_of())
        .join(shown, on=["period", "branch", "band"], how="left", maintain_order="left")
        .with_columns(branch="shown_branch", first_year="shown_band")
    )
    whole = pl.lit(_WHOLE, dtype=pl.Int32)
    return pl.concat(
        [
            named.with_columns(branch=pl.lit(ALL), first_year=whole),
            named.with_columns(first_year=whole),
            named.filter(pl.col("branch") != REST),
        ]
    )


def _shown_cells(found: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return period, branch, band -> ``shown_branch``, ``shown_band``: alone, or with others."""
    customers = found.group_by("period", "branch", band=band_of()).agg(pl.col("customers").max())
    tree: dict[int, dict[str, dict[int, int]]] = {}
    for period, branch, band, count in customers.sort("period", "branch", "band").iter_rows():
        tree.setdefault(period, {}).setdefault(branch, {})[band] = count
    rows = []
    for period, branches in tree.items():
        alone = stands_alone({name: max(own.values()) for name, own in branches.items()}, limit)
        for name, bands in branches.items():
            kept = stands_alone(bands, limit)
            rows += [
                (
                    period,
                    name,
                    band,
                    name if name in alone else REST,
                    band if band in kept else _OTHERS,
                )
                for band in bands
            ]
    kinds = [pl.Int32, pl.String, pl.Int32, pl.String, pl.Int32]
    names = ["period", "branch", "band", "shown_branch", "shown_band"]
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def stands_alone(customers: Mapping[Key, int], limit: int) -> set[Key]:
    """Return the keys that may be shown by themselves; the others stand together.

    Where only too few customers would stand together, the smallest of the rest joins them, so that
    nobody works them out from the total."""
    ordered = sorted(customers, key=lambda key: (customers[key], str(key)))
    small = sum(customers[key] < limit for key in ordered)
    return set(ordered[small + 1 if small else 0 :])


def band_name(first: int) -> str:
    """Return what a band of policy years is called by its first."""
    if first in (_WHOLE, _OTHERS):
        return ALL if first == _WHOLE else REST
    last = dict(BANDS)[first]
    return f"{first}+" if last is None else f"{first}" if last == first else f"{first}-{last}"


def _row(row: dict[str, Any], *, whole: bool, basis: Basis) -> dict[str, Any]:
    """Return a row of the table from its sums."""
    years, lapses = row["days"] / DAYS, row["lapses"]
    expected = row["expected"] if row["known"] else None
    cents = row["expected_cents"] if row["known"] else None
    independent = float(row["independent"] or 0.0)
    low, high = count_interval(independent, lapses)
    own = None
    if row["branch"] not in (ALL, REST):
        own = basis.level if row["first_year"] == _WHOLE else basis.shape
    return {
        "branch": row["branch"],
        "policy_year": band_name(row["first_year"]),
        "year": row["period"],
        "whole": whole,
        "policy_years": years,
        "lapses": lapses,
        "rate": lapses / years,
        "expected": expected,
        "ae": lapses / expected if expected else None,
        "ae_low": low / expected if expected else None,
        "ae_high": high / expected if expected else None,
        "commission": row["cent_days"] / DAYS / 100,
        "commission_lapsed": row["lapsed_cents"] / 100,
        "commission_expected": None if cents is None else cents / 100,
        "commission_ae": row["lapsed_cents"] / cents if cents else None,
        "limited": limited_fluctuation(independent),
        "buhlmann": None if own is None or expected is None else own.weight_of(expected),
    }


_NO_ROWS = pl.DataFrame(
    schema={
        "branch": pl.String, "policy_year": pl.String, "year": pl.Int32, "whole": pl.Boolean,
        "policy_years": pl.Float64, "lapses": pl.Int64, "rate": pl.Float64,
        "expected": pl.Float64, "ae": pl.Float64, "ae_low": pl.Float64, "ae_high": pl.Float64,
        "commission": pl.Float64, "commission_lapsed": pl.Float64,
        "commission_expected": pl.Float64, "commission_ae": pl.Float64, "limited": pl.Float64,
        "buhlmann": pl.Float64,
    }
)  # fmt: skip


def _shown_basis(basis: Basis, limit: int) -> pl.DataFrame:
    """Return the basis; counts only where enough customers stand behind them."""
    enough = (pl.col("customers") >= limit) | (pl.col("years") == 0)
    return basis.rates.select(
        "branch",
        "policy_year",
        policy_years=pl.when(enough).then("years"),
        lapses=pl.when(enough).then("lapses"),
        rate="rate",
        margin="margin",
        rate_high="high",
        rate_low="low",
        source="source",
    )


def _figures(
    basis: Basis, found: pl.DataFrame, lapses: pl.DataFrame, closed: Sequence[Period], limit: int
) -> LapseReview:
    """Return per branch and for the book: experience, level and credibility, trend.

    Branches with fewer customers than the limit are left out, and counted."""
    rows = []
    names, spreads = basis.branches["branch"].to_list(), dispersions(lapses)
    for branch, row in zip(names, basis.branches.to_dicts(), strict=True):
        mine = found.filter(pl.col("branch") == branch)
        spread = spreads.get(branch, 1.0)
        own = made(BranchExperience, {**vars(_experience(mine, closed, spread)), **row})
        rows.append((int(mine["customers"].max() or 0), own))  # type: ignore[arg-type]
    rows.sort(key=lambda row: (-row[1].policy_years, row[1].branch))
    return LapseReview(
        first=closed[0].first,
        last=closed[-1].last,
        closed_years=len(closed),
        oldest=int(found.filter(pl.col("days") > 0)["policy_year"].max() or 0),  # type: ignore[arg-type]
        dispersion=dispersion(lapses),
        book=_experience(found, closed, dispersion(lapses)),
        branches=tuple(row for customers, row in rows if customers >= limit),
        few=sum(customers < limit for customers, _ in rows),
        calendar=(),
        months=(),
    )


def _months(seasons: pl.DataFrame, limit: int) -> tuple[SeasonMonth, ...]:
    """Return the months of the year, without the figures of those with too few customers."""
    return tuple(
        made(SeasonMonth, row)
        if row["customers"] >= limit or not row["lapses"]
        else SeasonMonth(row["month"], None, None, None, None)
        for row in seasons.to_dicts()
    )


def _experience(found: pl.DataFrame, closed: Sequence[Period], spread: float) -> Experience:
    """Return what happened in the closed years, and its trend."""
    years = int(found["days"].sum()) / DAYS
    lapses = int(found["lapses"].sum())
    cents = int(found["cent_days"].sum())
    per_year = found.group_by("period").agg(pl.col("lapses", "expected").sum())
    by_period = {period: (a, e) for period, a, e in per_year.iter_rows()}
    pairs = np.array([by_period.get(each.label, (0, 0.0)) for each in closed], dtype=np.float64)
    line = trend(pairs[:, 0], pairs[:, 1], spread)
    expected, expected_cents = float(found["expected"].sum()), float(found["expected_cents"].sum())
    return Experience(
        policy_years=years,
        lapses=lapses,
        rate=lapses / years if years else None,
        commission_rate=int(found["lapsed_cents"].sum()) * DAYS / cents if cents > 0 else None,
        ae=lapses / expected if expected else None,
        commission_ae=(
            int(found["lapsed_cents"].sum()) / expected_cents if expected_cents > 0 else None
        ),
        trend=line.per_year if line else None,
        trend_low=line.low if line else None,
        trend_high=line.high if line else None,
    )


def _calendar(
    expected: pl.DataFrame, ended: pl.DataFrame, years: Sequence[Period]
) -> tuple[CalendarYear, ...]:
    """Return the book per calendar year: lapses, and those expected from the years before it."""
    rows = []
    for year in years:
        own = expected.filter(pl.col("period") == year.label)
        known = own.height > 0 and own["expected"].null_count() == 0
        before = float(own["expected"].sum()) if known else None
        cents = float(own["expected_cents"].sum()) if known else None
        by_customer = ended.filter(pl.col("period") == year.label).group_by("customer").len("n")
        lapses, lapsed = int(own["lapses"].sum()), int(own["lapsed_cents"].sum())
        counts = by_customer["n"].sort().cast(pl.Float64).to_numpy()
        low, high = count_interval(effective(counts), lapses)
        rows.append(
            CalendarYear(
                year=year.label,
                whole=year.whole,
                lapses=lapses,
                rate=lapses * DAYS / int(own["days"].sum()) if own.height else None,
                ae=lapses / before if before else None,
                ae_low=low / before if before else None,
                ae_high=high / before if before else None,
                commission_ae=lapsed / cents if cents else None,
            )
        )
    return tuple(rows)
