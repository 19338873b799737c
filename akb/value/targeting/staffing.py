"""Who does what: customers to advisers within their hours and level, at the own adviser where that fits.

A transport problem, solved as a linear programme over groups of equal customers (own adviser, level, minutes,
action), so that its size does not grow with the portfolio. Costs are per minute: zero at the own adviser at the right
level, more elsewhere, most for work that nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.value.targeting.contact import rules
from akb.value.targeting.team import ADVISER, INSIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.value.in_force import Floats
    from akb.value.targeting.team import Worker

_KEYS = ["adviser", "level", "minutes", "action"]


@dataclass(frozen=True)
class Assignment:
    """Who does what.

    Parameters
    ----------
    rows
        rank, ``done_by`` and ``done_level`` of everybody on the list; null where the hours fall short.
    hours
        Per worker {name, level, available, used} in minutes, by name and level.
    needed
        Per level, minutes of work asked for.
    short
        Per level, minutes and customers for whom no hours are left; empty if everything fits.
    """

    rows: pl.DataFrame
    hours: tuple[dict[str, Any], ...]
    needed: dict[str, float]
    short: dict[str, dict[str, float]]


def assign(tasks: pl.DataFrame, workers: Sequence[Worker]) -> Assignment:
    """Return who does what.

    Parameters
    ----------
    tasks
        rank, adviser (own; may be null), level (``inside`` or ``adviser``), minutes, action; a row per customer.
    workers
        Everybody's minutes. Whose pool does the work is decided by the plan: its cost is that of who really does it.
    """
    groups = tasks.group_by(_KEYS).agg(pl.len().alias("customers"), pl.col("rank").sort()).sort(_KEYS, nulls_last=True)
    counts = _placed(groups, workers)
    made: list[tuple[int, str | None, str | None]] = []
    for group, given in zip(groups.iter_rows(named=True), counts, strict=True):
        ranks = iter(group["rank"])
        order = sorted(range(len(workers)), key=lambda w: (workers[w].name != group["adviser"], w))
        for place in order:
            made += [(next(ranks), workers[place].name, workers[place].level) for _ in range(int(given[place]))]
        made += [(rank, None, None) for rank in ranks]
    schema = {"rank": pl.Int64, "done_by": pl.String, "done_level": pl.String}
    rows = pl.DataFrame(made, schema=schema, orient="row").sort("rank")
    minutes = groups["minutes"].to_numpy()
    used = minutes @ counts if len(groups) else np.zeros(len(workers))
    return Assignment(
        rows,
        tuple(
            {"name": who.name, "level": who.level, "available": who.minutes, "used": float(used[place])}
            for place, who in enumerate(workers)
        ),
        {level: float(tasks.filter(pl.col("level") == level)["minutes"].sum()) for level in (ADVISER, INSIDE)},
        _short(groups, counts),
    )


def _short(groups: pl.DataFrame, counts: Floats) -> dict[str, dict[str, float]]:
    left = groups["customers"].to_numpy() - counts.sum(axis=1)
    out: dict[str, dict[str, float]] = {}
    for level in (ADVISER, INSIDE):
        mine = (groups["level"] == level).to_numpy()
        if left[mine].sum() > 0:
            minutes = float((left * groups["minutes"].to_numpy())[mine].sum())
            out[level] = {"minutes": minutes, "customers": float(left[mine].sum())}
    return out


def _placed(groups: pl.DataFrame, workers: Sequence[Worker]) -> Floats:
    """Return (groups, workers): customers of every group at every worker, whole numbers within everybody's minutes."""
    shape = (len(groups), len(workers))
    if 0 in shape:
        return np.zeros(shape)
    costs = _costs(groups, workers)
    shares = _solve(groups, workers, costs)
    counts: Floats = np.floor(shares + 1e-6)
    # A corner of the linear programme has few fractions: what rounding down leaves goes to the cheapest with time left.
    minutes = groups["minutes"].to_numpy()
    free = np.array([who.minutes for who in workers]) - minutes @ counts
    left = groups["customers"].to_numpy() - counts.sum(axis=1)
    best_first = np.lexsort((np.arange(shape[0]), groups["rank"].list.first().to_numpy()))
    for group in best_first:
        for place in np.argsort(costs[group], kind="stable"):
            if not np.isfinite(costs[group, place]) or left[group] <= 0:
                break
            more = left[group]
            if minutes[group] > 0:
                more = min(more, np.floor((free[place] + 1e-9) / minutes[group]))
            if more > 0:
                counts[group, place] += more
                free[place] -= more * minutes[group]
                left[group] -= more
    return counts


def _costs(groups: pl.DataFrame, workers: Sequence[Worker]) -> Floats:
    """Return cost per minute of every group at every worker; infinite in another pool than the plan's."""
    rule = rules("assignment")
    out = np.zeros((len(groups), len(workers)))
    for place, (own, level) in enumerate(groups.select("adviser", "level").iter_rows()):
        for number, who in enumerate(workers):
            if level != who.level:
                out[place, number] = np.inf
                continue
            out[place, number] = float(rule["other_adviser"]) * (own is not None and who.name != own)
    # One optimum only: of equal solutions the one that a fixed, tiny preference picks.
    tie = (np.arange(out.size) * 0.618033988749895 % 1.0).reshape(out.shape)
    made: Floats = out + 1e-4 * tie
    return made


def _solve(groups: pl.DataFrame, workers: Sequence[Worker], costs: Floats) -> Floats:
    """Return the optimum of the linear programme: customers (fractions allowed) per group and worker."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    undone = rules("assignment", "undone")
    g, w = costs.shape
    minutes = groups["minutes"].to_numpy()
    group, place = np.nonzero(np.isfinite(costs))
    pairs = len(group)
    unplaced = minutes * np.array([float(undone[action]) for action in groups["action"]])
    objective = np.concatenate([costs[group, place] * minutes[group], unplaced])
    everyone = coo_array(
        (np.ones(pairs + g), (np.concatenate([group, np.arange(g)]), np.arange(pairs + g))), shape=(g, pairs + g)
    )
    hours = coo_array((minutes[group], (place, np.arange(pairs))), shape=(w, pairs + g))
    solved = linprog(
        objective,
        A_ub=hours.tocsr(),
        b_ub=[who.minutes for who in workers],
        A_eq=everyone.tocsr(),
        b_eq=groups["customers"].to_numpy(),
        method="highs-ds",
    )
    if solved.x is None:  # leaving everything undone is always allowed, so this is an error of the solver
        raise RuntimeError(f"the linear programme of the assignment was not solved: {solved.message}")
    out: Floats = np.zeros((g, w))
    out[group, place] = solved.x[:pairs]
    return out
