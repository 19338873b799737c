"""Columns of a page, packed: numbers as base64 of their bytes, so that a customer takes some two
hundred bytes.

A column is a JSON object that says itself how it is packed, so that whoever must take a customer
out of a page needs to know nothing else of it.

    {"t": "u8" | "u16" | "u32", "w": values per row, "d": base64}
                                                           the same number of values for every row
    {"t": ..., "n": base64 of a u8 per row, "d": base64}                  as many values as n says
    {"t": "text", "d": [...]}                                             texts
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDTHS = {"u8": 1, "u16": 2, "u32": 4}
MOST = 255
"""Most values of one row in a ragged column."""
_ENDING = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_BLOCK = re.compile(
    r'(<script type="application/json" id="akb-columns">)(.*?)(</script>)', re.DOTALL
)


def fixed(
    values: NDArray[Any] | Sequence[int], width: int = 1, least: str = "u8"
) -> dict[str, Any]:
    """Return a column of whole numbers from 0 on, `width` per row, as small as the largest
    allows.
    """
    array = np.asarray(values, dtype=np.int64)
    kind = _kind(array, least)
    return {"t": kind, "w": width, "d": _packed(array, kind)}


def ragged(
    lengths: NDArray[Any] | Sequence[int], values: NDArray[Any] | Sequence[int], least: str = "u8"
) -> dict[str, Any]:
    """Return a column of rows of unequal length: how many values each has, and the values of all.

    Raises
    ------
    ValueError
        If a row is longer than `MOST`: its maker must say what is left out.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    if counts.max(initial=0) > MOST:
        raise ValueError(f"a row of more than {MOST} values")
    array = np.asarray(values, dtype=np.int64)
    kind = _kind(array, least)
    return {"t": kind, "n": _packed(counts, "u8"), "d": _packed(array, kind)}


def text(values: Sequence[str]) -> dict[str, Any]:
    """Return a column of texts."""
    return {"t": "text", "d": list(values)}


def unpacked(column: dict[str, Any]) -> list[Any]:
    """Return the rows of a column: texts, numbers, or lists of numbers."""
    if column["t"] == "text":
        return list(column["d"])
    values = _unpacked(column["d"], column["t"])
    if "n" in column:
        ends = np.cumsum(_unpacked(column["n"], "u8").astype(np.int64))
        return [part.tolist() for part in np.split(values, ends)[:-1]]
    return values.tolist() if column["w"] == 1 else values.reshape(-1, column["w"]).tolist()


def script_json(value: Any) -> str:
    """Return a value as JSON that can stand in a script element: nothing in it can end the
    element.
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return written.translate(_ENDING)


def page_without(page: str, names: frozenset[str]) -> tuple[str, int]:
    """Return a page without the rows of some customers, and how many went."""
    found = _BLOCK.search(page)
    if found is None:
        return page, 0
    columns = json.loads(found[2])
    shown = unpacked(columns["customer"])
    kept = [place for place, name in enumerate(shown) if name not in names]
    if len(kept) == len(shown):
        return page, 0
    made = {name: taken(column, kept) for name, column in columns.items()}
    return page[: found.start(2)] + script_json(made) + page[found.end(2) :], len(shown) - len(kept)


def taken(column: dict[str, Any], kept: Sequence[int] | NDArray[np.int64]) -> dict[str, Any]:
    """Return a column of some of its rows, packed as it was."""
    if column["t"] == "text":
        return text([column["d"][place] for place in kept])
    places = np.asarray(kept, dtype=np.int64)
    values = _unpacked(column["d"], column["t"])
    if "n" not in column:
        rows = values.reshape(-1, column["w"])[places]
        return {"t": column["t"], "w": column["w"], "d": _bytes(rows)}
    lengths = _unpacked(column["n"], "u8").astype(np.int64)
    begin, some = np.cumsum(lengths) - lengths, lengths[places]
    # every value's place: where its row begins, and how far into the row it stands
    inside = np.arange(some.sum()) - np.repeat(np.cumsum(some) - some, some)
    rows = values[np.repeat(begin[places], some) + inside]
    return {"t": column["t"], "n": _bytes(some.astype("u1")), "d": _bytes(rows)}


def page_block(page: str, name: str) -> Any:
    """Return what stands in a JSON block of a page; None where there is no such block."""
    opening = f'<script type="application/json" id="{name}">'
    begin = page.find(opening)
    if begin < 0:
        return None
    begin += len(opening)
    return json.loads(page[begin : page.index("</script>", begin)])


def _kind(array: NDArray[np.int64], least: str) -> str:
    largest, smallest = int(array.max(initial=0)), int(array.min(initial=0))
    if smallest < 0 or largest >= 2**32:
        raise ValueError("a packed column holds whole numbers from 0 to 4,294,967,295")
    fits = next(kind for kind, width in WIDTHS.items() if largest < 256**width)
    return max(fits, least, key=lambda kind: WIDTHS[kind])


def _packed(array: NDArray[np.int64], kind: str) -> str:
    return _bytes(array.astype(f"<u{WIDTHS[kind]}"))


def _bytes(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _unpacked(content: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(content), dtype=f"<u{WIDTHS[kind]}")
