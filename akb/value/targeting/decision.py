"""Who is called, and by whom: whom nobody at the right level has time for is left out, and others get the hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.figures import class_of
from akb.value.targeting import next_best_action as arbitrate
from akb.value.targeting.calls import decided, minutes_of, no_calls, without_limit
from akb.value.targeting.cross_sell import rank_offers, selling, with_calls
from akb.value.targeting.service import levels
from akb.value.targeting.staffing import Assignment, assign
from akb.value.targeting.team import INSIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.cross_sell import Offers, Ranked
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence


@dataclass(frozen=True)
class Decision:
    """The calls that are made, the offers among them, and who makes them.

    Parameters
    ----------
    desk
        What the lists share; without those for whom nobody at the right level has time.
    ranked, left_out
        See `offers.rank_offers`.
    work
        Who makes the calls; ``rank`` is the customer's row; ``short`` tells of those who were left out.
    """

    desk: Desk
    calls: Calls
    ranked: Ranked
    left_out: dict[str, int]
    work: Assignment


def decide(
    base: InForce,
    shared: Desk,
    value: Lifetime | None,
    found: Defence | None,
    made: Offers,
    alive: Floats,
    pays: Floats,
) -> Decision:
    """Return who is called, so that everybody who is called is called by someone.

    The hours of all together may suffice where those of one level do not: whom nobody can call is left out, and others
    get the hours. Customers of that level who would be next in line are left out with them: they find the same hours
    full.

    Parameters
    ----------
    shared
        Who may be on a list.
    found
        Top Defend; None where no euro may be named.
    """
    level = np.array(levels(client_classes(base, value)))
    short: list[dict[str, dict[str, float]]] = []
    while True:
        ranked, left_out = rank_offers(base, made, shared, alive, pays)
        keep = no_calls(base.n) if found is None else found.earned
        calls = decided(base, shared, keep, selling(base, ranked, alive))
        work = _hands(base, calls, shared, level)
        undone = work.rows.filter(pl.col("done_by").is_null())["rank"].to_numpy()
        if not len(undone):
            return Decision(shared, calls, with_calls(ranked, calls), left_out, replace(work, short=summed(short)))
        short.append(work.short)
        late = _late(calls, shared, undone, level)
        if late is None:  # minutes too broken for a call: others could not have them either
            left = np.ones(base.n, dtype=np.bool_)
            left[undone] = False
            shared = replace(shared, minutes_available=minutes_of(calls, shared, left))
        shared = shared.without(undone if late is None else late)


def _late(calls: Calls, shared: Desk, undone: Rows, level: NDArray[np.str_]) -> Rows | None:
    """Return for whom nobody has time: of the level whose hours are full, who earns least.

    Those who would come next and find the same hours full are among them, as far as they stand before the others who
    fill the minutes that come free. None where the hours of no single level are full: they are only too broken.
    """
    full = np.unique(level[undone])
    if len(full) != 1:
        return None
    hours = sum(who.minutes for who in shared.workers if full[0] in (who.level, INSIDE))  # an adviser does both
    paying = without_limit(calls, shared)
    order = paying.in_line
    minutes = shared.minutes + np.where(paying.talk[order], shared.offer_minutes, 0.0)
    same = level[order] == full[0]
    beyond = same & (np.cumsum(np.where(same, minutes, 0.0)) > hours)
    made = (calls.to_keep | calls.to_sell)[order]
    if not (beyond & made).any():
        return None
    filled = np.cumsum(np.where(~same & ~made, minutes, 0.0)) > minutes[beyond & made].sum()
    late: Rows = order[beyond & (made | ~filled)]  # never empty, so the rounds come to an end
    return late


def _hands(base: InForce, calls: Calls, shared: Desk, level: NDArray[np.str_]) -> Assignment:
    """Return who makes the calls."""
    rows = calls.in_line
    talk = np.where(calls.talk[rows], shared.offer_minutes, 0.0)
    tasks = base.customers.select("adviser")[rows].with_columns(
        rank=pl.Series(np.arange(len(rows)), dtype=pl.Int64),
        level=pl.Series(level[rows].tolist(), dtype=pl.String),
        minutes=pl.Series(shared.minutes + talk, dtype=pl.Float64),
        action=pl.Series(np.where(calls.to_keep[rows], arbitrate.DEFEND, arbitrate.SELL).tolist(), dtype=pl.String),
    )
    work = assign(tasks, shared.workers)
    whose = pl.DataFrame({"rank": np.arange(len(rows)), "row": rows}, schema={"rank": pl.Int64, "row": pl.Int64})
    found = work.rows.join(whose, on="rank").select(rank="row", done_by="done_by", done_level="done_level")
    return replace(work, rows=found)


def summed(short: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return minutes and customers per level of all shortages together."""
    return {
        level: {name: sum(one[level][name] for one in short if level in one) for name in ("minutes", "customers")}
        for level in dict.fromkeys(level for one in short for level in one)
    }


def client_classes(base: InForce, value: Lifetime | None) -> list[str]:
    """Return the class of every customer: by lifetime value, or by commission where there is none."""
    return class_of(value.clv if value is not None else base.commission_customer)
