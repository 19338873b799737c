"""Each stress equals a hand calculation on a book of five customers; docs/reconcile.md shows the same numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from akb.config import load_settings
from akb.models.types import ModelRun
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.outlook.stress import KEYS, Shock, policy_values, shocks
from akb.value.valuation import valuation
from tests.value import value_fixtures as fx

DOCS = (Path(__file__).parents[2] / "docs" / "reconcile.md").read_text("utf-8")
STAYS = 0.9
YEARS = 5
# customer -> (branch, insurer, commission in euros), adviser, chance to leave within 12 months
BOOK = {
    0: ([("auto", "M1", 100), ("avp", "M2", 20)], "A1", 0.30),
    1: ([("auto", "M1", 200)], "A1", 0.10),
    2: ([("inboedel", "M2", 60)], "A1", 0.10),
    3: ([("auto", "M2", 150), ("inboedel", "M2", 40)], "A2", 0.10),
    4: ([("avp", "M2", 30)], "A2", 0.10),
}
# What one euro a year is worth: paid at the begin of each of 60 months while the relation lasts, .9 (or .7) a year.
PER_EURO = sum(STAYS ** (month / 12) for month in range(12 * YEARS)) / 12
WORSE = sum(0.7 ** (month / 12) for month in range(12 * YEARS)) / 12


def book():
    rows = [
        {"customer": customer, "branch": branch, "insurer": insurer, "commission_cents": 100 * euros}
        for customer, (policies, _, _) in BOOK.items()
        for branch, insurer, euros in policies
    ]
    like = fx.portfolio(5)
    blank = like.policies.clear()
    policies = pl.DataFrame(rows).with_columns(
        pl.col("customer").cast(pl.UInt32), policy=pl.int_range(len(rows), dtype=pl.UInt32),
        start_date=pl.lit(date(2015, 1, 1)), end_date=pl.lit(None, dtype=pl.Date), replaces=pl.lit(value=False),
        commission_source=pl.lit("given"), collection=pl.lit("own"), premium_cents=pl.col("commission_cents") * 5,
    )  # fmt: skip
    policies = pl.concat(
        [blank, policies.select(pl.col(c).cast(blank.schema[c]) for c in policies.columns)], how="diagonal"
    )
    customers = like.customers.with_columns(
        adviser=pl.Series([BOOK[c][1] for c in range(5)]),
        no_marketing=pl.lit(value=False),
        deceased=pl.lit(value=False),
    )
    return replace(like, policies=policies, customers=customers)


def models(made) -> ModelRun:
    run = fx.models(made)
    months = [*range(1, 13), 24, 36, 48, 60]
    rows = [
        {"customer": customer, "month": month, "alive": (1 - chance) ** (month / 12)}
        for customer, (_, _, chance) in BOOK.items()
        for month in months
    ]
    gone = 1 - pl.col("alive")
    survival = pl.DataFrame(rows, schema_overrides={"customer": pl.UInt32, "month": pl.Int32}).with_columns(
        natural=gone * 0.3, insurer=gone * 0.0, preventable=gone * 0.7
    )
    chances = pl.Series([BOOK[c][2] for c in range(5)], dtype=pl.Float32)
    scores = run.scores.with_columns(churn_12m=chances, churn_preventable_12m=chances * 0.7)
    # a policy ends with its relation only
    lapse = (
        made.policies.select("customer", "branch")
        .unique()
        .sort("customer", "branch")
        .with_columns(
            probability=pl.col("customer")
            .cast(pl.Int64)
            .replace_strict({c: BOOK[c][2] for c in BOOK}, return_dtype=pl.Float64)
        )
    )
    keys = [f"lapse_{branch}_12m" for branch in sorted(lapse["branch"].unique())]
    more = tuple(replace(run.predictions[0], key=key, gate="pass") for key in (*keys, "policy_lapse_any_12m"))
    nothing = run.branch_purchase.with_columns(probability=pl.lit(0.0))
    return replace(
        run,
        survival=survival,
        scores=scores,
        branch_lapse=lapse,
        branch_purchase=nothing,
        predictions=(*run.predictions, *more),
    )


def settings():
    made = load_settings()
    costs = {name: 0.0 for name in made.assumed() if name.startswith("cost.") and not name.endswith("prior_years")}
    flat = {
        "value.horizon_years": float(YEARS), "value.discount": 0.0, "value.indexation": 0.0, "value.timing": 0.0,
        "outlook.inflow": 0.0,
    }  # fmt: skip
    return made.model_copy(
        update={"assumptions": {**costs, **flat}, "report": made.report.model_copy(update={"suppress_below": 1})}
    )


@pytest.fixture(scope="module")
def found():
    made = book()
    return run_value(made, models(made), settings()).figures.stress


def worth(customer: int) -> float:
    return WORSE if customer == 0 else PER_EURO


# stress -> (commission left, value left) in euros, by hand
def by_hand() -> dict[str, tuple[float, float]]:
    euros = {c: sum(e for _, _, e in BOOK[c][0]) for c in BOOK}
    value = {c: euros[c] * worth(c) for c in BOOK}
    whole, all_value = sum(euros.values()), sum(value.values())
    return {
        "before": (whole, all_value),
        # the tenth of five is one: customer 0, of whom 40 % goes
        "mass_lapse": (whole - 0.4 * 120, all_value - 0.4 * 120 * WORSE),
        # auto: 10 % dearer, 8 % gone; 100, 200 and 150 become 1.1 x .92 = 1.012 of themselves
        "price_shock": (whole + 0.012 * 450, all_value + 0.012 * (100 * WORSE + 350 * PER_EURO)),
        # adviser A1 has 100 + 20 + 200 + 60 = 380, A2 220; a quarter goes along
        "adviser_leaves": (whole - 0.25 * 380, all_value - 0.25 * (120 * WORSE + 260 * PER_EURO)),
        # insurer M1 has 300, M2 20 + 60 + 190 + 30 = 300: equal, the first by name; three in ten are lost
        "insurer_ends": (whole - 0.3 * 300, all_value - 0.3 * (100 * WORSE + 200 * PER_EURO)),
        # auto is the largest private branch; half of it goes
        "direct_writer": (whole - 0.5 * 450, all_value - 0.5 * (100 * WORSE + 350 * PER_EURO)),
    }


def test_each_stress_is_the_hand_calculation(found) -> None:
    told = {"before": found.before, **{row.key: row for row in found.rows}}
    assert [row.key for row in found.rows] == list(KEYS)
    for key, (commission, value) in by_hand().items():
        assert told[key].commission == pytest.approx(100 * commission, abs=1), key
        assert told[key].value == pytest.approx(100 * value, abs=5), key


def test_five_years_on_a_stress_is_the_hand_calculation(found) -> None:
    """Nobody comes in and nothing is bought, so each customer's part is left with his chance to stay."""
    told = {"before": found.before, **{row.key: row for row in found.rows}}
    for year in range(6):
        better, worse = STAYS**year, 0.7**year
        plain = 120 * worse + 480 * better
        ahead = {
            "before": plain,
            "mass_lapse": plain - 0.4 * 120 * worse,
            "price_shock": plain + 0.012 * (100 * worse + 350 * better),
            "adviser_leaves": plain - 0.25 * (120 * worse + 260 * better),
            "insurer_ends": plain - 0.3 * (100 * worse + 200 * better),
            "direct_writer": plain - 0.5 * (100 * worse + 350 * better),
        }
        for key, euros in ahead.items():
            assert told[key].ahead[year] == pytest.approx(100 * euros, abs=1), (key, year)


def test_the_document_has_these_numbers(found) -> None:
    shown = re.findall(r"^\| `(\w+)` \|.*?\| ([\d.,]+) \| ([\d.,]+) \|$", DOCS, re.MULTILINE)
    rows = {key: (first, second) for key, first, second in shown}
    for key, (commission, value) in by_hand().items():
        assert rows[key] == (f"{commission:,.2f}", f"{value:,.2f}"), key


def test_who_has_no_other_policy_leaves_as_a_whole() -> None:
    made = book()
    base = InForce(made, models(made), settings())
    made_by = {shock.key: shock for shock in shocks(base)}
    direct = made_by["direct_writer"]
    assert direct.subject == "auto"
    assert direct.relation.tolist() == [0.0, 0.5, 0.0, 0.0, 0.0]  # customer 1 has a car and nothing else
    assert sorted(direct.policy[direct.policy > 0].tolist()) == [0.5, 0.5]
    assert made_by["insurer_ends"].subject == "M1"
    assert made_by["adviser_leaves"].relation.tolist() == [0.25, 0.25, 0.25, 0.0, 0.0]


def test_the_worth_of_policies_is_that_of_the_customers() -> None:
    made = fx.earning(fx.portfolio(120))
    valued = valuation(made, fx.with_lapses(fx.models(made)), load_settings(), say=lambda _: None)
    found, base = policy_values(valued), valued.in_force
    assert valued.value is not None
    per_customer = np.bincount(base.rows, weights=found.revenue, minlength=base.n)
    assert per_customer == pytest.approx(valued.value.commission, abs=1)
    cost = np.bincount(base.rows, weights=found.variable, minlength=base.n)
    assert cost == pytest.approx(valued.value.variable, abs=1)


def test_without_a_stress_everything_is_as_the_run_says() -> None:
    made = fx.earning(fx.portfolio(300))
    run = fx.with_lapses(fx.models(made))
    result = run_value(made, run, load_settings())
    before = result.figures.stress.before
    assert result.case is not None
    assert before.net == pytest.approx(result.case.cohort.net.base, abs=5)
    assert before.value == result.components["clv_cents"].sum()
    assert before.commission == result.components["commission_cents"].sum()
    assert before.ahead == tuple(row.commission for row in result.figures.projection.rows)
    for row in result.figures.stress.rows:
        if row.key != "price_shock":
            assert row.value <= before.value
            assert row.net <= before.net


def test_a_harder_stress_leaves_less() -> None:
    made = book()
    harder = settings().model_copy(
        update={"assumptions": {**settings().assumptions, **dict.fromkeys(
            ("stress.mass_lapse", "stress.adviser_share", "stress.insurer_lost", "stress.direct_share"), 0.9)}}
    )  # fmt: skip
    run = models(made)
    usual, hard = (run_value(made, run, each).figures.stress for each in (settings(), harder))
    for first, second in zip(usual.rows, hard.rows, strict=True):
        if first.key != "price_shock":
            assert second.value < first.value
            assert second.ahead[5] < first.ahead[5]


def test_few_customers_have_no_row_and_no_money_no_stress() -> None:
    made = book()
    few = settings().model_copy(update={"report": load_settings().report})
    shown = run_value(made, models(made), few).figures.stress
    assert shown is None or {row.key for row in shown.rows} <= {"price_shock"}
    poor = fx.portfolio(60, commission="none")
    assert run_value(poor, fx.models(poor), load_settings()).figures.stress is None
    assert Shock("", None, np.zeros(1), np.zeros(1), np.ones(1), ()).assumed == ()
