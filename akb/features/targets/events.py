"""What customers asked of the office in the 12 months after T: contacts, claims, and the margin
that was left.

The margin is realised revenue minus the realised cost to serve, day by day: a policy earns and
costs for the days that it was in force, a relation until it ended, so that leavers stand with what
they really brought. What a policy brings is what the export shows today (frozen at the end, indexed
for survivors): it weighs outcomes and is never a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.revenue import with_revenue
from akb.core.service import KINDS, service_rates
from akb.features.cut import KEY
from akb.features.events import dated_events
from akb.features.grid import on_each, to_day

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.core.service import ServiceRates
    from akb.ingest.types import Portfolio

FEEDER = 0.80
"""A feeder's margin lies above this quantile of the yearly margins at T (of the panel, see
`Matrix.panel`, on dates that only teach).
"""

YEAR = 365
COUNTED: tuple[Literal["contacts", "claims"], ...] = ("contacts", "claims")
_LATE = 31  # days that the last event may lie before the end of a window that counts as recorded


def event_targets(
    portfolio: Portfolio, rows: pl.DataFrame, dates: pl.DataFrame, settings: Settings
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return targets on contacts, claims and margin for every row of the matrix, in its order, and
    the events.

    Parameters
    ----------
    rows
        t, customer, day, ahead_12, and of the relation that T falls in: end_date, censored_on (days
        since 1970).
    dates
        `grid.date_table`.

    Returns
    -------
    ``contacts_12m``, ``claims_12m`` Float32; ``bleeder``, ``feeder`` Date? (T + 12 months where it
    is so), each with ``{name}_possible`` bool; ``bleeder_now``, ``feeder_now`` bool?: whether the
    yearly margin as of T, by what was counted in the 12 months before (assumed where nothing is
    counted), lies below zero or above the quantile; ``margin_now`` Float64?, that margin in cents:
    the baseline of both, and no feature. Claims that may speak of health are left out, as
    everywhere in the models."""
    seen = dated_events(portfolio)
    events = {name: seen[name] for name in COUNTED if name in seen and seen[name].height}
    as_of = to_day(portfolio.as_of)
    table = rows
    for name in COUNTED:
        table = _with_counts(table, events.get(name), dates, name, as_of)
    table = _with_margins(table, portfolio, dates, settings, tuple(events))
    unseen = (pl.col("censored_on") <= pl.col("ahead_12")).fill_null(value=False)
    then = pl.col("ahead_12").cast(pl.Date)
    recorded = (
        pl.all_horizontal(pl.col(f"{name}_possible") for name in events)
        if events
        else pl.lit(value=False)
    )
    margin = recorded & pl.col("margin").is_not_null() & ~unseen
    before = (
        pl.all_horizontal(pl.col(f"{name}_before") for name in events)
        if events
        else pl.lit(value=False)
    )
    found = table.select(
        *(pl.col(f"{name}_12m").cast(pl.Float32) for name in COUNTED),
        *((pl.col(f"{name}_possible") & ~unseen).alias(f"{name}_12m_possible") for name in COUNTED),
        bleeder=pl.when(pl.col("margin") < 0).then(then),
        feeder=pl.when(pl.col("margin") > pl.col("top")).then(then),
        bleeder_possible=margin,
        feeder_possible=margin & before & pl.col("top").is_not_null(),
        bleeder_now=pl.col("margin_now") < 0,
        feeder_now=pl.col("margin_now") > pl.col("top"),
        margin_now=pl.col("margin_now").cast(pl.Float64) / YEAR,
    )
    return found, {str(name): frame for name, frame in events.items()}


def _with_counts(
    table: pl.DataFrame, events: pl.DataFrame | None, dates: pl.DataFrame, name: str, as_of: int
) -> pl.DataFrame:
    """Add events in the 12 months after T and before it, and whether these were recorded."""
    nothing = {f"{name}_12m": pl.lit(0), f"{name}_back": pl.lit(0)}
    no = {f"{name}_possible": pl.lit(value=False), f"{name}_before": pl.lit(value=False)}
    if events is None:
        return table.with_columns(**nothing, **no)
    first, last = int(events["date"].min()), int(events["date"].max())  # type: ignore[arg-type]
    events = events.select("customer", "date")
    near = (pl.col("date") > pl.col("back_12")) & (pl.col("date") <= pl.col("ahead_12"))
    counted = pl.concat(
        on_each(one, ("t", "day", "ahead_12", "back_12"), _of(table, one, events).lazy(), near)
        .group_by(KEY)
        .agg(
            (pl.col("date") > pl.col("day")).sum().alias(f"{name}_12m"),
            (pl.col("date") <= pl.col("day")).sum().alias(f"{name}_back"),
        )
        .collect()
        for one in _each(dates)
    )
    recorded = (pl.col("ahead_12") <= last + _LATE) | (pl.col("ahead_12") > as_of)
    return table.join(counted, on=KEY, how="left", maintain_order="left").with_columns(
        pl.col(f"{name}_12m").fill_null(0),
        pl.col(f"{name}_back").fill_null(0),
        ((pl.col("day") >= first - 1) & recorded).alias(f"{name}_possible"),
        (pl.col("day") - YEAR >= first - 1).alias(f"{name}_before"),
    )


def _with_margins(
    table: pl.DataFrame,
    portfolio: Portfolio,
    dates: pl.DataFrame,
    settings: Settings,
    given: tuple[str, ...],
) -> pl.DataFrame:
    """Add ``margin`` of (T, T + 12 months], ``margin_now`` a year as of T, and its quantile
    ``top``; cents.
    """
    assumed = settings.assumed()
    rates = service_rates(lambda name: float(assumed[name].value))
    relation = pl.col("kind").replace_strict(dict(rates.relation), default=rates.relation[KINDS[0]])
    kinds = portfolio.customers.select("customer", pl.col("kind").fill_null(KINDS[0]))
    kinds = kinds.select("customer", standing=relation.cast(pl.Int64))
    found = table.join(
        _policy_days(table, portfolio, dates, settings, rates),
        on=KEY,
        how="left",
        maintain_order="left",
    )
    found = found.join(kinds, on="customer", how="left", maintain_order="left")
    until = pl.min_horizontal(pl.col("end_date").fill_null(pl.col("ahead_12")), "ahead_12")
    stayed = (until - pl.col("day")).clip(0)
    assumed_contacts = round(rates.contact * rates.contacts_a_year)
    assumed_claims = round(rates.claim * rates.claims_a_policy)
    contacts = {
        "contacts_12m": assumed_contacts * stayed,
        "contacts_back": pl.lit(assumed_contacts * YEAR),
    }
    claims = {
        "claims_12m": assumed_claims * pl.col("days"),
        "claims_back": assumed_claims * YEAR * pl.col("held"),
    }

    def served(span: str) -> pl.Expr:
        """Cent-days of the events in a span: counted where the export has them, else assumed."""
        called = YEAR * rates.contact * pl.col(f"contacts_{span}")
        hit = YEAR * rates.claim * pl.col(f"claims_{span}")
        return (called if "contacts" in given else contacts[f"contacts_{span}"]) + (
            hit if "claims" in given else claims[f"claims_{span}"]
        )

    return found.with_columns(
        margin=pl.col("earned") - served("12m") - pl.col("standing") * stayed,
        margin_now=YEAR * pl.col("yearly") - served("back") - YEAR * pl.col("standing"),
    ).with_columns(top=pl.col("margin_now").quantile(FEEDER).over("t"))


def _policy_days(
    rows: pl.DataFrame,
    portfolio: Portfolio,
    dates: pl.DataFrame,
    settings: Settings,
    rates: ServiceRates,
) -> pl.DataFrame:
    """Return per (t, customer) of `rows` of whom any revenue is known what the policies leave after
    their own cost.

    ``earned``: cent-days in (T, T + 12 months]; ``days``: policy-days; ``yearly``: cents a year of
    what is in force at T; ``held``: how many policies that are."""
    months = pl.col("payment_months").cast(pl.Int64)
    instalments = pl.when(months > 0).then(12 // months).otherwise(1)
    own = pl.when(pl.col("collection") == "own").then(instalments).otherwise(0).fill_null(0)
    policies = with_revenue(portfolio.policies, settings.revenue_terms()).select(
        "customer",
        start=pl.col("start_date").to_physical(),
        end=pl.col("end_date").to_physical(),
        known=pl.col("revenue_cents").is_not_null(),
        net=pl.col("revenue_cents").fill_null(0) - rates.policy - rates.instalment * own,
    )
    day, then = pl.col("day"), pl.col("ahead_12")
    days = (
        pl.min_horizontal(pl.col("end").fill_null(then), then) - pl.max_horizontal("start", day)
    ).clip(0)
    ends_later = pl.col("end").is_null() | (pl.col("end") > day)
    at_t = (pl.col("start") <= day) & ends_later
    there = (pl.col("start") <= then) & ends_later
    return pl.concat(
        on_each(one, ("t", "day", "ahead_12"), _of(rows, one, policies).lazy(), there)
        .with_columns(days=days.cast(pl.Int64), at_t=at_t)
        .group_by(KEY)
        .agg(
            known=pl.col("known").any(),
            earned=(pl.col("net") * pl.col("days")).sum(),
            days=pl.col("days").sum(),
            yearly=pl.when("at_t").then("net").sum(),
            held=pl.col("at_t").sum(),
        )
        .filter("known")
        .drop("known")
        .collect()
        for one in _each(dates)
    )


def _of(rows: pl.DataFrame, one: pl.DataFrame, things: pl.DataFrame) -> pl.DataFrame:
    """Return the things of those who have a row on a date: of a large portfolio few have."""
    return things.join(rows.join(one, on="t", how="semi"), on="customer", how="semi")


def _each(dates: pl.DataFrame) -> list[pl.DataFrame]:
    """The dates one by one: each stands alone, and everything on all of them is many."""
    return list(dates.iter_slices(1)) or [dates]
