"""Values, lists and the business case, as they leave the value room. Money is integer cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from akb.core.findings import Finding
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun, Prediction


@dataclass(frozen=True)
class BusinessCase:
    """One year's contacts and everything that follows from them; whole cents, plain dicts and lists
    for JSON.

    Parameters
    ----------
    cohort
        ``benefit``, ``contacts``, ``price``, ``net`` {low, base, high} and ``lines`` {key
        (relation, policy, purchase, exploration), low, base, high, mark, given}: one year's
        contacts over the life of what they keep and sell, less those contacts, less that year's
        price of predictions. Exploration stands beside: it buys knowledge.
    cash
        Rows {year (1..5), benefit, contacts, price, net}: money in and out when contacts go on
        every year.
    running_year
        The same for a year far ahead on a constant book; `payback_month` and `deepest` follow the
        first five years.
    options
        Rows {key (once, self, service), years, net}: see `akb.value.case.options`.
    without_predictions
        ``net`` (benefit less contacts of the plan that averages make), ``difference`` (what
        predictions add to it) and their ``price``.
    plan
        ``contacts`` rows {key, pool, customers, minutes, benefit, cost}, ``hour_price`` {pool:
        cents}, ``gap``, ``hours`` {pool: {used, available}}, and counts of what is kept and sold.
    advice
        See `akb.value.case.advice.advice`.
    sensitivity
        ``band``, ``tornado``, ``break_even``: see `akb.value.case.sensitivity`.
    claims, why_different, rule_of_thumb
        See `akb.value.case.claims`.
    multiple
        What the contacts add to the price of the portfolio; None until the client gives a multiple.
    facts
        Numbers that explain the case.
    curve
        What has come back at the end of years 1 to 5, less everything paid.
    basis
        What the page works on: see `akb.value.case.page`.
    """

    cohort: dict[str, Any]
    cash: list[dict[str, int]]
    running_year: dict[str, int]
    payback_month: int | None
    deepest: int
    options: list[dict[str, Any]]
    without_predictions: dict[str, int]
    plan: dict[str, Any]
    advice: dict[str, Any]
    sensitivity: dict[str, Any]
    claims: list[dict[str, Any]]
    why_different: list[dict[str, Any]]
    rule_of_thumb: dict[str, int]
    multiple: dict[str, Any] | None
    facts: dict[str, float]
    curve: list[int]
    basis: dict[str, Any]


@dataclass(frozen=True)
class Past:
    """What akb would have known and said three years ago: the portfolio and the models as of that
    day.
    """

    portfolio: Portfolio
    models: ModelRun


@dataclass(frozen=True)
class ActuarialReview:
    """What an actuary can test.

    Parameters
    ----------
    since, until
        The days on which ends were recorded and are closed: (since, until].
    table
        branch, policy_year (a band, ``all`` or ``rest``), year, whole (of a calendar year),
        policy_years, lapses, rate, expected, ae, ae_low, ae_high, commission (euro-years at risk),
        commission_lapsed, commission_expected, commission_ae, limited, buhlmann. Euros at the level
        of X; expected is null while there is no whole year before.
    basis
        branch, policy_year, policy_years, lapses, rate, margin, rate_high, rate_low, source.
    figures
        For the report: see `akb.value.actuarial.review`.
    """

    since: date
    until: date
    table: pl.DataFrame
    basis: pl.DataFrame
    figures: dict[str, Any]


@dataclass(frozen=True)
class ValueRun:
    """Everything that the value room says as of X.

    scores
        customer u32 + one column per value key (Float32 euros, or text classes):
        ``commission_12m``, ``clv``, ...
    lists
        name (``top_defend``, ``next_best_policy``, ``next_best_action``, ``care_gaps``,
        ``bleeders``, ``feeders``, ``announced``, ``winback``) -> frame with customer u32, rank,
        control and the columns of that list; opt-outs and the deceased are already gone, and
        announced leavers too (but for their own list).
    left_out
        list name -> reason -> number of customers left out.
    predictions
        one per catalogue entry that this room is responsible for.
    figures
        Aggregates for the report: see the value room's docstrings.
    components
        The parts of every value in integer cents, a row per customer in force: ``commission_cents``
        (all recurring revenue; the sum of ``revenue_commission_cents``, ``revenue_fee_cents``,
        ``revenue_signing_cents``, ``revenue_profit_share_cents``, ``revenue_margin_cents``),
        ``service_cost_cents`` (all a year, as of X; the sum of ``cost_<kind>_cents`` over
        `akb.value.revenue.cost.KINDS`), ``commission_12m_cents``, ``commission_5y_cents``,
        ``handling_cost_12m_cents``, ``current_cents`` = ``clv_commission_cents`` -
        ``clv_variable_cents`` - ``clv_fixed_cents``, ``potential_cents``, ``clv_cents``,
        ``clv_5y_cents``, ``stay_cents``, ``leave_cents``, ``stake_cents``, and ``preventable`` (the
        chance p behind stay and leave). Null where unavailable.
    recognition
        The blinded test: adviser, number (order on paper), customer u32, ``listed``; see
        `akb.value.targeting.lists.recognition`. ``listed`` is the key and stays with who runs the
        test.
    classes
        customer u32, ``class_commission`` and ``class_value`` (A to D, see
        `akb.value.classes.class_of`; null where there is no commission, or no lifetime value); None
        where nobody made them.
    offers
        The best branches of every customer to whom any is open: customer u32, place (1 to 3),
        branch, probability Float64, ``commission_cents`` i64? of one such policy (null where no
        euro may be named), ban.
    actuarial
        Actual against expected lapse, and a lapse basis; None where not one whole year of ends was
        recorded.
    """

    scores: pl.DataFrame
    lists: dict[str, pl.DataFrame]
    left_out: dict[str, dict[str, int]]
    case: BusinessCase | None
    predictions: tuple[Prediction, ...]
    figures: dict[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    components: pl.DataFrame | None = None
    recognition: pl.DataFrame | None = None
    classes: pl.DataFrame | None = None
    offers: pl.DataFrame | None = None
    actuarial: ActuarialReview | None = None
