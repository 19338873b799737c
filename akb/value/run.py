"""The story of the value room: cost, survival, purchases, lifetime value, plan, lists, business
case, figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.garbage import give_back
from akb.value.actions import act
from akb.value.actuarial.review import review
from akb.value.actuarial.small import small_office
from akb.value.case.case import business_case
from akb.value.case.kinds import income_figures
from akb.value.case.profit_figures import empc_figures
from akb.value.checks import findings
from akb.value.figures import figures
from akb.value.in_force import InForce, at
from akb.value.lifetime.backtest import proof
from akb.value.lifetime.clv import lapses_expected
from akb.value.lifetime.lost import lost_commission, lost_row
from akb.value.outlook.next_year import next_year
from akb.value.outlook.outlook import contacts_a_year, inflow_years
from akb.value.outlook.projection import projection
from akb.value.outlook.stress import stress_figures
from akb.value.predictions import Work, case_missing, predictions
from akb.value.revenue.account_figures import accounts_figures
from akb.value.revenue.bridge import bridge
from akb.value.revenue.commission import Replay, replay
from akb.value.revenue.cost import KINDS
from akb.value.revenue.waterfall import waterfall
from akb.value.segments.figures import class_table, segment_figures
from akb.value.segments.segments import class_columns, segments
from akb.value.targeting.attention import attention
from akb.value.targeting.contact_policy import contact_policy
from akb.value.targeting.duty import duty_book
from akb.value.targeting.lists.last_year import backtest
from akb.value.targeting.lists.retention import defence
from akb.value.types import ValueRun
from akb.value.valuation import Valuation, valuation

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.types import BusinessCase, CareContact, Past

PLACES = (1, 2, 3)


def run_value(
    portfolio: Portfolio,
    models: ModelRun,
    settings: Settings,
    *,
    progress: Callable[[str], None] | None = None,
    past: Past | None = None,
) -> ValueRun:
    """Return values, lists, the business case and the figures as of X.

    Parameters
    ----------
    progress
        Called with what is being done, in English.
    past
        What was known and said three years ago, to prove lifetime value on; None where history is
        too short.

    Returns
    -------
    ValueRun
        `scores` has a row per customer in force at X (ascending) and a column per catalogue entry
        of this room; the columns of what is unavailable are null. `lists`: see
        `retention.LIST_SCHEMA` and `cross_sell.next_best_list`.
        Nothing crashes on what the export lacks.
    """

    def say(step: str) -> None:
        give_back()
        if progress is not None:
            progress(step)

    valued = valuation(portfolio, models, settings, say=say)
    in_force, survival, branches = valued.in_force, valued.survival, valued.branches
    say("one action per customer, and who does it")
    acts = act(valued)
    say("business case")
    case = business_case(valued)
    give_back()
    grouped = segments(in_force, valued.cost, valued.value, valued.offers, in_force.spells)
    scores = _scores(valued).with_columns(class_columns(grouped, in_force.n))
    scores = scores.join(acts.scores, on="customer", maintain_order="left")
    if valued.plan is not None:
        valued.plan.menu.let_go()
    lapses = (
        lapses_expected(in_force, branches, survival)
        if survival is not None and branches is not None
        else None
    )
    backwards = proof(in_force, past, say)
    expected = (
        lost_commission(in_force, survival, branches) if survival and branches is not None else None
    )
    lost = lost_row(in_force, expected)
    years = inflow_years(in_force)
    ahead = projection(in_force, branches, years, acts.lists["top_defend"], valued.plan)
    other = _on_other_cost(valued, say)
    say("actual against expected lapse")
    reviewed = review(in_force)
    give_back()
    return ValueRun(
        scores=scores,
        lists=acts.lists,
        left_out=acts.left_out,
        case=case,
        predictions=predictions(
            Work(in_force, valued.cost, _proof(in_force), grouped, backwards), scores
        ),
        figures=replace(
            figures(valued, acts.lists),
            actions=acts.figures,
            bridge=bridge(in_force),
            projection=ahead,
            contact_policy=contact_policy(in_force),
            backtest=backtest(in_force, in_force.spells, contacts_a_year(in_force, valued.plan)),
            next_year=next_year(lost, ahead),
            empc=empc_figures(in_force, in_force.spells),
            segments=segment_figures(in_force, valued.value, grouped, in_force.spells, valued.cost),
            case_missing=None if case else case_missing(in_force),
            duty=duty_book(in_force, acts.gaps, acts.care),
            care=_shown(acts.care, settings.report.suppress_below),
            lost_commission=lost,
            waterfall=waterfall(in_force, valued.cost),
            small_office=small_office(in_force),
            stress=stress_figures(valued, years),
            accounts=accounts_figures(in_force, valued.cost, case, other),
            clv_past=backwards.figures,
            clv_past_missing=backwards.missing,
            income=tuple(income_figures(valued, case)),
        ),
        findings=findings(valued, acts.lists["top_defend"], lapses),
        components=_components(valued),
        recognition=acts.recognition,
        classes=class_table(in_force, valued.value),
        offers=valued.offers.table.filter(pl.col("place") <= PLACES[-1]).select(
            "customer", "place", "branch", "probability", "commission_cents", "ban"
        ),
        actuarial=reviewed,
    )


def _on_other_cost(valued: Valuation, say: Callable[[str], None]) -> BusinessCase | None:
    """Return the case on the cost that the run does not stand on: that of the accounts, or the
    model's; None where the accounts have no cost.
    """
    in_force = valued.in_force
    if not valued.cost.accounts:
        return None
    say("the same on the other cost")
    client = in_force.settings.client
    turned = client.model_copy(
        update={"cost": "model" if client.cost == "accounts" else "accounts"}
    )
    settings = in_force.settings.model_copy(update={"client": turned})
    return business_case(
        valuation(in_force.portfolio, in_force.models, settings, say=lambda _: None, earned=False)
    )


def _proof(in_force: InForce) -> Replay | None:
    return replay(in_force) if in_force.has_ended else None


def _shown(care: dict[str, CareContact], limit: int) -> dict[str, CareContact]:
    """Return the work without euros as far as enough customers stand behind it."""
    return {key: row for key, row in care.items() if row.customers >= limit}


def _scores(valued: Valuation) -> pl.DataFrame:
    """One row per customer in force; euros as Float32, classes as text, null where unavailable."""
    in_force, value, earned = valued.in_force, valued.value, valued.earned
    keeps = valued.plan is not None and value is not None
    euros: dict[str, Any] = {
        "commission_12m": earned[0] if earned and in_force.has_commission else None,
        "commission_5y": valued.five_years,
        "handling_cost_12m": earned[1] if earned else valued.service_cost,
        "clv_current": value and value.current,
        "clv_potential": value and value.potential,
        "clv": value and value.clv,
        "clv_5y": value and value.clv_5y,
        "value_at_stake": value and value.stake,
        "top_defend": defence(valued.plan).saving if keeps and valued.plan is not None else None,
        "cross_sell_commission_12m": (
            valued.offers.expected_commission(in_force.n) if in_force.has_commission else None
        ),
    }
    columns = [
        (pl.lit(None, dtype=pl.Float32) if cents is None else at(cents / 100, pl.Float32)).alias(
            key
        )
        for key, cents in euros.items()
    ]
    scores = in_force.customers.select("customer", "row").with_columns(columns)
    for place in PLACES:
        key = "next_best_policy" if place == 1 else f"next_best_policy_{place}"
        best = valued.offers.best(place).rename({"branch": key})
        scores = scores.join(best, on="row", how="left", maintain_order="left")
    return scores.join(attention(in_force), on="row", how="left", maintain_order="left").drop("row")


def _components(valued: Valuation) -> pl.DataFrame:
    """The parts of every value in integer cents; see `akb.value.types.ValueRun`."""
    in_force, value, earned = valued.in_force, valued.value, valued.earned
    parts: dict[str, Any] = {
        "commission": in_force.commission_customer,
        **{f"revenue_{part}": cents for part, cents in in_force.revenue_parts.items()},
        "service_cost": valued.service_cost,
        **{f"cost_{kind}": valued.cost.parts[kind] for kind in KINDS},
        "commission_12m": earned and earned[0],
        "commission_5y": valued.five_years,
        "handling_cost_12m": earned and earned[1],
        **{
            name: value and getattr(value, name)
            for name in ("current", "potential", "clv", "clv_5y", "stay", "leave", "stake")
        },
        "clv_commission": value and value.commission,
        "clv_variable": value and value.variable,
        "clv_fixed": value and value.fixed,
    }
    table = in_force.customers.select("customer").with_columns(
        [
            (
                pl.lit(None, dtype=pl.Int64) if cents is None else pl.Series(cents, dtype=pl.Int64)
            ).alias(f"{name}_cents")
            for name, cents in parts.items()
        ]
    )
    p = None if valued.survival is None else pl.Series(valued.survival.preventable)
    return table.with_columns(
        (pl.lit(None, dtype=pl.Float64) if p is None else p).alias("preventable")
    )
