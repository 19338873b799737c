"""Every feature is documented and exists in the groups that were promised."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from portfolios import Customer, Policy, Rows, X, portfolio

from akb.config import Settings
from akb.features import build_matrix
from akb.features.docs import every_feature, path, table

FEATURES = [feature for feature, _ in every_feature()]


def test_the_documentation_is_up_to_date() -> None:
    assert path().read_text("utf-8") == table(), "run: python -m akb.features.docs"


def test_there_are_enough_features_with_names_of_their_own() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(names) > 300
    assert len(set(names)) == len(names)
    groups = {"holdings", "tenure", "lapses", "purchases", "renewal", "season", "lifestage", "insurers", "hazards"}
    groups |= {"branches", "coverage", "trends", "signals"}
    assert groups | {"people", "claims", "contacts", "payments", "premium"} == {feature.group for feature in FEATURES}


@pytest.mark.parametrize("forbidden", ["premium", "commission", "status", "sex", "gender", "deceased", "announced"])
def test_forbidden_fields_are_no_features(forbidden: str) -> None:
    """Dated premiums are another thing than the premium of today (test_features_premiums)."""
    assert not [feature.name for feature in FEATURES if forbidden in feature.name and feature.group != "premium"]


def test_what_changes_slowly_is_marked() -> None:
    current = {feature.name for feature in FEATURES if feature.current}
    people = {feature.name for feature in FEATURES if feature.group == "people"}
    assert people <= current
    assert {"share_own_collection", "mean_payment_term", "claims_euros_12m", "is_private"} <= current
    assert not current & {"policies", "tenure_months", "past_lapses_12m", "age"}


def test_the_matrix_has_the_shape_that_was_agreed() -> None:
    rows = Rows(
        tuple(Policy(number, "auto", date(2019, 1, 1 + number)) for number in range(3)),
        tuple(Customer(number) for number in range(3)),
    )
    dates = [X, date(2023, 12, 31), date(2024, 6, 30), date(2022, 2, 28), date(2021, 8, 31), date(2018, 12, 31)]
    matrix = build_matrix(portfolio(rows), dates, Settings())
    frame = matrix.frame
    assert frame.columns == ["as_of", "customer", *matrix.names]
    assert frame.schema["as_of"] == pl.Date
    assert frame.schema["customer"] == pl.UInt32
    assert {frame.schema[name] for name in matrix.names} == {pl.Float32()}
    assert frame.select("as_of", "customer").rows() == sorted(frame.select("as_of", "customer").rows())
    assert frame.height == 3 * 5
    assert matrix.dates == sorted(dates)[1:]
    assert not frame.select(pl.any_horizontal(pl.col(matrix.names).is_nan())).to_series().any()
    assert all(frame[name].n_chunks() == 1 for name in matrix.names)
