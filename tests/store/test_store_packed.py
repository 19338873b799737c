"""Results as one file and back: the same things, the same bytes, and nothing but the classes that were named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from akb.core.errors import RefusedError
from akb.store.packed import emptied, packed, unpacked


@dataclass(frozen=True)
class Told:
    frame: pl.DataFrame | None
    parts: tuple[Any, ...]
    named: dict[Any, Any]


FRAME = pl.DataFrame(
    {"customer": [1, 2, 3], "chance": [0.1 + 0.2, None, 1e-300], "day": [date(2025, 1, 1), None, date(1999, 12, 31)]},
    schema_overrides={"customer": pl.UInt32},
)
THINGS: dict[str, Any] = {
    "one": Told(FRAME, (1, 0.1 + 0.2, None, "é", date(2025, 2, 3), (True,)), {"a": [1, (2,)], 3: {"kind": "frame"}}),
    "none": None,
    "empty": Told(FRAME.head(0), (), {}),
}


def test_what_goes_in_comes_out_to_the_bit() -> None:
    again = unpacked(packed(THINGS), [Told])
    assert again["none"] is None
    for name in ("one", "empty"):
        before, after = THINGS[name], again[name]
        assert (after.parts, after.named) == (before.parts, before.named)
        assert after.frame.equals(before.frame)
        assert after.frame.schema == before.frame.schema


@dataclass(frozen=True)
class Small:
    number: int
    name: str
    value: float | None


def test_many_small_things_come_out_as_they_went_in() -> None:
    values = [0.1 + 0.2, None, -1e-300, float("inf")]
    many = tuple(Small(place, f"é{place % 7}", values[place % 4]) for place in range(500))
    unknown = (Small(1, "", None),) * 200
    content = packed({"many": many, "few": many[:3], "mixed": (*many, 1), "none": unknown})
    again = unpacked(content, [Small])
    assert again["many"] == many
    assert again["few"] == many[:3]
    assert again["mixed"] == (*many, 1)
    assert again["none"] == unknown
    with pytest.raises(RefusedError):
        unpacked(content, [])


def test_the_same_things_give_the_same_bytes_however_frames_were_built() -> None:
    pieces = pl.concat([FRAME.head(1), FRAME.tail(2)], rechunk=False)
    assert packed({"frame": pieces}) == packed({"frame": FRAME})


def test_numbers_of_numpy_become_numbers_and_strange_things_are_an_error() -> None:
    assert unpacked(packed({"n": np.float32(0.5), "k": np.int64(3)}), []) == {"n": 0.5, "k": 3}
    with pytest.raises(TypeError, match="no form to keep for object"):
        packed({"x": object()})


@pytest.mark.parametrize("content", [b"", b"PK no zip", packed(THINGS)[:-30], emptied()])
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError, match="eda"):
        unpacked(content, [Told])


def test_only_named_classes_are_made() -> None:
    with pytest.raises(RefusedError):
        unpacked(packed(THINGS), [])


def test_only_what_is_asked_for_is_read() -> None:
    again = unpacked(packed({**THINGS, "n": 3}), [], only=("n", "none"))
    assert again == {"n": 3, "none": None}
