"""What we would have told you a year ago: last year's list against who really left, beside two
simpler lists.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.privacy.disclosure import few
from akb.core.relations import in_force
from akb.core.typed import made
from akb.core.wording.text import load_toml
from akb.describe.relations import leavers
from akb.value.in_force import sum_cents
from akb.value.revenue.dated import ENOUGH_DATED, dated_share, revenue_on
from akb.value.revenue.euro_evidence import Z90
from akb.value.types import ListBacktest, PastList

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.value.in_force import Cents, Floats, InForce

    Flags = NDArray[np.bool_]

COMPARABLE = (0.5, 2.0)
"""Revenue of ended policies over that of their branches still in force; outside it the export
resets amounts.
"""


@dataclass(frozen=True)
class Then:
    """Everyone in force on the test date, in ascending order, as far as a list could know, and what
    happened.

    Parameters
    ----------
    chance
        What was said then: the chance to leave preventably (``split``), or to leave, within 12
        months.
    cents
        Recurring revenue a year on that day.
    amounts
        Where that comes from: ``dated``, ``last_known`` or ``branch``.
    allowed
        Who could be on a list, as far as it was known then.
    left, unknown
        Left within the 12 months by a cause that counts; left for a reason that nobody wrote down.
    """

    chance: Floats
    cents: Cents
    amounts: str
    allowed: Flags
    left: Flags
    unknown: Flags
    split: bool


def backtest(base: InForce, history: pl.DataFrame, contacts: int) -> ListBacktest | None:
    """Return last year's Top Defend list against the outcome; None without an earlier score or
    known revenue.

    The list takes chance x revenue, both knowable then; opt-outs and deaths are only known as of
    today and are not used. Policies that ended before X keep the last revenue that the export
    shows, which makes any list by value a little worse, never better; where that amount is not
    comparable the branch's median stands in, and with dated premiums that of the day itself.

    Parameters
    ----------
    history
        `rates.spells` of the portfolio.
    contacts
        Length of the list: the contacts that fit in the hours, at most the share of the customers
        in ``configs/lists.toml``: a list of everybody shows nothing.

    Returns
    -------
    ListBacktest
        ``from``, ``to`` (dates), ``customers``, ``left``, ``unknown``, ``cents`` (of all who
        left), ``contacts``, ``split`` (only preventable departures count), ``amounts`` and
        ``lists``: rows {key (``top_defend``, ``commission``, ``random``), left, left_share, low,
        high, cents, cents_low, cents_high} with 90 % intervals; at random the expectation, not a
        draw. Counts of too few customers are None.
    """
    backtest = base.models.backtest
    if backtest is None or not base.has_commission:
        return None
    then = _then(base, history)
    if then is None:
        return None
    n = int(then.allowed.sum())
    length = min(contacts, round(float(load_toml("lists.toml")["backtest"]["top_share"]) * n))
    limit = base.settings.report.suppress_below
    if not length or int(then.left.sum()) < limit:
        return None
    rows = [
        listed("top_defend", then, chosen(then, then.chance * then.cents, length)),
        listed("commission", then, chosen(then, then.cents.astype(np.float64), length)),
        at_random(then, length),
    ]
    return made(
        ListBacktest,
        {
            "from": backtest.as_of.isoformat(),
            "to": add_months(backtest.as_of, 12).isoformat(),
            "customers": len(then.chance),
            "left": int(then.left.sum()),
            "unknown": few(int(then.unknown.sum()), limit),
            "cents": int(then.cents[then.left].sum()),
            "contacts": length,
            "split": then.split,
            "amounts": then.amounts,
            "lists": [_shown(row, limit) for row in rows],
        },
    )


def chosen(then: Then, worth: Floats, length: int) -> NDArray[np.int64]:
    """Return the `length` customers with the highest worth among those allowed, ties by
    position.
    """
    allowed = np.flatnonzero(then.allowed)
    order: NDArray[np.int64] = allowed[np.lexsort((allowed, -worth[allowed]))][:length]
    return order


def listed(key: str, then: Then, rows: NDArray[np.int64]) -> PastList:
    """Return who left of a list and what went with them, with 90 % intervals (Wilson; Poisson for
    the euros).
    """
    left = then.left[rows]
    count, n = int(left.sum()), len(rows)
    share, z = count / n, Z90
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    lost = then.cents[rows][left]
    spread = z * float(np.sqrt((lost.astype(np.float64) ** 2).sum()))
    total = int(lost.sum())
    return PastList(
        key=key,
        left=count,
        left_share=share,
        low=float(middle - half),
        high=float(middle + half),
        cents=total,
        cents_low=max(0, round(total - spread)),
        cents_high=round(total + spread),
    )


def at_random(then: Then, length: int) -> PastList:
    """Return what a list drawn by lot holds on average, and its spread: sampling without
    replacement, exact.
    """
    left = then.left[then.allowed].astype(np.float64)
    lost = left * then.cents[then.allowed]
    n = len(left)
    spread = Z90 * float(np.sqrt(length * (1 - length / n) * n / max(n - 1, 1)))
    count, cents = length * float(left.mean()), length * float(lost.mean())
    around, about = spread * float(left.std()), spread * float(lost.std())
    return PastList(
        key="random",
        left=count,
        left_share=count / length,
        low=max(0.0, count - around) / length,
        high=min(float(length), count + around) / length,
        cents=round(cents),
        cents_low=max(0, round(cents - about)),
        cents_high=round(cents + about),
    )


def _then(base: InForce, history: pl.DataFrame) -> Then | None:
    backtest = base.models.backtest
    assert backtest is not None
    day, last = backtest.as_of, add_months(backtest.as_of, 12)
    scores = backtest.scores.sort("customer")
    split = scores["churn_preventable_12m"].null_count() < scores.height
    people = (
        scores.select("customer").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    )
    money = _money(base, day, last)
    if money is None:
        return None
    amounts, held = money
    known = held.join(people, on="customer").sort("row", "policy")
    cents = sum_cents(
        known["cents"].fill_null(0).to_numpy(), known["row"].to_numpy(), people.height
    )
    gone = leavers(history, day, last).filter("left").join(people, on="customer")
    counts = pl.col("cause") == "preventable" if split else pl.lit(value=True)
    return Then(
        chance=scores["churn_preventable_12m" if split else "churn_12m"].fill_null(0.0).to_numpy(),
        cents=cents,
        amounts=amounts,
        allowed=~_under_age(base, people, day),
        left=_flags(gone.filter(counts), people.height),
        unknown=_flags(gone.filter(pl.col("cause") == "unknown"), people.height),
        split=split,
    )


def _flags(rows: pl.DataFrame, n: int) -> Flags:
    out = np.zeros(n, dtype=np.bool_)
    out[rows["row"].to_numpy()] = True
    return out


def _under_age(base: InForce, people: pl.DataFrame, day: date) -> Flags:
    who = people.join(base.portfolio.customers, on="customer", how="left", maintain_order="left")
    minimum = int(load_toml("lists.toml")["eligible"]["minimum_age"])
    private = who["kind"].fill_null("private") != "business"
    return (((day.year - who["birth_year"]) < minimum) & private).fill_null(value=False).to_numpy()


def _money(base: InForce, day: date, last: date) -> tuple[str, pl.DataFrame] | None:
    """Return where the amounts come from, and the policies in force on `day` with ``cents``."""
    held = revenue_on(base, day)
    if held["revenue_cents"].null_count() == held.height:
        return None
    if dated_share(held) >= ENOUGH_DATED:
        return "dated", held.with_columns(cents=pl.col("then_cents"))
    typical = (
        in_force(held, last)
        .group_by("branch")
        .agg(typical=pl.col("revenue_cents").median().round().cast(pl.Int64))
    )
    weighed = held.join(typical, on="branch", how="left", maintain_order="left")
    ended = weighed.filter(pl.col("end_date") <= last)
    kept, usual = ended["revenue_cents"].fill_null(0), ended["typical"].fill_null(0)
    ratio = int(kept.sum()) / int(usual.sum()) if int(usual.sum()) > 0 else 1.0
    if (
        ended["revenue_cents"].null_count() > 0.2 * ended.height
        or not COMPARABLE[0] <= ratio <= COMPARABLE[1]
    ):
        return "branch", weighed.with_columns(cents=pl.col("typical"))
    return "last_known", held.with_columns(cents=pl.col("revenue_cents"))


def _shown(row: PastList, limit: int) -> PastList:
    """Return a row without its figures where too few of the list left."""
    if row.key == "random" or not row.left or row.left >= limit:
        return row
    return made(PastList, dict.fromkeys(each.name for each in fields(PastList)) | {"key": row.key})
