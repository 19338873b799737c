"""Features in codes come back to the bit, however many values there are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from akb.features.compact import CodedColumn, PlainColumn, finished, put_rows, stacked
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


@pytest.mark.parametrize("kind", [PlainColumn, CodedColumn])
@pytest.mark.parametrize("different", [200, 300, 65_537])
def test_rows_that_come_in_codes_of_their_own_are_the_same_values(kind: type, different: int) -> None:
    values = _values(different)
    columns = {"x": kind(ROWS)}
    for part in range(3):
        at = np.arange(part, ROWS, 3)
        put_rows(columns, at, *finished(pl.DataFrame({"row": at}), {"x": _filled(kind(len(at)), values[at])}))
    frame, coded = finished(pl.DataFrame({"row": range(ROWS)}), columns)
    got = coded["x"][frame["x"].to_numpy()] if "x" in coded else frame["x"].to_numpy()
    assert np.array_equal(got.view(np.uint32), values.view(np.uint32))


def test_values_that_are_looked_for_in_one_place_keep_their_own_codes() -> None:
    back = pow(0x9E3779B1, -1, 1 << 32)  # of numbers in a row, turned back, all have one place
    bits = np.array([n * back % (1 << 32) for n in range(600)], dtype=np.uint32)
    values = np.resize(bits, ROWS).view(np.float32)
    made = _matrix(values, CodedColumn(ROWS), 2)
    assert made.frame["x"].dtype == pl.UInt16
    assert np.array_equal(made.column("x").view(np.uint32), values.view(np.uint32))


def _filled(column: CodedColumn | PlainColumn, values: np.ndarray) -> CodedColumn | PlainColumn:
    column.put(np.arange(len(values)), values)
    return column
