"""Figures of who is at risk, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.moment.facts import Horizon, RiskBand, RiskFacts
from akb.report.chapters.portfolio.facts import PortfolioFacts
from akb.report.page.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def heading(m: Maker) -> str:
    """What the order of the chances was worth on later data."""
    risk = m.of(RiskFacts)
    if risk.proof:
        listed, random = f.of_hundred(risk.proof.precision), f.of_hundred(risk.proof.base_rate)
        return m.words.html("finding.moment_proof", listed=listed, random=random)
    if risk.horizons:
        year = risk.horizons[-1]
        return m.words.html(
            "finding.moment_count", months=year.months, expected=f.rough(year.expected)
        )
    return m.words.html("finding.moment_none")


def horizons(m: Maker) -> Figure | None:
    """Expected leavers per horizon, with their interval."""
    rows = m.of(RiskFacts).horizons
    if not rows:
        return None
    shown = [
        Bar(_within(m, r), r.expected, f.rough(r.expected), "moment", low=r.low, high=r.high)
        for r in rows
    ]
    first, last = rows[0], rows[-1]
    variant = "title" if last.low is not None else "title_point"
    if not m.of(RiskFacts).proof and len(rows) > 1:
        variant = "title_first"  # the longest stands above the chapter
    table = [
        (_within(m, r), f.number(r.expected, 1), f.interval(r.low, r.high), f.percent(r.share, 1))
        for r in rows
    ]
    return m.figure(
        "horizons",
        bars(shown, m.axis("number", "expected_customers")),
        ("horizon", "expected", "range", "share"),
        table,
        variant=variant,
        first=f.rough(first.expected),
        first_months=m.words.count(first.months, "maand"),
        months=last.months,
        expected=f.rough(last.expected),
        range=f.interval(last.low, last.high),
        customers=m.of(PortfolioFacts).customers,
        as_of=f.day(m.as_of),
    )


def bands(m: Maker) -> Figure | None:
    """Risk bands: their share of customers beside their share of the expected leavers."""
    rows = [row for row in reversed(m.of(RiskFacts).bands) if not row.suppressed]
    if m.of(RiskFacts).order != "proven":
        return None  # bands of an order that may be chance tell nobody apart
    if not rows or not any(row.share_expected for row in rows):
        return None
    shown = [
        Bar(_band(r), r.share_expected or 0.0, _shares(m, r), "moment", second=r.share)
        for r in rows
    ]
    top = next(row for row in rows if row.customers)
    return m.figure(
        "bands",
        bars(shown, m.axis("share", "share_two")),
        ("band", "customers", "share", "expected", "share_leavers", "commission"),
        [
            (
                _band(r),
                f.number(r.customers),
                f.percent(r.share),
                f.number(r.expected, 1),
                f.percent(r.share_expected),
                f.euro_exact(r.commission_cents),
            )
            for r in rows
        ],
        band=f.like(m.words.plain("band.share.above", lower=f.percent(top.lower)), top.lower)
        if top.upper >= 1
        else _band(top),
        share=f.percent(top.share),
        leavers=f.percent(top.share_expected),
        customers=m.of(PortfolioFacts).customers,
        as_of=f.day(m.as_of),
    )


def proof(m: Maker) -> Figure | None:
    """Of a hundred on the list, of a hundred at random: measured on later data."""
    seen = m.of(RiskFacts).proof
    if not seen:
        return None
    listed, random = f.of_hundred(seen.precision), f.of_hundred(seen.base_rate)
    shown = [
        Bar(
            m.words.plain("axis.on_list"),
            seen.precision,
            m.words.plain("axis.of_hundred", count=listed),
            "moment",
        ),
        Bar(
            m.words.plain("axis.at_random"),
            seen.base_rate,
            m.words.plain("axis.of_hundred", count=random),
            "context",
        ),
    ]
    table = [
        (m.words.plain("axis.on_list"), f.number(seen.listed), f.percent(seen.precision, 1)),
        (m.words.plain("axis.at_random"), f.number(seen.population), f.percent(seen.base_rate, 1)),
    ]
    return m.figure(
        "proof",
        bars(shown, m.axis("share", "share_left")),
        ("group", "customers", "left_share"),
        table,
        listed=listed,
        random=random,
        months=seen.months,
        test_date=f.day(seen.test_date),
        population=seen.population,
        lift=f.number(seen.lift, 1),
    )


def _within(m: Maker, row: Horizon) -> str:
    return f.like(
        m.words.plain("axis.within", months=m.words.count(row.months, "maand")), row.months
    )


def _band(row: RiskBand) -> str:
    return f.band(row.lower, row.upper)


def _shares(m: Maker, row: RiskBand) -> str:
    return m.words.plain(
        "axis.band_shares", customers=f.percent(row.share), leavers=f.percent(row.share_expected)
    )


FIGURES = (
    horizons,
    bands,
    proof,
)
