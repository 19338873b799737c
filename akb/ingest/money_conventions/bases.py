"""What the amounts of an export mean: per year or per instalment, with or without tax, an amount or a percentage.

The client's settings win, then the heading, then the amounts themselves: agreed commission rates are round numbers, so
commission divided by premium is a round percentage of the right premium and of no other; whoever pays monthly pays
about as much a year as whoever pays yearly. Too little evidence is said, with what was assumed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.ingest.columns.matching import key_of, spelled_out
from akb.ingest.columns.readings import Bases, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from akb.config import Ingest
    from akb.ingest.columns.matching import Headings

Relation = Literal["same", "premium", "commission"]  # which of the two is per instalment where the other is per year

TAX = 0.21
ENOUGH = 20  # rows that a comparison needs
_CLEAR = 0.8  # share of rows on which two columns have to agree
_ROUND, _LOWEST, _HIGHEST = 0.005, 0.04, 0.40  # agreed rates: multiples of half a percent in this range
_FOUND, _AHEAD = 0.1, 3.0  # share of round rates that convinces, and how far it has to stay ahead
_SHARP = 0.25  # rows whose amounts are so small that a quarter of all rates looks round say nothing
_BRANCHES, _TIGHT = 3, 0.05  # branches whose usual rates are compared, at least; how alike their own rates are
_NEAR = 0.35  # of the way from one reading to the other
_MOST_RATE, _RATES = 5_000, 40  # a column of percentages: at most 50, few different ones
_WORDS = {
    "year": ("jaar", "year", "annual", "njp", "perjr"),
    "month": ("maand", "month"),
    "instalment": ("termijn", "instal"),
    "net": ("net", "excl", "njp", "exass"),
    "gross": ("incl",),
}


_FACTOR: dict[Relation, pl.Expr] = {
    "same": pl.lit(1.0), "premium": pl.col("term") / 12, "commission": 12 / pl.col("term"),
}  # fmt: skip


def read_bases(frame: pl.DataFrame, headings: Headings, asked: Ingest, usual: Mapping[str, float]) -> Bases:
    """Return how premium and commission are meant.

    Parameters
    ----------
    frame
        Rows that count: premium, premium_gross, premium_term, premium_term_gross, commission, commission_term (Int64
        cents), rate (Float64, a fraction), tax (Int64 cents), branch, term (months; 0 single, null unknown), taxed.
    headings
        What the headings mean.
    asked
        The client's settings.
    usual
        Branch -> its usual rate of commission.
    """
    premium = _first(headings, ("premium", "premium_term", "premium_gross", "premium_term_gross"))
    commission = _first(headings, ("commission", "commission_term"))
    kind = _amount_or_percentage(frame, headings, asked) if commission else None
    amounts = commission if kind is not None and kind.value == "amount" else None
    pairs = _pairs(frame, premium, amounts) if premium and amounts else None
    related = _relation(pairs) if pairs is not None else None
    commission_per = _told("commission_per", commission, headings, asked.commission_per) if commission else None
    premium_per = None
    if premium:
        told = _told("premium_per", premium, headings, asked.premium_per)
        premium_per = told or _premium_per(frame, premium, commission_per, related)
    if commission and kind is not None and kind.value == "percentage":
        commission_per = None
    elif commission and commission_per is None:
        commission_per = _commission_per(premium_per, related)
    basis = None
    if premium:
        told = _told_basis(premium, headings, asked.premium_basis)
        basis = told or _premium_basis(frame, premium, pairs, related, usual)
    return Bases(frame.height, premium, commission, premium_per, basis, commission_per, kind)


def per_year(per: str) -> pl.Expr:
    """Return how often an amount is paid in a year; null for an instalment of unknown length and a single premium."""
    if per == "instalment":
        return pl.when(pl.col("term") > 0).then(12 // pl.col("term").replace(0, None))
    return pl.lit(12 if per == "month" else 1)


def _first(headings: Headings, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in headings.at), None)


def says(heading: str | None, *meanings: str) -> str | None:
    """Return which of `meanings` a heading has in its words."""
    key = key_of(spelled_out(heading or ""))
    return next((meaning for meaning in meanings if any(word in key for word in _WORDS[meaning])), None)


def _told(setting: str, column: str, headings: Headings, asked: str | None) -> Reading | None:
    if asked:
        return Reading(asked, "setting", "setting")
    said = says(headings.heading(column), "month", "year", "instalment")
    if column.endswith("_term") or "_term_" in column:
        said = "month" if said == "month" else "instalment"
    elif column == "premium_gross":
        said = said or "year"
    return Reading(said, "heading", "heading") if said else None


def _told_basis(column: str, headings: Headings, asked: str | None) -> Reading | None:
    if asked:
        return Reading(asked, "setting", "setting")
    said = "gross" if column.endswith("gross") else says(headings.heading(column), "net", "gross")
    return Reading(said, "heading", "heading") if said else None


def _amount_or_percentage(frame: pl.DataFrame, headings: Headings, asked: Ingest) -> Reading:
    """Say whether the column of commission holds percentages: at most 50, few different ones, whatever the premium."""
    if asked.commission_basis:
        return Reading(asked.commission_basis, "setting", "setting")
    column = "commission" if "commission" in headings.at else "commission_term"
    heading = headings.heading(column) or ""
    if "%" in heading or "perc" in key_of(heading):
        return Reading("percentage", "heading", "heading")
    filled = frame.filter(pl.col(column) > 0)
    rates = filled.filter(pl.col(column) <= _MOST_RATE, pl.col(column) % 25 == 0)
    numbers = {"hits": rates.height, "of": filled.height}
    few = filled[column].n_unique() <= min(_RATES, filled.height // 5)
    premiums = filled.select(pl.max_horizontal("premium", "premium_term", "premium_gross", "premium_term_gross"))
    if filled.height >= ENOUGH and few and rates.height >= 0.95 * filled.height:
        varied = premiums.to_series().n_unique() > 2 * filled[column].n_unique()
        if varied:
            return Reading("percentage", "data", "percentages", numbers)
    return Reading("amount", "data", "amounts", numbers)


def _pairs(frame: pl.DataFrame, premium: str, commission: str) -> pl.DataFrame:
    """Return branch, term, taxed and r (commission / premium) with its rounding error ``err``, where both are known."""
    p, c = pl.col(premium), pl.col(commission)
    return frame.filter(p > 0, c > 0).select(
        "branch", "term", "taxed", r=c / p, err=(c / p) * (1.0 / p + 1.0 / c) + 1e-9
    )


def _hits(pairs: pl.DataFrame, factor: pl.Expr) -> pl.Expr:
    """Say on which rows commission is a round percentage of premium once their ratio is multiplied by `factor`."""
    r, err = pl.col("r") * factor, pl.col("err") * factor
    off = (r - (r / _ROUND).round() * _ROUND).abs()
    return (off <= err) & (2 * err <= _SHARP * _ROUND) & r.is_between(_LOWEST, _HIGHEST)


def _tax() -> pl.Expr:
    return pl.when("taxed").then(1 + TAX).otherwise(1.0)


def _relation(pairs: pl.DataFrame) -> tuple[Relation, Reading] | None:
    """Say which of premium and commission is per instalment where the other is per year; None if nothing shows."""
    short = pairs.filter(pl.col("term").is_in([1, 3, 6]))
    ways = _FACTOR
    if short.height >= ENOUGH:
        counts = short.select(
            (_hits(short, way) | _hits(short, way * _tax())).sum().alias(name) for name, way in ways.items()
        ).row(0, named=True)
        best, other = sorted(counts.values(), reverse=True)[:2]
        if best >= max(ENOUGH, _FOUND * short.height, _AHEAD * other):
            found: Relation = next(name for name in ways if counts[name] == best)
            return found, Reading(found, "data", f"round_{found}", {"hits": best, "of": short.height, "other": other})
    way, short_rows, year_rows = level_by_term(pairs, pl.col("r"))
    for name, place in (("same", 0.0), ("premium", -1.0), ("commission", 1.0)):
        if way is not None and abs(way - place) < _NEAR:
            return name, Reading(name, "data", f"ratio_{name}", {"short": short_rows, "yearly": year_rows})  # type: ignore[return-value]
    return None


def level_by_term(frame: pl.DataFrame, value: pl.Expr) -> tuple[float | None, int, int]:
    """Return how far `value` of those who pay in instalments lies from that of yearly payers of the same branch.

    0: as high; 1: a twelfth for monthly payers, a quarter for quarterly payers. The middle one of all branches and
    terms, weighed by rows; and the rows on both sides.
    """
    medians = (
        frame.filter(pl.col("term").is_in([1, 3, 6, 12]))
        .group_by("branch", "term")
        .agg(rows=pl.len(), median=value.median())
        .filter(pl.col("rows") >= ENOUGH, pl.col("median") > 0)
    )
    yearly = medians.filter(pl.col("term") == 12).drop("term")
    pairs = medians.filter(pl.col("term") < 12).join(yearly, on="branch", suffix="_year")
    if pairs.is_empty():
        return None, 0, 0
    pairs = pairs.with_columns(
        way=(pl.col("median") / pl.col("median_year")).log() / (pl.col("term") / 12).log(),
        weight=pl.min_horizontal("rows", "rows_year"),
    ).sort("way", "branch", "term")
    return _middle(pairs), int(pairs["rows"].sum()), int(pairs.unique("branch")["rows_year"].sum())


def _middle(ways: pl.DataFrame) -> float:
    """Return the weighted median of ``way``."""
    half = ways["weight"].sum() / 2
    return float(ways.filter(pl.col("weight").cum_sum() >= half)["way"][0])


def _premium_per(
    frame: pl.DataFrame, premium: str, commission_per: Reading | None, related: tuple[Relation, Reading] | None
) -> Reading:
    """Find whether a premium whose heading is silent is per year or per instalment."""
    twin = _twin(frame, premium, "premium_term", lambda p, other: p * 12 / pl.col("term") - other)
    if twin:
        return twin
    if related:
        relation, reading = related
        per = {"premium": "instalment", "commission": "year"}.get(relation)
        if relation == "same" and commission_per:
            per = commission_per.value
        if per:
            return Reading(per, "data", reading.why, reading.numbers)
    way, short, yearly = level_by_term(frame.filter(pl.col(premium) > 0), pl.col(premium))
    numbers = {"short": short, "yearly": yearly}
    if way is None:
        rows = frame.filter(pl.col("term").is_in([1, 3, 6])).height
        return Reading("year", "unsure", "no_terms" if rows else "no_instalments", {"rows": rows})
    if abs(way) < _NEAR:
        return Reading("year", "data", "level_year", numbers)
    if abs(way - 1) < _NEAR:
        return Reading("instalment", "data", "level_instalment", numbers)
    return Reading("instalment" if way > 0.5 else "year", "unsure", "level_between", numbers)


def _twin(frame: pl.DataFrame, premium: str, other: str, off: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Reading | None:
    """Compare a premium with a column that is per instalment by its heading, on rows that are paid in instalments."""
    if premium != "premium":
        return None
    rows = frame.filter(pl.col(other) > 0, pl.col("premium") > 0, pl.col("term").is_in([1, 3, 6]))
    if rows.height < ENOUGH:
        return None
    same, yearly = rows.select(
        same=((pl.col("premium") - pl.col(other)).abs() <= 1).sum(),
        yearly=(off(pl.col(other), pl.col("premium")).abs() <= 12).sum(),
    ).row(0)
    for value, hits in (("instalment", same), ("year", yearly)):
        if hits >= _CLEAR * rows.height:
            return Reading(value, "data", f"twin_{value}", {"hits": hits, "of": rows.height})
    return None


def _commission_per(premium_per: Reading | None, related: tuple[Relation, Reading] | None) -> Reading:
    """Find whether commission is per year or per instalment: it stands in a relation to the premium."""
    per = premium_per.value if premium_per else "year"
    if related is None:
        return Reading(per, "unsure", "as_premium" if premium_per else "no_premium")
    relation, reading = related
    value = {"premium": "year", "commission": "instalment"}.get(relation, per)
    return Reading(value, "data", reading.why, reading.numbers)


def _premium_basis(
    frame: pl.DataFrame,
    premium: str,
    pairs: pl.DataFrame | None,
    related: tuple[Relation, Reading] | None,
    usual: Mapping[str, float],
) -> Reading:
    """Find whether a premium whose heading is silent holds the insurance premium tax."""
    taxed = frame.filter("taxed", pl.col(premium) > 0)
    found = _beside_gross(taxed, premium) or _beside_tax(taxed, premium) or _by_rate(taxed, premium)
    if found is None and pairs is not None:
        found = _by_round_rates(pairs, related[0] if related else "same")
        found = found or _by_usual_rates(pairs, usual, related[0] if related else "same")
    found = found or _by_whole_euros(taxed, premium)
    return found or Reading("net", "unsure", "no_basis", {"of": taxed.height})


def _share(rows: pl.DataFrame, ways: dict[str, pl.Expr], why: str) -> Reading | None:
    """Return the one of `ways` that holds on most rows, if it does on nearly all."""
    if rows.height < ENOUGH:
        return None
    counts = rows.select(expression.sum().alias(name) for name, expression in ways.items()).row(0, named=True)
    for name, hits in counts.items():
        if hits >= _CLEAR * rows.height:
            return Reading(name, "data", f"{why}_{name}", {"hits": hits, "of": rows.height})
    return None


def _beside_gross(taxed: pl.DataFrame, premium: str) -> Reading | None:
    rows = taxed.filter(pl.col(f"{premium}_gross") > 0)
    off = (pl.col(f"{premium}_gross") - pl.col(premium) * (1 + TAX)).abs()
    return _share(rows, {"net": off <= 2 + 0.002 * pl.col(premium)}, "gross_beside")


def _beside_tax(taxed: pl.DataFrame, premium: str) -> Reading | None:
    """The tax itself, per year or per instalment, is 21 % of a net premium and 21/121 of a gross one."""
    rows = taxed.filter(pl.col("tax") > 0)
    p, term = pl.col(premium), pl.col("term").fill_null(12).replace(0, 12)

    def is_tax(rate: float) -> pl.Expr:
        yearly, instalment = (pl.col("tax") - p * rate).abs(), (pl.col("tax") - p * rate * term / 12).abs()
        return (yearly <= 1 + 0.001 * p) | (instalment <= 1 + 0.001 * p)

    return _share(rows, {"net": is_tax(TAX), "gross": is_tax(TAX / (1 + TAX))}, "tax_beside")


def _by_rate(taxed: pl.DataFrame, premium: str) -> Reading | None:
    """Premium x percentage is the commission amount, of the premium with or without its tax."""
    commission = pl.coalesce("commission", "commission_term")
    rows = taxed.filter(pl.col("rate") > 0, commission > 0)
    whole, part = pl.col(premium) * pl.col("rate"), pl.col(premium) * pl.col("rate") / (1 + TAX)
    close = 1 + 0.003 * commission
    return _share(
        rows, {"net": (whole - commission).abs() <= close, "gross": (part - commission).abs() <= close}, "rate"
    )


def _by_round_rates(pairs: pl.DataFrame, relation: Relation) -> Reading | None:
    factor = _FACTOR[relation]
    taxed = pairs.filter("taxed", pl.lit(relation == "same") | (pl.col("term") > 0))
    if taxed.height < ENOUGH:
        return None
    net, gross = taxed.select(net=_hits(taxed, factor).sum(), gross=_hits(taxed, factor * (1 + TAX)).sum()).row(0)
    best, other = max(net, gross), min(net, gross)
    if best < max(ENOUGH, _FOUND * taxed.height, _AHEAD * other):
        return None
    value = "net" if net > gross else "gross"
    return Reading(value, "data", f"round_{value}", {"hits": best, "of": taxed.height, "other": other})


def _by_usual_rates(pairs: pl.DataFrame, usual: Mapping[str, float], relation: Relation) -> Reading | None:
    """Compare the rate of each branch with its usual one: about that, or that divided by 1.21.

    Only branches whose policies nearly all have one rate speak; they have to agree.
    """
    rates = pl.DataFrame({"branch": list(usual), "usual": list(usual.values())}).filter(pl.col("usual") > 0)
    taxed = pairs.filter("taxed", pl.lit(relation == "same") | (pl.col("term") > 0)).join(rates, on="branch")
    r = pl.col("r") * _FACTOR[relation] / pl.col("usual")
    branches = (
        taxed.group_by("branch")
        .agg(rows=pl.len(), rate=r.median(), spread=r.quantile(0.75) - r.quantile(0.25))
        .filter(pl.col("rows") >= ENOUGH, pl.col("spread") < _TIGHT * pl.col("rate"))
        .with_columns(way=pl.col("rate").log() / -math.log(1 + TAX))
    )
    said = int(branches["rows"].sum())
    if branches.height < _BRANCHES or said < taxed.height / 2:
        return None
    for value, place in (("net", 0.0), ("gross", 1.0)):
        near = branches.filter((pl.col("way") - place).abs() < _NEAR)
        if near["rows"].sum() >= _CLEAR * said:
            numbers = {"of": int(near["rows"].sum())}
            return Reading(value, "data", f"usual_{value}", numbers)
    return None


def _by_whole_euros(taxed: pl.DataFrame, premium: str) -> Reading | None:
    """Premiums in whole euros, with or without their tax; by chance one in a hundred is."""
    if taxed.height < ENOUGH:
        return None
    whole, before = taxed.select(
        whole=(pl.col(premium) % 100 == 0).sum(), before=(pl.col(premium) % 121 == 0).sum()
    ).row(0)
    best, other = max(whole, before), min(whole, before)
    if best < max(ENOUGH, _FOUND * taxed.height, _AHEAD * other):
        return None
    value = "net" if whole > before else "gross"
    return Reading(value, "data", f"whole_{value}", {"hits": best, "of": taxed.height})
