"""Who can do the work: advisers and inside staff with their hours."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from akb.value.in_force import InForce
from akb.value.targeting.contact import rules

INSIDE, ADVISER = "inside", "adviser"


@dataclass(frozen=True)
class Worker:
    """A pair of hands: the hours of one adviser at one level.

    Parameters
    ----------
    name
        As the export writes the adviser; ``#1``, ``#2``, ... where it names none.
    level
        ``inside`` (inside staff, also a junior) or ``adviser``; an adviser can do inside work, not the other way.
    minutes
        A year.
    """

    name: str
    level: str
    minutes: float


def team(base: InForce, advisers: int) -> tuple[Worker, ...]:
    """Return everybody's hours for active customer management, sorted by name and level.

    Members under ``[team]`` in the client's settings have their own level and hours; every other adviser has
    ``capacity.hours_per_year``, split over inside staff and adviser by the shipped share.
    """
    hours = base.value("capacity.hours_per_year")
    inside = float(rules("team")["inside_share"])
    names = pl.concat([base.customers["adviser"], base.held["adviser"]]).drop_nulls().unique().sort().to_list()
    workers: list[Worker] = []
    for name in names or [f"#{number}" for number in range(1, advisers + 1)]:
        if name in base.settings.team:
            continue
        workers += [Worker(name, ADVISER, 60 * hours * (1 - inside)), Worker(name, INSIDE, 60 * hours * inside)]
    for name, member in base.settings.team.items():
        workers.append(Worker(name, member.level, 60 * (hours if member.hours is None else member.hours)))
    return tuple(sorted((worker for worker in workers if worker.minutes > 0), key=lambda who: (who.name, who.level)))
