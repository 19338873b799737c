"""Small groups are not shown: merged into one, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OTHER = "_other"


def few(count: float, limit: int) -> float | None:
    """Return a count of customers, or None where it is so small that it tells of persons; zero is
    told.
    """
    return None if 0 < count < limit else count


def shown(rows: list[dict[str, Any]], limit: int, count: str = "customers") -> list[dict[str, Any]]:
    """Return rows in which every `count` is zero or at least `limit`; the others merged under key
    ``_other``.

    Where the small ones together are still under the limit, the smallest shown row joins them, so
    that a total cannot give them away; with nothing else to join they are left out. Numbers are
    added, other values kept only where all agree."""
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


def blanked(
    rows: list[dict[str, Any]], limit: int, groups: Mapping[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Return a time series in which too small counts are None: a month cannot be merged with
    another.

    Parameters
    ----------
    groups
        Column that counts -> the columns that go with it.
    """
    return [
        {
            name: None
            if any(name in names and 0 < row[count] < limit for count, names in groups.items())
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


def unsaid(
    rows: list[dict[str, Any]], limit: int, count: str, *beside: str
) -> list[dict[str, Any]]:
    """Return rows in which a `count` from 1 to `limit` - 1 is None, with what follows from it
    (`beside`).

    For what happened in groups that are themselves large enough, and whose total is known: so that
    the total cannot give them away the hidden ones are two or more, and together the limit or more,
    as far as other rows can join them."""
    hidden = {place for place, row in enumerate(rows) if 0 < row[count] < limit}
    while hidden and (len(hidden) < 2 or sum(rows[place][count] for place in hidden) < limit):
        others = [place for place, row in enumerate(rows) if place not in hidden and row[count]]
        if not others:
            break
        hidden.add(min(others, key=lambda place: (rows[place][count], place)))
    away = dict.fromkeys((count, *beside))
    return [{**row, **away} if place in hidden else row for place, row in enumerate(rows)]


def crossed(counts: NDArray[np.int64], limit: int, *, moves: int = 0) -> list[list[int | None]]:
    """Return a cross table in which cells from 1 to `limit` - 1 are None, and with them what would
    give them away.

    Totals of rows and columns may be known. So in every row and column in which anything is hidden,
    two cells or more are, which together are `limit` or more: the smallest others join them, empty
    ones where a second cell is enough. Of a row or column that is itself under the limit the total
    must not be shown.

    Parameters
    ----------
    moves
        So many rows and columns, the first ones, are the same classes: of those cells the totals
        above, below and on the diagonal (who went down, up, nowhere) may be known too.
    """
    hidden = (counts > 0) & (counts < limit)
    row, column = np.indices(counts.shape)
    lines = [row == number for number in range(counts.shape[0])] + [
        column == n for n in range(counts.shape[1])
    ]
    if moves:
        square = (row < moves) & (column < moves)
        lines += [square & (row < column), square & (row > column), square & (row == column)]
    changed = True
    while changed:
        changed = False
        for line in lines:
            if counts[line].sum() < limit:
                continue  # its own total stays hidden
            while hidden[line].any():
                enough = bool(counts[line & hidden].sum() >= limit)
                others: list[list[int]] = np.argwhere(line & ~hidden).tolist()
                if not others or (enough and hidden[line].sum() > 1):
                    break
                hidden[tuple(_cheapest(counts, others, enough=enough))] = True
                changed = True
    return [
        [None if away else int(number) for number, away in zip(there, gone, strict=True)]
        for there, gone in zip(counts, hidden, strict=True)
    ]


def _cheapest(counts: NDArray[np.int64], cells: list[list[int]], *, enough: bool) -> list[int]:
    """Return the cell by which least is lost: an empty one, unless customers are needed to hide
    between.
    """
    return min(cells, key=lambda cell: ((counts[*cell] == 0) != enough, int(counts[*cell]), cell))


def _merge(rows: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        known = [value for value in values if value is not None]
        if name == "key":
            out[name] = OTHER
        elif known and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in known
        ):
            out[name] = sum(known)
        else:
            out[name] = values[0] if all(value == values[0] for value in values) else None
    return out
