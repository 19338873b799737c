"""Lots: of the customer and the experiment, and of nothing else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest

from akb.core.draws import drawn, experiment_name
from akb.core.privacy.pseudonyms import pseudonyms

KEY, OTHER = b"k" * 32, b"o" * 32
N = 20_000
UNITS = pseudonyms((f"R{n:06d}" for n in range(N)), KEY)
NAME = experiment_name("contacts", date(2026, 3, 1))


def test_a_lot_lies_between_zero_and_one_and_every_part_is_as_likely() -> None:
    lots = drawn(NAME, UNITS)
    assert lots.min() >= 0
    assert lots.max() < 1
    assert len(np.unique(lots)) == N
    assert kstest(lots, "uniform").pvalue > 0.001


@given(st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_whoever_else_is_there_a_lot_stays_the_same(order: list[int], gone: set[int]) -> None:
    lots = dict(zip(UNITS[:40], drawn(NAME, UNITS[:40]), strict=True))
    left = [UNITS[n] for n in order if n not in gone]
    assert dict(zip(left, drawn(NAME, left), strict=True)) == {unit: lots[unit] for unit in left}


def test_an_experiment_lasts_a_year_and_the_next_one_draws_anew() -> None:
    assert experiment_name("contacts", date(2026, 1, 1)) == experiment_name("contacts", date(2026, 12, 31))
    assert experiment_name("contacts", date(2027, 1, 1)) != NAME


@pytest.mark.parametrize("other", ["contacts 2027", "exploration 2026", "contacts 202", ""])
def test_two_experiments_are_independent(other: str) -> None:
    first, second = drawn(NAME, UNITS), drawn(other, UNITS)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / N**0.5
    both = int(((first < 0.1) & (second < 0.1)).sum())
    assert binomtest(both, N, 0.01).pvalue > 0.001


def test_another_key_draws_other_customers() -> None:
    theirs = drawn(NAME, pseudonyms((f"R{n:06d}" for n in range(N)), OTHER))
    assert abs(np.corrcoef(drawn(NAME, UNITS), theirs)[0, 1]) < 4 / N**0.5


def test_where_one_word_ends_and_the_next_begins_matters() -> None:
    assert drawn("a", ["bc"])[0] != drawn("ab", ["c"])[0]


def test_lots_are_the_same_on_every_machine() -> None:
    assert drawn("contacts 2026", ["K-0000000000000001"])[0] == pytest.approx(0.9460938947905649, abs=1e-15)
    assert len(drawn("contacts 2026", [])) == 0
