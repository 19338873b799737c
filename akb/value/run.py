"""The story of the value room: cost, survival, offers, lifetime value, lists, business case, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.value.case.profit_figures import empc_figures, profit_figures
from akb.value.checks import findings
from akb.value.figures import figures
from akb.value.in_force import InForce, at
from akb.value.lifetime.backtest import proof
from akb.value.lifetime.clv import Lifetime, lapses_expected
from akb.value.lifetime.lost import lost_commission, lost_row
from akb.value.lifetime.survival import Relations
from akb.value.outlook.outlook import outlook_figures
from akb.value.predictions import Work, case_missing, predictions
from akb.value.revenue.commission import Replay, replay
from akb.value.revenue.cost import KINDS, ServiceCost
from akb.value.revenue.waterfall import waterfall
from akb.value.segments.figures import class_table, segment_figures
from akb.value.segments.segments import class_columns, segments
from akb.value.targeting.actions import act
from akb.value.targeting.attention import attention
from akb.value.targeting.cross_sell import Offers, next_best_list
from akb.value.targeting.retention import Defence, defend_list, empty_list
from akb.value.types import ValueRun
from akb.value.valuation import Valuation, case_of, valuation

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.in_force import Cents
    from akb.value.types import Past

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
        What was known and said three years ago, to prove lifetime value on; None where history is too short.

    Returns
    -------
    ValueRun
        `scores` has a row per customer in force at X (ascending) and a column per catalogue entry of this room; the
        columns of what is unavailable are null. `lists`, `case` and `figures`: see `defend.LIST_SCHEMA`,
        `offers.next_best_list`, `case` and `figures.figures`. Nothing crashes on what the export lacks.
    """
    say = progress or (lambda _: None)
    work = valuation(portfolio, models, settings, say=say)
    base, history, rates, cost = work.base, work.history, work.rates, work.cost
    paths, rows, made, value, found = work.paths, work.rows, work.made, work.value, work.found
    say("lists and business case")
    lists, left_out = _lists(work)
    say("one action per customer, and who does it")
    acts = act(work, lists["top_defend"], lists["next_best_policy"])
    case = case_of(work, acts.outside)
    grouped = segments(base, cost, value, made, history)
    scores = _scores(base, value, work.earned, cost, found, made).with_columns(class_columns(grouped, base.n))
    scores = scores.join(acts.scores, on="customer", maintain_order="left")
    lapses = lapses_expected(base, rows, paths) if paths is not None and rows is not None else None
    backwards = proof(base, past, say)
    return ValueRun(
        scores=scores,
        lists={**lists, **acts.lists},
        left_out={**left_out, **acts.left_out},
        case=case,
        predictions=predictions(Work(base, cost, _proof(base), grouped, backwards), scores),
        figures={
            **figures(base, history, rates, paths, value, found, made, lists, lapses, cost),
            **acts.figures,
            **outlook_figures(base, history, rows, lists["top_defend"], work.desk),
            "profit": profit_figures(base, paths, value, found, work.desk),
            "empc": empc_figures(base, history),
            "segments": segment_figures(base, value, grouped, history, cost),
            "case_missing": None if case else case_missing(base),
            "lost_commission": lost_row(
                base, lost_commission(base, paths, rows) if paths and rows is not None else None
            ),
            "waterfall": waterfall(base, cost),
            "clv_past": backwards.figures,
        },
        findings=findings(base, paths, value, cost, work.decision.desk, lists["top_defend"], lapses),
        components=_components(base, paths, value, work.earned, cost),
        recognition=acts.recognition,
        classes=class_table(base, value),
    )


def _proof(base: InForce) -> Replay | None:
    return replay(base) if base.has_ended else None


def _lists(work: Valuation) -> tuple[dict[str, pl.DataFrame], dict[str, dict[str, int]]]:
    """Return both lists that follow from who is called, and who was left out of them."""
    base, decision = work.base, work.decision
    defend = empty_list()
    defend_out: dict[str, int] = {}
    if work.paths is not None:
        calls = decision.calls if work.euros else None
        defend, defend_out = defend_list(base, work.paths, work.value, work.found, decision.desk, calls)
    offer, offer_out = next_best_list(base, decision.ranked, decision.desk, decision.left_out)
    return (
        {"top_defend": defend, "next_best_policy": offer},
        {"top_defend": defend_out, "next_best_policy": offer_out},
    )


def _scores(
    base: InForce,
    value: Lifetime | None,
    earned: tuple[Cents, Cents] | None,
    cost: ServiceCost,
    found: Defence | None,
    made: Offers,
) -> pl.DataFrame:
    """One row per customer in force; euros as Float32, classes as text, null where unavailable."""
    euros: dict[str, Any] = {
        "commission_12m": earned[0] if earned and base.has_commission else None,
        "handling_cost_12m": earned[1] if earned else cost.per_customer(base),
        "clv_current": value and value.current,
        "clv_potential": value and value.potential,
        "clv": value and value.clv,
        "clv_5y": value and value.clv_5y,
        "value_at_stake": value and value.stake,
        "top_defend": found and found.saving,
        "cross_sell_commission_12m": made.expected_commission(base.n) if base.has_commission else None,
    }
    columns = [
        (pl.lit(None, dtype=pl.Float32) if cents is None else at(cents / 100, pl.Float32)).alias(key)
        for key, cents in euros.items()
    ]
    scores = base.customers.select("customer", "row").with_columns(columns)
    for place in PLACES:
        key = "next_best_policy" if place == 1 else f"next_best_policy_{place}"
        scores = scores.join(made.best(place).rename({"branch": key}), on="row", how="left", maintain_order="left")
    return scores.join(attention(base), on="row", how="left", maintain_order="left").drop("row")


def _components(
    base: InForce,
    paths: Relations | None,
    value: Lifetime | None,
    earned: tuple[Cents, Cents] | None,
    cost: ServiceCost,
) -> pl.DataFrame:
    """The parts of every value in integer cents; see `akb.value.types.ValueRun`."""
    parts: dict[str, Any] = {
        "commission": base.commission_customer,
        **{f"revenue_{part}": cents for part, cents in base.revenue_parts.items()},
        "service_cost": cost.per_customer(base),
        **{f"cost_{kind}": cost.parts[kind] for kind in KINDS},
        "commission_12m": earned and earned[0],
        "handling_cost_12m": earned and earned[1],
        **{
            name: value and getattr(value, name)
            for name in ("current", "potential", "clv", "clv_5y", "stay", "leave", "stake")
        },
        "clv_commission": value and value.commission,
        "clv_variable": value and value.variable,
        "clv_fixed": value and value.fixed,
    }
    made = base.customers.select("customer").with_columns(
        [
            (pl.lit(None, dtype=pl.Int64) if cents is None else pl.Series(cents, dtype=pl.Int64)).alias(f"{name}_cents")
            for name, cents in parts.items()
        ]
    )
    p = None if paths is None else pl.Series(paths.preventable)
    return made.with_columns((pl.lit(None, dtype=pl.Float64) if p is None else p).alias("preventable"))
