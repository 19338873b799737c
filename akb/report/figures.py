"""The figures of the report: a finding as title, the measure below it, the plot, its numbers, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from akb.report import formats as f
from akb.report.plots import Axis, Bar, bars, calibration, line, waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from akb.report.words import Words

Model = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure ready for the page; `rows` are its exact numbers, formatted, under `head`."""

    id: str
    title: str
    subtitle: str
    action: str
    alt: str
    plot: dict[str, Any]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(default_factory=tuple)


class Figures:
    """Makes the figures of one report model; a figure without data is None."""

    def __init__(self, model: Model, words: Words) -> None:
        self.model = model
        self.words = words

    def all(self) -> dict[str, Figure]:
        """Return every figure that has data, by id, in reading order."""
        makers: Sequence[Callable[[], Figure | None]] = (
            self.branches,
            self.rates,
            self.yearly,
            self.reasons,
            self.tenure,
            self.curve,
            self.horizons,
            self.bands,
            self.proof,
            self.products,
            self.ledger,
            self.rule,
            self.calibration,
        )
        made = (make() for make in makers)
        return {figure.id: figure for figure in made if figure is not None}

    def _figure(
        self, key: str, plot: dict[str, Any], head: Sequence[str], rows: Sequence[Sequence[str]], **values: object
    ) -> Figure:
        variant = str(values.pop("variant", "title"))
        say = self.words.plain
        return Figure(
            id=key,
            title=say(f"figure.{key}.{variant}", **values),
            subtitle=say(f"figure.{key}.subtitle", **values),
            action=say(f"figure.{key}.action", **values),
            alt=say(f"figure.{key}.alt", **values),
            plot=plot,
            head=tuple(say(f"head.{name}") for name in head),
            rows=tuple(tuple(row) for row in rows),
        )

    def _axis(self, kind: str, key: str, **values: object) -> Axis:
        return Axis(kind, self.words.plain(f"axis.{key}", **values))

    def branches(self) -> Figure | None:
        """Share of customers per branch held."""
        rows = [row for row in self.model["portfolio"]["branches"] if not row["suppressed"]]
        if not rows:
            return None
        widest = max(rows, key=lambda row: row["customers"])
        shown = [
            Bar(r["name"], r["share"], f.percent(r["share"]), "@klant" if r is widest else "@context")
            for r in rows[:10]
        ]
        table = [
            (
                r["name"],
                f.number(r["customers"]),
                f.percent(r["share"]),
                f.number(r["policies"]),
                f.euro_exact(r["commission_cents"]),
            )
            for r in rows
        ]
        return self._figure(
            "branches",
            bars(shown, self._axis("share", "share_customers")),
            ("branch", "customers", "share", "policies", "commission"),
            table,
            branch=widest["name"],
            share=f.of_hundred(widest["share"]),
            customers=self.model["portfolio"]["customers"],
            as_of=f.day(self.model["as_of"]),
            shown=len(shown),
        )

    def rates(self) -> Figure | None:
        """Policy lapse, customer churn and commission churn of the last closed year, side by side."""
        year = self.model["leaving"]["last_year"]
        if not year or self.model["leaving"]["years"][0]["suppressed"]:
            return None
        kinds = (
            ("policy_lapse", "policies", "lapsed"),
            ("customer_churn", "customers", "left"),
            ("commission_churn", "commission_cents", "commission_lost_cents"),
        )
        shown, table = [], []
        for key, whole, part in kinds:
            if year[key] is None:
                continue
            name = self.words.plain(f"rate.{key}")
            shown.append(
                Bar(name, year[key], f.percent(year[key]), "@moment" if key == "customer_churn" else "@context")
            )
            amount = f.euro_exact if key == "commission_churn" else f.number
            table.append((name, amount(year[whole]), amount(year[part]), f.percent(year[key], 1)))
        return self._figure(
            "rates",
            bars(shown, self._axis("share", "share_year")),
            ("measure", "at_start", "gone", "rate"),
            table,
            variant="title" if year["commission_churn"] is not None else "title_no_commission",
            lapse=f.percent(year["policy_lapse"]),
            churn=f.percent(year["customer_churn"]),
            commission=f.percent(year["commission_churn"]),
            first=f.day(year["from"]),
            last=f.day(year["to"]),
            customers=year["customers"],
            policies=year["policies"],
        )

    def yearly(self) -> Figure | None:
        """Customer churn over the closed years."""
        years = [row for row in reversed(self.model["leaving"]["years"]) if not row["suppressed"]]
        if len(years) < 2:
            return None
        points = [(float(i), year["customer_churn"]) for i, year in enumerate(years)]
        labels = [(x, y, f.percent(y)) for x, y in points]
        ticks = [(float(i), f.month_year(year["to"])) for i, year in enumerate(years)]
        first, last = years[0]["customer_churn"], years[-1]["customer_churn"]
        variant = (
            "title_flat"
            if abs(last - first) < max(0.005, 0.1 * first)
            else "title_up"
            if last > first
            else "title_down"
        )
        plot = line(
            points,
            self._axis("number", "year_to"),
            self._axis("share", "share_customers"),
            "@moment",
            labels,
            markers=True,
            ticks=ticks,
        )
        table = [
            (
                f.day(y["from"]),
                f.day(y["to"]),
                f.number(y["customers"]),
                f.number(y["left"]),
                f.percent(y["customer_churn"], 1),
                f.percent(y["policy_lapse"], 1),
                f.percent(y["commission_churn"], 1),
            )
            for y in years
        ]
        return self._figure(
            "yearly",
            plot,
            ("after", "until", "customers", "left", "churn", "lapse", "commission_churn"),
            table,
            variant=variant,
            first=f.percent(first),
            last=f.percent(last),
            years=len(years),
            start=f.day(years[0]["from"]),
            end=f.day(years[-1]["to"]),
        )

    def reasons(self) -> Figure | None:
        """Reasons of customers who left, coloured where attention could matter."""
        gone = self.model["leaving"]["gone"]
        rows = [row for row in gone["reasons"] if not row["suppressed"]] if gone else []
        if not rows:
            return None
        names = {id(r): self.words.reason_name(r["reason"]) for r in rows}
        shown = [
            Bar(
                names[id(r)],
                r["share"],
                f.percent(r["share"]),
                "@moment" if r["cause"] == "preventable" else "@context",
            )
            for r in rows[:10]
        ]
        table = [
            (names[id(r)], self.words.name("cause", r["cause"]), f.number(r["customers"]), f.percent(r["share"]))
            for r in rows
        ]
        low, high = gone["preventable_low"], gone["preventable_high"]
        return self._figure(
            "reasons",
            bars(shown, self._axis("share", "share_leavers")),
            ("reason", "cause", "customers", "share"),
            table,
            variant="title" if gone["preventable_share"] is not None else "title_top",
            share=f.of_hundred(gone["preventable_share"]),
            top=names[id(rows[0])],
            top_share=f.percent(rows[0]["share"]),
            customers=gone["customers"],
            first=f.day(gone["from"]),
            last=f.day(gone["to"]),
            range=f.span(f.percent(low), f.percent(high)),
        )

    def tenure(self) -> Figure | None:
        """Churn rate by how long someone has been a customer."""
        rows = [row for row in self.model["leaving"]["by_tenure"] if row["rate"] is not None and not row["suppressed"]]
        year = self.model["leaving"]["last_year"]
        if len(rows) < 2:
            return None
        worst = max(rows, key=lambda row: row["rate"])
        label = lambda row: self.words.span("years", row)  # noqa: E731
        shown = [Bar(label(r), r["rate"], f.percent(r["rate"]), "@moment" if r is worst else "@context") for r in rows]
        plot = bars(
            shown,
            self._axis("share", "share_customers"),
            (year["customer_churn"], self.words.plain("axis.average", value=f.percent(year["customer_churn"]))),
        )
        table = [(label(r), f.number(r["customers"]), f.number(r["left"]), f.percent(r["rate"], 1)) for r in rows]
        return self._figure(
            "tenure",
            plot,
            ("tenure", "customers", "left", "churn"),
            table,
            band=label(worst),
            share=f.of_hundred(worst["rate"]),
            average=f.of_hundred(year["customer_churn"]),
            first=f.day(year["from"]),
            last=f.day(year["to"]),
            customers=year["customers"],
        )

    def curve(self) -> Figure | None:
        """How long customers stay."""
        points = [(row["years"], row["share"]) for row in self.model["leaving"]["curve"]]
        if len(points) < 3:
            return None
        marks = [_nearest(points, at) for at in (5, 10) if points[-1][0] >= at] or [points[-1]]
        labels = [(x, y, f.percent(y)) for x, y in marks]
        plot = line(
            points,
            self._axis("number", "tenure_years"),
            self._axis("share", "share_customers"),
            "@klant",
            labels,
            top=1.05,
        )
        step = max(1, len(points) // 25)
        table = [(f.number(x, 1), f.percent(y, 1)) for x, y in points[::step]]
        return self._figure(
            "curve",
            plot,
            ("years", "still"),
            table,
            years=f.number(round(marks[0][0])),
            share=f.of_hundred(marks[0][1]),
        )

    def horizons(self) -> Figure | None:
        """Expected leavers per horizon, with their interval."""
        rows = self.model["risk"]["horizons"]
        if not rows:
            return None
        label = lambda row: self.words.plain("axis.within", months=self.words.count(row["months"], "maand"))  # noqa: E731
        shown = [
            Bar(label(r), r["expected"], f.rough(r["expected"]), "@moment", low=r["low"], high=r["high"]) for r in rows
        ]
        last = rows[-1]
        table = [
            (label(r), f.number(r["expected"], 1), f.interval(r["low"], r["high"]), f.percent(r["share"], 1))
            for r in rows
        ]
        return self._figure(
            "horizons",
            bars(shown, self._axis("number", "expected_customers")),
            ("horizon", "expected", "range", "share"),
            table,
            variant="title" if last["low"] is not None else "title_point",
            months=last["months"],
            expected=f.rough(last["expected"]),
            range=f.interval(last["low"], last["high"]),
            customers=self.model["portfolio"]["customers"],
            as_of=f.day(self.model["as_of"]),
        )

    def bands(self) -> Figure | None:
        """Risk bands: their share of customers beside their share of the expected leavers."""
        rows = [row for row in self.model["risk"]["bands"] if not row["suppressed"]]
        if not rows or not any(row["share_expected"] for row in rows):
            return None
        label = lambda row: f.band(row["lower"], row["upper"])  # noqa: E731
        said = lambda r: self.words.plain(
            "axis.band_shares", customers=f.percent(r["share"]), leavers=f.percent(r["share_expected"])
        )
        shown = [Bar(label(r), r["share_expected"] or 0.0, said(r), "@moment", second=r["share"]) for r in rows]
        filled = [row for row in rows if row["customers"]]
        top = filled[-1]
        return self._figure(
            "bands",
            bars(shown, self._axis("share", "share_two")),
            ("band", "customers", "share", "expected", "share_leavers", "commission"),
            [
                (
                    label(r),
                    f.number(r["customers"]),
                    f.percent(r["share"]),
                    f.number(r["expected"], 1),
                    f.percent(r["share_expected"]),
                    f.euro_exact(r["commission_cents"]),
                )
                for r in rows
            ],
            band=label(top),
            share=f.percent(top["share"]),
            leavers=f.percent(top["share_expected"]),
            customers=self.model["portfolio"]["customers"],
            as_of=f.day(self.model["as_of"]),
        )

    def proof(self) -> Figure | None:
        """Of a hundred on the list, of a hundred at random: measured on later data."""
        seen = self.model["risk"]["proof"]
        if not seen:
            return None
        listed, random = f.of_hundred(seen["precision"]), f.of_hundred(seen["base_rate"])
        shown = [
            Bar(
                self.words.plain("axis.on_list"),
                seen["precision"],
                self.words.plain("axis.of_hundred", count=listed),
                "@moment",
            ),
            Bar(
                self.words.plain("axis.at_random"),
                seen["base_rate"],
                self.words.plain("axis.of_hundred", count=random),
                "@context",
            ),
        ]
        table = [
            (self.words.plain("axis.on_list"), f.number(seen["listed"]), f.percent(seen["precision"], 1)),
            (self.words.plain("axis.at_random"), f.number(seen["population"]), f.percent(seen["base_rate"], 1)),
        ]
        return self._figure(
            "proof",
            bars(shown, self._axis("share", "share_left")),
            ("group", "customers", "left_share"),
            table,
            listed=listed,
            random=random,
            months=seen["months"],
            test_date=f.day(seen["test_date"]),
            population=seen["population"],
            lift=f.number(seen["lift"], 1),
        )

    def products(self) -> Figure | None:
        """Expected number of new policies per branch."""
        rows = [row for row in self.model["products"]["branches"] if not row["suppressed"]]
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
                self._commission(r["expected_commission_cents"], banned=r["commission_ban"]),
            )
            for r in rows
        ]
        return self._figure(
            "products",
            bars(shown, self._axis("number", "expected_customers")),
            ("branch", "eligible", "chance", "expected", "range", "commission"),
            table,
            branch=rows[0]["name"].lower(),
            expected=f.rough(rows[0]["expected"]),
            shown=len(shown),
            as_of=f.day(self.model["as_of"]),
            customers=self.model["portfolio"]["customers"],
        )

    def ledger(self) -> Figure | None:
        """From benefits over costs to what is left: a bridge at run rate."""
        case = self.model["case"]
        if not case["available"]:
            return None
        shown, at = [], 0
        for line_, sign, colour in [
            *((b, 1, "@product") for b in case["benefits"]),
            *((c, -1, "@aandacht") for c in case["costs"]),
        ]:
            shown.append(
                Bar(
                    self.words.name("ledger", line_["key"]),
                    sign * line_["base"],
                    f.euro(sign * line_["base"]),
                    colour,
                    base=at,
                )
            )
            at += sign * line_["base"]
        net = case["net"]
        shown.append(
            Bar(
                self.words.plain("ledger.net"),
                net["base"],
                f.euro(net["base"]),
                "@ink",
                low=net["low"],
                high=net["high"],
            )
        )
        table = [
            (
                self.words.name("ledger", row["key"]),
                *(f.euro_exact(sign * row[s]) for s in ("low", "base", "high")),
                self.words.plain(f"mark.{row['mark']}"),
            )
            for rows, sign in ((case["benefits"], 1), (case["costs"], -1))
            for row in rows
        ]
        table.append(
            (
                self.words.plain("ledger.net"),
                *(f.euro_exact(net[s]) for s in ("low", "base", "high")),
                self.words.plain("mark.assumed"),
            )
        )
        return self._figure(
            "ledger",
            waterfall(shown, self._axis("euro", "euro_year")),
            ("line", "low", "base", "high", "mark"),
            table,
            variant="title" if net["base"] >= 0 else "title_loss",
            net=f.euro(abs(net["base"])),
            range=f.span(f.euro(net["low"]), f.euro(net["high"])),
        )

    def rule(self) -> Figure | None:
        """Our benefits beside the rule of thumb."""
        case = self.model["case"]
        promised = case.get("rule_of_thumb", {}).get("total") if case["available"] else None
        if not promised:
            return None
        ours = case["total_benefits"]
        shown = [
            Bar(self.words.plain("axis.rule"), promised, f.euro(promised), "@context"),
            Bar(
                self.words.plain("axis.ours"),
                ours["base"],
                f.euro(ours["base"]),
                "@klant",
                low=ours["low"],
                high=ours["high"],
            ),
        ]
        table = [
            (self.words.name("rule_line", key), f.euro_exact(amount)) for key, amount in case["rule_of_thumb"].items()
        ]
        table += [(self.words.plain(f"axis.ours_{s}"), f.euro_exact(ours[s])) for s in ("low", "base", "high")]
        return self._figure(
            "rule",
            bars(shown, self._axis("euro", "euro_year")),
            ("line", "amount"),
            table,
            variant="title" if ours["base"] < promised else "title_more",
            rule=f.euro(promised),
            ours=f.euro(ours["base"]),
            range=f.span(f.euro(ours["low"]), f.euro(ours["high"])),
        )

    def calibration(self) -> Figure | None:
        """Predicted beside observed per band, on later data."""
        seen = self.model["evidence"]["calibration"]
        rows = [row for row in seen["bands"] if not row["suppressed"] and row["customers"]] if seen else []
        if len(rows) < 2:
            return None
        plot = calibration(
            [(r["predicted"], r["observed"], r["low"], r["high"]) for r in rows],
            self._axis("share", "predicted"),
            self._axis("share", "observed"),
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
        return self._figure(
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

    def _commission(self, cents: int | None, *, banned: bool) -> str:
        return self.words.plain("products.banned_short") if banned else f.euro_exact(cents)


def _nearest(points: Sequence[tuple[float, float]], at: float) -> tuple[float, float]:
    return min(points, key=lambda point: (abs(point[0] - at), point[0]))
