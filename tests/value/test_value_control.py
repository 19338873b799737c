"""The control group: the next export draws the same, and nobody is drawn anew because somebody else left."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from scipy.stats import binomtest

from akb.core.draws import experiment_name
from akb.core.privacy.pseudonyms import pseudonyms
from akb.value.in_force import InForce
from akb.value.targeting.control import control_group

EXPERIMENT = experiment_name("contacts", date(2026, 1, 1))
N = 6000
BOOK = pl.DataFrame({"pseudonym": pseudonyms((str(n) for n in range(N)), b"k" * 32)})


def drawn_of(customers: pl.DataFrame, share: float = 0.1, experiment: str = EXPERIMENT) -> set[str]:
    return set(customers.filter(pl.Series(control_group(customers, share, experiment)))["pseudonym"])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5])
def test_the_share_holds(share: float) -> None:
    assert binomtest(len(drawn_of(BOOK, share)), N, share).pvalue > 0.001


def test_the_next_export_draws_the_same() -> None:
    assert drawn_of(BOOK.sample(fraction=1, shuffle=True, seed=1)) == drawn_of(BOOK)


def test_who_comes_or_leaves_changes_nobody_else() -> None:
    came = pl.DataFrame({"pseudonym": pseudonyms((f"new{n}" for n in range(500)), b"k" * 32)})
    later = pl.concat([came, BOOK[1:3000], BOOK[3100:]])
    there = set(later["pseudonym"]) & set(BOOK["pseudonym"])
    assert drawn_of(later) & there == drawn_of(BOOK) & there


def test_a_larger_share_keeps_who_was_drawn() -> None:
    assert drawn_of(BOOK, 0.1) < drawn_of(BOOK, 0.2)
    assert drawn_of(BOOK, 0.0) == set()
    assert len(drawn_of(BOOK, 1.0)) == N


def test_another_year_draws_other_customers() -> None:
    both = drawn_of(BOOK) & drawn_of(BOOK, experiment=experiment_name("contacts", date(2027, 1, 1)))
    assert binomtest(len(both), N, 0.01).pvalue > 0.001


def test_who_is_spared_is_never_withheld() -> None:
    spared = np.arange(N) % 3 == 0
    flags = control_group(BOOK, 0.3, EXPERIMENT, spared)
    assert not (flags & spared).any()
    assert (flags[~spared] == control_group(BOOK, 0.3, EXPERIMENT)[~spared]).all()


def test_the_customers_of_a_run_are_what_is_drawn() -> None:
    office = f.portfolio(400)
    base = InForce(office, f.models(office), f.SETTINGS)
    flags = control_group(base.customers, 0.5, EXPERIMENT, base.announced)
    assert flags.shape == (base.n,)
    assert 0 < flags.sum() < base.n
