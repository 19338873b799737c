"""Monthly survival of relations and policies, from what the models say at a few months."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.value.lifetime.ends import contracts_of, member_ends, staying_ends, staying_lapse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce, Rows

    Mask = NDArray[np.bool_]

YEAR = 12


@dataclass(frozen=True)
class Relations:
    """Survival of relations, one row per customer in force.

    Months are worked out one at a time: of a million customers every month of ten years at once
    would be a gigabyte, and as much again for everything that is multiplied with it.

    Parameters
    ----------
    knots, levels
        (k,) months, ascending from 0, and (n, k): chance that the relation still exists after them;
        1 at month 0. Between them it is interpolated geometrically; beyond the last one the last
        interval's monthly hazard goes on. A survival of zero stays zero.
    months
        Months to the horizon.
    leaving
        (n, 13): chance of being there at month 0..12 *and* leaving preventably later within those
        12 months.
    preventable
        (n,): churn_preventable_12m; equals ``leaving[:, 0]``.
    split
        Whether the causes come from the data; else the preventable share is an assumption.
    """

    knots: Rows
    levels: Floats
    months: int
    leaving: Floats
    preventable: Floats
    split: bool

    @cached_property
    def churn_12m(self) -> Floats:
        """Chance that the relation ends within 12 months."""
        return 1.0 - self.alive_after(YEAR)

    def alive_after(self, months: int) -> Floats:
        """Return (n,): the chance that the relation still exists after so many months."""
        return _alive_after(self.knots, self.levels, months)

    def by_month(self, timing: float, months: int | None = None) -> Iterator[Floats]:
        """Yield (n,) per month: survival at the moment `timing` (0 begin, 1 end) within it,
        geometrically; to the horizon, or for so many `months`.
        """
        begin = self.alive_after(0) ** (1 - timing)
        ends = _alive_by_month(self.knots, self.levels)
        for _, end in zip(range(self.months if months is None else months), ends, strict=False):
            part = end**timing
            yield begin * part
            begin = part if timing == 1 - timing else end ** (1 - timing)

    def alive_at(self, timing: float, months: int) -> Floats:
        """Return (n, months): `by_month` beside each other, for few customers or few months."""
        return np.stack(list(self.by_month(timing, months)), axis=1)

    def of(self, rows: Rows) -> Relations:
        """Return the same of some customers."""
        return replace(
            self,
            levels=self.levels[rows],
            leaving=self.leaving[rows],
            preventable=self.preventable[rows],
        )

    def beside(self, some: slice) -> Relations:
        """Return the same of some customers beside each other, each month's together as here."""
        levels = np.asfortranarray(self.levels[some])
        leaving, preventable = self.leaving[some], self.preventable[some]
        return replace(self, levels=levels, leaving=leaving, preventable=preventable)

    def leaving_at(self, timing: float) -> Floats:
        """Return (n, 12): `leaving` at the moment `timing` within each month; never above survival
        itself.
        """
        inside = self.leaving[:, :-1] * (1 - timing) + self.leaving[:, 1:] * timing
        return np.minimum(inside, self.alive_at(timing, YEAR))


def _alive_after(knots: Rows, levels: Floats, months: int) -> Floats:
    """Return (n,): survival after `months`, between the `knots` geometrically; see `Relations`."""
    left, weight = _between(knots, months)
    if weight in (0, 1):
        return levels[:, left + int(weight)]
    there: Floats = levels[:, left] * _step(levels, left) ** weight
    return there


def _alive_by_month(knots: Rows, levels: Floats) -> Iterator[Floats]:
    """Yield `_alive_after` 1, 2, ... months, without end; months between the same knots share what
    is left at the second of what was there at the first.
    """
    last, step = -1, levels[:, 0]
    for months in count(1):
        left, weight = _between(knots, months)
        if weight in (0, 1):
            yield levels[:, left + int(weight)]
            continue
        if left != last:
            last, step = left, _step(levels, left)
        yield levels[:, left] * step**weight


def _between(knots: Rows, months: int) -> tuple[int, float]:
    """Return the knot before `months` and the part of the way to the next; beyond 1 after the last
    one.
    """
    right = min(max(1, int(np.searchsorted(knots, months))), len(knots) - 1)
    left = right - 1
    return left, (months - knots[left]) / (knots[right] - knots[left])


def _step(levels: Floats, left: int) -> Floats:
    before, after = levels[:, left], levels[:, left + 1]
    return np.divide(after, before, out=np.zeros_like(after), where=before > 0)


def relations(base: InForce, horizon: int) -> Relations | None:
    """Return the survival of every customer in force; None where the models know no ends.

    Announced leavers are kept alive here: their policies carry the exact end (see
    `announced_months`). Without reasons of ending a fixed, assumed share of every departure counts
    as preventable."""
    if not base.has_ended:
        return None
    months, levels, preventable_by = _at_months(base)
    np.clip(levels, 0.0, 1.0, out=levels)
    knots = np.concatenate([[0], months.astype(np.int64)])
    split = base.portfolio.history.reasons and base.causes_known
    if split:
        first_year = _first_year(months[: preventable_by.shape[1]], preventable_by)
        left = np.concatenate([np.zeros((base.n, 1)), first_year], axis=1)
    else:
        usual = [_alive_after(knots, levels, month) for month in range(YEAR + 1)]
        left = (1.0 - np.stack(usual, axis=1)) * base.value("retention.preventable_share")
    preventable = left[:, YEAR].copy()
    levels[base.announced] = 1.0
    leaving = np.clip(preventable[:, None] - left, 0.0, None)
    return Relations(knots, levels, max(horizon, YEAR), leaving, preventable, split)


def _at_months(base: InForce) -> tuple[Rows, Floats, Floats]:
    """Return the months (k,) that the models tell of, survival (n, 1 + k) after none and each of
    them, and (n, up to k) the chance to have left preventably by those that the first year needs.

    Every month of every customer is most of what the models say, so it is read where it lies, some
    at a time.
    """
    months = base.models.survival["month"].unique().sort().to_numpy()
    early = min(int(np.searchsorted(months, YEAR)) + 1, len(months))
    # a month of everybody lies together
    alive = np.full((base.n, 1 + len(months)), np.nan, order="F")
    preventable = np.full((base.n, early), np.nan)
    alive[:, 0] = 1.0
    for row, some in base.survival_by_slice():
        place = np.searchsorted(months, some["month"].to_numpy())
        alive[row, 1 + place] = some["alive"].to_numpy()
        first = place < early
        preventable[row[first], place[first]] = some["preventable"].to_numpy()[first]
    missing = np.isnan(alive[:, 1])
    if missing.any():  # a customer that the models did not see follows the portfolio
        alive[missing] = np.nanmean(np.ascontiguousarray(alive), axis=0)
        preventable[missing] = np.nanmean(preventable, axis=0)
    return months, alive, preventable


def _first_year(months: Rows, cumulative: Floats) -> Floats:
    wanted = np.arange(1, YEAR + 1)
    knots = np.concatenate([[0], months])
    levels = np.concatenate([np.zeros((cumulative.shape[0], 1)), cumulative], axis=1)
    right = np.clip(np.searchsorted(knots, wanted), 1, len(knots) - 1)
    weight = (wanted - knots[right - 1]) / (knots[right] - knots[right - 1])
    cumulated: Floats = levels[:, right - 1] * (1 - weight) + levels[:, right] * weight
    return cumulated


def per_policy(branch_lapse: Floats, alive: Floats, policies: Rows) -> Floats:
    """Return the yearly chance that one policy survives in a relation that survives.

    Parameters
    ----------
    branch_lapse
        Chance that at least one of the customer's policies in this branch lapses within 12 months.
    alive
        Chance that the relation survives those 12 months.
    policies
        How many policies the customer has in this branch.

    Notes
    -----
    A relation that ends takes all its policies at once, so relation churn is divided out first and
    the rest is spread over the policies: ``((1 - P) / S) ^ (1 / n)``. Where relations do not end
    this is the textbook ``1 - (1 - (1 - P)^(1/n))``; spreading P itself would make a policy's lapse
    less likely than its relation's end."""
    within = np.divide(1.0 - branch_lapse, alive, out=np.ones_like(alive), where=alive > 0)
    kept: Floats = np.clip(within, 0.0, 1.0) ** (1.0 / policies)
    return kept


def branch_rows(base: InForce, paths: Relations, fallback: float) -> pl.DataFrame:
    """Return one row per (customer, branch) of policies without an announced end: row, branch,
    policies, kept, first.

    ``kept`` is the yearly chance that such a policy survives in a surviving relation, ``first``
    that of the coming 12 months: those who will cancel then include the policies whose end is
    announced, which are certain, so the others cancel less and the portfolio's expectation stays
    (see `after_announced`). A branch that the models do not know uses `fallback`, the portfolio's
    counted yearly policy lapse. These chances are multiplied with commission, so a branch whose
    gate is not open uses what was counted in it instead (see `counted_lapse`)."""
    lapse = base.models.branch_lapse.select("customer", "branch", "probability")
    counted = base.held.group_by("row", "branch").agg(
        customer=pl.col("customer").first(),
        all=pl.len().cast(pl.Int64),
        policies=pl.col("ends").is_null().sum().cast(pl.Int64),
        certain=(pl.col("ends") <= add_months(base.as_of, YEAR)).sum().cast(pl.Int64),
    )
    rows = counted.join(lapse, on=["customer", "branch"], how="left").sort("row", "branch")
    where = rows["row"].to_numpy()
    alive = paths.alive_after(YEAR)[where]
    count = rows["all"].to_numpy()
    per_branch = rows["probability"].fill_null(np.nan).to_numpy()
    kept = per_policy(
        np.where(np.isnan(per_branch), 1.0 - (1.0 - fallback) ** count, per_branch), alive, count
    )
    kept = _of_members(base, rows, _with_counted(base, rows, kept, fallback), fallback)
    certain = np.where(base.announced[where], 0, rows["certain"].to_numpy())
    announced = rows["certain"].to_numpy() > 0
    others = np.where(announced, _usual(kept, ~announced, rows["branch"]), kept)
    first = after_announced(
        others, alive, rows["policies"].to_numpy(), certain, foreseen=1.0 - alive * kept
    )
    kept = others
    made = rows.select("row", "branch", "policies").with_columns(
        kept=pl.Series(kept), first=pl.Series(first)
    )
    return made.filter(pl.col("policies") > 0)


def _with_counted(base: InForce, rows: pl.DataFrame, kept: Floats, fallback: float) -> Floats:
    """Return `kept` with the counted rate in every branch whose own chances may carry no euro.

    Who holds one policy cannot lose it and stay, so that one is kept while its relation lasts.
    """
    rates = counted_lapse(base, fallback)
    lapse = (
        rows["branch"]
        .cast(pl.String)
        .replace_strict(rates, default=np.nan, return_dtype=pl.Float64)
        .to_numpy()
    )
    alone = base.policies_per_customer[rows["row"].to_numpy()] == 1
    return np.where(np.isnan(lapse), kept, np.where(alone, 1.0, 1.0 - lapse))


def _of_members(base: InForce, rows: pl.DataFrame, kept: Floats, fallback: float) -> Floats:
    """Return `kept` with the counted rate of members who leave in every contract that goes on.

    The chance that at least one of fifty members leaves is near one and says little of each.
    """
    mine = rows["customer"].is_in(contracts_of(base).implode()).to_numpy()
    if not mine.any():
        return kept
    rates, average = staying_lapse(member_ends(base), fallback)
    branches = rows["branch"].cast(pl.String).to_list()
    lapse = np.array([rates.get(branch, average) for branch in branches])
    return np.where(mine, 1.0 - lapse, kept)


def counted_lapse(base: InForce, fallback: float) -> dict[str, float]:
    """Return the yearly lapse while the relation stays, counted in every branch whose own chances
    carry no euro.

    `fallback` where no closed year was recorded.
    """
    if not base.counted_branches:
        return {}
    rates, average = staying_lapse(staying_ends(base), fallback)
    return {branch: rates.get(branch, average) for branch in base.counted_branches}


def _usual(kept: Floats, known: Mask, branch: pl.Series) -> Floats:
    """Return the mean survival in the same branch of policies of which nothing is announced; 1
    where there are none.

    A chance of one says that the announced policy ends; it says nothing of another one in the same
    branch."""
    table = pl.DataFrame({"branch": branch, "kept": kept, "known": known})
    mean = pl.col("kept").filter(pl.col("known")).mean().over("branch")
    out: Floats = table.select(mean.fill_null(1.0).alias("mean"))["mean"].to_numpy()
    return out


def after_announced(
    kept: Floats, alive: Floats, policies: Rows, certain: Rows, foreseen: Floats
) -> Floats:
    """Return ``kept`` of the coming year where some lapses are known: one power for all, so that
    the total stays.

    Parameters
    ----------
    kept, alive
        Yearly survival of a policy in a surviving relation, and of that relation, as if nothing
        were announced.
    policies, certain
        Policies without an announced end, and policies that are certain to end within the year.
    foreseen
        The chance that the models gave those of a row: the rest is news, and comes off what is
        expected of others.

    Notes
    -----
    At least a tenth of what was expected of the others stays: where more is announced, the total is
    exceeded."""
    expected = policies * alive * (1.0 - kept)
    excess = float((certain * (1.0 - foreseen)).sum())
    whole = float(expected.sum())
    if excess <= 0 or whole <= 0:
        return kept
    wanted = max(whole - excess, 0.1 * whole)
    low, high = 0.0, 1.0
    for _ in range(50):
        power = (low + high) / 2
        if float((policies * alive * (1.0 - kept**power)).sum()) > wanted:
            high = power
        else:
            low = power
    out: Floats = kept**high
    return out


def announced_days(base: InForce) -> tuple[Rows, Floats]:
    """Return the positions in `held` of policies with an announced end, and the days to it."""
    ends = base.held.select("ends").with_row_index("place").filter(pl.col("ends").is_not_null())
    days = (ends["ends"] - pl.Series([base.as_of])).dt.total_days().cast(pl.Float64).to_numpy()
    return ends["place"].cast(pl.Int64).to_numpy(), days


def month_fraction(days: Floats, month: int) -> Floats:
    """Return the part of a month (0 is the first) in which a policy with so many days to go is in
    force.

    Exact by day: months have equal length, a twelfth of 365.25 days.
    """
    length = 365.25 / YEAR
    return np.clip((days - length * month) / length, 0.0, 1.0)
