"""Is an amount per year, per instalment or per month?

Whoever pays monthly pays about as much a year as whoever pays yearly. So within a branch the
premiums of both are as high where they are per year, and those of monthly payers a twelfth where
they are per instalment. And commission stands in a round relation to the premium (`ratio`).

A worked row: contents at 120.00 for yearly payers and 10.00 for monthly payers, a twelfth: the
column is per instalment, and the monthly payer's year is 10.00 x 12 = 120.00."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import rule
from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.levels import level
from akb.ingest.money_conventions.questions import (
    Detector,
    MoneyColumns,
    by_setting,
    by_words,
    says,
)
from akb.ingest.money_conventions.thresholds import CLEAR, ENOUGH, INSTALMENTS, NEAR

if TYPE_CHECKING:
    from akb.ingest.columns.matching import Headings


def _by_heading(column: str, headings: Headings) -> Reading | None:
    said = says(headings.heading(column), "month", "year", "instalment")
    if column.endswith("_term") or "_term_" in column:
        said = "month" if said == "month" else "instalment"
    elif column == "premium_gross":
        said = said or "year"
    return by_words(said)


def _premium_by_setting(seen: MoneyColumns) -> Reading | None:
    return by_setting(seen.asked.premium_per)


def _premium_by_heading(seen: MoneyColumns) -> Reading | None:
    return _by_heading(seen.premium or "", seen.headings)


def _by_instalments_beside(seen: MoneyColumns) -> Reading | None:
    """A second column is per instalment by its heading.

    This one equals it, or is so many times as much.
    """
    if seen.premium != "premium":
        return None
    beside = pl.col("premium_term")
    rows = seen.rows.filter(beside > 0, pl.col("premium") > 0, pl.col("term").is_in(INSTALMENTS))
    if rows.height < ENOUGH:
        return None
    same, yearly = rows.select(
        same=((pl.col("premium") - beside).abs() <= 1).sum(),
        yearly=((beside * 12 / pl.col("term") - pl.col("premium")).abs() <= 12).sum(),
    ).row(0)
    for value, hits in (("instalment", same), ("year", yearly)):
        if hits >= CLEAR * rows.height:
            return Reading(value, "data", f"twin_{value}", {"hits": hits, "of": rows.height})
    return None


def _premium_by_commission(seen: MoneyColumns) -> Reading | None:
    found = seen.related
    if found is None:
        return None
    per = {"premium": "instalment", "commission": "year"}.get(found.relation)
    if found.relation == "same":
        said = _commission_by_setting(seen) or _commission_by_heading(seen)
        per = said.value if said else None
    return found.reading(per) if per else None


def _by_level(seen: MoneyColumns) -> Reading | None:
    """Compare those who pay in instalments with yearly payers of the same branch."""
    found = seen.premium_level
    for value, place in (("year", 0.0), ("instalment", 1.0)):
        if found.way is not None and abs(found.way - place) < NEAR:
            return Reading(
                value, "data", f"level_{value}", {"short": found.short, "yearly": found.yearly}
            )
    return None


def contradicted(seen: MoneyColumns) -> Reading | None:
    """Return what the amounts show of the premium's period where its heading says something else.

    Only a year and an instalment can be told apart so; the client's own setting is never doubted.
    """
    said = seen.answers.get("premium_per")
    if said is None or said.how != "heading" or said.value not in {"year", "instalment"}:
        return None
    shown = _by_level(seen)
    return shown if shown is not None and shown.value != said.value else None


def _by_usual_premium(seen: MoneyColumns) -> Reading | None:
    """Only one of two readings gives the premiums that are usual in these branches."""
    value = pl.col(seen.premium or "") / 100
    parts = seen.rows.filter(pl.col("term").is_in(INSTALMENTS))
    if parts.height >= ENOUGH:
        other, rows, times = "instalment", parts, 12 / pl.col("term")
    else:
        other, rows, times = "month", seen.rows, pl.lit(12.0)
    levels = {
        "year": level(rows, value, seen.premiums),
        other: level(rows, value * times, seen.premiums),
    }
    near = rule("units", "near_factor")
    fits = {name: each for name, each in levels.items() if each and each.within(near)}
    if len(fits) != 1 or next(iter(fits.values())).branches < rule("units", "branches"):
        return None
    per, fitting = next(iter(fits.items()))
    return Reading(per, "data", f"usual_{per}", {"of": fitting.rows})


def _assumed_premium(seen: MoneyColumns) -> Reading:
    found = seen.premium_level
    if found.way is None:
        rows = seen.rows.filter(pl.col("term").is_in(INSTALMENTS)).height
        return Reading("year", "unsure", "no_terms" if rows else "no_instalments", {"rows": rows})
    numbers = {"short": found.short, "yearly": found.yearly}
    return Reading("instalment" if found.way > 0.5 else "year", "unsure", "level_between", numbers)


PREMIUM_DETECTORS: tuple[Detector[MoneyColumns], ...] = (
    _premium_by_setting,
    _premium_by_heading,
    _by_instalments_beside,
    _premium_by_commission,
    _by_level,
    _by_usual_premium,
    _assumed_premium,
)


def _commission_by_setting(seen: MoneyColumns) -> Reading | None:
    return by_setting(seen.asked.commission_per)


def _commission_by_heading(seen: MoneyColumns) -> Reading | None:
    return _by_heading(seen.commission, seen.headings) if seen.commission else None


def _commission_by_premium(seen: MoneyColumns) -> Reading | None:
    """It stands in a relation to the premium."""
    found = seen.related
    if found is None:
        return None
    value = {"premium": "year", "commission": "instalment"}.get(found.relation, _premium_per(seen))
    return found.reading(value)


def _with_the_premium(seen: MoneyColumns) -> Reading | None:
    """Where only the usual amounts settled the premium, commission goes with it."""
    premium = seen.answers.get("premium_per")
    return premium if premium and premium.why.startswith("usual_") else None


def _assumed_commission(seen: MoneyColumns) -> Reading:
    return Reading(_premium_per(seen), "unsure", "as_premium" if seen.premium else "no_premium")


def _premium_per(seen: MoneyColumns) -> str:
    return seen.answers["premium_per"].value if seen.premium else "year"


COMMISSION_DETECTORS: tuple[Detector[MoneyColumns], ...] = (
    _commission_by_setting,
    _commission_by_heading,
    _commission_by_premium,
    _with_the_premium,
    _assumed_commission,
)
