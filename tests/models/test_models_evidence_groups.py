"""Evidence by group: average precision with its interval, those due, error by age, kind and office, last year."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from akb.core.people import OFFICES, OTHER, Parts, People
from akb.models.evidence.evidence import binary_evidence, count_evidence, errors, persistence_baseline
from akb.models.evidence.intervals import average_precision_with_interval
from akb.models.evidence.segments import with_events

DAY = date(2024, 6, 30)


def drawn(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(-2 + 0.8 * rng.normal(size=n))))
    return p, (rng.random(n) < p).astype(float)


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_average_precision_is_that_of_scikit_learn_with_ties(decimals: int) -> None:
    p, label = drawn(2000)
    score = np.round(p, decimals)
    found = average_precision_with_interval(label, score, np.arange(len(p)))[0]
    assert found == pytest.approx(average_precision_score(label, score), abs=1e-12)


def test_its_interval_is_that_of_the_bootstrap_over_customers() -> None:
    p, label = (np.repeat(each[:600], 2) for each in drawn(600, seed=4))
    customer, rng = np.repeat(np.arange(600), 2), np.random.default_rng(1)
    rows = np.arange(1200).reshape(600, 2)
    drawn_again = [
        average_precision_score(label[take], p[take])
        for take in (rows[rng.integers(0, 600, 600)].ravel() for _ in range(300))
    ]
    value, (low, high) = average_precision_with_interval(label, p, customer)
    naive = average_precision_with_interval(label, p, np.arange(1200))[1]
    assert low < value < high
    assert (high - low) / 3.92 == pytest.approx(np.std(drawn_again), rel=0.2)
    assert high - low > 1.2 * (naive[1] - naive[0])


def test_the_rank_among_those_due_is_that_of_their_rows() -> None:
    p, label = drawn(3000)
    due = np.random.default_rng(2).random(3000) < 0.4
    found = binary_evidence(label, p, np.arange(3000), due=due)
    assert found.due == due.sum()
    assert found.auc_due == pytest.approx(roc_auc_score(label[due], p[due]))
    assert found.auc_due_ci is not None and found.auc_ci is not None
    assert found.auc_due_ci[1] - found.auc_due_ci[0] > found.auc_ci[1] - found.auc_ci[0]
    assert binary_evidence(label, p, np.arange(3000), due=np.ones(3000, bool)).auc_due is None


def test_a_group_that_is_told_too_little_stands_out_and_its_neighbour_does_not() -> None:
    p, _ = drawn(20_000)
    office = np.arange(20_000) % 2
    label = (np.random.default_rng(3).random(20_000) < np.where(office == 1, 1.6 * p, p)).astype(float)
    first, second = errors(label, p, np.arange(20_000), [Parts("office", ("A", "B"), office, 5)])
    assert first.ci is not None and first.ci[0] < 1 < first.ci[1]
    assert second.ci is not None and second.ci[0] > 1
    assert second.observed_expected is not None and second.own_weight is not None and second.pooled is not None
    own = label[office == 1].sum()
    assert second.own_weight == pytest.approx(own / (own + 100))
    everyone = label.sum() / p.sum()
    assert everyone < second.pooled < second.observed_expected


def test_a_small_office_leans_on_everyone() -> None:
    p, label = drawn(2000)
    office = (np.arange(2000) < 60).astype(np.int64)
    small = errors(label, p, np.arange(2000), [Parts("office", ("A", "B"), office, 5)])[1]
    assert small.own_weight is not None and small.own_weight < 0.15
    assert small.pooled == pytest.approx(label.sum() / p.sum(), abs=0.2)


def test_under_five_customers_nothing_is_shown_and_nothing_gives_it_away() -> None:
    p, label = np.full(1000, 0.2), (np.arange(1000) % 5 == 0).astype(float)
    code = np.where(np.arange(1000) < 4, 0, np.where(np.arange(1000) < 300, 1, 2))
    few, smallest, rest = errors(label, p, np.arange(1000), [Parts("age", ("a", "b", "c"), code, 5)])
    assert few.population is None and few.observed_expected is None
    assert smallest.population is None  # else the hidden one is the total minus the others
    assert rest.population == 700
    code = np.where(np.arange(1000) < 10, 0, 1)  # ten customers, two to whom it happened
    assert all(
        each.population is None for each in errors(label, p, np.arange(1000), [Parts("age", ("a", "b"), code, 5)])
    )


def people(offices: list[str | None], **columns: object) -> People:
    n = len(offices)
    frame = {"customer": range(n), "kind": ["private"] * n, "birth_year": [1980] * n, "office": offices, **columns}
    schema = {"customer": pl.UInt32, "kind": pl.String, "birth_year": pl.Int32, "office": pl.String}
    return People.of(pl.DataFrame(frame, schema=schema), 5)


def test_offices_that_may_not_be_named_are_one() -> None:
    names = ["Zwolle"] * 8 + ["Assen"] * 6 + ["jan@kantoor.nl"] * 9 + ["Eenling"] + [None] * 3
    divisions = {each.kind: each for each in people(names).parts(np.arange(27, dtype=np.uint32), DAY)}
    office = divisions["office"]
    assert office.names == ("Assen", "Zwolle", OTHER)
    assert office.code.tolist() == [1] * 8 + [0] * 6 + [2] * 10 + [-1] * 3
    many = people([f"Kantoor {number:02d}" for number in range(20) for _ in range(6)])
    assert len(many.offices) == OFFICES + 1


def test_ages_are_of_private_customers_in_the_year_of_the_test() -> None:
    who = people(["A"] * 4, birth_year=[2000, 1999, 1940, 1990], kind=["private", "private", None, "business"])
    age = next(each for each in who.parts(np.arange(4, dtype=np.uint32), DAY) if each.kind == "age")
    assert [age.names[code] if code >= 0 else None for code in age.code] == ["18-24", "25-34", "75+", None]


def test_a_count_is_set_beside_last_years_value() -> None:
    rng = np.random.default_rng(5)
    mu = np.exp(-1.5 + rng.normal(size=20_000))
    label, last = rng.poisson(mu).astype(float), rng.poisson(mu).astype(float)
    last[:500] = np.nan
    found = count_evidence(label, mu, np.arange(20_000), last=last)
    baseline = found.last_year
    assert baseline is not None and baseline.gini is not None and baseline.deviance_skill is not None
    assert found.gini is not None and found.deviance_skill is not None
    assert 0.1 < baseline.gini < found.gini and 0 < baseline.deviance_skill < found.deviance_skill
    assert len(baseline.decile_table) == 10
    assert found.events == (label > 0).sum() < found.positives
    assert count_evidence(label, mu, np.arange(20_000), last=np.full(20_000, np.nan)).last_year is None


def test_an_office_weighs_by_the_customers_of_all_closed_windows() -> None:
    """Where the test date saw few events, earlier ones say how far the office's own figure may be leant on."""
    p, label = drawn(2000)
    office = (np.arange(2000) < 200).astype(np.int64)
    who = people([("B" if number < 200 else "A") for number in range(2000)])
    customers = np.arange(2000, dtype=np.uint32)
    happened = np.flatnonzero((label > 0) | (np.arange(2000) < 150)).astype(np.uint32)
    divided = with_events(lambda rows: who.parts(rows, DAY), customers, happened)
    division = next(each for each in divided if each.kind == "office")
    assert np.array_equal(division.code, office)
    expected = (int((happened >= 200).sum()), int((happened < 200).sum()), 0)
    assert division.events == expected
    small = errors(label, p, customers, [division])[1]
    assert small.own_weight == pytest.approx(expected[1] / (expected[1] + 100))
    assert small.own_weight > label[:200].sum() / (label[:200].sum() + 100)
    everyone = label.sum() / p.sum()
    assert small.observed_expected is not None
    assert small.pooled == pytest.approx(small.own_weight * small.observed_expected + (1 - small.own_weight) * everyone)


def test_what_stood_ranks_in_its_better_direction() -> None:
    p, label = drawn(2000)
    margin = -p.copy()
    margin[:50] = np.nan
    found = persistence_baseline(label, margin, np.arange(2000))
    assert found.auc is not None and found.auc == pytest.approx(
        persistence_baseline(label, -margin, np.arange(2000)).auc
    )
    assert found.auc == pytest.approx(roc_auc_score(label[50:], p[50:]), abs=0.02)
    assert persistence_baseline(label, np.full(2000, np.nan), np.arange(2000)).auc == pytest.approx(0.5)
