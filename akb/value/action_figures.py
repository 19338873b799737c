"""What is told of the work: customers per action, the length of lists, hours per worker; no small
counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from akb.core.privacy.identifiers import shared as may_be_named
from akb.value.targeting.lists import next_best_action as nba
from akb.value.types import (
    ActionRow,
    LevelHours,
    LevelMinutes,
    LevelShort,
    ListRow,
    WorkHours,
)

if TYPE_CHECKING:
    import polars as pl

    from akb.value.in_force import InForce
    from akb.value.targeting.staffing import Assignment


def by_action(choice: nba.Choice, limit: int) -> tuple[ActionRow, ...]:
    """Return every action with its customers; who is left alone takes no minutes."""
    rows = []
    for action in nba.ACTIONS:
        mine = choice.action == action
        minutes = float(choice.minutes[mine].sum()) if action != nba.ALONE else 0.0
        rows.append(ActionRow(action, int(mine.sum()), minutes))
    return hidden(rows, limit)


def hidden(rows: list[ActionRow], limit: int) -> tuple[ActionRow, ...]:
    """Return rows in which too small counts are None; a single hidden one takes the smallest other
    along.
    """
    counts = [row.customers or 0 for row in rows]
    gone = {place for place, count in enumerate(counts) if 0 < count < limit}
    others = [place for place, count in enumerate(counts) if place not in gone and count]
    if len(gone) == 1 and others:
        gone.add(min(others, key=lambda place: (counts[place], place)))
    return tuple(
        ActionRow(row.key, None, None) if place in gone else row for place, row in enumerate(rows)
    )


def list_sizes(lists: dict[str, pl.DataFrame], limit: int) -> tuple[ListRow, ...]:
    """Return the length of every list; counts from 1 up to the limit are None."""
    rows = []
    for name, frame in lists.items():
        control = int(frame["control"].sum())
        few, drawn = 0 < frame.height < limit, 0 < control < limit
        rows.append(ListRow(name, None if few else frame.height, None if drawn else control))
    return tuple(rows)


def hours_used(base: InForce, work: Assignment) -> WorkHours:
    """Return who works how much; those who may not be named are together."""
    people = base.portfolio.customers
    named = may_be_named(people["adviser"], people["customer"], base.settings.report.suppress_below)
    rows: dict[tuple[str | None, str], LevelHours] = {}
    for row in work.hours:
        name = row.name if row.name in named or str(row.name).startswith("#") else None
        seen = rows.get((name, row.level), LevelHours(name, row.level, 0.0, 0.0))
        rows[name, row.level] = replace(
            seen, available=seen.available + row.available, used=seen.used + row.used
        )
    order = sorted(rows, key=lambda key: (key[0] is None, key[0] or "", key[1]))
    return WorkHours(
        hours=tuple(rows[key] for key in order),
        needed=tuple(LevelMinutes(level, minutes) for level, minutes in work.needed.items()),
        short=tuple(LevelShort(level, **missing) for level, missing in work.short.items()),
    )


def own_share(todo: pl.DataFrame) -> float | None:
    """Return how many of those who have an adviser and are served stay with that adviser."""
    served = todo.drop_nulls(["adviser", "done_by"])
    if served.is_empty():
        return None
    return float((served["adviser"] == served["done_by"]).mean())  # type: ignore[arg-type]
