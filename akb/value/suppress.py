"""Small groups are not shown: merged into one, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = "_other"


def shown(rows: list[dict[str, Any]], limit: int, count: str = "customers") -> list[dict[str, Any]]:
    """Return rows in which every `count` is zero or at least `limit`; the others merged under key ``_other``.

    Where the small ones together are still under the limit, the smallest shown row joins them, so that a total cannot
    give them away; with nothing else to join they are left out. Numbers are added, other values kept only where all
    agree.
    """
    small = [row for row in rows if 0 < row[count] < limit]
    large = [row for row in rows if row[count] == 0 or row[count] >= limit]
    if not small:
        return rows
    filled = [row for row in large if row[count]]
    if sum(row[count] for row in small) < limit and filled:
        least = min(filled, key=lambda row: row[count])
        large = [row for row in large if row is not least]
        small.append(least)
    merged = _merge(small)
    return [*large, merged] if merged[count] >= limit else large


def blanked(rows: list[dict[str, Any]], limit: int, groups: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Return a time series in which too small counts are None: a month cannot be merged with another.

    Parameters
    ----------
    groups
        Column that counts -> the columns that go with it.
    """
    return [
        {
            name: None if any(name in names and 0 < row[count] < limit for count, names in groups.items()) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _merge(rows: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        known = [value for value in values if value is not None]
        if name == "key":
            out[name] = OTHER
        elif known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
            out[name] = sum(known)
        else:
            out[name] = values[0] if all(value == values[0] for value in values) else None
    return out
