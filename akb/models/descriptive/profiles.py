"""Profiles: small, readable groups with an elevated chance, found on training dates and proven on a
later one.

A rule is a conjunction of a few conditions of ``configs/profiles.toml``. All conditions and pairs
are looked at, the best pairs are extended (beam search, as in subgroup discovery). What stands out
after correction for the number of rules looked at is a find; only finds whose lift holds on the
test date are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.wording.text import load_toml
from akb.models.descriptive.rulesearch import Counts, search
from akb.models.tables import positions
from akb.models.types import Profile, Profiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from akb.features.types import Matrix
    from akb.models.context import FitContext
    from akb.models.temporal import Split

    Masks = NDArray[np.float32]

MONTHS = 12
KEPT_AWAY = ("natural", "insurer")  # ends that no attention changes


@dataclass(frozen=True)
class Condition:
    """One condition: `key` (``holds.auto`` for a branch), what it is about, and bounds on a
    feature.
    """

    key: str
    feature: str
    about: str
    at_least: float
    at_most: float


@dataclass(frozen=True)
class Goal:
    """What a profile is about: customers that leave, or a branch that they take.

    rows
        as_of, customer, ``event`` Float64 (1 if it happens within 12 months): who can be asked, on
        the dates used.
    """

    kind: Literal["retention", "product"]
    branch: str | None
    rows: pl.DataFrame


def find_profiles(context: FitContext) -> Profiles | None:
    """Return the profiles that hold on the test date, with how many were found and dropped; None
    without dates to judge on.
    """
    settings = load_toml("profiles.toml")["search"]
    recorded = context.history.recorded_from
    days = [day for day in context.matrix.dates if recorded is not None and day >= recorded]
    window = context.splits(days, MONTHS).test
    if window is None:
        return None
    train = yearly(window)
    conditions = known_conditions(context.matrix, context.settings.branches)
    masks = {
        day: _masks(context.matrix, day, conditions) for day in (*train, window.day, context.as_of)
    }
    shown: list[Profile] = []
    found = looked = 0
    for goal in _goals(context, (*train, window.day), settings):
        tables = {
            day: _asked(context.matrix, goal, day, masks[day]) for day in (*train, window.day)
        }
        result = search(
            [tables[day] for day in train], [each.about for each in conditions], settings
        )
        looked += result.looked
        found += len(result.rules)
        now = _eligible_now(context, goal, masks)
        proofs = (
            _proof(
                goal,
                rule,
                conditions,
                tables[window.day],
                test_date=window.day,
                now=now,
                settings=settings,
            )
            for rule in result.rules
        )
        shown += [proof for proof in proofs if proof is not None]
    return Profiles(
        tuple(shown), looked=looked, found=found, dropped=found - len(shown), test_date=window.day
    )


def yearly(window: Split) -> tuple[date, ...]:
    """Return the training dates at least a year apart, newest first: so no event is counted
    twice.
    """
    chosen: list[date] = []
    for day in sorted(window.train, reverse=True):
        if not chosen or day <= add_months(chosen[-1], -MONTHS):
            chosen.append(day)
    return tuple(chosen)


def known_conditions(matrix: Matrix, own: Iterable[str] = ()) -> list[Condition]:
    """Return the conditions of ``configs/profiles.toml`` that this matrix can answer, in a fixed
    order.

    Parameters
    ----------
    own
        Branches that only this export or client has.
    """
    names = set(matrix.names)
    branches = sorted({*load_toml("branches.toml"), *own})
    made: list[Condition] = []
    for key, entry in load_toml("profiles.toml")["condition"].items():
        unfolded: Mapping[str, str] = {key: entry["feature"]}
        if "{branch}" in entry["feature"]:
            unfolded = {
                f"{key}.{branch}": entry["feature"].format(branch=branch) for branch in branches
            }
        bounds = float(entry.get("at_least", -np.inf)), float(entry.get("at_most", np.inf))
        made += [
            Condition(k, name, entry["about"], *bounds)
            for k, name in unfolded.items()
            if name in names
        ]
    return made


def lift_interval(
    inside: int, events: int, everyone: int, total: int, confidence: float
) -> tuple[float, float, float]:
    """Return (lift, low, high) of a group against everyone that it is part of, by the delta method
    on its logarithm.

    Parameters
    ----------
    inside, events
        Customers in the group, and to how many it happened.
    everyone, total
        The same for all customers that were asked.

    Examples
    --------
    40 of 200 against 100 of 1,000: twice the share. For two groups that share nobody this is the
    interval of Katz et al. 1978; here the group is part of everyone, which makes it narrower.

    >>> [round(value, 2) for value in lift_interval(200, 40, 1000, 100, 0.95)]
    [2.0, 1.6, 2.5]
    """
    lift = events / inside / (total / everyone)
    if not events:
        return lift, 0.0, float("inf")
    cells = (events, inside - events, total - events, everyone - inside - total + events)
    slopes = (
        1 / events - 1 / inside - 1 / total + 1 / everyone,
        -1 / inside + 1 / everyone,
        -1 / total + 1 / everyone,
        1 / everyone,
    )
    spread = sqrt(sum(cell * slope**2 for cell, slope in zip(cells, slopes, strict=True)))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return lift, exp(log(lift) - z * spread), exp(log(lift) + z * spread)


def _masks(matrix: Matrix, day: date, conditions: list[Condition]) -> Masks:
    """Return (customers at this date, conditions): 1 where the condition is met; unknown meets
    none.
    """
    frame = matrix.on(day, {each.feature for each in conditions})
    met = [
        frame.select(
            pl.col(each.feature)
            .fill_nan(None)
            .is_between(each.at_least, each.at_most)
            .fill_null(value=False)
        ).to_series()
        for each in conditions
    ]
    if not met:
        return np.zeros((frame.height, 0), dtype=np.float32)
    return np.column_stack([column.to_numpy() for column in met]).astype(np.float32)


def _goals(context: FitContext, days: tuple[date, ...], settings: Mapping[str, Any]) -> list[Goal]:
    year = [add_months(day, MONTHS) for day in days]
    until = pl.col("as_of").replace_strict(list(days), year, return_dtype=pl.Date)
    gone = pl.col("end_date").is_not_null() & (pl.col("end_date") <= until)
    ours = ~pl.col("cause").fill_null("unknown").is_in(KEPT_AWAY)
    left = context.targets.relation.filter(pl.col("as_of").is_in(days)).select(
        "as_of", "customer", event=(gone & ours).cast(pl.Float64)
    )
    asked = context.targets.eligible.frame.filter(pl.col("as_of").is_in(days)).select(
        "as_of", "customer", "branch", event=pl.col("label").cast(pl.Float64)
    )
    most = (
        asked.filter(pl.col("as_of").is_in(days[:-1]))
        .group_by("branch")
        .agg(pl.col("event").sum())
        .filter(pl.col("event") >= settings["minimum_events"])
        .sort("event", "branch", descending=[True, False])
        .head(settings["products_at_most"])
    )
    products = [
        Goal("product", branch, asked.filter(pl.col("branch") == branch))
        for branch in most["branch"]
    ]
    return [Goal("retention", None, left), *products]


def _asked(matrix: Matrix, goal: Goal, day: date, masks: Masks) -> Counts:
    """Return the conditions and events of those who can be asked for a goal on a date."""
    rows = goal.rows.filter(pl.col("as_of") == day).sort("customer")
    there = matrix.on(day)["customer"].to_numpy()
    return Counts(masks[positions(there, rows["customer"].to_numpy())], rows["event"].to_numpy())


def _eligible_now(context: FitContext, goal: Goal, masks: Mapping[date, Masks]) -> Masks:
    """Return the conditions of the customers at X who can be asked."""
    now = masks[context.as_of]
    if goal.branch is None:
        return now
    there = context.matrix.on(context.as_of)["customer"].to_numpy()
    asked = context.targets.eligible.frame.filter(
        (pl.col("as_of") == context.as_of) & (pl.col("branch") == goal.branch)
    )
    return now[positions(there, asked["customer"].sort().to_numpy())]


def _proof(
    goal: Goal,
    rule: tuple[int, ...],
    conditions: list[Condition],
    later: Counts,
    *,
    test_date: date,
    now: Masks,
    settings: Mapping[str, Any],
) -> Profile | None:
    """Return a rule with what it showed on the test date, or None where that does not confirm
    it.
    """
    inside = np.asarray(later.masks[:, rule].all(axis=1))
    events, total = round(later.event[inside].sum()), round(later.event.sum())
    if inside.sum() < settings["minimum_customers"] or not total:
        return None
    lift, low, high = lift_interval(
        int(inside.sum()), events, len(inside), total, settings["confidence"]
    )
    if low <= 1:
        return None
    return Profile(
        goal=goal.kind,
        branch=goal.branch,
        conditions=tuple(conditions[place].key for place in rule),
        test_date=test_date,
        customers=int(inside.sum()),
        events=events,
        rate=events / int(inside.sum()),
        base_rate=total / len(inside),
        lift=lift,
        lift_ci=(low, high),
        customers_now=int(now[:, rule].all(axis=1).sum()),
    )
