"""Figures of what lies ahead without action, and of last year's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.report import formats as f
from akb.report.plots import Bar, bars, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.report.figure import Figure, Maker
    from akb.report.plots import Axis


def backtest(m: Maker) -> Figure | None:
    """Who really left of last year's list, beside the list by commission and at random."""
    told = m.model["outlook"]["backtest"]
    rows = {row["key"]: row for row in told["lists"]} if told else {}
    if not rows or rows["top_defend"]["left_share"] is None:
        return None
    shown, table = [], []
    for key, row in rows.items():
        name = m.words.name("list_kind", key)
        if row["left_share"] is None:
            table.append((name, m.words.plain("page.hidden"), *[f.NOTHING] * 4))
            continue
        colour = "@moment" if key == "top_defend" else "@context"
        label = m.words.plain("axis.of_hundred", count=f.of_hundred(row["left_share"]))
        shown.append(Bar(name, row["left_share"], label, colour, low=row["low"], high=row["high"]))
        table.append(
            (
                name,
                f.rough(row["left"]),
                f.percent(row["left_share"], 1),
                f.span(f.percent(row["low"], 1), f.percent(row["high"], 1)),
                f.euro_exact(row["cents"]),
                f.span(f.euro(row["cents_low"]), f.euro(row["cents_high"])),
            )
        )
    return m.figure(
        "backtest",
        bars(shown, m.axis("share", "share_left")),
        ("list", "left", "rate", "range", "lost", "lost_range"),
        table,
        variant="title" if told["split"] else "title_any",
        listed=f.of_hundred(rows["top_defend"]["left_share"]),
        random=f.of_hundred(rows["random"]["left_share"]),
        lost=f.euro(rows["top_defend"]["cents"]),
        share=f.percent(rows["top_defend"]["cents"] / told["cents"] if told["cents"] else None),
        contacts=told["contacts"],
        customers=told["customers"],
        first=f.day(told["from"]),
        last=f.day(told["to"]),
    )


def bridge(m: Maker) -> Figure | None:
    """From the commission of a year ago to that of today."""
    told = m.model["outlook"]["bridge"]
    if not told:
        return None
    first, last = (m.words.plain("bridge.on", day=f.day(told[end])) for end in ("from", "to"))
    shown = [Bar(first, told["then"], f.euro(told["then"]), "@context")]
    table = [(first, f.NOTHING, f.NOTHING, f.euro_exact(told["then"]))]
    level = told["then"]
    for step in told["steps"]:
        name = m.words.name("bridge_step", step["key"])
        cents = step["cents"]
        colour = "@klant" if cents >= 0 else "@moment"
        shown.append(Bar(name, cents, _signed(cents), colour, base=level))
        table.append((name, f.number(step["customers"]), f.number(step["policies"]), f.euro_exact(cents)))
        level += cents
    shown.append(Bar(last, told["now"], f.euro(told["now"]), "@context"))
    table.append((last, f.NOTHING, f.NOTHING, f.euro_exact(told["now"])))
    by_key = {step["key"]: step["cents"] for step in told["steps"]}
    lost = by_key.get("lapses", 0) + by_key.get("leavers", 0)
    return m.figure(
        "bridge",
        bars(shown, m.axis("euro", "euro_year")),
        ("step", "customers", "policies", "commission"),
        table,
        variant="title_up" if told["now"] >= told["then"] else "title_down",
        then=f.euro(told["then"]),
        now=f.euro(told["now"]),
        lost=f.euro(-lost),
        first=f.day(told["from"]),
        last=f.day(told["to"]),
    )


def ahead(m: Maker) -> Figure | None:
    """Customers in five years if nothing changes."""
    told = m.model["outlook"]["projection"]
    if not told:
        return None
    rows = told["rows"]
    begin, end = rows[0], rows[-1]
    x, y = m.axis("number", "year_end"), m.axis("number", "expected_customers")
    points = [(float(row["year"]), row["customers"]) for row in rows]
    labels = [(*point, f.number(round(point[1]))) for point in (points[0], points[-1])]
    plot = line(
        points,
        x,
        y,
        "@klant",
        labels,
        markers=True,
        ticks=[(float(row["year"]), str(row["year"])) for row in rows],
        top=1.18 * max(row["high"] for row in rows),
    )
    plot["data"][:0] = [_grey([(float(row["year"]), row[side]) for row in rows], x, y) for side in ("low", "high")]
    table = [
        (
            str(row["year"]),
            f.number(round(row["customers"])),
            f.span(f.number(round(row["low"])), f.number(round(row["high"]))),
            f.number(round(row["customers_list"])),
            f.euro(row["commission"]),
            f.euro(row["commission_list"]),
            f.number(row["age"], 1),
            f.number(round(row["per_adviser"])),
        )
        for row in rows
    ]
    sure = not end["low"] <= begin["customers"] <= end["high"]
    return m.figure(
        "ahead",
        plot,
        ("year", "customers", "range", "with_list", "commission", "commission_list", "mean_age", "per_adviser"),
        table,
        variant="title_flat" if not sure else "title_up" if end["low"] > begin["customers"] else "title_down",
        first=f.number(round(begin["customers"])),
        last=f.number(round(end["customers"])),
        year=str(end["year"]),
        range=f.span(f.number(round(end["low"])), f.number(round(end["high"]))),
        inflow=f.number(round(told["inflow"]["mean"])),
        as_of=f.day(m.model["as_of"]),
    )


def concentration(m: Maker) -> Figure | None:
    """How much of the commission the best customers bring, also after cost to serve."""
    told = m.model["outlook"]["concentration"]
    if not told:
        return None
    x, y = m.axis("share", "best_customers"), m.axis("share", "share_commission")
    points = [(0.0, 0.0), *((share, part) for share, part in told["curve"])]
    top, part = told["top_share"], told["commission_share"]
    after = told["curve_after_cost"]
    highest = max([1.0, *(value for _, value in after or ())])
    plot = line(points, x, y, "@klant", [(top, part, f.percent(part))], top=1.12 * highest)
    plot["layout"]["annotations"][0] |= {"yshift": -12, "xshift": 28}  # below its line: the other lies above it
    if after:
        plot["data"].insert(0, _grey([(0.0, 0.0), *((share, value) for share, value in after)], x, y))
    table = [
        (f.percent(share), f.percent(value, 1), f.percent(after[i][1], 1) if after else f.NOTHING)
        for i, (share, value) in enumerate(told["curve"])
        if round(100 * share) % 10 == 0
    ]
    return m.figure(
        "concentration",
        plot,
        ("best", "share_commission", "share_after_cost"),
        table,
        variant="title" if told["after_cost_share"] is not None else "title_commission",
        top=f.percent(top),
        share=f.percent(part),
        after=f.percent(told["after_cost_share"]),
        customers=m.model["portfolio"]["customers"],
        as_of=f.day(m.model["as_of"]),
    )


def contact_policy(m: Maker) -> Figure | None:
    """What the contact policy asks in hours beside the hours that there are."""
    told = m.model["outlook"]["contact_policy"]
    rows = [row for row in told["rows"] if row["hours"]] if told else []
    if not rows:
        return None
    names = {row["key"]: m.words.name("contact_group", row["key"]) for row in told["rows"]}
    shown = [Bar(m.words.plain("axis.hours_available"), told["available"], f.rough(told["available"]), "@context")]
    shown.append(Bar(m.words.plain("axis.hours_policy"), told["hours"], f.rough(told["hours"]), "@aandacht"))
    shown += [Bar(f"— {names[row['key']]}", row["hours"], f.rough(row["hours"]), "@aandacht") for row in rows]
    table = [
        (
            names[row["key"]],
            f.number(row["customers"]),
            f.trimmed(row["years"]),
            f.rough(row["talks"]),
            f.rough(row["hours"]),
            f.percent(row["seen"]),
        )
        for row in told["rows"]
    ]
    return m.figure(
        "contact_policy",
        bars(shown, m.axis("number", "hours_year")),
        ("contact_group", "customers", "interval", "talks", "hours", "seen"),
        table,
        variant="title" if told["hours"] <= told["available"] else "title_short",
        hours=f.rough(told["hours"]),
        available=f.rough(told["available"]),
        load=f.percent(told["load"]),
        advisers=told["advisers"],
        per_adviser=f.number(round(told["customers_per_adviser"])),
    )


def _signed(cents: int) -> str:
    return f"+{f.euro(cents)}" if cents > 0 else f.euro(cents).replace("-", "−")


def _grey(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> dict[str, Any]:
    """Return a thin grey line: the range, or the other measure."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x.scaled(point[0]) for point in points],
        "y": [y.scaled(point[1]) for point in points],
        "line": {"color": "@context", "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }
