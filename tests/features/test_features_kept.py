"""What a run keeps of its portfolio: texts that too few customers share stand under a number, all else as it was."""

from __future__ import annotations

from datetime import date

import polars as pl
from polars.testing import assert_frame_equal
from portfolios import Customer, Policy, Rows, portfolio

from akb.core.privacy.identifiers import shared
from akb.features import as_of_grid
from akb.ingest import masked

LIMIT = 5


def office(size: int, rare: int) -> Rows:
    """`rare` customers have an adviser and an insurer of their own; the first contact speaks of a person."""
    names = [f"Jansen {number}" if number < rare else "ADV1" for number in range(size)]
    policies = tuple(Policy(n, "auto", date(2020, 1, 1), insurer=name) for n, name in enumerate(names))
    customers = tuple(Customer(n, adviser=name, office="Oost") for n, name in enumerate(names))
    contacts = tuple(
        (n, date(2021, 1, 1), "phone", True, "over mevr. Smit" if n == 0 else "premie") for n in range(size)
    )
    return Rows(policies, customers, contacts=contacts)


def test_rare_texts_are_hidden_and_stay_apart() -> None:
    book = portfolio(office(20, 3))
    kept = masked(book, LIMIT)
    assert kept.contacts is not None
    everything = "".join(f.write_csv() for f in (kept.policies, kept.customers, kept.contacts))
    assert "Jansen" not in everything and "Smit" not in everything and "ADV1" in everything
    assert kept.customers["relation"].null_count() == 20
    assert kept.customers["adviser"].n_unique() == book.customers["adviser"].n_unique()
    same = kept.customers.join(kept.policies, on="customer")
    assert (
        same["adviser"] == same["insurer"].str.replace("insurer", "adviser")
    ).all()  # one number each, in every table


def test_a_hidden_text_can_never_be_shown_and_hiding_twice_changes_nothing() -> None:
    book = portfolio(office(20, 3))
    kept = masked(book, LIMIT)
    for column in ("adviser", "insurer"):
        frame = kept.customers if column == "adviser" else kept.policies
        assert shared(frame[column], frame["customer"], 1) == {"ADV1"}
    again = masked(kept, LIMIT)
    assert_frame_equal(again.policies, kept.policies)
    assert_frame_equal(again.customers, kept.customers)


def test_shared_texts_stay() -> None:
    book = portfolio(office(20, 0))
    kept = masked(book, LIMIT)
    assert_frame_equal(kept.policies, book.policies)
    assert_frame_equal(kept.customers.drop("relation"), book.customers.drop("relation"))


def test_many_customers_take_wider_steps() -> None:
    from akb.config import Settings
    from akb.features import grid

    rows = Rows(tuple(Policy(n, "auto", date(2015, 3, 1)) for n in range(30)), tuple(Customer(n) for n in range(30)))
    book = portfolio(rows, as_of=date(2024, 12, 31), recorded=date(2020, 12, 31))
    many, grid.MANY = grid.MANY, 30
    try:
        wide = as_of_grid(book, Settings())
    finally:
        grid.MANY = many
    narrow = as_of_grid(book, Settings())
    assert len(wide) == 13 < len(narrow) == 19
    assert (wide[0], wide[-1]) == (narrow[0], narrow[-1]) == (date(2020, 12, 31), date(2024, 12, 31))
    assert date(2024, 9, 30) in wide
    assert wide[-1] - wide[-2] < wide[1] - wide[0]
    assert pl.Series(wide).is_sorted()
