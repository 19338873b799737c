"""Who does what: customers to advisers within their hours and level, at the own adviser where that
fits.

A transport problem (Hitchcock 1941), solved as a linear programme over groups of equal customers
(own adviser, level, minutes, action), so that its size does not grow with the portfolio. Costs are
per minute: zero at the own adviser at the right level, more elsewhere, most for work that nobody
does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.targeting.contact import rules
from akb.value.targeting.lists.retention import DEFEND, SELL, keeps
from akb.value.targeting.team import ADVISER, INSIDE, POOLS
from akb.value.types import LevelHours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.targeting.team import Worker

_KEYS = ["adviser", "level", "minutes", "action"]


@dataclass(frozen=True)
class Assignment:
    """Who does what.

    Parameters
    ----------
    rows
        rank, ``done_by`` and ``done_level`` of everybody on the list; null where the hours fall
        short.
    hours
        Per worker, by name and level.
    needed
        Per level, minutes of work asked for.
    short
        Per level, minutes and customers for whom no hours are left; empty if everything fits.
    """

    rows: pl.DataFrame
    hours: tuple[LevelHours, ...]
    needed: dict[str, float]
    short: dict[str, dict[str, float]]


def assign(tasks: pl.DataFrame, workers: Sequence[Worker]) -> Assignment:
    """Return who does what.

    Parameters
    ----------
    tasks
        rank, adviser (own; may be null), level (``inside`` or ``adviser``), minutes, action; a row
        per customer.
    workers
        Everybody's minutes. Whose pool does the work is decided by the plan: its cost is that of
        who really does it.
    """
    groups = (
        tasks.group_by(_KEYS)
        .agg(pl.len().alias("customers"), pl.col("rank").sort())
        .sort(_KEYS, nulls_last=True)
    )
    counts = _placed(groups, workers)
    made: list[tuple[int, str | None, str | None]] = []
    for group, given in zip(groups.iter_rows(named=True), counts, strict=True):
        ranks = iter(group["rank"])
        order = sorted(range(len(workers)), key=lambda w: (workers[w].name != group["adviser"], w))
        for place in order:
            made += [
                (next(ranks), workers[place].name, workers[place].level)
                for _ in range(int(given[place]))
            ]
        made += [(rank, None, None) for rank in ranks]
    schema = {"rank": pl.Int64, "done_by": pl.String, "done_level": pl.String}
    rows = pl.DataFrame(made, schema=schema, orient="row").sort("rank")
    minutes = groups["minutes"].to_numpy()
    used = minutes @ counts if len(groups) else np.zeros(len(workers))
    return Assignment(
        rows,
        tuple(
            LevelHours(who.name, who.level, who.minutes, float(used[place]))
            for place, who in enumerate(workers)
        ),
        {
            level: float(tasks.filter(pl.col("level") == level)["minutes"].sum())
            for level in (ADVISER, INSIDE)
        },
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
    """Return (groups, workers): customers of every group at every worker, whole numbers within
    everybody's minutes.
    """
    shape = (len(groups), len(workers))
    if 0 in shape:
        return np.zeros(shape)
    costs = _costs(groups, workers)
    shares = _solve(groups, workers, costs)
    counts: Floats = np.floor(shares + 1e-6)
    # A corner of the linear programme has few fractions: what rounding down leaves goes to the
    # cheapest with time left.
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
    """Return cost per minute of every group at every worker; infinite in another pool than the
    plan's.
    """
    rule = rules("assignment")
    out = np.zeros((len(groups), len(workers)))
    for place, (own, level) in enumerate(groups.select("adviser", "level").iter_rows()):
        for number, who in enumerate(workers):
            if level != who.level:
                out[place, number] = np.inf
                continue
            out[place, number] = float(rule["other_adviser"]) * (
                own is not None and who.name != own
            )
    # One optimum only: of equal solutions the one that a fixed, tiny preference picks.
    tie = (np.arange(out.size) * 0.618033988749895 % 1.0).reshape(out.shape)
    made: Floats = out + 1e-4 * tie
    return made


def _solve(groups: pl.DataFrame, workers: Sequence[Worker], costs: Floats) -> Floats:
    """Return the optimum of the linear programme: customers (fractions allowed) per group and
    worker.
    """
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
        (np.ones(pairs + g), (np.concatenate([group, np.arange(g)]), np.arange(pairs + g))),
        shape=(g, pairs + g),
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
    if (
        solved.x is None
    ):  # leaving everything undone is always allowed, so this is an error of the solver
        raise RuntimeError(
            f"the linear programme of the assignment was not solved: {solved.message}"
        )
    out: Floats = np.zeros((g, w))
    out[group, place] = solved.x[:pairs]
    return out


def staffed(
    in_force: InForce, plan: ContactPlan, eligibility: Eligibility
) -> tuple[ContactPlan, Assignment]:
    """Return the plan's lists as people can do them, and who does what.

    The pools' minutes suffice, but a person's may be broken: whom nobody in the pool can take is
    left out of the lists. Follow-ups take minutes of all advisers alike before anything is given
    out.
    """
    personal, tasks, minutes, place = _tasks(in_force, plan)
    work = assign(tasks, _without_follow_ups(plan, eligibility, minutes, place))
    follow_ups = _follow_ups(plan, minutes, place)
    total = _minutes_per_pool(eligibility)
    hours = tuple(
        replace(
            row,
            available=who.minutes,
            used=row.used
            + (follow_ups[who.level] * who.minutes / total[who.level] if total[who.level] else 0.0),
        )
        for row, who in zip(work.hours, eligibility.workers, strict=True)
    )
    needed = {pool: minutes + follow_ups[pool] for pool, minutes in work.needed.items()}
    whose = pl.DataFrame(
        {"rank": np.arange(len(personal)), "row": personal},
        schema={"rank": pl.Int64, "row": pl.Int64},
    )
    found = work.rows.join(whose, on="rank")
    undone = found.filter(pl.col("done_by").is_null())["row"].to_numpy()
    found = found.drop_nulls("done_by").select(
        rank="row", done_by="done_by", done_level="done_level"
    )
    return plan.without(undone), replace(work, rows=found, hours=hours, needed=needed)


def feasible(in_force: InForce, plan: ContactPlan, eligibility: Eligibility) -> bool:
    """Return whether `staffed` surely leaves nobody out: then the plan is the same without working
    out who does what.

    Where a pool has more minutes left than its longest contact for each of its people, one of them
    always has time for one contact more.
    """
    _, tasks, minutes, place = _tasks(in_force, plan)
    workers = _without_follow_ups(plan, eligibility, minutes, place)
    for level in POOLS:
        asked = tasks.filter(pl.col("level") == level)["minutes"]
        mine = [who.minutes for who in workers if who.level == level]
        if len(asked) and sum(mine) < float(asked.sum()) + len(mine) * float(
            np.max(asked.to_numpy())
        ):
            return False
    return True


def _tasks(
    in_force: InForce, plan: ContactPlan
) -> tuple[NDArray[np.int64], pl.DataFrame, Floats, NDArray[np.int64]]:
    """Return the rows of contacts that a person makes, those as tasks of `assign`, their minutes
    and pool.
    """
    rows = np.flatnonzero(plan.planned)
    pools = [plan.menu.options[place].pool for place in plan.option[rows].tolist()]
    personal = rows[np.array([pool in POOLS for pool in pools], dtype=np.bool_)]
    own = {pool: place for place, pool in enumerate(POOLS)}
    option = plan.option[personal]
    pool = [plan.menu.options[place].pool for place in option.tolist()]
    place = np.array([own[name] for name in pool], dtype=np.int64)
    minutes = plan.menu.minutes[personal, option, place] if len(personal) else np.zeros(0)
    first = keeps(plan, plan.option)[personal]
    tasks = in_force.customers.select("adviser")[personal].with_columns(
        rank=pl.Series(np.arange(len(personal)), dtype=pl.Int64),
        level=pl.Series(pool, dtype=pl.String),
        minutes=pl.Series(
            np.maximum(np.round(minutes), 1.0), dtype=pl.Float64
        ),  # equal ones share a group
        action=pl.Series(np.where(first, DEFEND, SELL).tolist(), dtype=pl.String),
    )
    return personal, tasks, minutes, place


def _without_follow_ups(
    plan: ContactPlan, eligibility: Eligibility, minutes: Floats, place: NDArray[np.int64]
) -> list[Worker]:
    """Return everybody's minutes for contacts of their own: what care keeps and what follow-ups
    take is off.
    """
    other, total = _follow_ups(plan, minutes, place), _minutes_per_pool(eligibility)
    kept = eligibility.minutes
    share = {
        name: max(0.0, kept[name] - other[name]) / total[name] if total[name] > 0 else 0.0
        for name in POOLS
    }
    return [
        replace(who, minutes=who.minutes * share[who.level] + 1e-6) for who in eligibility.workers
    ]


def _follow_ups(plan: ContactPlan, minutes: Floats, place: NDArray[np.int64]) -> dict[str, float]:
    """Return pool -> minutes that the plan takes beside the contacts themselves."""
    spent = np.einsum("nk,nkp->p", plan.whole, plan.menu.minutes)
    taken = np.bincount(place, weights=minutes, minlength=len(POOLS))
    return {
        name: float(max(0.0, every - own))
        for name, every, own in zip(POOLS, spent, taken, strict=True)
    }


def _minutes_per_pool(eligibility: Eligibility) -> dict[str, float]:
    return {
        name: sum(who.minutes for who in eligibility.workers if who.level == name) for name in POOLS
    }


def summed(short: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return minutes and customers per level of all shortages together."""
    return {
        level: {
            name: sum(one[level][name] for one in short if level in one)
            for name in ("minutes", "customers")
        }
        for level in dict.fromkeys(level for one in short for level in one)
    }
