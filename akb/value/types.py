"""Values, lists and the business case, as they leave the value room. Money is integer cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl

    from akb.core.findings import Finding
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun, Prediction

Mark = Literal["counted", "predicted", "assumed"]


@dataclass(frozen=True)
class Line:
    """One line of the ledger: exclusive, so that lines can be added. `key` is worded by the report."""

    key: str
    low: int
    base: int
    high: int
    mark: Mark


@dataclass(frozen=True)
class BusinessCase:
    """Yearly cash flows of contacted customers within adviser hours, beside the rule of thumb.

    All amounts in cents per year unless the key says otherwise.

    Parameters
    ----------
    benefits, costs
        Lines of the ledger, at run rate.
    year1
        The same totals in the first year under the half-year rule: keys ``benefits``, ``costs``, ``net``.
    net, roi
        (low, base, high) at run rate; ROI as a fraction of costs.
    three_years
        Totals of the first three years, keys ``benefits``, ``costs``, ``net``: the same effort every year, saved
        customers and sold policies paying on for as long as they stay; year by year under the half-year rule.
    rule_of_thumb
        What the sources' rule would promise: ``retention`` (3 % of turnover), ``cross_sell`` (€ 60.000 per 10,000
        customers), ``total``.
    facts
        Numbers that explain the difference: turnover, contacts possible, contacts used, expected leavers on
        the list, rates of policy lapse, customer churn and commission churn side by side, and so on.
    npv, payback_month
        Present value of the three years (low, base, high); the month in which everything paid has come back, None if
        not within them.
    multiple
        What it adds to the price of the portfolio; None until the client gives a multiple.
    band, tornado, break_even, claims
        See `akb.value.case.sensitivity`: one thing varied at a time, or all of them; and what vendors claim.
    basis
        What all of this was computed on; see `akb.value.case.basis`.
    """

    benefits: tuple[Line, ...]
    costs: tuple[Line, ...]
    year1: dict[str, tuple[int, int, int]]
    net: tuple[int, int, int]
    roi: tuple[float, float, float]
    rule_of_thumb: dict[str, int]
    facts: dict[str, float]
    three_years: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    npv: tuple[int, int, int] | None = None
    payback_month: int | None = None
    multiple: dict[str, Any] | None = None
    band: dict[str, Any] = field(default_factory=dict)
    tornado: tuple[dict[str, Any], ...] = ()
    break_even: tuple[dict[str, Any], ...] = ()
    claims: tuple[dict[str, Any], ...] = ()
    basis: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """What akb would have known and said three years ago: the portfolio and the models as of that day."""

    portfolio: Portfolio
    models: ModelRun


@dataclass(frozen=True)
class ValueRun:
    """Everything that the value room says as of X.

    scores
        customer u32 + one column per value key (Float32 euros, or text classes): ``commission_12m``, ``clv``, ...
    lists
        name (``top_defend``, ``next_best_policy``, ``next_best_action``, ``care_gaps``, ``bleeders``, ``feeders``,
        ``announced``, ``winback``) -> frame with customer u32, rank, control and the columns of that list;
        opt-outs and the deceased are already gone, and announced leavers too (but for their own list).
    left_out
        list name -> reason -> number of customers left out.
    predictions
        one per catalogue entry that this room is responsible for.
    figures
        Aggregates for the report: see the value room's docstrings.
    components
        The parts of every value in integer cents, a row per customer in force: ``commission_cents`` (all recurring
        revenue; the sum of ``revenue_commission_cents``, ``revenue_fee_cents``, ``revenue_signing_cents``,
        ``revenue_profit_share_cents``, ``revenue_margin_cents``), ``service_cost_cents`` (all a year, as of X;
        the sum of ``cost_<kind>_cents`` over `akb.value.revenue.cost.KINDS`),
        ``commission_12m_cents``, ``handling_cost_12m_cents``, ``current_cents`` = ``clv_commission_cents`` -
        ``clv_variable_cents`` - ``clv_fixed_cents``, ``potential_cents``, ``clv_cents``, ``clv_5y_cents``,
        ``stay_cents``, ``leave_cents``, ``stake_cents``, and ``preventable`` (the chance p behind stay and leave).
        Null where unavailable.
    recognition
        The blinded test: adviser, number (order on paper), customer u32, ``listed``; see
        `akb.value.targeting.recognition`. ``listed`` is the key and stays with who runs the test.
    classes
        customer u32, ``class_commission`` and ``class_value`` (A to D, see `akb.value.figures.class_of`; null where
        there is no commission, or no lifetime value); None where nobody made them.
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
