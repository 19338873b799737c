"""Does a premium hold the insurance premium tax of 21 %?

A column beside it tells most: the premium with tax, the tax itself, or the rate of commission. Else
agreed rates and premiums are round, and they are round on one side of the tax only.

A worked row: premium 121.00, commission 20.00. Of 121.00 that is 16.53 %, a rate that nobody
agrees; of 121.00 / 1.21 = 100.00 it is 20 %: the premium holds the tax."""

from __future__ import annotations

import math

import polars as pl

from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.questions import (
    Detector,
    MoneyColumns,
    by_agreement,
    by_setting,
    by_words,
    says,
)
from akb.ingest.money_conventions.ratio import is_round, taxed_ratios
from akb.ingest.money_conventions.thresholds import CLEAR, ENOUGH, NEAR, TAX, ahead

_BRANCHES, _TIGHT = (
    3,
    0.05,
)  # branches whose usual rates are compared, at least; how alike their own rates are


def _by_setting(seen: MoneyColumns) -> Reading | None:
    return by_setting(seen.asked.premium_basis)


def _by_heading(seen: MoneyColumns) -> Reading | None:
    column = seen.premium or ""
    return by_words(
        "gross" if column.endswith("gross") else says(seen.headings.heading(column), "net", "gross")
    )


def _by_gross_beside(seen: MoneyColumns) -> Reading | None:
    rows = seen.taxed.filter(pl.col(f"{seen.premium}_gross") > 0)
    premium = pl.col(seen.premium or "")
    off = (pl.col(f"{seen.premium}_gross") - premium * (1 + TAX)).abs()
    return by_agreement(rows, {"net": off <= 2 + 0.002 * premium}, "gross_beside")


def _by_tax_beside(seen: MoneyColumns) -> Reading | None:
    """The tax itself, per year or per instalment, is 21 % of a net premium and 21/121 of a gross
    one.
    """
    rows = seen.taxed.filter(pl.col("tax") > 0)
    p, term = pl.col(seen.premium or ""), pl.col("term").fill_null(12).replace(0, 12)

    def is_tax(rate: float) -> pl.Expr:
        yearly, instalment = (
            (pl.col("tax") - p * rate).abs(),
            (pl.col("tax") - p * rate * term / 12).abs(),
        )
        return (yearly <= 1 + 0.001 * p) | (instalment <= 1 + 0.001 * p)

    return by_agreement(rows, {"net": is_tax(TAX), "gross": is_tax(TAX / (1 + TAX))}, "tax_beside")


def _by_rate_beside(seen: MoneyColumns) -> Reading | None:
    """Premium x percentage is the commission amount, of the premium with or without its tax."""
    commission = pl.coalesce("commission", "commission_term")
    rows = seen.taxed.filter(pl.col("rate") > 0, commission > 0)
    whole = pl.col(seen.premium or "") * pl.col("rate")
    close = 1 + 0.003 * commission
    off = {"net": (whole - commission).abs(), "gross": (whole / (1 + TAX) - commission).abs()}
    return by_agreement(rows, {name: each <= close for name, each in off.items()}, "rate")


def _by_round_rates(seen: MoneyColumns) -> Reading | None:
    """Commission is a round percentage of the premium with, or without its tax."""
    if seen.ratios is None:
        return None
    rows, factor = taxed_ratios(seen.ratios, seen.related)
    if rows.height < ENOUGH:
        return None
    counts: dict[str, int] = rows.select(
        net=is_round(factor).sum(), gross=is_round(factor * (1 + TAX)).sum()
    ).row(0, named=True)
    value = ahead(counts, rows.height)
    if value is None:
        return None
    numbers = {"hits": counts[value], "of": rows.height, "other": min(counts.values())}
    return Reading(value, "data", f"round_{value}", numbers)


def _by_usual_rates(seen: MoneyColumns) -> Reading | None:
    """Compare the rate of each branch with its usual one: about that, or that divided by 1.21.

    Only branches whose policies nearly all have one rate speak; they have to agree.
    """
    if seen.ratios is None:
        return None
    rows, factor = taxed_ratios(seen.ratios, seen.related)
    rates = pl.DataFrame({"branch": list(seen.rates), "usual": list(seen.rates.values())}).filter(
        pl.col("usual") > 0
    )
    rows = rows.join(rates, on="branch")
    r = pl.col("r") * factor / pl.col("usual")
    branches = (
        rows.group_by("branch")
        .agg(rows=pl.len(), rate=r.median(), spread=r.quantile(0.75) - r.quantile(0.25))
        .filter(pl.col("rows") >= ENOUGH, pl.col("spread") < _TIGHT * pl.col("rate"))
        .with_columns(way=pl.col("rate").log() / -math.log(1 + TAX))
    )
    said = int(branches["rows"].sum())
    if branches.height < _BRANCHES or said < rows.height / 2:
        return None
    for value, place in (("net", 0.0), ("gross", 1.0)):
        near = int(branches.filter((pl.col("way") - place).abs() < NEAR)["rows"].sum())
        if near >= CLEAR * said:
            return Reading(value, "data", f"usual_{value}", {"of": near})
    return None


def _by_whole_euros(seen: MoneyColumns) -> Reading | None:
    """Premiums in whole euros, with or without their tax; by chance one in a hundred is."""
    rows = seen.taxed
    if rows.height < ENOUGH:
        return None
    premium = pl.col(seen.premium or "")
    counts: dict[str, int] = rows.select(
        net=(premium % 100 == 0).sum(), gross=(premium % 121 == 0).sum()
    ).row(0, named=True)
    value = ahead(counts, rows.height)
    return (
        Reading(value, "data", f"whole_{value}", {"hits": counts[value], "of": rows.height})
        if value
        else None
    )


def _assumed(seen: MoneyColumns) -> Reading:
    return Reading("net", "unsure", "no_basis", {"of": seen.taxed.height})


DETECTORS: tuple[Detector[MoneyColumns], ...] = (
    _by_setting,
    _by_heading,
    _by_gross_beside,
    _by_tax_beside,
    _by_rate_beside,
    _by_round_rates,
    _by_usual_rates,
    _by_whole_euros,
    _assumed,
)
