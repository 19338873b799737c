"""The truth beside a simulated book: hazards come true, announcements are certain, definitions hold."""

import numpy as np
import polars as pl
import pytest

from akb.core.dates import add_months
from akb.sample import known_hazards, simulate
from akb.sample.calendar import to_day
from akb.sample.engine import Policies, draw
from akb.sample.futures import simulated
from akb.sample.parameters import CAUSES, NEVER_DAY, tables
from akb.sample.records import policy_numbers_now
from akb.sample.truth import GAP_DAYS, outcome


@pytest.fixture(scope="module")
def book():
    return simulate(4000, 21)


@pytest.fixture(scope="module")
def first_months(book):
    """Reasons decided in the first month of 40 futures: one array [customer, slot] each."""
    return [_after_one_month(book, book.in_force, k) for k in range(40)]


def test_policy_hazards_come_true(book, first_months):
    """Ends decided in the first month of many futures against what the hazards said, by cause."""
    policies, _ = known_hazards(book)
    assert policies["policy"].is_in(book.policies["policy"].implode()).all()
    assert policies["announced"].sum() == policies["voluntary"].is_null().sum()

    def seen(name):
        return sum(int((reasons == book.p.code(name)).sum()) for reasons in first_months)

    expected = {name: policies[name].sum() * len(first_months) for name in ("voluntary", "gone", "insurer")}
    own_choice = (1 - book.p.lapse.to_competitor) * expected["voluntary"]
    assert seen("opzegging_klant") == pytest.approx(own_choice, rel=0.06)
    assert seen("verzekeraar") == pytest.approx(expected["insurer"], abs=4 * expected["insurer"] ** 0.5)
    # buildings sold at a move come on top of objects that are gone
    assert expected["gone"] * 0.95 < seen("verkoop_object") < expected["gone"] * 1.6


def test_voluntary_hazards_rank_the_policies_that_are_cancelled(book, first_months):
    """Not only the sum: in every fifth of the hazard the share that was cancelled is the one that was known."""
    policies, _ = known_hazards(book)
    rows = book.in_force
    row, slot = np.nonzero(book.state.held[rows])
    number = policies.sort("relation", "policy")["policy"].to_list()
    by_number = dict(zip(number, policies["voluntary"].to_list(), strict=True))
    numbers = policy_numbers_now(book, book.state.record[rows][row, slot])
    hazard = np.array([by_number[one] if by_number[one] is not None else np.nan for one in numbers])
    own = book.p.code("opzegging_klant")
    hits = np.mean([reasons[row, slot] == own for reasons in first_months], axis=0)
    known = ~np.isnan(hazard)
    fifth = np.digitize(hazard[known], np.quantile(hazard[known], [0.2, 0.4, 0.6, 0.8]))
    for k in range(5):
        expected = hazard[known][fifth == k].mean() * (1 - book.p.lapse.to_competitor)
        assert hits[known][fifth == k].mean() == pytest.approx(expected, rel=0.30 if k < 2 else 0.15)


def test_relation_hazards_come_true(book, first_months):
    """Customers who lose policies by death, end of business, emigration, non-payment against the known hazards."""
    _, customers = known_hazards(book)
    life = book.p.life
    # the share of events that ends at least one policy, at least and at most
    cases = {
        "death": ("overlijden", 1 - life.partner, 1.0),
        "close": ("einde_bedrijf", 0.7, 1.0),  # self-employed with private policies only lose none
        "emigration": ("emigratie", 0.95, 1.0),
        "nonpayment": ("wanbetaling", life.nonpayment_end, 1.0),
    }
    for event, (reason, least, most) in cases.items():
        expected = customers[event].sum() * len(first_months)
        seen = sum(int((reasons == book.p.code(reason)).any(axis=1).sum()) for reasons in first_months)
        noise = 4 * expected**0.5
        assert least * expected - noise < seen < most * expected + noise, event


def _after_one_month(book, rows, k):
    """Return the reasons decided in one month of a future, per policy in force that was not ending already."""
    from akb.sample.engine import Log, Moment, advance

    people, state = book.people.take(rows), book.state.take(rows)
    open_before = state.held & (state.ends == NEVER_DAY)
    log = Log()
    row, slot = np.nonzero(state.held)
    state.record[row, slot] = log.start(row, slot, np.zeros(len(row), np.int32))
    rng = np.random.default_rng([99, k])
    u = draw(rng, len(rows), state.held.shape[1])
    advance(Moment(people, state, book.world, book.window(book.step + 1)), u, log, keep=False)
    ended = log.policies()
    reason = np.where(state.held & (state.ends != NEVER_DAY) & open_before, state.reason, 0)
    first = ended.reason[: len(row)]
    hit = (first > 0) & open_before[row, slot]
    reason[row[hit], slot[hit]] = first[hit]
    return reason


def test_purchase_hazards_come_true(book):
    _, customers = known_hazards(book)
    expected = customers["purchase"].sum()
    futures = book.futures(30, 3, months=1)
    bought = (futures.bought != 0).sum(axis=1).mean()
    # second cars and vans are purchases too, in a branch already held
    assert 0.75 * expected < bought < 1.02 * expected


def test_announced_lapses_are_certain_in_every_future(book):
    rows = book.in_force
    ends = book.state.ends[rows]
    announced = book.state.held[rows] & (ends != NEVER_DAY)
    assert announced.sum() > 20
    for k in range(3):
        log = simulated(book, rows, np.random.default_rng([5, k]), 6).policies()
        row, slot = np.nonzero(book.state.held[rows])
        first = log.end[: len(row)]
        known = announced[row, slot]
        assert (first[known] <= ends[row, slot][known]).all()  # a death may end a policy sooner
        assert (first[known] == ends[row, slot][known]).mean() > 0.97
    all_announced = announced.sum(axis=1) == book.state.held[rows].sum(axis=1)
    within = all_announced & (np.where(announced, ends, 0).max(axis=1) <= to_day(add_months(book.as_of, 3)))
    certain = book.futures(10, 1, months=3).churned(3).mean(axis=0)[within]
    assert within.sum() >= 5
    assert certain.mean() > 0.95  # all but those who buy something new within a month


def test_futures_agree_with_what_really_happens_afterwards():
    """Mean of the futures against realised continuations of several books: churn, lapse, purchases."""
    expected, seen = np.zeros(3), np.zeros(3)
    for seed in (31, 32, 33):
        book = simulate(1500, seed)
        p = book.futures(20, 1).probabilities().select("churn_12m", "policies_lost", "cross_sell_any").sum().row(0)
        expected += np.array(p) * 4
        for other in range(4):
            seen += _realised(book, book.later(14, seed=other))
    assert np.abs(seen / expected - 1).max() < 0.06, (seen, expected)


def _realised(book, later):
    policies = later.log.policies()
    until = to_day(add_months(book.as_of, 12))
    count = len(later.people)
    result = outcome(policies, book.p.branch_of_slot, count, to_day(book.as_of), until)
    rows = book.in_force
    return np.array(
        [(result.gone[rows] != NEVER_DAY).sum(), result.lapsed[rows].sum(), result.bought[rows].any(axis=1).sum()]
    )


def test_churn_is_what_a_slow_reference_says(book):
    """Day by day, with sets of days: the definition in words, for every customer who might have gone."""
    small = simulate(250, 41)
    t = to_day(small.as_of)
    days = to_day(add_months(small.as_of, 12)) - t
    found = 0
    for k in range(12):
        rows = small.in_force
        log = simulated(small, rows, np.random.default_rng([7, k]), 14).policies()
        fast = outcome(log, small.p.branch_of_slot, len(rows), t, t + days)
        for row in range(len(rows)):
            own = np.flatnonzero(log.customer == row)
            day, cause = _slow_churn([(log.start[i], log.end[i], log.reason[i]) for i in own], t, days)
            assert (fast.gone[row], fast.cause[row]) == (day, cause)
            found += day != NEVER_DAY
    assert found > 50


def test_the_aftermath_of_a_few_is_that_of_everybody():
    """Two months on, only for those of whom a policy ended lately: the same outcome as with everybody simulated."""
    small = simulate(3000, 42)
    rows, t = small.in_force, to_day(small.as_of)
    until = to_day(add_months(small.as_of, 12))
    saved = 0
    for k in range(8):
        none, few, every = (
            simulated(small, rows, np.random.default_rng([8, k]), months, aftermath=more).policies()
            for months, more in ((12, 0), (12, 2), (14, 0))
        )
        assert len(none.start) <= len(few.start) < len(every.start)
        cut, told, whole = (outcome(log, small.p.branch_of_slot, len(rows), t, until) for log in (none, few, every))
        for name in ("gone", "cause", "lapsed", "bought"):
            assert (getattr(told, name) == getattr(whole, name)).all(), name
        saved += int((cut.gone != whole.gone).sum() + (cut.lapsed != whole.lapsed).sum())
    assert saved >= 1  # without those two months some would count as gone


def test_draws_can_be_shared_among_processes(book):
    whole, late = book.futures(5, 9), book.futures(2, 9, first=3)
    assert (whole.gone[3:] == late.gone).all() and (whole.bought[3:] == late.bought).all()


def _slow_churn(policies, t, days):
    starts = {int(start) for start, _, _ in policies}
    for day in range(t + 1, t + days + 1):
        in_force = any(start <= day < end for start, end, _ in policies)
        if in_force or any(day <= start <= day + GAP_DAYS for start in starts):
            continue
        closing = [int(reason) for _, end, reason in policies if end == day]
        best = min(closing, key=lambda code: tables().reason_order[code])
        return day, tables().reason_class[best]
    return NEVER_DAY, -1


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(-400, None)], None),
        ([(-400, 10)], 10),
        ([(-400, 10), (41, None)], None),  # 31 days later: stays
        ([(-400, 10), (42, None)], 10),  # 32 days later: gone, later won back
        ([(-400, 10), (41, 60)], 60),
        ([(-400, 10), (-300, 25), (5, 15)], 25),
        ([(-400, 366)], None),  # after the year
        ([(-400, 360), (380, None)], None),  # saved by a start after the year
    ],
)
def test_churn_by_hand(intervals, expected):
    t = 20000
    policies = Policies(
        customer=np.zeros(len(intervals), np.int64),
        slot=np.arange(len(intervals)),
        start=np.array([t + start for start, _ in intervals], np.int32),
        end=np.array([NEVER_DAY if end is None else t + end for _, end in intervals], np.int32),
        reason=np.array([0 if end is None else 8 for _, end in intervals], np.int8),
    )
    result = outcome(policies, np.arange(len(intervals)), 1, t, t + 365)
    assert result.gone[0] == (NEVER_DAY if expected is None else t + expected)


def test_churn_of_random_policies_is_what_the_slow_reference_says():
    rng = np.random.default_rng(1)
    t, count = 20000, 400
    customer = np.repeat(np.arange(count), 4)
    start = (t + rng.integers(-60, 120, len(customer))).astype(np.int32)
    start[::4] = t - 100  # everybody is a customer at t
    end = (start + rng.integers(1, 90, len(customer))).astype(np.int32)
    end[::4] = t + rng.integers(1, 60, count)
    reason = rng.integers(1, 11, len(customer)).astype(np.int8)
    policies = Policies(customer, rng.integers(0, 3, len(customer)), start, end, reason)
    fast = outcome(policies, np.arange(3), count, t, t + 90)
    for one in range(count):
        own = np.flatnonzero(customer == one)
        slow = _slow_churn([(start[i], end[i], reason[i]) for i in own], t, 90)
        assert (fast.gone[one], fast.cause[one]) == slow


def test_a_replaced_policy_is_no_lapse():
    t = 20000
    cases = [((-400, 20), (30, None), 0), ((-400, 20), (60, None), 1), ((-400, 20), (-5, None), 0)]
    for first, second, lapses in cases:
        policies = Policies(
            customer=np.zeros(2, np.int64),
            slot=np.array([0, 1]),
            start=np.array([t + first[0], t + second[0]], np.int32),
            end=np.array([t + first[1], NEVER_DAY], np.int32),
            reason=np.array([8, 0], np.int8),
        )
        same_branch = outcome(policies, np.array([0, 0]), 1, t, t + 365)
        other_branch = outcome(policies, np.array([0, 1]), 1, t, t + 365)
        assert same_branch.lapsed.sum() == lapses
        assert other_branch.lapsed.sum() == 1


def test_probabilities_nest_and_add_up(book):
    futures = book.futures(12, 9)
    p = futures.probabilities()
    assert p.filter(pl.col("churn_1m") > pl.col("churn_3m")).is_empty()
    assert p.filter(pl.col("churn_6m") > pl.col("churn_12m")).is_empty()
    causes = p.select(pl.sum_horizontal([f"churn_{name}_12m" for name in CAUSES])).to_series()
    assert np.allclose(causes, p["churn_12m"])
    assert p.filter(pl.col("policy_lapse_any") > pl.col("policies_lost") + 1e-12).is_empty()
    assert p["relation"].to_list() == sorted(p["relation"].to_list())
    auto = p.filter(pl.col("lapse_auto").is_not_null() == pl.col("next_policy_auto").is_not_null())
    assert auto.is_empty()
    halves = (futures.part(slice(0, 6)).probabilities(), futures.part(slice(6, 12)).probabilities())
    assert np.allclose((halves[0]["churn_12m"] + halves[1]["churn_12m"]) / 2, p["churn_12m"])
    first = book.futures(1, 9)
    assert (first.gone[0] == futures.gone[0]).all()


def test_churn_can_be_learned_but_not_perfectly(book):
    """The oracle's expected AUC: each customer once an event with weight p, once a non-event with 1 - p."""
    futures = book.futures(100, 6)
    a = futures.part(slice(0, 50)).churned(12).mean(axis=0)
    b = futures.part(slice(50, 100)).churned(12).mean(axis=0)
    low = _auc(a, b)  # ranked by noisy chances: too low; by the chances that weigh: too high
    both = (a + b) / 2
    assert low < 0.82
    assert _auc(both, both) > 0.78
    assert 0.76 < (low + _auc(both, both)) / 2 < 0.84


def _auc(score, weight):
    _, rank = np.unique(score, return_inverse=True)
    events, others = np.bincount(rank, weight), np.bincount(rank, 1 - weight)
    below = np.cumsum(others) - others
    return (events * (below + others / 2)).sum() / (events.sum() * others.sum())
