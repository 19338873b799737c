"""Offices that live on subscriptions, and offices whose collective contracts decide for fifty members: known truth.

    python -m benchmarks.contracts [--seeds 60] [--customers 6000] [--offices 2] [--office-customers 4000]

*Counts*: the policies that ended in a year against what the simulator's own hazards expected of those in force on its
first day, with akb's 90 % intervals: of observed / expected (evidence and gates) and of actual / expected (the
actuary's). The customers are those that akb makes of the export: a contract is one. Beside it the same with every
member apart (``[client] contracts = "apart"``). Asked: 90 % of the intervals hold 1, within two standard errors.

*Offices*: churn_12m and what policies earn in 36 months against the truth of offices of both kinds, with the bars of
``benchmarks.truth`` and ``benchmarks.clv``: the total of churn within 10 % (500 true leavers or more; 15 % from 200),
what is earned within 5 %.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models.evidence.intervals import observed_expected
from akb.sample.kinds import AS_OF, KINDS, hazards, simulate_kind, write_kind
from akb.value.actuarial.credibility import effective
from akb.value.actuarial.trend import count_interval
from akb.value.lifetime.backtest import MONTHS, forecast
from benchmarks.lifetimes import in_force_of
from benchmarks.truth import MANY, TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.ingest.types import Portfolio
    from akb.sample.kinds import Kind, KindBook

WAYS = ("together", "apart")
STATED, WITHIN = 0.90, 0.05
YEAR = 12
READ = 2
"""Offices whose export is read to see whose the policies are."""


def read(book: KindBook, way: str = "together") -> Portfolio:
    """Return what akb makes of an office's export, with contracts together or members apart."""
    settings = load_settings()
    settings = settings.model_copy(update={"client": settings.client.model_copy(update={"contracts": way})})
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as folder:
        files = write_kind(book, Path(folder), truth=False)
        return read_portfolio(Sources(files, bytes(32), AS_OF), settings)


def chances(book: KindBook, since: int) -> NDArray[np.float64]:
    """Return per position in force at the end of month `since` the true chance that it ends in the year after it."""
    state, kept = book.state, np.ones(len(book.state.owner))
    for month in range(since + 1, since + YEAR + 1):
        leave, lapse = hazards(book.kind, state, month)
        kept *= (1 - leave[state.owner]) * (1 - lapse)
    return np.where((state.start <= since) & (state.end > since), 1 - kept, np.nan)


@dataclass(frozen=True)
class Counted:
    """A closed year of one office: ends and expected ends per policy, and whose each policy is."""

    ended: NDArray[np.float64]
    expected: NDArray[np.float64]
    customer: NDArray[np.int64]

    def holds(self) -> tuple[bool, bool]:
        """Whether the intervals of observed / expected and of actual / expected hold 1."""
        _, (low, high) = observed_expected(self.ended, self.expected, self.customer)
        each = np.bincount(self.customer, weights=self.ended)
        least, most = count_interval(effective(each[each > 0]), int(self.ended.sum()))
        total = float(self.expected.sum())
        return low <= 1 <= high, least <= total <= most


def counted(book: KindBook, way: str, *, reads: bool) -> Counted:
    """Return the year that ended two months before X; `reads`: whose the policies are is what akb makes of the export.

    It makes of it what the simulator knows, as the first offices show; reading all would take ten times as long.
    """
    since, state = -YEAR - 2, book.state
    true = chances(book, since)
    rows = np.flatnonzero(~np.isnan(true))
    owner, member = state.owner[rows], state.member[rows]
    who = owner if way == "together" else np.where(member < 0, owner, len(state.loyalty) + member)
    if reads:
        known = dict(read(book, way).customers.select("relation", "customer").iter_rows())
        keys = [f"CONTRACT {key}" if key.startswith("C") else key for key in book.key_of(owner)]
        named = keys if way == "together" else [
            key if each < 0 else f"M{each:06d}" for key, each in zip(keys, member.tolist(), strict=True)
        ]  # fmt: skip
        made = np.array([known[name] for name in named], dtype=np.int64)
        pairs = {*zip(made.tolist(), who.tolist(), strict=True)}
        assert len(pairs) == len({*made.tolist()}) == len({*who.tolist()})
    ended = state.end[rows] <= since + YEAR
    return Counted(ended.astype(np.float64), true[rows], who)


def coverage(seeds: int, customers: int) -> bool:
    """Print how many intervals hold in so many collective offices; return whether those of contracts do."""
    held = {way: np.zeros((seeds, 2), np.bool_) for way in WAYS}
    events = []
    for seed in range(seeds):
        book = simulate_kind("collective", customers, seed + 1)
        for way in WAYS:
            year = counted(book, way, reads=seed < READ)
            held[way][seed] = year.holds()
            if way == "together":
                whole = np.bincount(year.customer, weights=year.ended)
                events.append((year.ended.sum(), effective(whole[whole > 0])))
    ends, independent = np.array(events).mean(axis=0)
    print(f"{seeds} collective offices of {customers:,} customers: {ends:.0f} policies end in a year, which weigh as "
          f"{independent:.0f} independent ends")  # fmt: skip
    error = 2 * np.sqrt(STATED * (1 - STATED) / seeds)
    for way in WAYS:
        oe, ae = held[way].mean(axis=0)
        print(f"  {way:<9} observed / expected holds 1 in {oe:.0%}, actual / expected in {ae:.0%} (stated {STATED:.0%} "
              f"+- {error:.0%})")  # fmt: skip
    return bool((held["together"].mean(axis=0) >= STATED - error).all())


def office(kind: Kind, customers: int, seed: int) -> tuple[float, float, float, float]:
    """Return true and predicted leavers within 12 months, and what policies earn in 36 months: true and forecast."""
    book = simulate_kind(kind, customers, seed)
    portfolio, settings = read(book), load_settings()
    base = in_force_of(portfolio, settings)
    said = forecast(base, MONTHS)
    assert said is not None
    leavers = float(np.nansum(base.relation_churn(YEAR)))
    gone = book.futures(40, seed + 7).gone
    lasted = book.futures(20, seed + 8, MONTHS).lasted.mean(axis=0)
    return float((gone <= YEAR).mean(axis=0).sum()), leavers, earned(book, lasted), float(said.expected.sum())


def earned(book: KindBook, lasted: NDArray[np.float64]) -> float:
    """Return what the positions in force earn in 36 months, cents: today's income as long as it really lasts."""
    table = book.policies.filter(pl.col("Einddatum") == "")
    income = pl.lit(0.0)
    for column, times in (("Provisie per jaar", 1), ("Abonnement per maand", 12)):
        if column in table.columns:
            euros = pl.col(column).str.replace(",", ".").cast(pl.Float64, strict=False).fill_null(0.0)
            income = income + times * 100 * euros
    row = pl.col("Polisnummer").str.slice(1).cast(pl.Int64)
    cents = np.zeros(len(book.state.owner))
    found = table.select(row=row, cents=income)
    cents[found["row"].to_numpy()] = found["cents"].to_numpy()
    return float(cents[book.held] @ lasted) * MONTHS / YEAR


def offices(count: int, customers: int) -> bool:
    """Print churn and earnings of so many offices of each kind; return whether all totals are near enough."""
    near = []
    for kind in KINDS:
        for seed in range(1, count + 1):
            true, said, real, expected = office(kind, customers, seed)
            within = TOLERANCE[MANY if true >= MANY else min(TOLERANCE)]
            good = abs(said / true - 1) <= within, abs(expected / real - 1) <= WITHIN
            near += good
            print(f"{kind:<12} seed {seed}: leavers {true:.0f}, said {said:.0f} ({said / true:.2f}); earned "
                  f"in {MONTHS} months {real / 100:,.0f}, said {expected / 100:,.0f} ({expected / real:.2f})"
                  f"{'' if all(good) else '  <-'}", flush=True)  # fmt: skip
    return all(near)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("seeds", 60), ("customers", 6000), ("offices", 2), ("office-customers", 4000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    held = coverage(asked.seeds, asked.customers) if asked.seeds else True
    near = offices(asked.offices, asked.office_customers) if asked.offices else True
    print(
        f"intervals hold as stated: {'PASS' if held else 'MISSED'}; levels near enough: {'PASS' if near else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
