"""Features in codes come back to the bit, however many values there are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from akb.features.compact import CodedColumn, PlainColumn, finished, stacked
from akb.features.types import Feature, Matrix

ROWS = 70_000


def _values(different: int) -> np.ndarray:
    """So many values, among them unknown, both zeros and what no decimal tells."""
    rng = np.random.default_rng(different)
    some = (np.arange(different, dtype=np.uint32)[::-1] + 0x3F800000).view(np.float32)  # one and a bit more each
    some[:3] = np.nan, 0.0, -0.0
    return some[np.concatenate([np.arange(different), rng.integers(0, different, ROWS - different)])]


def _matrix(values: np.ndarray, column: CodedColumn | PlainColumn, parts: int) -> Matrix:
    rows = pl.DataFrame(
        {"as_of": [20_000] * ROWS, "customer": range(ROWS)}, schema={"as_of": pl.Date, "customer": pl.UInt32}
    )
    for part in range(parts):
        at = np.arange(part, ROWS, parts)
        column.put(at, values[at])
    frame, coded = finished(rows, {"x": column})
    return Matrix(frame, (Feature("x", "", "", ""),), coded=coded)


@pytest.mark.parametrize(
    ("different", "kind"), [(3, pl.UInt8), (256, pl.UInt8), (257, pl.UInt16), (65_537, pl.Float32)]
)
def test_a_value_comes_back_to_the_bit_in_as_few_bytes_as_it_needs(different: int, kind: pl.DataType) -> None:
    values = _values(different)
    made = _matrix(values, CodedColumn(ROWS), 7)
    assert made.frame["x"].dtype == kind
    plain = _matrix(values, PlainColumn(ROWS), 1)
    assert plain.frame["x"].dtype == pl.Float32
    some = np.array([5, 3, ROWS - 1])
    for each in (made, plain):
        assert np.array_equal(each.column("x").view(np.uint32), values.view(np.uint32))
        assert np.array_equal(each.floats(some, ("x",))[:, 0], values[some], equal_nan=True)
        assert np.array_equal(each.floats(slice(3, 9), ("x",))[:, 0], values[3:9], equal_nan=True)
    assert made.decoded().equals(plain.decoded())
    day = made.dates[0]
    assert made.on(day, ("x",)).equals(plain.on(day, ("x",)))
    assert made.at(0)["x"].to_list() == [None]


def test_matrices_below_each_other_share_their_codes() -> None:
    one, other = (_matrix(_values(n), CodedColumn(ROWS), 1) for n in (200, 300))
    frame, coded = stacked([(one.frame, one.coded), (other.frame, other.coded)], ("x",))
    both = Matrix(frame, one.features, coded=coded)
    expected = np.concatenate([one.column("x"), other.column("x")])
    assert np.array_equal(both.column("x").view(np.uint32), expected.view(np.uint32))
