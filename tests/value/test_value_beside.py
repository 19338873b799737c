"""Steps beside each other, and sums per customer: faster, and the same to the bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Event, current_thread

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from polars.testing import assert_frame_equal

from akb.config import Settings
from akb.core.dates import add_months
from akb.value import run_value
from akb.value.actuarial.review import review
from akb.value.beside import MOST, Start, side_by_side
from akb.value.in_force import InForce
from akb.value.lifetime.streams import SumsPerCustomer
from akb.value.valuation import valuation_of


def _jobs(jobs: int, settings: Settings = f.SETTINGS) -> Settings:
    return settings.model_copy(update={"models": settings.models.model_copy(update={"jobs": jobs})})


@pytest.mark.parametrize("most", [1, 3, 8, 9, 40])
def test_sums_per_customer_are_those_of_numpy_to_the_bit(most: int) -> None:
    rng = np.random.default_rng(most)
    n = 50
    rows = np.repeat(np.arange(n), rng.integers(0, most + 1, n))
    column = rng.normal(size=len(rows)) * 10.0 ** rng.integers(-3, 6, len(rows))
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    wanted = np.zeros(n)
    wanted[rows[first]] = np.add.reduceat(column, first)
    sums = SumsPerCustomer(rows, n)
    assert sums.of(sums.ordered(column)).tobytes() == wanted.tobytes()


def test_nobody_with_rows_has_sums_of_nothing() -> None:
    sums = SumsPerCustomer(np.zeros(0, dtype=np.int64), 3)
    assert sums.of(sums.ordered(np.zeros(0))).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("jobs", "customers"), [(1, 10), (2, 10), (2, MOST + 1)])
def test_a_step_is_done_once_wherever_it_is_done(jobs: int, customers: int) -> None:
    done: list[str] = []
    with side_by_side(_jobs(jobs), customers) as start:
        step = start(lambda: done.append(current_thread().name) or len(done))
        assert step() == step() == 1
    here = current_thread().name
    assert len(done) == 1
    assert (jobs > 1 and customers <= MOST) or done == [here]


def test_who_asks_for_a_step_that_nobody_began_does_it_himself() -> None:
    going = Event()
    with side_by_side(_jobs(2), 10) as start:
        long = start(partial(going.wait, 10))
        short = start(lambda: current_thread().name)
        assert short() == short() == current_thread().name
        going.set()
        assert long()


def test_what_a_step_raises_comes_to_who_asks() -> None:
    def fails() -> None:
        raise ValueError("said")

    with side_by_side(_jobs(2), 10) as start:
        step = start(fails)
        with pytest.raises(ValueError, match="said"):
            step()


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_parts_of_the_customers_elsewhere_count_and_value_the_same(parts: int) -> None:
    made = f.portfolio(200)
    leaving = (pl.col("customer") % 9 == 5) & pl.col("end_date").is_null()
    ends = pl.when(leaving).then(pl.lit(add_months(f.X, 4))).otherwise("end_date")
    made = replace(made, policies=made.policies.with_columns(end_date=ends))
    base = InForce(made, f.with_lapses(f.models(made)), f.SETTINGS)
    assert base.announced.any()
    whole = valuation_of(base, say=lambda _: None)
    with ThreadPoolExecutor(2) as workers:
        start = Start(None, workers, parts)
        divided = valuation_of(base, say=lambda _: None, start=start)
        reviewed = review(base, start)
    assert whole.value is not None
    for name, cents in vars(whole.value).items():
        assert np.array_equal(getattr(divided.value, name), cents), name
    for one, other in ((divided.five_years, whole.five_years), (divided.earned, whole.earned)):
        assert one is not None
        assert other is not None
        assert np.array_equal(one, other)
    own = review(base)
    assert reviewed is not None
    assert own is not None
    assert reviewed.figures == own.figures
    assert_frame_equal(reviewed.table, own.table, check_exact=True)


def test_one_job_and_two_value_an_office_the_same() -> None:
    made = f.portfolio(200)
    models = f.with_lapses(f.models(made))
    settings = f.settings(**f.CALLS_PAY)
    one, two = (run_value(made, models, _jobs(jobs, settings)) for jobs in (1, 2))
    assert one.case is not None
    assert one.case == two.case
    assert one.figures == two.figures
    assert one.predictions == two.predictions
    assert_frame_equal(one.scores, two.scores, check_exact=True)
    for name, listed in one.lists.items():
        assert_frame_equal(listed, two.lists[name], check_exact=True)
