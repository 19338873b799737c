"""Who can do the work: advisers and inside staff with their hours."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from akb.value.in_force import InForce

INSIDE, ADVISER = "inside", "adviser"
POOLS = (INSIDE, ADVISER)
"""Whose minutes are limited; what happens by itself takes nobody's."""


@dataclass(frozen=True)
class Worker:
    """A pair of hands: the hours of one person in one pool.

    Parameters
    ----------
    name
        As the export writes the adviser; ``#1``, ``#2``, ... where it names none.
    level
        The pool: ``inside`` (inside staff, also a junior) or ``adviser``.
    minutes
        A year.
    """

    name: str
    level: str
    minutes: float


def team(in_force: InForce, advisers: int) -> tuple[Worker, ...]:
    """Return everybody's hours for active customer management, sorted by name and pool.

    Members under ``[team]`` in the client's settings have their own pool and hours; every other
    adviser has the hours of the register, some as an adviser and some of the inside staff beside
    him."""
    hours = {pool: in_force.value(f"capacity.hours_per_year_{pool}") for pool in POOLS}
    workers: list[Worker] = []
    for name in with_usual_hours(in_force, advisers):
        workers += [Worker(name, pool, 60 * hours[pool]) for pool in POOLS]
    for name, member in in_force.settings.team.items():
        own = sum(hours.values()) if member.hours is None else member.hours
        workers.append(Worker(name, member.level, 60 * own))
    return tuple(
        sorted(
            (worker for worker in workers if worker.minutes > 0),
            key=lambda who: (who.name, who.level),
        )
    )


def with_usual_hours(in_force: InForce, advisers: int) -> list[str]:
    """Return the advisers who have the hours of the register, none of their own in the settings."""
    names = (
        pl.concat([in_force.customers["adviser"], in_force.held["adviser"]])
        .drop_nulls()
        .unique()
        .sort()
        .to_list()
    )
    every = names or [f"#{number}" for number in range(1, advisers + 1)]
    return [name for name in every if name not in in_force.settings.team]
