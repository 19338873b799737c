"""Branch rows stand by date, branch and customer, whatever order they come in; none at all is no accident."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from akb.features.branch_rows.world import in_order
from akb.features.cut import ONE

BRANCHES = sorted(["auto", "aov", "Zorg", "é", ""])
ROWS = st.tuples(
    st.dates(date(1950, 1, 1), date(2120, 1, 1)),
    st.sampled_from(BRANCHES),
    st.integers(0, 2**32 - 1),
)
SCHEMA = {"as_of": pl.Date, "branch": pl.Enum(BRANCHES), "customer": pl.UInt32}


@given(st.lists(ROWS, unique=True, max_size=30))
def test_rows_stand_by_date_branch_and_customer(rows: list[tuple[date, str, int]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    by_name = frame.sort("as_of", pl.col("branch").cast(pl.String), "customer")
    assert in_order(frame).equals(by_name)


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 255), st.integers(0, 2**32 - 1)), unique=True))
def test_one_number_is_one_date_branch_and_customer(rows: list[tuple[int, int, int]]) -> None:
    schema = {"t": pl.UInt16, "branch": pl.UInt8, "customer": pl.UInt32}
    frame = pl.DataFrame(sorted(rows), schema=schema, orient="row").select(ONE)
    assert frame["one"].dtype == pl.Int64
    assert frame["one"].is_unique().all()
    assert frame["one"].is_sorted()  # so it sorts as the three columns do, and no part runs into another
