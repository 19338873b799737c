"""The premium history of a simulated office: every renewal, ending with the premium that the office shows."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from akb.sample import simulate, write_sample
from akb.sample.records import premium_table


@pytest.fixture(scope="module")
def book():
    return simulate(120, seed=4)


@pytest.fixture(scope="module")
def history(book) -> pl.DataFrame:
    return premium_table(book)


def test_the_last_premium_is_the_one_that_the_office_shows(book, history):
    last = history.sort("policy", "date").group_by("policy", maintain_order=True).last()
    both = book.policies.join(last, on="policy", suffix="_told")
    assert both.height > 200
    assert (both["premium_cents"] == both["premium_cents_told"]).all()


def test_premiums_are_told_from_the_start_or_for_the_recorded_years(book, history):
    first = history.group_by("policy").agg(pl.col("date").min())
    began = book.recorded_from - timedelta(days=365)
    held = book.policies.join(first, on="policy", how="left")
    new, old = held.filter(pl.col("start_date") >= began), held.filter(pl.col("start_date") < began)
    assert (new["date"] == new["start_date"]).all()
    known = old.filter(pl.col("end_date").is_null() | (pl.col("end_date") > book.recorded_from))
    assert (known["date"] <= book.recorded_from).all()
    assert history["date"].max() <= book.as_of
    assert history.select("policy", "date").is_unique().all()


def test_premiums_follow_the_market(history):
    rises = history.with_columns(rise=pl.col("premium_cents") / pl.col("premium_cents").shift(1).over("policy"))
    rises = rises["rise"].drop_nulls()
    assert rises.min() > 0.99
    assert 1.02 < rises.median() < 1.07
    assert 0.03 < (rises > 1.07).mean() < 0.3


def test_the_history_is_written_only_if_asked_for(book, tmp_path):
    plain = write_sample(book, tmp_path / "a", truth=False)
    more = write_sample(book, tmp_path / "b", truth=False, premiums=True)
    assert {path.name for path in more} - {path.name for path in plain} == {"premies.csv"}
    assert [path.read_bytes() for path in plain] == [path.read_bytes() for path in more if path.name != "premies.csv"]
