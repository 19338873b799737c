"""Contacts in the simulator, where their effect is known: what they undo, bring and wake, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from akb.core.dates import add_months
from akb.sample import ContactEffect, PlannedContacts, simulate
from akb.sample.calendar import to_day
from akb.sample.contact import LINES, WINDOW, Contacts, effects_of, log_odds_shift, shifted
from akb.sample.engine import Decisions
from akb.sample.futures import contact_chance, future_rng, plan_effects, simulated
from akb.sample.parameters import CAUSES, NEVER_DAY, tables
from akb.sample.truth import relation_ends

PREVENTABLE = CAUSES.index("preventable")
ALL = ContactEffect(0.3, 0.25, 3.0)


@pytest.fixture(scope="module")
def book():
    return simulate(3000, 17)


@pytest.fixture(scope="module")
def count(book) -> int:
    return len(book.in_force)


@pytest.fixture(scope="module")
def bare(book):
    return book.futures(30, 3)


class Ends:
    """Watches, after the contacts, which preventable ends are decided: rows (customer, month, relation emptied)."""

    def __init__(self, start: int) -> None:
        self.start, self.rows = start, []

    def ends(self, month, decisions, buys):
        state = month.state
        row, slot = np.divmod(decisions.new, state.held.shape[1])
        mine = tables().reason_class[state.reason[row, slot]] == PREVENTABLE
        row = row[mine]
        goes_on = (state.held[row] & (state.ends[row] == NEVER_DAY)).any(axis=1) | np.isin(row, buys[0])
        now = month.w.step - self.start
        self.rows += [(int(r), now, not bool(on)) for r, on in zip(row, goes_on, strict=True)]

    def purchases(self, month, buys):
        return buys


def _run(book, plan, k, months=18, seed=5):
    """Return (contacts, preventable ends that stand, policies) of one future in which everybody is simulated."""
    contacts = Contacts(plan_effects(book, plan, book.purchase_chances), contact_chance(book, seed, k), book.step)
    ends = Ends(book.step)
    log = simulated(book, book.in_force, future_rng(seed, k), months, [contacts, ends])
    return contacts, ends.rows, log.policies()


def _table(policies):
    """The policies as sorted rows, to compare futures whatever the order of their logs."""
    rows = np.stack([policies.customer, policies.slot, policies.start, policies.end, policies.reason], axis=1)
    return rows[np.lexsort(rows.T[::-1])]


def test_without_effect_both_futures_are_the_same(book, count):
    plan = PlannedContacts.everybody(ContactEffect(), count)
    for pair in book.paired([plan], 3, 5, 24):
        assert len(pair.changed[0].customers) == 0
        assert (_table(pair.under(0)) == _table(pair.without)).all()
        assert (pair.gain(0) == 0).all()


def test_a_pair_is_what_simulating_everybody_gives(book, count):
    """Only those for whom something changes are simulated again: the whole office under the plan says the same."""
    rng = np.random.default_rng(2)
    plan = PlannedContacts(
        rng.integers(-1, 2, count), (ALL, ContactEffect(-0.3, -0.2)), month=rng.integers(0, 4, count)
    )
    other = PlannedContacts.everybody(ContactEffect(policy=0.5), count)
    for k, pair in enumerate(book.paired([plan, other], 3, 5, 30)):
        bare = simulated(book, book.in_force, future_rng(5, k), 30).policies()
        assert (_table(pair.without) == _table(bare)).all()
        for number, each in enumerate((plan, other)):
            contacts, _, whole = _run(book, each, k, months=30)
            assert (_table(pair.under(number)) == _table(whole)).all()
            changed = pair.changed[number]
            assert (changed.undone == contacts.undone.sum(axis=0)).all()
            assert (changed.woken == contacts.woken.sum(axis=0)).all()
            assert changed.sold == contacts.sold.sum()
        gains = pair.gain(0)
        assert (gains[plan.kind < 0] == 0).all()
        assert gains.sum() == pytest.approx((pair.under(0).commission(count) - pair.without.commission(count)).sum())


def test_gains_are_the_same_without_those_whom_nothing_changes(book, count):
    plans = [PlannedContacts.everybody(ALL, count), PlannedContacts(np.arange(count) % 5 - 1, (ALL,) * 4)]
    both = zip(book.paired(plans, 2, 8, 40), book.paired(plans, 2, 8, 40, everybody=False), strict=True)
    for whole, part in both:
        shown = np.union1d(*(changed.customers for changed in whole.changed))
        assert (_table(part.without) == _table(whole.without.of(shown))).all()
        for number in range(len(plans)):
            assert (part.gain(number) == whole.gain(number)).all()
    assert not len(next(book.paired([], 1, 8, 3, everybody=False)).without.customer)


def test_the_futures_of_a_book_under_a_plan_are_those_of_its_pairs(book, count):
    plan = PlannedContacts.everybody(ALL, count)
    futures = book.futures(2, 5, months=12, contact=plan)
    bare = book.futures(2, 5, months=12)
    assert (futures.gone != bare.gone).any()
    for k, pair in enumerate(book.paired([plan], 2, 5, 14)):
        gone, _ = relation_ends(pair.under(0), count, to_day(book.as_of))
        within = gone <= to_day(add_months(book.as_of, 12))
        assert (within == futures.churned(12)[k]).all()


def test_a_sure_effect_leaves_no_preventable_end_of_its_kind_among_the_contacted(book, count):
    contacted = np.arange(count) % 2 == 0
    for k in range(4):
        plan = PlannedContacts(np.where(contacted, 0, -1), (ContactEffect(relation=1.0),))
        contacts, ends, _ = _run(book, plan, k)
        mine = [end for end in ends if contacted[end[0]]]
        assert not [end for end in mine if end[1] <= WINDOW and end[2]]
        assert [end for end in mine if end[1] <= WINDOW and not end[2]]  # single policies go
        assert [end for end in mine if end[1] > WINDOW and end[2]]  # a year later relations end again
        assert [end for end in ends if not contacted[end[0]] and end[1] <= WINDOW and end[2]]
        assert contacts.undone[:, 0].sum() == contacts.seen[:, 0].sum() > 0
        both = replace(plan, effects=(ContactEffect(relation=1.0, policy=1.0),))
        _, ends, policies = _run(book, both, k)
        assert not [end for end in ends if contacted[end[0]] and end[1] <= WINDOW]
        emptied, cause = relation_ends(policies, count, to_day(book.as_of))
        soon = contacted & (emptied <= to_day(add_months(book.as_of, WINDOW))) & (cause == PREVENTABLE)
        announced = (book.state.held & (book.state.ends != NEVER_DAY))[book.in_force].any(axis=1)
        assert not (soon & ~announced).any()


def test_announced_ends_are_not_undone(book, count):
    state = book.state.take(book.in_force)
    announced = state.held & (state.ends != NEVER_DAY)
    row, slot = np.nonzero(announced)
    assert len(row) > 20
    _, _, policies = _run(book, PlannedContacts.everybody(ContactEffect(1.0, 1.0), count), 0)
    held = np.flatnonzero(policies.start <= to_day(book.as_of))
    end = {(int(policies.customer[i]), int(policies.slot[i])): int(policies.end[i]) for i in held}
    assert all(end[int(r), int(s)] <= state.ends[r, s] for r, s in zip(row, slot, strict=True))


def test_as_many_ends_are_undone_as_the_chance_says(book, count):
    plan = PlannedContacts.everybody(ContactEffect(relation=0.3, policy=0.2), count)
    seen, undone = np.zeros(2), np.zeros(2)
    for k in range(12):
        contacts, _, _ = _run(book, plan, k, months=12)
        seen += contacts.seen.sum(axis=0)
        undone += contacts.undone.sum(axis=0)
    expected = seen * [0.3, 0.2]
    assert seen.min() > 800
    assert (np.abs(undone - expected) < 3.5 * np.sqrt(expected)).all(), (seen, undone)


def test_no_end_decided_later_than_a_year_is_undone(book, count):
    begin = np.arange(count) % 7
    plan = replace(PlannedContacts.everybody(ContactEffect(1.0, 1.0, 3.0), count), month=begin)
    for k in range(2):
        without, under = [], []
        for each, found in ((replace(plan, kind=np.full(count, -1)), without), (plan, under)):
            found.extend(_run(book, each, k, months=24)[1])
        untouched = [end for end in without if end[1] <= begin[end[0]]]
        assert [end for end in under if end[1] <= begin[end[0]]] == untouched
        assert not [end for end in under if begin[end[0]] < end[1] <= begin[end[0]] + WINDOW]
        late = [end for end in under if end[1] > begin[end[0]] + WINDOW]
        assert len(late) > 0.5 * len([end for end in without if end[1] > begin[end[0]] + WINDOW])


def test_an_undone_end_does_not_come_back_at_once(book, count):
    """A policy that was kept lasts like any other of such a customer: most are there years later."""
    plan = PlannedContacts.everybody(ContactEffect(policy=1.0), count)
    as_of, kept, there = to_day(book.as_of), 0, 0
    for pair in book.paired([plan], 4, 9, 48):
        changed = pair.changed[0]
        before = pair.without.of(changed.customers)
        key = [each.customer * 100 + each.slot for each in (before, changed.policies)]
        ended = key[0][(before.start <= as_of) & (before.end <= as_of + 300)]
        still = (changed.policies.start <= as_of) & (changed.policies.end > as_of + 365)
        both = np.intersect1d(ended, key[1][still])
        kept += len(both)
        later = (changed.policies.start <= as_of) & (changed.policies.end > as_of + 3 * 365)
        there += len(np.intersect1d(both, key[1][later]))
    assert kept > 200
    assert 0.55 < there / kept < 0.95


def test_purchases_shift_by_the_points(book, count, bare):
    points = 3.0
    plan = PlannedContacts.everybody(ContactEffect(purchase_points=points), count)
    possible = (book.purchase_chances > 0).any(axis=1)
    futures = len(bare)
    under = book.futures(futures, 3, contact=plan)
    counts = [np.bitwise_count(each.bought).sum() / futures / possible.sum() for each in (under, bare)]
    shift = 100 * (counts[0] - counts[1])
    error = 100 * (2 * points / 100 / futures / possible.sum()) ** 0.5
    assert shift == pytest.approx(points, abs=3.5 * error)
    assert error < 0.1


def test_a_purchase_brought_forward_is_no_purchase_gained(book, count):
    """In the year of the contact the points are sold; some who were not contacted buy the same later."""
    plan = PlannedContacts.everybody(ContactEffect(purchase_points=6), count)
    sold = gained = 0
    until = to_day(add_months(book.as_of, 48))
    for pair in book.paired([plan], 6, 4, 48):
        changed = pair.changed[0]
        sold += changed.sold
        before = pair.without.of(changed.customers)
        pairs = [np.unique(each.customer * 100 + each.branch) for each in (before, changed.policies)]
        gained += len(pairs[1]) - len(pairs[0])
        assert (changed.policies.start <= until).all()
    assert 0.5 < gained / sold < 0.95


def test_only_branches_discussed_are_sold(book, count):
    discussed = np.zeros((count, len(book.p.branches)))
    chances = book.purchase_chances
    best = np.argsort(-chances, axis=1)[:, :2]
    discussed[np.arange(count), best[:, 0]] = 1.0
    discussed[np.arange(count), best[:, 1]] = 0.7
    plan = replace(PlannedContacts.everybody(ContactEffect(purchase_points=2), count), discussed=discussed)
    extra = np.zeros(discussed.shape)
    for pair in book.paired([plan], 10, 6, 12):
        changed = pair.changed[0]
        for each, sign in ((changed.policies, 1), (pair.without.of(changed.customers), -1)):
            new = each.start > to_day(book.as_of)
            np.add.at(extra, (each.customer[new], each.branch[new]), sign)
    sold = extra.sum()
    assert (extra * (discussed > 0)).sum() > 0.9 * sold  # a package that grew buys on by itself
    assert sold == pytest.approx(10 * 0.02 * (chances > 0).any(axis=1).sum(), rel=0.15)


def test_the_shift_meets_the_points_on_the_log_odds(book):
    chances = book.purchase_chances
    whole = np.ones(chances.shape)
    shift = log_odds_shift(ContactEffect(purchase_points=3), chances, whole)
    possible = (chances > 0).any(axis=1)
    assert 100 * (shifted(chances, shift) - chances)[possible].sum(axis=1).mean() == pytest.approx(3, rel=1e-9)
    p = np.array([[0.2]])
    assert shifted(p, np.log(2))[0, 0] == pytest.approx(0.5 / 1.5)
    assert log_odds_shift(ContactEffect(purchase_points=3, log_odds=0.4), chances, whole) == 0.4
    with pytest.raises(ValueError, match="no shift brings"):
        log_odds_shift(ContactEffect(purchase_points=300), p, np.ones((1, 1)))
    with pytest.raises(ValueError, match="a plan for 2 customers where 1"):
        effects_of(PlannedContacts.everybody(ALL, 2), p, np.zeros(1, np.float32))


def test_purchase_chances_are_those_that_come_true(book, bare):
    chances = book.purchase_chances
    held = book.state.held[book.in_force]
    for index, _ in enumerate(book.p.branches):
        slots = np.flatnonzero(book.p.branch_of_slot == index)
        assert (chances[held[:, slots].any(axis=1), index] == 0).all()
        expected = chances[:, index].sum() * len(bare)
        assert bare.branch_bought(index).sum() == pytest.approx(expected, rel=0.03, abs=4 * expected**0.5)


def test_a_contact_can_wake(book, count):
    """An effect below zero makes preventable ends more frequent by that share, of its own kind."""
    seen, woken = np.zeros(2), np.zeros(2)
    for k in range(12):
        contacts, _, _ = _run(book, PlannedContacts.everybody(ContactEffect(-0.5, -0.2), count), k, months=12)
        seen += contacts.seen.sum(axis=0) - contacts.woken.sum(axis=0)
        woken += contacts.woken.sum(axis=0)
        assert contacts.undone.sum() == 0
    assert woken / seen == pytest.approx([0.5, 0.2], rel=0.2)
    loss = sum(
        pair.gain(0).sum() for pair in book.paired([PlannedContacts.everybody(ContactEffect(-0.5), count)], 3, 5)
    )
    assert loss < 0


def test_heterogeneity_widens_and_does_not_move_the_mean(book, count):
    chances, z = book.purchase_chances, book.people.persuadable[book.in_force]
    effect = ContactEffect(0.1, 0.05, 1.0)
    plain, spread = (
        effects_of(replace(PlannedContacts.everybody(effect, count), spread=sd), chances, z) for sd in (0, 0.5)
    )
    assert np.ptp(plain.relation) == np.ptp(plain.policy) == 0
    for name, value in (("relation", 0.1), ("policy", 0.05)):
        own = getattr(spread, name)
        assert own.mean() == pytest.approx(value, rel=4 * np.sqrt((np.exp(0.25) - 1) / count))
        assert own.std() == pytest.approx(value * np.sqrt(np.exp(0.25) - 1), rel=0.1)
    gained = [1 - (1 - chances) ** (1 + each.more) - chances for each in (plain, spread)]
    assert gained[1].sum() == pytest.approx(gained[0].sum(), rel=0.06)
    assert (gained[1].sum(axis=1) / gained[0].sum(axis=1).clip(1e-9)).std() > 0.3


def test_what_is_not_the_purpose_counts_for_a_share(book, count):
    effect = replace(ALL, secondary_share=0.5)
    plan = PlannedContacts.everybody(effect, count)
    purpose = np.zeros((count, len(LINES)), np.bool_)
    purpose[:, 0] = True
    part, whole = (
        plan_effects(book, replace(plan, primary=purpose), book.purchase_chances),
        plan_effects(book, plan, book.purchase_chances),
    )
    assert (part.relation == whole.relation).all()
    assert part.policy == pytest.approx(whole.policy / 2)
    assert 0.4 < part.more.sum() / whole.more.sum() < 0.6
    alone = plan_effects(book, plan.only("policy"), book.purchase_chances)
    assert (alone.policy == whole.policy).all()
    assert not alone.relation.any()
    assert not alone.more.any()


def test_commission_is_that_of_dated_policies(book, count):
    plan = PlannedContacts.everybody(ALL, count)
    pair = next(book.paired([plan], 1, 5, 36))
    policies, as_of = pair.without, to_day(book.as_of)
    now = policies.start <= as_of
    exported = book.policies.filter((book.policies["end_date"].is_null()) | (book.policies["end_date"] > book.as_of))
    known = exported["commission_cents"].drop_nulls()
    assert now.sum() == exported.height
    assert policies.cents[now].sum() * len(known) / now.sum() == pytest.approx(known.sum(), rel=0.02)
    assert policies.years(3.0)[0] == pytest.approx(min((int(policies.end[0]) - as_of) / 365.25, 3.0))
    one = replace(policies, **{name: getattr(policies, name)[:1] for name in ("customer", "slot", "start", "reason")})
    one = replace(one, branch=policies.branch[:1], cents=policies.cents[:1], end=np.array([as_of + 731], np.int32))
    slow = sum(1.02 ** (day / 365.25) / 365.25 for day in range(731))
    assert one.years(5.0, 1.02)[0] == pytest.approx(slow, rel=1e-3)
    assert one.commission(count)[one.customer[0]] == pytest.approx(one.cents[0] * 731 / 365.25)
    ban = np.isin(policies.branch, [book.p.branches.index("uitvaart")])
    assert (policies.cents[ban & ~now] == 0).all()


def test_an_undone_end_leaves_another_reason_of_the_month_in_place(book):
    """Who cancels and dies in one month still dies when the cancellation is undone."""
    state = book.state.take(book.in_force)
    flat = np.flatnonzero(state.held.reshape(-1) & (state.ends.reshape(-1) == NEVER_DAY))[:2]
    decisions = Decisions(state, remembered=True)
    death, cancelled = book.p.code("overlijden"), book.p.code("opzegging_klant")
    decisions.decide(flat, np.array([500, 500], np.int32), death)
    decisions.decide(flat, np.array([400, 600], np.int32), cancelled)
    assert state.ends.reshape(-1)[flat].tolist() == [400, 500]
    assert np.isin(flat, decisions.new).all()
    decisions.undo(flat, tables().reason_class == PREVENTABLE)
    assert state.ends.reshape(-1)[flat].tolist() == [500, 500]
    assert (state.reason.reshape(-1)[flat] == death).all()
