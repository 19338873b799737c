"""Offices of another kind: their truth is what their history shows, and the same seed is the same office."""

from __future__ import annotations

import numpy as np
import pytest

from akb.sample.kinds import FAR, KINDS, MEMBERS, simulate_kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_is_the_same_office(kind):
    first, second, other = (simulate_kind(kind, 200, seed) for seed in (1, 1, 2))
    assert first.policies.equals(second.policies)
    assert not first.policies.equals(other.policies)


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_chance_is_the_rate_of_what_happened(kind):
    book = simulate_kind(kind, 1200, 3)
    truth = book.truth(draws=60)
    history = book.state
    last = np.zeros(len(history.loyalty), np.int64) - FAR
    np.maximum.at(last, history.owner, history.end)
    years = np.array([(last > -12 * k).sum() for k in range(1, 6)])
    left = np.array([((last > -12 * k) & (last <= -12 * (k - 1))).sum() for k in range(1, 6)])
    assert truth["churn_12m"].mean() == pytest.approx((left / years).mean(), rel=0.25)
    assert (truth["churn_1m"] <= truth["churn_3m"]).all()
    assert (truth["churn_6m"] <= truth["churn_12m"]).all()


def test_members_go_when_their_contract_goes():
    book = simulate_kind("collective", 1000, 4)
    state = book.state
    running = np.unique(state.owner[state.end > 0])
    gone = np.setdiff1d(np.flatnonzero(state.contract), running)
    assert len(gone)
    for contract in gone:
        mine = state.owner == contract
        together = state.end[mine & state.left]
        assert len(set(together.tolist())) == 1
        assert len(together) > MEMBERS / 3
