"""The level of an amount by age band, private or business, and office: known truth, and nothing about a few people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.core.people import People
from akb.value.in_force import InForce
from akb.value.revenue.commission import replay
from akb.value.revenue.euro_evidence import level_evidence

DAY = date(2024, 12, 31)
N = 2000


def _people(offices: list[str]) -> People:
    return People.of(
        pl.DataFrame(
            {
                "customer": pl.Series(range(N), dtype=pl.UInt32),
                "kind": [("private", "business")[n % 2] for n in range(N)],
                "birth_year": pl.Series([1950 + n % 50 for n in range(N)], dtype=pl.Int32),
                "office": offices,
            }
        ),
        5,
    )


def _amounts(factor: np.ndarray, happened: np.ndarray) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    expected = rng.gamma(4, 2500, N)
    return pl.DataFrame(
        {
            "customer": pl.Series(range(N), dtype=pl.UInt32),
            "expected": expected,
            "realised": expected * factor * rng.uniform(0.9, 1.1, N),
            "last": expected,
            "happened": happened,
        }
    )


def _found(offices: list[str], factor: np.ndarray, happened: np.ndarray):
    made = level_evidence(_amounts(factor, happened), DAY, int(happened.sum()), _people(offices))
    return made, {(each.kind, each.name): each for each in made.segments}


def test_each_group_has_its_own_level() -> None:
    north = np.arange(N) % 4 == 0
    happened = np.arange(N) % 3 == 0
    made, found = _found(np.where(north, "Noord", "Zuid").tolist(), np.where(north, 1.4, 1.0), happened)
    assert {kind for kind, _ in found} == {"age", "kind", "office"}
    own = found["office", "Noord"]
    assert own.observed_expected == pytest.approx(1.4, abs=0.02)
    assert own.ci[0] < own.observed_expected < own.ci[1]
    assert found["office", "Zuid"].observed_expected == pytest.approx(1.0, abs=0.02)
    # Shrunk to everyone's level: with n events against a hundred.
    events = int((happened & north).sum())
    assert own.own_weight == pytest.approx(events / (events + 100))
    assert found["office", "Zuid"].observed_expected < own.pooled < own.observed_expected
    assert sum(found["office", name].population for name in ("Noord", "Zuid")) == made.population
    assert sum(each.population for (kind, _), each in found.items() if kind == "age") == N // 2  # private customers


def test_a_group_with_too_few_events_is_hidden_and_so_is_what_would_give_it_away() -> None:
    place = np.arange(N)
    offices = np.select([place < 30, place < 300], ["Noord", "Oost"], "Zuid").tolist()
    happened = place % 3 == 0
    happened[4:30] = False  # two in Noord
    _, found = _found(offices, np.ones(N), happened)
    assert [found["office", name].population is None for name in ("Noord", "Oost", "Zuid")] == [True, True, False]
    assert found["office", "Noord"].observed_expected is None


def test_the_proof_of_commission_tells_it_by_group() -> None:
    made = f.portfolio(700)
    told = replay(InForce(made, f.models(made), f.settings()))
    kinds = {each.kind for each in told.evidence.segments}
    assert kinds == {"age", "kind", "office"}
    shown = [each for each in told.evidence.segments if each.population is not None and each.kind == "office"]
    assert len(shown) == 3
    low, high = min(each.observed_expected for each in shown), max(each.observed_expected for each in shown)
    assert low <= told.evidence.calibration.observed_expected <= high
    alone = replace(made, customers=made.customers.with_columns(office=pl.lit("O1"), kind=pl.lit("private")))
    other = replay(InForce(alone, f.models(alone), f.settings()))
    assert {each.kind for each in other.evidence.segments} == {"age"}  # one part says nothing
