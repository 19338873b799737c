"""The story of the value room: cost, survival, purchases, lifetime value, plan, lists, business
case, figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.garbage import give_back
from akb.value.actions import act
from akb.value.actuarial.review import review
from akb.value.actuarial.small import small_office
from akb.value.beside import side_by_side
from akb.value.case.case import business_case, case_basis, case_of, has_case
from akb.value.case.kinds import income_figures
from akb.value.case.page.block import rows_of_page
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
from akb.value.revenue.commission import replay
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
from akb.value.valuation import valuation, valuation_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.beside import Start
    from akb.value.lifetime.backtest import BacktestResult
    from akb.value.revenue.commission import Replay
    from akb.value.segments.segments import Segments
    from akb.value.types import (
        ActuarialReview,
        Bridge,
        BusinessCase,
        CareContact,
        ContactPolicy,
        LostCommission,
        Past,
        ProfitMeasure,
        SegmentFigures,
        Stresses,
    )
    from akb.value.valuation import Valuation

PLACES = (1, 2, 3)


def run_value(
    portfolio: Portfolio,
    models: ModelRun,
    settings: Settings,
    *,
    progress: Callable[[str], None] | None = None,
    past: Past | None = None,
    executor: Executor | None = None,
) -> ValueRun:
    """Return values, lists, the business case and the figures as of X.

    Parameters
    ----------
    progress
        Called with what is being done, in English.
    past
        What was known and said three years ago, to prove lifetime value on; None where history is
        too short.
    executor
        What works parts of the customers out elsewhere; None: threads here.

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

    in_force = InForce(portfolio, models, settings)
    _ = in_force.policies, in_force.spells  # made once, before two steps ask for them
    with side_by_side(settings, in_force.n, executor) as start:
        looking_back = start(partial(_look_back, in_force, past, start))
        valued = valuation_of(in_force, say=say, start=start)
        say("business case")
        given = has_case(valued)
        rows = start(partial(rows_of_page, valued)) if given else None
        acting = start(partial(act, valued))
        grouping = start(partial(_group, valued))
        looking_ahead = start(partial(_look_ahead, valued))
        basis = case_basis(valued) if given else None
        say("one action per customer, and who does it")
        acts = acting()
        grouped, segmented = grouping()
        stresses, lapses, lost = looking_ahead()
        ahead = projection(
            in_force,
            valued.branches,
            inflow_years(in_force),
            acts.lists["top_defend"],
            valued.plan,
        )
        case = case_of(basis, valued, rows=rows) if basis is not None else None
        scores = _scores(valued).with_columns(class_columns(grouped, in_force.n))
        scores = scores.join(acts.scores, on="customer", maintain_order="left")
        if valued.plan is not None:
            valued.plan.menu.let_go()
        say("what was expected before, against what came")
        past_years = looking_back()
    other = _on_other_cost(valued, say)
    give_back()
    return ValueRun(
        scores=scores,
        lists=acts.lists,
        left_out=acts.left_out,
        case=case,
        predictions=predictions(
            Work(in_force, valued.cost, past_years.replayed, grouped, past_years.lifetime), scores
        ),
        figures=replace(
            figures(valued, acts.lists),
            actions=acts.figures,
            bridge=past_years.bridge,
            projection=ahead,
            contact_policy=past_years.contacts,
            backtest=backtest(in_force, in_force.spells, contacts_a_year(in_force, valued.plan)),
            next_year=next_year(lost, ahead),
            empc=past_years.empc,
            segments=segmented,
            case_missing=None if case else case_missing(in_force),
            duty=duty_book(in_force, acts.gaps, acts.care),
            care=_shown(acts.care, settings.report.suppress_below),
            lost_commission=lost,
            waterfall=waterfall(in_force, valued.cost),
            small_office=small_office(in_force),
            stress=stresses,
            accounts=accounts_figures(in_force, valued.cost, case, other),
            clv_past=past_years.lifetime.figures,
            clv_past_missing=past_years.lifetime.missing,
            income=tuple(income_figures(valued, case)),
        ),
        findings=findings(valued, acts.lists["top_defend"], lapses),
        components=_components(valued),
        recognition=acts.recognition,
        classes=class_table(in_force, valued.value),
        offers=valued.offers.table.filter(pl.col("place") <= PLACES[-1]).select(
            "customer", "place", "branch", "probability", "commission_cents", "ban"
        ),
        actuarial=past_years.reviewed,
    )


@dataclass(frozen=True)
class PastYears:
    """What was expected of years that are over, beside what came: of no figure of today.

    Parameters
    ----------
    reviewed, replayed, lifetime
        Lapses by policy year, next year's commission, and lifetime value.
    empc, bridge, contacts
        See `akb.value.types.Figures`.
    """

    reviewed: ActuarialReview | None
    replayed: Replay | None
    lifetime: BacktestResult
    empc: dict[str, ProfitMeasure]
    bridge: Bridge | None
    contacts: ContactPolicy


def _look_back(in_force: InForce, past: Past | None, start: Start) -> PastYears:
    return PastYears(
        reviewed=review(in_force, start),
        replayed=replay(in_force) if in_force.has_ended else None,
        lifetime=proof(in_force, past),
        empc=empc_figures(in_force, in_force.spells),
        bridge=bridge(in_force),
        contacts=contact_policy(in_force),
    )


def _group(valued: Valuation) -> tuple[Segments | None, SegmentFigures]:
    """Return the segments, and what the report tells of them."""
    in_force, cost, value = valued.in_force, valued.cost, valued.value
    grouped = segments(in_force, cost, value, valued.offers, in_force.spells)
    return grouped, segment_figures(in_force, value, grouped, in_force.spells, cost)


def _look_ahead(
    valued: Valuation,
) -> tuple[Stresses | None, float | None, LostCommission | None]:
    """Return the book under stress, the policies expected to lapse, and the revenue that goes with
    what ends.
    """
    in_force, survival, branches = valued.in_force, valued.survival, valued.branches
    stresses = stress_figures(valued, inflow_years(in_force))
    if survival is None or branches is None:
        return stresses, None, lost_row(in_force, None)
    lapses = lapses_expected(in_force, branches, survival)
    return stresses, lapses, lost_row(in_force, lost_commission(in_force, survival, branches))


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
