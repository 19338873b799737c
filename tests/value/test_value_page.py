"""The page's rows: exact where everybody has one, and close where they are bins."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import page_vectors as v
import pytest

from akb.value.case.case import business_case, case_basis, cash, running_year
from akb.value.case.page.bins import binned, bins_of
from akb.value.case.page.rows import calendar, decoded, encoded, page_rows
from akb.value.case.page.worked import page_case
from akb.value.valuation import valuation


def full_case(values: dict[str, float], off: list[str]):
    made = v.valued()
    again = valuation(made.in_force.portfolio, made.in_force.models, v.settings_with(values, off), say=lambda _: None)
    return case_basis(again)


@pytest.mark.parametrize("place", range(6))
def test_where_everybody_has_a_row_the_page_is_the_plan(place: int) -> None:
    values, off = v.drawn_settings(12)[2 * place]
    values = {name: value for name, value in values.items() if not name.startswith("cost.rate_")}
    whole, page = full_case(values, off), page_case(v.page_block(), v.settings_with(values, off))
    assert whole.cohort.benefit > 0
    assert page.basis.cohort.benefit == pytest.approx(whole.cohort.benefit, rel=1e-5)
    assert page.basis.cohort.contacts == pytest.approx(whole.cohort.contacts, rel=1e-5)
    for mine, other in zip(page.cash, cash(whole), strict=True):
        assert mine.benefit == pytest.approx(other.benefit, rel=2e-4)
    assert page.running_year.benefit == pytest.approx(running_year(whole).benefit, rel=2e-4)


@pytest.mark.parametrize("rates", [{"cost.rate_office": 70.0}, {"cost.rate_adviser": 95.0}])
def test_dearer_hours_lower_what_is_at_stake(rates: dict[str, float]) -> None:
    """Serving customers costs more, so that they are worth less: a straight line, but for whole cents."""
    free = {f"contacts.{key}.minutes": 0.0 for key in v.page_block()["ladder"]}
    free |= {
        f"contacts.{key}.{name}": 0.0 for key in v.page_block()["ladder"] for name in ("follow_up", "sale_minutes")
    }
    whole, page = full_case({**free, **rates}, []), page_case(v.page_block(), v.settings_with({**free, **rates}, []))
    before = full_case(free, []).cohort.benefit
    moved = whole.cohort.benefit - before
    assert abs(moved) > 0.002 * before
    assert page.basis.cohort.benefit - before == pytest.approx(moved, rel=0.03)


def test_bins_weigh_everybody_who_may_be_contacted_and_mix_no_channels() -> None:
    plan = v.valued().plan
    assert plan is not None
    for most in (20, 60, 4000):
        bins = bins_of(plan, most)
        rows = binned(plan, bins)
        allowed = plan.menu.allowed.any(axis=1)
        assert len(bins.first) == min(most, allowed.sum())
        assert bins.exact is (most == 4000)
        assert rows.weight.sum() == allowed.sum()
        assert rows.weight @ rows.relation == pytest.approx(plan.prospects.relation[allowed].sum())
        for first, last in pairwise([*bins.first.tolist(), len(bins.rows)]):
            assert len(set(plan.prospects.wakeable[bins.rows[first:last]])) == 1


def test_few_bins_bring_about_as_much() -> None:
    rows = v.page_block(most=60)
    assert rows["count"] == 60
    off = [
        page_case(rows, v.settings_with(*each)).basis.cohort.benefit / full_case(*each).cohort.benefit - 1
        for each in v.drawn_settings(6)
    ]
    assert max(map(abs, off)) < 0.05
    assert max(map(abs, off)) > 0  # sixty rows are no customers


def test_rows_come_back_as_they_were_written() -> None:
    valued = v.valued()
    assert valued.plan is not None
    rows = page_rows(valued, valued.plan, bins_of(valued.plan))
    again = decoded(encoded(rows))
    for name in ("weight", "relation", "policy", "leaving", "lost", "inbound_rate", "chance", "worth"):
        np.testing.assert_allclose(getattr(again.could, name), getattr(rows.could, name), rtol=1e-6)
    assert (again.could.wakeable == rows.could.wakeable).all()
    assert all((again.could.reachable[name] == flags).all() for name, flags in rows.could.reachable.items())


def test_a_year_of_contacts_brings_half_a_month_later_on_average() -> None:
    columns = calendar(36)
    assert columns[0].tolist() == pytest.approx([11.5 / 12, 0.5 / 12, 0, 0, 0, 1])
    assert columns[:, 5].tolist() == [1.0] * 36


def test_the_block_is_json_and_names_nobody() -> None:
    case = business_case(v.valued())
    assert case is not None
    assert json.loads(json.dumps(case.basis)) == case.basis
    text = json.dumps(case.basis)
    assert not any(name in text for name in v.valued().in_force.customers["pseudonym"].to_list()[:20])
    assert business_case(v.valued(), page=False).basis == {}  # type: ignore[union-attr]
