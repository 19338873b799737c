"""The simulated office: same seed, same bytes; rates inside the published bands; nothing impossible."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from akb.core.dates import add_months
from akb.sample import simulate, write_sample
from akb.sample.calendar import to_day
from akb.sample.engine import Moment
from akb.sample.engine.hazards import customer_factors
from akb.sample.parameters import CAUSES, tables


@pytest.fixture(scope="module")
def book():
    return simulate(6000, 11)


@pytest.fixture(scope="module")
def futures(book):
    return book.futures(30, 5)


def _hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_sample(simulate(300, seed), tmp_path / name, futures=5)
    a, b, c = (_hashes(tmp_path / name) for name in "abc")
    assert a == b
    assert set(a) == {
        "README.md",
        "polissen.csv",
        "schades.csv",
        "contacten.csv",
        "truth/hazards.parquet",
        "truth/hazards_customers.parquet",
        "truth/probabilities.parquet",
        "truth/policies_after.parquet",
    }
    assert all(a[name] != c[name] for name in a)


def test_about_as_many_customers_as_asked(book):
    assert len(book.in_force) == pytest.approx(6000, rel=0.08)
    in_force = book.policies.filter(pl.col("end_date").is_null() | (pl.col("end_date") > book.as_of))
    assert in_force["relation"].n_unique() == len(book.in_force)
    assert 1.9 <= in_force.height / len(book.in_force) <= 3.2
    assert 14 <= in_force["branch"].n_unique() <= 16


def test_kinds_opt_outs_and_announcements_are_in_their_bands(book):
    kinds = book.customers["kind"].value_counts(normalize=True)
    shares = dict(kinds.iter_rows())
    assert 0.73 <= shares["private"] <= 0.82
    assert shares["business"] + shares["self_employed"] == pytest.approx(0.21, abs=0.05)
    assert book.customers["no_marketing"].mean() == pytest.approx(0.08, abs=0.015)
    in_force = book.policies.filter(pl.col("end_date").is_null() | (pl.col("end_date") > book.as_of))
    assert 0.003 <= in_force["end_date"].is_not_null().mean() <= 0.012
    ended = book.policies.filter(pl.col("cause").is_not_null())
    assert ended["reason_text"].is_null().mean() == pytest.approx(0.12, abs=0.02)
    assert book.policies["commission_cents"].is_null().mean() == pytest.approx(0.02, abs=0.005)


def test_yearly_rates_are_in_the_published_bands(book, futures):
    held = book.state.held[book.in_force].sum()
    lapse = np.bitwise_count(futures.lapsed).sum() / len(futures) / held
    assert 0.08 <= lapse <= 0.11
    churn = futures.churned(12).mean()
    assert 0.055 <= churn <= 0.09
    natural = (futures.cause == 0).sum() / (futures.cause >= 0).sum()
    assert 0.25 <= natural <= 0.35
    assert 0.14 <= (futures.bought != 0).mean() <= 0.20


def test_the_past_has_the_same_level_as_the_future(book):
    policies = book.log.policies()
    for years_ago in (1, 3, 5):
        t, after = (to_day(add_months(book.as_of, -12 * years_ago + 12 * k)) for k in (0, 1))
        there = (policies.start <= t) & (policies.end > t)
        assert 0.08 <= (policies.end[there] <= after).mean() <= 0.125
        assert len(np.unique(policies.customer[there])) == pytest.approx(len(book.in_force), rel=0.08)


def test_no_policy_ends_before_it_starts_and_numbers_are_unique(book):
    policies = book.policies
    assert policies.filter(pl.col("end_date") <= pl.col("start_date")).is_empty()
    assert policies["policy"].n_unique() == policies.height
    assert policies["end_date"].min() >= book.ended_from
    assert policies["start_date"].max() <= book.as_of
    assert policies["premium_cents"].min() > 0
    new = (pl.col("branch") == "uitvaart") & (pl.col("start_date") >= date(2013, 1, 1))
    new &= ~pl.col("policy").str.contains("-")  # a number of its own: not the continuation of an older policy
    assert policies.filter(new).height > 50
    assert policies.filter(new)["commission_cents"].sum() == 0  # the ban on commission of 2013


def _monthly(book, chosen, lowest, highest):
    """Share of the chosen policies that end in a month of their life, among those who reach it."""
    policies = book.log.policies()
    first = to_day(book.recorded_from)
    months = (np.minimum(policies.end, to_day(book.as_of)) - policies.start) / 30.44
    new = chosen & (policies.start > first)
    ended = new & (policies.end <= to_day(book.as_of))
    exposed = np.clip(months[new], lowest, highest) - lowest
    return (ended & (months >= lowest) & (months < highest)).sum() / exposed.sum()


def test_the_behaviour_that_was_asked_for_shows(book):
    """A cliff at month 12, peaks in January, young customers, small packages and adviser effects."""
    policies = book.log.policies()
    everyone = np.full(len(policies.start), True)
    assert _monthly(book, everyone, 11.5, 14) > 1.8 * _monthly(book, everyone, 2, 10)
    ended = book.policies.filter(pl.col("cause") == "preventable", pl.col("end_date") <= book.as_of)
    by_month = ended["end_date"].dt.month().value_counts().sort("end_date")["count"]
    assert by_month[0] > 1.25 * by_month.mean()
    held = book.state.held[book.in_force].sum(axis=1)
    gone = book.futures(10, 8).churned(12).mean(axis=0)
    assert gone[held == 1].mean() > 2 * gone[held == 2].mean() > 2 * gone[held >= 4].mean()
    birth = book.people.birth[book.in_force]
    young, middle = (birth > 1992), (birth > 1955) & (birth < 1985)
    assert gone[young].mean() > 1.3 * gone[middle].mean()
    frail = book.people.frailty[book.in_force]
    assert np.log(frail).std() > 0.45
    assert gone[frail > np.median(frail)].mean() > 1.4 * gone[frail < np.median(frail)].mean()


def test_a_first_cancellation_is_followed_by_more(book):
    """Brockett et al. 2008: who cancelled lately and still holds policies lapses more, and that fades."""
    held = book.state.held[book.in_force].sum(axis=1)
    since = book.step - book.state.cancelled[book.in_force]
    lapses = book.futures(10, 8).lapsed != 0
    several = held >= 3
    assert lapses[:, several & (since <= 2)].mean() > 1.25 * lapses[:, several & (since > 18)].mean()


def test_packages_protect_until_a_first_cancellation(book):
    """The factors themselves: a bigger package lowers a policy's hazard; a cancellation raises it for a year."""
    rows = book.in_force
    people, w = book.people.take(rows), book.window(book.step + 1)

    def factor(held, months_since):
        state = book.state.take(rows)
        state.cancelled[:] = book.step + 1 - months_since
        count = np.full(len(rows), held)
        return customer_factors(Moment(people, state, book.world, w), count).policy

    never = 100
    assert (factor(1, never) > 1.4 * factor(2, never)).all()
    assert (factor(2, never) > 1.5 * factor(4, never)).all()
    fresh, later = factor(4, 1) / factor(4, never), factor(4, 7) / factor(4, never)
    assert (fresh > 2).all()
    assert ((later > 1.2) & (later < fresh / 1.5)).all()
    assert (fresh > factor(2, 1) / factor(2, never) * 1.2).all()  # three or more left: more at risk
    assert np.allclose(factor(4, 15), factor(4, never))


def test_former_customers_come_back(book):
    policies = book.log.policies()
    order = np.lexsort((policies.start, policies.customer))
    customer, start, end = policies.customer[order], policies.start[order], policies.end[order].astype(np.int64)
    last = np.maximum.accumulate(end + customer * 2**32) - customer * 2**32
    back = (customer[1:] == customer[:-1]) & (start[1:] > last[:-1] + 31)
    left = int((~book.state.held.any(axis=1) & (book.state.status == 1)).sum())
    assert 0.03 < back.sum() / (left + back.sum()) < 0.25


def test_claims_and_contacts_lie_inside_the_recorded_time(book):
    claims = book.claims.join(book.policies.select("policy", "start_date", "end_date"), on="policy")
    assert claims.height == book.claims.height
    outside = (pl.col("date") < pl.col("start_date")) | (pl.col("date") >= pl.col("end_date"))
    assert claims.filter(outside).is_empty()
    assert claims.filter(pl.col("reported") < pl.col("date")).is_empty()
    assert claims["reported"].max() <= book.as_of
    assert book.contacts["date"].is_between(book.recorded_from, book.as_of).all()
    assert 0.5 <= book.contacts.height / 5 / len(book.in_force) <= 1.5


def _called(book, customer, day, within):
    """Share of (customer, day) with a call or mail of the customer in the days until then."""
    who, when, kind = book.log.all_contacts()
    calls = np.sort(who[kind == 0] * 100_000 + when[kind == 0])
    spot = customer * 100_000 + day
    return (np.searchsorted(calls, spot, side="right") > np.searchsorted(calls, spot - within)).mean()


def test_customers_call_for_a_reason(book):
    """More policies, a claim, a renewal near, a move: more calls; and who ends a policy often calls first."""
    policies = book.all_policies
    first, last = to_day(book.recorded_from) + 90, to_day(book.as_of)
    own_choice = tables().reason_class[policies.reason] == CAUSES.index("preventable")
    ended = own_choice & (policies.end > first) & (policies.end <= last)
    rng = np.random.default_rng(1)
    anyone = np.repeat(book.in_force, 5)
    usual = _called(book, anyone, rng.integers(last - 365, last, len(anyone)), 45)
    before_an_end = _called(book, policies.customer[ended], policies.end[ended].astype(np.int64), 45)
    assert 0.2 < before_an_end < 0.6
    assert before_an_end > 3 * usual
    customer, _, _, day = book.log.claims()
    recent = (day > first) & (day < last - 45)
    assert _called(book, customer[recent], day[recent] + 45, 45) > 1.4 * usual
    held = book.state.held[book.in_force].sum(axis=1)
    few, many = (np.repeat(book.in_force[chosen], 5) for chosen in (held == 1, held >= 4))
    assert _called(book, many, np.full(len(many), last), 180) > 1.3 * _called(book, few, np.full(len(few), last), 180)
    inbound = book.contacts["inbound"].sum() / 5 / len(book.in_force)
    assert 0.4 < inbound < 0.7


def test_who_calls_to_end_a_policy_does_so_before_the_end(book):
    """No call falls after the last day of a relation that somebody ended by calling: the day is one before the end."""
    policies = book.all_policies
    first, last = to_day(book.recorded_from) + 90, to_day(book.as_of)
    ended = tables().reason_class[policies.reason] == CAUSES.index("preventable")
    ended &= (policies.end > first) & (policies.end <= last - 45)
    customer, end = policies.customer[ended], policies.end[ended].astype(np.int64)
    assert _called(book, customer, end - 1, 30) > 2 * _called(book, customer, end + 44, 30)


def test_an_office_has_an_adviser_for_every_1400_customers(book):
    assert len(np.unique(book.people.adviser)) == 4
    assert [len(simulate(n, 1, months=12).office.adviser_office) for n in (300, 7000)] == [2, 5]


def test_technical_ends_go_on_the_same_day_in_the_same_branch(book):
    technical = book.policies.filter(pl.col("cause").is_null(), pl.col("reason_text").is_not_null())
    assert {"Omnummering", "Overdracht portefeuille"} <= set(technical["reason_text"])
    next_one = book.policies.select("relation", "branch", pl.col("start_date").alias("end_date")).unique()
    assert technical.join(next_one, on=["relation", "branch", "end_date"], how="anti").is_empty()
    moved = technical.filter(pl.col("reason_text") == "Overdracht portefeuille")
    assert moved["end_date"].n_unique() == 1
    assert moved["insurer"].n_unique() == 1


def test_truncation_drops_old_ends_and_nothing_else():
    whole, cut = simulate(400, 2), simulate(400, 2, truncate_ended_months=24)
    limit = add_months(cut.as_of, -24)
    expected = whole.policies.filter(pl.col("end_date").is_null() | (pl.col("end_date") >= limit))
    assert cut.policies.equals(expected)
    assert cut.policies.height < whole.policies.height


def test_a_drift_moves_the_lapses_of_its_months_and_of_no_others():
    still, flat = simulate(400, 2, months=24), simulate(400, 2, months=24, drift=[1.0] * 24)
    assert still.policies.equals(flat.policies)
    late = simulate(400, 2, months=24, drift=[1.0] * 12 + [3.0] * 12)
    turn = add_months(late.as_of, -12)

    def ended(book, after: bool) -> int:
        return book.policies.filter((pl.col("end_date") > turn) == after, pl.col("end_date") <= late.as_of).height

    assert ended(late, after=False) == ended(still, after=False)
    assert ended(late, after=True) > 1.5 * ended(still, after=True)


def test_any_as_of_date_and_length_of_history():
    book = simulate(300, 1, months=30, as_of=date(2024, 5, 15))
    assert book.policies["end_date"].min() >= date(2021, 11, 15)
    assert book.policies["start_date"].max() <= date(2024, 5, 15)
    assert book.policies.filter(pl.col("end_date") > book.as_of).height < 30


def test_the_export_is_written_as_a_dutch_back_office_does(tmp_path):
    book = simulate(200, 8)
    write_sample(book, tmp_path, truth=False)
    raw = (tmp_path / "polissen.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfRelatienummer;Polisnummer;Branche;Maatschappij;Ingangsdatum;Einddatum;")
    assert raw.count(b"\r\n") == raw.count(b"\n") == book.policies.height + 1
    rows = pl.read_csv(tmp_path / "polissen.csv", separator=";", infer_schema=False)
    assert rows["Relatienummer"].str.starts_with("0").all()
    assert rows["Ingangsdatum"].str.contains(r"^\d\d-\d\d-\d{4}$").all()
    assert rows["Premie per jaar"].str.contains(r"^\d+,\d\d$").all()
    cents = rows["Premie per jaar"].str.replace(",", "").cast(pl.Int64)
    assert cents.to_list() == book.policies["premium_cents"].to_list()
    assert set(rows["Soort relatie"]) == {"Particulier", "Zakelijk", "ZZP"}
    assert set(rows["Mailing"]) == {"J", "N"}
    assert not (tmp_path / "truth").exists()


def test_a_year_later_the_same_policies_have_gone_on(book):
    later = book.later(12)
    assert later.as_of == date(2026, 12, 31)
    now, then = book.policies, later.policies
    both = now.join(then, on="policy", suffix="_then")
    assert both.height == now.height
    assert both.filter(pl.col("start_date") != pl.col("start_date_then")).is_empty()
    ended = both.filter(pl.col("end_date") <= book.as_of)
    assert ended.filter(pl.col("end_date") != pl.col("end_date_then")).is_empty()
    frozen = ended.filter(pl.col("premium_cents") != pl.col("premium_cents_then"))
    assert frozen.is_empty()
    assert book.later(12).policies.equals(then)
    assert not book.later(12, seed=1).policies.equals(then)


def test_sample_data_is_what_the_simulator_makes(tmp_path):
    """After a change of the simulator: write_sample(simulate(5900, 20251231), Path("sample_data"), truth=False)."""
    kept = Path(__file__).parents[2] / "sample_data"
    write_sample(simulate(5900, 20251231), tmp_path, truth=False)
    assert {name: _hashes(kept)[name] for name in _hashes(tmp_path)} == _hashes(tmp_path)
