"""Values, lists and the business case, as they leave the value room. Money is integer cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from akb.value.types.figures import Figures

if TYPE_CHECKING:
    import polars as pl

    from akb.core.findings import Finding
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun, Prediction
    from akb.value.types.actuarial import ActuarialReview
    from akb.value.types.case import BusinessCase


@dataclass(frozen=True)
class Past:
    """What akb would have known and said three years ago: the portfolio and the models as of that
    day.
    """

    portfolio: Portfolio
    models: ModelRun


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
        Aggregates for the report.
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
    figures: Figures = field(default_factory=Figures)
    findings: tuple[Finding, ...] = ()
    components: pl.DataFrame | None = None
    recognition: pl.DataFrame | None = None
    classes: pl.DataFrame | None = None
    offers: pl.DataFrame | None = None
    actuarial: ActuarialReview | None = None
