"""A small office: its own years and the sources' rates weigh as they should, and intervals hold what happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from akb.config import load_settings
from akb.value.actuarial.small import SMALL, drawn, small_office
from akb.value.in_force import InForce
from tests.value import value_fixtures as fx


def of(made, **assumptions: float):
    return small_office(InForce(made, None, fx.settings(**assumptions)))  # type: ignore[arg-type]


def test_a_ratio_is_drawn_to_one_as_gamma_and_poisson_say() -> None:
    """Prior of standard deviation .5: 4 lapses' worth. 10 seen where 6 were due: (4 + 10) / (4 + 6)."""
    found = drawn(10, 6, 0.5)
    assert found.ratio == pytest.approx(1.4)
    assert found.weight == pytest.approx(0.6)
    assert found.variance == pytest.approx(1 / 14)
    twice = drawn(20, 12, 0.5, 2.0)  # lapses in pairs say half as much
    assert (twice.ratio, twice.weight) == pytest.approx((1.4, 0.6))
    assert drawn(0, 0, 0.5) == drawn(0, 0, 0.5, 3.0)
    assert drawn(0, 0, 0.5).ratio == 1.0


def test_an_office_without_ended_policies_has_the_rates_of_the_sources() -> None:
    made = fx.portfolio(80, ended=False)
    found = of(made)
    assert found is not None
    taxonomy = load_settings().taxonomy()
    assert found.weight == 0
    assert found.ratio == 1
    assert found.first is None
    for row in found.rows:
        assert row.rate == pytest.approx(taxonomy[row.key].lapse)
        assert row.weight == 0
    total = sum(row.policies * row.rate for row in found.rows)
    assert found.expected == pytest.approx(total)
    assert found.low < total < found.high


def test_more_experience_weighs_more_and_moves_towards_what_was_seen() -> None:
    small, large = of(fx.portfolio(60)), of(fx.portfolio(480))
    assert small is not None and large is not None
    assert 0 < small.weight < large.weight < 1
    for found in (small, large):
        seen = sum(row.lapses for row in found.rows)
        assert seen > 0
    far = of(fx.portfolio(480), small__office_spread=0.45)
    assert far is not None
    assert abs(far.ratio - 1) > abs(large.ratio - 1)


def test_only_small_offices_have_it_and_too_few_customers_are_one_row() -> None:
    assert of(fx.portfolio(SMALL + 200)) is None
    assert of(fx.portfolio(4, ended=False)) is None
    made = fx.portfolio(60, ended=False)
    rare = pl.when(pl.col("policy") < 2).then(pl.lit("pleziervaartuig")).otherwise("branch")
    found = of(replace(made, policies=made.policies.with_columns(branch=rare)))
    assert found is not None
    assert "pleziervaartuig" not in {row.key for row in found.rows}
    assert "_other" in {row.key for row in found.rows}
    assert all(row.customers >= 5 for row in found.rows)


def test_without_commission_there_is_no_euro() -> None:
    found = of(fx.portfolio(60, commission="none"))
    assert found is not None
    assert found.commission is None
    rich = of(fx.portfolio(60))
    assert rich is not None
    assert rich.commission.low < rich.commission.expected < rich.commission.high


def test_the_interval_holds_what_happens_in_nine_of_ten_offices() -> None:
    """Offices whose levels lie around the sources as assumed, their customers one policy each: 80 to 98 % are held."""
    rng = np.random.default_rng(7)
    taxonomy, held, tries = load_settings().taxonomy(), 0, 60
    made = fx.portfolio(120, ended=False, branches=("avp", "inboedel", "opstal"))
    found = of(made)
    assert found is not None
    for _ in range(tries):
        level = rng.gamma(1 / 0.3**2, 0.3**2)
        happened = 0
        for row in found.rows:
            own = rng.gamma(1 / 0.25**2, 0.25**2)
            happened += rng.binomial(row.policies, min(0.9, taxonomy[row.key].lapse * level * own))
        held += found.low <= happened <= found.high
    assert 0.80 * tries <= held
