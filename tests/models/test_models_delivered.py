"""Evidence is that of what is delivered: after agreeing, and of the base rate where that is what everyone gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import BRANCHES, GAP, LAG, X, branch_world

from akb.catalogue.entries import entries
from akb.config import load_settings
from akb.models.churn.fit import ChurnResult
from akb.models.coherence.scores import branches_of, coherent_evidence
from akb.models.context import HoldoutScores, MethodResult
from akb.models.method import MethodRun, Role
from akb.models.methods import METHODS
from akb.models.temporal.problem import branch_problem, customer_problem
from akb.models.temporal.selection import gains
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import fit_target
from akb.models.types import DateResult, Evidence, Prediction

SETTINGS = load_settings(models__target_rows=8_000, models__trees=40).models
T0 = date(2024, 10, 31)


def test_what_is_judged_has_agreed() -> None:
    rng = np.random.default_rng(4)
    n = 400
    customer = np.arange(n, dtype=np.uint32)
    row = np.sort(np.concatenate([np.arange(n), rng.integers(0, n, 300)]))
    group = rng.integers(0, 3, len(row)).astype(np.int16)
    churn, whole = rng.uniform(0, 0.3, n), rng.uniform(0, 0.3, n)
    lost, lapse = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, len(row))
    unpaid = rng.uniform(0, 0.3, n)
    seen: dict[str, np.ndarray] = {}

    def part(name: str, who: np.ndarray, code: np.ndarray, expected: np.ndarray, day: date = T0) -> MethodResult:
        def judged(agreed: np.ndarray) -> tuple[Prediction, ...]:
            seen[name] = agreed
            return (Prediction(name, "fitted"),)

        return MethodResult((), tested=HoldoutScores(day, who, code, expected, judged))

    none = np.zeros(n, dtype=np.int16)
    catalogue = {entry.key: entry for entry in entries([(branch, branch) for branch in BRANCHES])}
    lapses = tuple(entry for entry in catalogue.values() if entry.method == "family_lapse")

    def runs(**days: date) -> list[MethodRun]:
        given = {
            "policy_lapse_any_12m": ("any", customer, none, whole),
            "policies_lost_12m": ("lost", customer, none, lost),
            "nonpayment_lapse_12m": ("unpaid", customer[::2], none[::2], unpaid[::2]),
        }
        made = []
        for key, (name, *arrays) in given.items():
            entry = catalogue[key]
            result = part(name, *arrays, day=days.get(name, T0))
            made.append(MethodRun(METHODS[entry.method].role_of(entry), (entry,), result))
        branch = part("lapse", customer[row], group, lapse)
        return [*made, MethodRun(METHODS["family_lapse"].role, lapses, branch)]

    frame = pl.DataFrame({"customer": customer})
    result = ChurnResult(frame, frame, frame, {}, tested=(T0, churn))
    found = coherent_evidence(runs(), result)
    assert [each.key for each in found.predictions] == ["any", "lost", "unpaid", "lapse"]
    assert (seen["any"] >= churn.astype(np.float32)).all()
    assert (seen["lapse"] <= seen["any"][row]).all()
    assert (seen["lost"] >= seen["any"]).all()
    assert (seen["unpaid"] == np.minimum(unpaid.astype(np.float32), seen["any"])[::2]).all()
    assert (unpaid.astype(np.float32) > seen["any"])[::2].any()
    assert seen["any"].sum() == pytest.approx(whole.sum(), rel=0.25)
    told = branches_of(runs(), Role.BRANCH_LAPSE, T0, found.lapses)
    assert told is not None and told.height == len(row)
    assert np.allclose(np.sort(told["probability"].to_numpy()), np.sort(seen["lapse"]))
    assert branches_of(runs(), Role.BRANCH_LAPSE, date(2024, 8, 31), found.lapses) is None
    seen.clear()  # another test date is another question
    other = coherent_evidence(runs(lost=date(2024, 8, 31)), result)
    assert [each.key for each in other.predictions] == ["any", "unpaid", "lapse"]


def test_who_gets_the_base_rate_is_judged_by_it() -> None:
    world = branch_world(700, seed=5, noise=2, strength=0.0)
    label = world.targets.counts["lapses_12m"].fill_null(0.0).to_numpy()
    shuffled = np.random.default_rng(1).permutation(label)
    problem = customer_problem(world.matrix, "lost", "poisson", shuffled.astype(np.float32))
    outcome = fit_target(problem, temporal_splits(world.matrix.dates, X, 12, GAP, LAG), SETTINGS)
    assert outcome.winner == "rate"
    proof = outcome.evidence[0]
    assert proof is not None and proof.auc == pytest.approx(0.5)
    assert proof.deviance_skill == pytest.approx(0.0, abs=0.02)


def test_a_gain_is_that_of_the_branch_itself() -> None:
    rng = np.random.default_rng(2)
    rate, better = rng.uniform(0.4, 0.6, 2000), rng.uniform(0.1, 0.3, 2000)
    same = np.arange(2000) >= 1000
    loss = {"rate": rate, "rule": rate + 0.1, "boosting": np.where(same, rate, better)}
    assert gains(loss, "boosting", np.arange(2000))
    assert not gains({name: each[same] for name, each in loss.items()}, "boosting", np.arange(1000))
    assert not gains(loss, "rate", np.arange(2000))
    world = branch_world(700, seed=5, noise=2)
    problem = branch_problem(world.matrix, world.targets.held, "lapse", BRANCHES)
    outcome = fit_target(problem, temporal_splits(world.matrix.dates, X, 12, GAP, LAG), SETTINGS)
    assert len(outcome.gains) == len(BRANCHES)


@pytest.mark.parametrize(("noise", "sure"), [(0.045, True), (0.055, False)])
def test_a_gain_that_chance_alone_could_give_is_none(noise: float, sure: bool) -> None:
    swing = np.where(np.arange(100) % 2, noise, -noise)  # .01 a row, with a standard error of a tenth of the noise
    assert gains({"rate": 0.4 + 0.01 + swing, "boosting": np.full(100, 0.4)}, "boosting", np.arange(100)) == sure


def test_a_date_on_which_nobody_could_be_ranked_is_no_test_date() -> None:
    one = DateResult(T0, 100, 0.0, None)
    assert Evidence(by_date=(one, replace(one, auc=0.6))).test_dates == 1
