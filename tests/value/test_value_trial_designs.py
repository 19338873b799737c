"""The smallest trial that answers what the advice asks."""

from __future__ import annotations

from dataclasses import replace

import case_fixtures as f
import pytest

from akb.live.experiment.sizes import Randomised, break_even_share, designs, smallest
from akb.value.case.basis import Trialled
from akb.value.case.sensitivity import Draws
from akb.value.case.trial import OFFICES, best_trial, smallest_trial, trials

TRIALLED = Trialled(1000, (0.09, 0.08), (0.3, 0.4), (900.0, 4e6), 15.0, 1500.0, 1400.0)


def test_the_smallest_design_is_the_one_that_takes_the_fewest() -> None:
    basis = f.basis_of(f.cohort(400_000.0))
    made = designs(basis, Randomised())
    assert {(each.question, each.outcome) for each in made} == {
        (question, outcome) for question in ("works", "pays") for outcome in ("relations", "policies", "euros")
    }
    best = smallest(made, "pays")
    assert best is not None
    assert best.per_arm == min(each.per_arm for each in made if each.question == "pays" and each.offices)
    assert 2 * best.per_arm <= basis.trialled.customers * best.offices  # type: ignore[union-attr, operator]
    # telling it from where contacts just pay is harder than telling it from nothing
    pairs = {(each.question, each.outcome): each.per_arm for each in made}
    assert 0 < break_even_share(basis) < 1
    assert pairs["pays", "policies"] > pairs["works", "policies"]
    doubled = designs(basis, Randomised("adviser", 51, 0.02))
    assert [each.per_arm for each in doubled] == pytest.approx([2 * each.per_arm for each in made], abs=1)


def test_the_trial_of_the_advice_is_the_smallest_that_is_worth_its_cost() -> None:
    draws = Draws(replace(f.basis_of(f.cohort(1.2e7, cost=1e7)), trialled=TRIALLED), 7)
    found, best = smallest_trial(draws, 7), best_trial(draws, 7)
    assert found is not None
    assert best is not None
    assert found.gain > 0
    assert found.offices == best.offices  # pooled over the fewest offices, as the advice does
    assert found.per_arm <= best.per_arm
    fewer = [each for office in OFFICES if office < found.offices for each in trials(draws, 7, office)]
    same = [each for each in trials(draws, 7, found.offices) if each.per_arm < found.per_arm]
    assert all(each.gain <= 0 for each in [*fewer, *same])
    clustered = smallest_trial(draws, 7, design_effect=4.0)
    assert clustered is None or (clustered.offices, clustered.per_arm) >= (found.offices, found.per_arm)
