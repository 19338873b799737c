from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from akb.core.dates import add_months
from akb.models.temporal.splits import closes_on, temporal_splits, yearly_windows

X = date(2025, 12, 31)


def grid(months: int, step: int = 1) -> list[date]:
    return [add_months(X, -back) for back in range(0, months + 1, step)]


def test_a_window_closes_after_horizon_gap_and_lag() -> None:
    assert closes_on(date(2024, 1, 31), 12, 31, 30) == date(2025, 4, 2)


def test_24_months_are_ranks_only_36_give_evidence_48_a_choice() -> None:
    short, middle, long = (temporal_splits(grid(months), X, 12, 31, 30) for months in (24, 36, 48))
    assert short.train and short.test is None and short.validation is None
    assert middle.test is not None and middle.validation is None
    assert long.test is not None and long.validation is not None
    assert long.test_dates == (long.test.day, long.validation.day)


@given(st.integers(0, 72), st.integers(1, 6), st.sampled_from([1, 3, 6, 12]), st.integers(0, 60), st.integers(0, 60))
def test_nothing_is_used_before_it_was_known(history: int, step: int, months: int, gap: int, lag: int) -> None:
    roles = temporal_splits(grid(history, step), X, months, gap, lag)
    assert all(closes_on(day, months, gap, lag) <= X for day in roles.train)
    for split in (roles.test, roles.validation):
        if split is not None:
            assert split.train
            assert all(closes_on(day, months, gap, lag) <= split.day for day in split.train)
    if roles.test is not None:
        assert closes_on(roles.test.day, months, gap, lag) <= X
        assert roles.test.day == roles.train[-1]
    if roles.validation is not None:
        assert roles.test is not None
        assert closes_on(roles.validation.day, months, gap, lag) <= roles.test.day


def test_years_do_not_overlap_and_are_newest_first() -> None:
    years = yearly_windows(grid(60, 3))
    assert len(years) == 3
    assert all(len(year) == 4 for year in years)
    assert years[0][0] > years[1][-1] > years[2][-1]
    assert yearly_windows([]) == ()
