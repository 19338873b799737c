"""The duty of care: gaps and contacts counted by hand, leaving and contact in strata, small counts hidden."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from akb.value.in_force import InForce
from akb.value.targeting.duty import duty_book, mantel_haenszel
from akb.value.types import CareContact, GapBranch, GapRegister
from tests.value import value_fixtures as fx

WORK = {
    "care": CareContact(customers=3.0, minutes=90.0, cost=8_250.0),
    "thank": CareContact(customers=2.0, minutes=30.0, cost=2_750.0),
}


def contacts(*rows: tuple[int, date, bool | None]) -> pl.DataFrame:
    schema = {"customer": pl.UInt32, "date": pl.Date, "inbound": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def base_of(made) -> InForce:
    return InForce(made, fx.models(made), fx.SETTINGS)


def gaps(base: InForce, branch: str = "reis", many: int = 30) -> pl.DataFrame:
    table = base.customers.select("row", "customer").head(many)
    return table.with_columns(branch=pl.lit(branch), share=pl.lit(0.7))


def test_the_ratio_is_that_of_the_textbook() -> None:
    """Two strata by hand: (10·80/100 + 6·60/80) / (8·20/100 + 9·20/80) = 12.5 / 3.85."""
    found = mantel_haenszel(np.array([10.0, 6.0]), np.array([20.0, 20.0]), np.array([8.0, 9.0]), np.array([80.0, 60.0]))
    assert found.ratio == pytest.approx(12.5 / 3.85)
    variance = (
        (18 * 20 * 80 - 10 * 8 * 100) / 100**2 + (15 * 20 * 60 - 6 * 9 * 80) / 80**2
    ) / (12.5 * 3.85)  # fmt: skip
    assert np.log(found.high / found.ratio) == pytest.approx(1.6449 * np.sqrt(variance))
    one = mantel_haenszel(np.array([10.0]), np.array([100.0]), np.array([20.0]), np.array([100.0]))
    assert one.ratio == pytest.approx(0.5)
    alone = mantel_haenszel(
        np.array([10.0, 5.0]), np.array([100.0, 9.0]), np.array([20.0, 0.0]), np.array([100.0, 0.0])
    )
    assert alone == one  # a stratum without the other group compares nothing


def test_contacts_that_the_office_began_are_counted_and_no_others() -> None:
    made = fx.portfolio(100)
    base = base_of(made)
    with_gap = gaps(base)["customer"].to_list()
    day, old = date(2025, 9, 1), date(2024, 6, 1)
    rows = [(customer, day, False) for customer in with_gap[:6]] + [
        (customer, old, False) for customer in with_gap[6:12]
    ]
    rows += [(customer, day, True) for customer in with_gap[12:20]] + [(with_gap[20], day, None)]
    rows += [(with_gap[0], date(2026, 2, 1), False)]  # after the day
    base = base_of(replace(made, contacts=contacts(*rows)))
    found = duty_book(base, gaps(base), WORK)
    assert found is not None
    assert (found.customers, found.recent, found.long) == (30, 6, 12)
    assert found.rows == (GapBranch("reis", customers=30, recent=6, long=12, discussed=None, refused=None),)
    assert found.hours == 2.0
    assert found.cost == 11_000


def test_without_contacts_nothing_is_said_of_them() -> None:
    base = base_of(fx.portfolio(100))
    found = duty_book(base, gaps(base), WORK)
    assert found is not None
    assert not found.recorded
    assert found.recent is None
    assert found.rows[0].long is None
    assert found.association is None


def test_few_customers_are_not_told() -> None:
    base = base_of(fx.portfolio(100))
    assert duty_book(base, gaps(base, many=4), WORK) is None
    with_gap = gaps(base)["customer"].to_list()
    made = replace(fx.portfolio(100), contacts=contacts(*((c, date(2025, 9, 1), False) for c in with_gap[:3])))
    found = duty_book(base_of(made), gaps(base), WORK)
    assert found is not None
    assert found.recent is None
    assert found.rows[0].recent is None


def test_leaving_that_goes_with_contact_is_found_and_told_with_an_interval() -> None:
    """Those who left in the closed year were contacted half as often."""
    made = fx.portfolio(1600)
    gone = base_of(made).spells.filter(pl.col("end").is_not_null())["customer"].unique()
    rng = np.random.default_rng(3)
    left = set(gone.to_list())
    rows = [
        (customer, date(2024, 2, 1 + customer % 25), False)
        for customer in range(1600)
        if rng.random() < (0.2 if customer in left else 0.5)
    ]
    rows += [(customer, date(2023, 9, 1), False) for customer in range(3)]
    base = base_of(replace(made, contacts=contacts(*rows)))
    found = duty_book(base, gaps(base), WORK)
    assert found is not None
    told = found.association
    assert told is not None
    assert told.low < told.ratio < told.high < 1
    assert told.contacted + told.others > 1000
    late = replace(made, contacts=contacts(*((c, date(2025, 3, 1), False) for c in range(800))))
    found = duty_book(base_of(late), gaps(base), WORK)
    assert found is not None
    assert found.association is None  # no contacts of the year before


def register(*rows: tuple[int, str, str, date]) -> pl.DataFrame:
    """What a book hands over: a talk without a branch, and the last entry per customer and branch."""
    schema = {"customer": pl.UInt32, "branch": pl.String, "what": pl.String, "said": pl.Date}
    told = pl.DataFrame(rows, schema=schema, orient="row").with_columns(left=False)
    talk = pl.DataFrame(
        {"customer": [1], "date": [date(2025, 9, 1)], "left": [False]}, schema_overrides={"customer": pl.UInt32}
    )
    return pl.concat([talk, told], how="diagonal")


def test_what_was_discussed_and_refused_comes_from_the_register() -> None:
    made = fx.portfolio(100)
    base = base_of(made)
    with_gap = gaps(base)["customer"].to_list()
    others = [each for each in base.customers["customer"].to_list() if each not in with_gap]
    day = date(2025, 9, 1)
    rows = [(each, "reis", "refused", day) for each in with_gap[:7]]
    rows += [(each, "reis", "discussed", day) for each in with_gap[7:12]]
    rows += [(each, "auto", "refused", day) for each in with_gap[12:20]]  # another branch than the gap
    rows += [(each, "reis", "agreed", day) for each in others[:6]]  # the gap is closed
    rows += [(each, "reis", "refused", date(2026, 6, 1)) for each in with_gap[20:26]]  # after the day
    base = base_of(replace(made, recorded=register(*rows)))
    found = duty_book(base, gaps(base), WORK)
    assert found is not None
    assert found.register == GapRegister(12, 7, 6)
    row = found.rows[0]
    assert (row.discussed, row.refused, row.recent) == (12, 7, None)


def test_few_of_the_register_are_not_told() -> None:
    made = fx.portfolio(100)
    base = base_of(made)
    with_gap = gaps(base)["customer"].to_list()
    told = register(*((each, "reis", "refused", date(2025, 9, 1)) for each in with_gap[:3]))
    found = duty_book(base_of(replace(made, recorded=told)), gaps(base), WORK)
    assert found is not None
    assert found.register == GapRegister(None, None, 0)
    assert found.rows[0].refused is None


def test_a_book_without_a_register_has_no_columns_of_it() -> None:
    talk = register().drop("branch", "what", "said")
    found = duty_book(base_of(replace(fx.portfolio(100), recorded=talk)), gaps(base_of(fx.portfolio(100))), WORK)
    assert found is not None
    assert found.register is None
