"""Announced ends of single policies, non-payment, win-back and the definitions, in one small run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import BRANCHES, BranchWorld, X, branch_world

from akb.catalogue.entries import entries
from akb.config import Settings, load_settings
from akb.core.dates import add_months
from akb.core.wording.reasons import Reason
from akb.features.types import FormerRows
from akb.ingest.types import History
from akb.models import run_models
from akb.models.coherence.bounds import Held, Lapses, settle
from akb.models.coherence.scores import _leaving
from akb.models.context import FitContext
from akb.models.types import ModelRun

SETTINGS = load_settings(models__target_rows=12_000, models__hazard_rows=12_000, models__trees=40)
TOLD = (3, 8)  # positions of the customers in force at X of whom one policy's end is announced


def former_world(n: int = 3000, seed: int = 3) -> FormerRows:
    """Former customers who come back with a chance that one feature drives, at quarterly dates."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    monthly = np.exp(-3.6 + 0.9 * z)
    returns = rng.geometric(np.minimum(monthly, 0.9))  # months after leaving
    left = rng.integers(-20, 60, n)
    frames = []
    for m in range(0, 61, 3):
        there = np.flatnonzero((left <= m - 2) & (left > m - 36) & (left + returns > m))
        when = left[there] + returns[there]
        frames.append(
            pl.DataFrame(
                {
                    "as_of": [add_months(X, m - 60)] * len(there),
                    "customer": (10_000 + there).astype(np.uint32),
                    "z": z[there].astype(np.float32),
                    "months": (m - left[there]).astype(np.float32),
                    "event_date": [add_months(X, int(w) - 60).replace(day=1) if w <= 60 else None for w in when],
                },
                schema_overrides={"as_of": pl.Date, "event_date": pl.Date},
            )
        )
    return FormerRows(pl.concat(frames).sort("as_of", "customer"), ("z", "months"))


def labels(world: BranchWorld) -> pl.DataFrame:
    """Labels of two definitions at closed dates, from the world's own targets."""
    rows = world.targets.relation.join(world.targets.counts, on=["as_of", "customer"], maintain_order="left")
    ahead = pl.col("as_of").dt.offset_by("12mo")
    return rows.filter(pl.col("as_of") <= add_months(X, -15)).select(
        "as_of",
        "customer",
        all=(pl.col("end_date") <= ahead).fill_null(value=False).cast(pl.Float32),
        any_policy=(pl.col("first_lapse") <= ahead).fill_null(value=False).cast(pl.Float32),
    )


@pytest.fixture(scope="module")
def world() -> BranchWorld:
    return branch_world(1500, seed=12, noise=2)


def run(world: BranchWorld, months: int = 60) -> ModelRun:
    catalogue = [e for e in entries([(branch, branch) for branch in BRANCHES]) if e.room == "models"]
    history = History(add_months(X, -months), months, True, "given")
    return run_models(
        world.matrix, world.targets, catalogue, SETTINGS, as_of=X, history=history, progress=lambda words: None
    )


@pytest.fixture(scope="module")
def held(world: BranchWorld) -> pl.DataFrame:
    return world.targets.held.frame.filter(pl.col("as_of") == X).sort("customer", "branch")


@pytest.fixture(scope="module")
def result(world: BranchWorld, held: pl.DataFrame) -> ModelRun:
    one, two = (held.row(place, named=True) for place in TOLD)
    told = pl.DataFrame(
        [(one["customer"], one["branch"], add_months(X, 4), True), (one["customer"], one["branch"], X, False),
         (two["customer"], two["branch"], add_months(X, 13), False)],
        schema={"customer": pl.UInt32, "branch": pl.String, "end_date": pl.Date, "nonpayment": pl.Boolean},
        orient="row",
    )  # fmt: skip
    targets = replace(world.targets, announced_lapses=told, definitions=labels(world), former=former_world())
    return run(replace(world, targets=targets))


def test_an_announced_end_of_one_policy_is_certain_and_the_rest_of_the_customer_is_not(
    result: ModelRun, held: pl.DataFrame
) -> None:
    one, two = (held.row(place, named=True) for place in TOLD)
    own = result.branch_lapse.filter(pl.col("customer") == one["customer"])
    chance = dict(own.select("branch", "probability").iter_rows())
    assert chance.pop(one["branch"]) == 1 and all(p < 0.9 for p in chance.values())
    scores = result.scores.filter(pl.col("customer") == one["customer"]).row(0, named=True)
    assert scores["policy_lapse_any_12m"] == scores[f"lapse_{one['branch']}_12m"] == scores["nonpayment_lapse_12m"] == 1
    assert scores["policies_lost_12m"] >= 2  # two policies of that branch
    assert scores["churn_12m"] < 0.9
    later = result.scores.filter(pl.col("customer") == two["customer"]).row(0, named=True)
    assert later["policy_lapse_any_12m"] < 0.9  # announced, but after these twelve months


def test_under_a_narrower_definition_only_who_leaves_wholly_buys_and_drops_nothing(world: BranchWorld) -> None:
    now = world.matrix.frame.filter(pl.col("as_of") == X)["customer"].sort()
    one, two = now[5], now[6]
    schema = {"customer": pl.UInt32, "end_date": pl.Date, "cause": pl.String}
    soon = [(who, add_months(X, 4), "preventable") for who in (one, two)]
    told = pl.DataFrame(soon, schema=schema, orient="row")
    narrow = SETTINGS.model_copy(update={"churn": SETTINGS.churn.model_copy(update={"definition": "any_policy"})})
    customers = now.to_numpy()

    def leaving(settings: Settings, whole: pl.DataFrame | None) -> list[int]:
        targets = replace(world.targets, announced=told, leaving=whole)
        room = FitContext(world.matrix, targets, settings, X, History(None, 0, True, "given"), print)
        return customers[_leaving(room, customers)].tolist()

    assert leaving(narrow, told.filter(pl.col("customer") == two)) == [two]
    assert leaving(narrow, None) == [] and leaving(SETTINGS, told.clear()) == [one, two]


def test_scores_still_agree_and_non_payment_is_one_of_the_lapses(result: ModelRun) -> None:
    s = result.scores
    total = s.select(pl.sum_horizontal(pl.col("^lapse_.*$").cast(pl.Float64))).to_series()
    assert (s["nonpayment_lapse_12m"] <= s["policy_lapse_any_12m"]).all() and s["nonpayment_lapse_12m"].sum() > 5
    assert (s["churn_12m"] <= s["policy_lapse_any_12m"]).all()
    assert (s.select(pl.max_horizontal("^lapse_.*$")).to_series() <= s["policy_lapse_any_12m"]).all()
    assert (s["policy_lapse_any_12m"] <= total * (1 + 1e-6)).all() and (s["policies_lost_12m"] >= total - 1e-6).all()


def test_winback_ranks_former_customers_and_scores_nobody_else(result: ModelRun) -> None:
    p = {each.key: each for each in result.predictions}["winback_12m"]
    assert p.status == "fitted" and p.evidence is not None and (p.evidence.auc or 0) > 0.6
    former = former_world().frame.filter(pl.col("as_of") == X)
    assert result.winback is not None and "winback_12m" not in result.scores.columns
    assert result.winback["customer"].to_list() == former["customer"].to_list()
    assert p.population == result.winback.height and result.winback["winback_12m"].dtype == pl.Float32
    assert result.winback["winback_12m"].is_between(0, 1).all()


def test_winback_needs_five_years_of_ended_policies(world: BranchWorld) -> None:
    targets = replace(world.targets, former=former_world())
    found = run(replace(world, targets=targets), months=59)
    p = {each.key: each for each in found.predictions}["winback_12m"]
    assert p.status == "unavailable" and p.why == Reason("needs_history", {"months": 60, "known": 59})
    assert found.winback is not None and found.winback.is_empty()


def test_the_definitions_say_how_many_change_class(result: ModelRun, world: BranchWorld) -> None:
    assert result.definitions is not None
    rows = {row["definition"]: row for row in result.definitions.to_dicts()}
    told = labels(world)
    last = told.filter(pl.col("as_of") == told["as_of"].max())
    assert rows["all"]["chosen"] and rows["all"]["changed"] == rows["all"]["top_changed"] == 0
    assert rows["any_policy"]["left"] == last["any_policy"].sum() > rows["all"]["left"] == last["all"].sum()
    assert rows["any_policy"]["changed"] == rows["any_policy"]["left"] - rows["all"]["left"]
    assert 0 < rows["any_policy"]["top_changed"] < rows["any_policy"]["top"] == round(result.scores.height / 10)
    assert isinstance(rows["all"]["test_date"], date)


chance = st.floats(0.01, 0.6)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_announced_branches_stay_certain_and_everything_agrees(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    row = np.repeat(np.arange(n), data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)))
    sure = np.array(data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row))))
    certain = np.bincount(row, weights=sure, minlength=n) > 0
    draw = [np.array(data.draw(st.lists(chance, min_size=k, max_size=k))) for k in (n, n, n, len(row))]
    churn = (draw[0] * 0.3).astype(np.float32)
    whole, parts = np.where(certain, 1.0, draw[1]), np.where(sure, 1.0, draw[3])
    lost = np.where(certain, 1.0, draw[2])
    code = np.arange(len(row)) % 3
    found = settle(churn, Lapses(whole, lost, parts), Held(row, code), certain, sure)
    any32, lost32, parts32 = found.any_lapse, found.count, found.by_branch
    assert any32 is not None and lost32 is not None
    total = np.bincount(row, weights=parts32.astype(np.float64), minlength=n)
    assert (parts32[sure] == 1).all() and (any32[certain] == 1).all()
    assert (churn <= any32).all() and (parts32 <= any32[row]).all()
    assert (any32 <= total * (1 + 1e-9)).all() and (lost32 >= any32).all() and (lost32 >= total * (1 - 1e-9)).all()
