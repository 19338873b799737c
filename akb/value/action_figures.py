"""What is told of the work: customers per action, the length of lists, hours per worker; no small
counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.privacy.identifiers import shared as may_be_named
from akb.value.targeting.lists import next_best_action as nba

if TYPE_CHECKING:
    import polars as pl

    from akb.value.in_force import InForce
    from akb.value.targeting.staffing import Assignment


def by_action(choice: nba.Choice) -> list[dict[str, Any]]:
    """Return rows {key, customers, minutes} of every action; who is left alone takes no minutes."""
    return [
        {
            "key": action,
            "customers": int((choice.action == action).sum()),
            "minutes": float(choice.minutes[choice.action == action].sum())
            if action != nba.ALONE
            else 0.0,
        }
        for action in nba.ACTIONS
    ]


def hidden(rows: list[dict[str, Any]], limit: int, *names: str) -> list[dict[str, Any]]:
    """Return rows in which too small counts are None; a single hidden one takes the smallest other
    along.

    Parameters
    ----------
    names
        The column that counts customers, and those that go with it.
    """
    count = names[0]
    gone = {place for place, row in enumerate(rows) if 0 < row[count] < limit}
    others = [place for place, row in enumerate(rows) if place not in gone and row[count]]
    if len(gone) == 1 and others:
        gone.add(min(others, key=lambda place: (rows[place][count], place)))
    return [
        {name: None if place in gone and name in names else value for name, value in row.items()}
        for place, row in enumerate(rows)
    ]


def list_sizes(lists: dict[str, pl.DataFrame], limit: int) -> list[dict[str, Any]]:
    """Return rows {key, customers, control} of every list; counts from 1 up to the limit are
    None.
    """
    rows = []
    for name, frame in lists.items():
        control = int(frame["control"].sum())
        few, drawn = 0 < frame.height < limit, 0 < control < limit
        rows.append(
            {
                "key": name,
                "customers": None if few else frame.height,
                "control": None if drawn else control,
            }
        )
    return rows


def hours_used(base: InForce, work: Assignment) -> dict[str, Any]:
    """Return who works how much, in minutes.

    Returns
    -------
    dict
        ``hours``: rows {name, level, available, used}, those who may not be named together under
        None; ``needed`` and ``short``: rows per level.
    """
    people = base.portfolio.customers
    named = may_be_named(people["adviser"], people["customer"], base.settings.report.suppress_below)
    rows: dict[tuple[str | None, str], dict[str, Any]] = {}
    for row in work.hours:
        name = row["name"] if row["name"] in named or row["name"].startswith("#") else None
        seen = rows.setdefault(
            (name, row["level"]),
            {"name": name, "level": row["level"], "available": 0.0, "used": 0.0},
        )
        seen["available"] += row["available"]
        seen["used"] += row["used"]
    order = sorted(rows, key=lambda key: (key[0] is None, key[0] or "", key[1]))
    return {
        "hours": [rows[key] for key in order],
        "needed": [{"key": level, "minutes": minutes} for level, minutes in work.needed.items()],
        "short": [{"key": level, **missing} for level, missing in work.short.items()],
    }


def own_share(todo: pl.DataFrame) -> float | None:
    """Return how many of those who have an adviser and are served stay with that adviser."""
    served = todo.drop_nulls(["adviser", "done_by"])
    if served.is_empty():
        return None
    return float((served["adviser"] == served["done_by"]).mean())  # type: ignore[arg-type]
