"""The portfolio curve goes no further than the customers were followed."""

from __future__ import annotations

import numpy as np
import pytest
from hazard_world import simulate

from akb.config import load_settings
from akb.models.churn.fit import fit_churn
from akb.models.churn.survival import AT_RISK, Spells, followed_years


def followed(entry: np.ndarray, leave: np.ndarray) -> Spells:
    nobody = np.zeros(len(entry), dtype=bool)
    return Spells(entry, leave, np.full(len(entry), np.nan), nobody, nobody, np.full(len(entry), ""))


def test_eleven_months_of_a_new_book_say_nothing_of_five_years() -> None:
    rng = np.random.default_rng(1)
    leave = rng.uniform(0.1, 11 / 12, 500)
    assert followed_years(followed(np.zeros(500), leave), 30).tolist() == [0.0]


@pytest.mark.parametrize(("customers", "last"), [(AT_RISK, 5.0), (AT_RISK - 1, 2.0)])
def test_it_stops_at_the_last_tenure_that_enough_were_followed_to(customers: int, last: float) -> None:
    leave = np.r_[np.full(100, 2.4), np.full(customers, 5.2)]
    assert followed_years(followed(np.zeros(len(leave)), leave), 30)[-1] == last


def test_later_entrants_carry_it_on() -> None:
    """Customers of long ago are followed too: eleven months of an old book reach far."""
    entry = np.linspace(0.0, 20.0, 2000)
    assert followed_years(followed(entry, entry + 11 / 12), 30)[-1] == 20.0


def test_the_curve_of_a_run_ends_there() -> None:
    world = simulate(400, seed=3, history=30)
    settings = load_settings(models__hazard_rows=20_000, models__trees=40, models__jobs=1)
    curve = fit_churn(world.matrix, world.targets, settings, as_of=world.as_of).curve
    assert 2 < curve.height <= settings.models.lifetime_horizon_years + 1
    assert curve["years"].to_list() == [float(year) for year in range(curve.height)]
