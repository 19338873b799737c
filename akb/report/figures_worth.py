"""Figures of what customers bring: next year's loss, from premium to customer value, lifetime value proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.plots import Bar, bars

if TYPE_CHECKING:
    from akb.report.figure import Figure, Maker


_BEFORE = ("premium", "insurer")  # stand above the commission: as a share of it they say nothing


def lost(m: Maker) -> Figure | None:
    """What the coming 12 months are expected to take, by cause, with the interval of the whole."""
    found = m.model["worth"]["lost"]
    if not found:
        return None
    rows = [row for row in found["parts"] if row["expected"]]
    name = m.words.plain("worth.lost_total")
    whole = Bar(name, found["expected"], f.euro(found["expected"]), "@moment", low=found["low"], high=found["high"])
    shown = [whole] + [
        Bar(m.words.name("lost_part", row["key"]), row["expected"], f.euro(row["expected"])) for row in rows
    ]
    table = [(name, f.euro_exact(found["expected"]), f.span(f.euro_exact(found["low"]), f.euro_exact(found["high"])))]
    table += [(m.words.name("lost_part", row["key"]), f.euro_exact(row["expected"]), f.NOTHING) for row in rows]
    return m.figure(
        "lost",
        bars(shown, m.axis("euro", "euro_year")),
        ("part", "amount", "range80"),
        table,
        expected=f.euro(found["expected"]),
        range=f.span(f.euro(found["low"]), f.euro(found["high"])),
        share=f.percent(found["share"]),
        as_of=f.day(m.model["as_of"]),
        commission=f.euro(found["commission"]),
    )


def waterfall(m: Maker) -> Figure | None:
    """From premium to customer value: a bridge, in euros a year."""
    found = m.model["worth"]["waterfall"]
    if not found:
        return None
    mark = m.model["portfolio"]["commission_mark"]
    marks = {"premium": "counted", "insurer": mark, "commission": mark}  # the insurer keeps the difference
    rows: list[tuple[str, int, int, str]] = []  # key, where it begins, length, colour
    if found["premium"] is not None:
        rows.append(("premium", 0, found["premium"], "@context"))
        rows.append(("insurer", found["premium"], -found["kept_by_insurer"], "@context"))
    rows.append(("commission", 0, found["commission"], "@klant"))
    at = found["commission"]
    for step in found["steps"]:
        rows.append((step["key"], at, -step["cents"], "@aandacht"))
        marks[step["key"]] = step["mark"]
        at -= step["cents"]
    rows.append(("value", 0, found["value"], "@klant"))
    marks["value"] = "assumed"
    total = found["commission"]
    names = {key: m.words.name("waterfall_step", key) for key, *_ in rows}
    shown = [Bar(names[key], length, f.euro(length), colour, base=base) for key, base, length, colour in rows]
    table = [
        (
            names[key],
            f.euro_exact(length),
            f.euro_exact(length / found["customers"]),
            f.percent(length / total) if total and key not in _BEFORE else f.NOTHING,
            m.words.plain(f"mark.{marks[key]}"),
        )
        for key, _, length, _ in rows
    ]
    return m.figure(
        "waterfall",
        bars(shown, m.axis("euro", "euro_year")),
        ("line", "amount", "per_customer", "of_commission", "mark"),
        table,
        variant="title" if found["value"] >= 0 else "title_loss",
        left=f.euro(abs(found["value"]) / total * 10_000) if total else f.NOTHING,
        as_of=f.day(m.model["as_of"]),
        customers=found["customers"],
        origin=m.words.plain(f"commission_origin.{mark}"),
    )


def clv_past(m: Maker) -> Figure | None:
    """Lifetime value of three years ago against what was earned since, by tenths."""
    found = m.model["worth"]["past"]
    if not found:
        return None
    axis = m.axis("euro", "euro_three_years")
    rows = found["deciles"]
    names = [m.words.plain("worth.decile", number=row["decile"]) for row in rows]
    shown = [
        Bar(
            name,
            row["realised"],
            m.words.plain("worth.decile_shown", realised=f.euro(row["realised"]), expected=f.euro(row["expected"])),
            "@klant",
            second=row["expected"],
        )
        for name, row in zip(names, rows, strict=True)
    ]
    table = [
        (name, f.number(row["customers"]), f.euro_exact(row["expected"]), f.euro_exact(row["realised"]))
        for name, row in zip(names, rows, strict=True)
    ]
    own = next(row for row in found["models"] if row["key"] == "clv")
    return m.figure(
        "clv_past",
        bars(shown, axis),
        ("group", "customers", "expected_mean", "realised_mean"),
        table,
        ratio=f.number(100 * own["ratio"]),
        first=f.day(found["from"]),
        last=f.day(found["to"]),
        customers=found["customers"],
    )
