"""Figures of what is predicted or assumed: risk, products, and the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.plots import Bar, bars, plot_calibration

if TYPE_CHECKING:
    from akb.report.figure import Figure, Maker, Row


def horizons(m: Maker) -> Figure | None:
    """Expected leavers per horizon, with their interval."""
    rows = m.model["risk"]["horizons"]
    if not rows:
        return None
    shown = [
        Bar(_within(m, r), r["expected"], f.rough(r["expected"]), "@moment", low=r["low"], high=r["high"]) for r in rows
    ]
    last = rows[-1]
    table = [
        (_within(m, r), f.number(r["expected"], 1), f.interval(r["low"], r["high"]), f.percent(r["share"], 1))
        for r in rows
    ]
    return m.figure(
        "horizons",
        bars(shown, m.axis("number", "expected_customers")),
        ("horizon", "expected", "range", "share"),
        table,
        variant="title" if last["low"] is not None else "title_point",
        months=last["months"],
        expected=f.rough(last["expected"]),
        range=f.interval(last["low"], last["high"]),
        customers=m.model["portfolio"]["customers"],
        as_of=f.day(m.model["as_of"]),
    )


def bands(m: Maker) -> Figure | None:
    """Risk bands: their share of customers beside their share of the expected leavers."""
    rows = [row for row in reversed(m.model["risk"]["bands"]) if not row["suppressed"]]
    if m.model["risk"]["order"] != "proven":
        return None  # bands of an order that may be chance tell nobody apart
    if not rows or not any(row["share_expected"] for row in rows):
        return None
    shown = [Bar(_band(r), r["share_expected"] or 0.0, _shares(m, r), "@moment", second=r["share"]) for r in rows]
    top = next(row for row in rows if row["customers"])
    return m.figure(
        "bands",
        bars(shown, m.axis("share", "share_two")),
        ("band", "customers", "share", "expected", "share_leavers", "commission"),
        [
            (
                _band(r),
                f.number(r["customers"]),
                f.percent(r["share"]),
                f.number(r["expected"], 1),
                f.percent(r["share_expected"]),
                f.euro_exact(r["commission_cents"]),
            )
            for r in rows
        ],
        band=m.words.plain("band.share.above", lower=f.percent(top["lower"]))
        if top["upper"] >= 1
        else m.words.plain("band.share.between", band=_band(top)),
        share=f.percent(top["share"]),
        leavers=f.percent(top["share_expected"]),
        customers=m.model["portfolio"]["customers"],
        as_of=f.day(m.model["as_of"]),
    )


def proof(m: Maker) -> Figure | None:
    """Of a hundred on the list, of a hundred at random: measured on later data."""
    seen = m.model["risk"]["proof"]
    if not seen:
        return None
    listed, random = f.of_hundred(seen["precision"]), f.of_hundred(seen["base_rate"])
    shown = [
        Bar(
            m.words.plain("axis.on_list"),
            seen["precision"],
            m.words.plain("axis.of_hundred", count=listed),
            "@moment",
        ),
        Bar(
            m.words.plain("axis.at_random"),
            seen["base_rate"],
            m.words.plain("axis.of_hundred", count=random),
            "@context",
        ),
    ]
    table = [
        (m.words.plain("axis.on_list"), f.number(seen["listed"]), f.percent(seen["precision"], 1)),
        (m.words.plain("axis.at_random"), f.number(seen["population"]), f.percent(seen["base_rate"], 1)),
    ]
    return m.figure(
        "proof",
        bars(shown, m.axis("share", "share_left")),
        ("group", "customers", "left_share"),
        table,
        listed=listed,
        random=random,
        months=seen["months"],
        test_date=f.day(seen["test_date"]),
        population=seen["population"],
        lift=f.number(seen["lift"], 1),
    )


def products(m: Maker) -> Figure | None:
    """Expected number of new policies per branch."""
    rows = [row for row in m.model["products"]["branches"] if not row["suppressed"]]
    if not rows:
        return None
    shown = [
        Bar(r["name"], r["expected"], f.rough(r["expected"]), "@product", low=r["low"], high=r["high"])
        for r in rows[:10]
    ]
    table = [
        (
            r["name"],
            f.number(r["customers"]),
            f.percent(r["chance"], 1),
            f.number(r["expected"], 1),
            f.interval(r["low"], r["high"]),
            _commission(m, r["expected_commission_cents"], banned=r["commission_ban"]),
        )
        for r in rows
    ]
    return m.figure(
        "products",
        bars(shown, m.axis("number", "expected_customers")),
        ("branch", "eligible", "chance", "expected", "range", "commission"),
        table,
        branch=rows[0]["name"].lower(),
        expected=f.rough(rows[0]["expected"]),
        shown=len(shown),
        as_of=f.day(m.model["as_of"]),
        customers=m.model["portfolio"]["customers"],
    )


def calibration(m: Maker) -> Figure | None:
    """Predicted beside observed per band, on later data."""
    seen = m.model["evidence"]["calibration"]
    rows = [row for row in seen["bands"] if not row["suppressed"] and row["customers"]] if seen else []
    if len(rows) < 2:
        return None
    plot = plot_calibration(
        [(r["predicted"], r["observed"], r["low"], r["high"]) for r in rows],
        m.axis("share", "predicted"),
        m.axis("share", "observed"),
    )
    inside = sum(r["low"] <= r["predicted"] <= r["high"] for r in rows)
    table = [
        (
            f.band(r["lower"], r["upper"]),
            f.number(r["customers"]),
            f.percent(r["predicted"], 1),
            f.percent(r["observed"], 1),
            f.span(f.percent(r["low"], 1), f.percent(r["high"], 1)),
        )
        for r in rows
    ]
    return m.figure(
        "calibration",
        plot,
        ("band", "customers", "predicted", "observed", "range"),
        table,
        inside=inside,
        bands=len(rows),
        months=seen["months"],
        test_date=f.day(seen["test_date"]),
        customers=sum(r["customers"] for r in rows),
    )


def _within(m: Maker, row: Row) -> str:
    return m.words.plain("axis.within", months=m.words.count(row["months"], "maand"))


def _band(row: Row) -> str:
    return f.band(row["lower"], row["upper"])


def _shares(m: Maker, row: Row) -> str:
    return m.words.plain(
        "axis.band_shares", customers=f.percent(row["share"]), leavers=f.percent(row["share_expected"])
    )


def _commission(m: Maker, cents: int | None, *, banned: bool) -> str:
    return m.words.plain("products.banned_short") if banned else f.euro_exact(cents)


def determinants(m: Maker) -> Figure | None:
    """Which groups of features weigh most in the first outcome."""
    if not m.model["determinants"]:
        return None
    found = m.model["determinants"][0]
    rows = found["groups"]
    if not rows:
        return None
    shown = [
        Bar(
            row["words"],
            row["share"],
            f.at_most_all(row["share"]),
            "@moment" if row is rows[0] else "@context",
            low=row["low"],
            high=row["high"],
        )
        for row in rows
    ]
    table = [
        (r["words"], f.at_most_all(r["share"]), f.span(f.at_most_all(r["low"]), f.at_most_all(r["high"]))) for r in rows
    ]
    return m.figure(
        "determinants",
        bars(shown, m.axis("share", "share_known")),
        ("feature_group", "known_share", "share_range"),
        table,
        top=f"{rows[0]['words'][:1].upper()}{rows[0]['words'][1:]}",
        outcome=found["name"].lower(),
        share=f.percent(rows[0]["share"]),
        population=found["population"],
        test_date=f.day(found["test_date"]),
    )
