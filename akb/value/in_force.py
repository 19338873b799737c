"""What every step of the value room looks at: policies and customers in force at X, assumptions,
bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from akb.catalogue.entries import entries
from akb.core.errors import AkbError
from akb.core.people import People
from akb.core.relations import OPEN, covers, in_force
from akb.core.revenue import PARTS, with_level, with_revenue
from akb.core.wording.proof import first_judged
from akb.core.wording.text import load_toml
from akb.describe import relations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Assumption, Branch, Settings
    from akb.core.revenue import Terms
    from akb.core.wording.proof import Shown
    from akb.ingest.types import Portfolio
    from akb.models.types import Gate, ModelRun, Prediction

    Floats = NDArray[np.float64]
    Cents = NDArray[np.int64]
    Rows = NDArray[np.int64]

EURO_GATES = ("pass", "provisional")  # only these levels may carry euros
PREVENTABLE_CHURN = "churn_preventable_12m"
ANY_LAPSE = "policy_lapse_any_12m"
LapseGate = Literal["own", "base", "closed"]
_SLICE = 500_000  # months of customers at a time
_UNREAD = ("product", "reason", "commission_source", "package")
"""Columns of the portfolio's policies that nothing in this room reads: `held` would copy them."""
EXACT_CENTS = 2**53 / 1000  # so that a thousandth of a cent is still exact


@dataclass(frozen=True)
class InForce:
    """A run seen from X; every derived table is made once.

    Customers in force at X have a dense position 0..n-1 in ascending order of ``customer``; arrays
    per customer are in that order, and ``row`` in `held` is that position."""

    portfolio: Portfolio
    models: ModelRun
    settings: Settings

    @cached_property
    def assumed(self) -> dict[str, Assumption]:
        """The assumption register."""
        return self.settings.assumed()

    @cached_property
    def taxonomy(self) -> dict[str, Branch]:
        """Branch key -> its entry."""
        return self.settings.taxonomy()

    @cached_property
    def people(self) -> People:
        """Who all customers of the export are, to tell errors by group."""
        return People.of(self.portfolio.customers, self.settings.report.suppress_below)

    def value(self, name: str) -> float:
        """Return the base value of an assumption."""
        return self.assumed[name].value

    def values(self, names: Iterable[str]) -> dict[str, float]:
        """Return the base values of some assumptions."""
        return {name: self.value(name) for name in names}

    def range(self, name: str) -> tuple[float, float, float]:
        """Return (low, base, high) of an assumption."""
        entry = self.assumed[name]
        return entry.low, entry.value, entry.high

    @cached_property
    def terms(self) -> Terms:
        """On what terms this client earns."""
        return self.settings.revenue_terms()

    @cached_property
    def policies(self) -> pl.DataFrame:
        """All policies with ``revenue_cents`` and its parts: the only definition of what a policy
        brings.

        ``level_cents`` is the same at the level of X, also where the policy has ended.
        """
        revenue = with_revenue(self.portfolio.policies, self.terms).drop(_UNREAD, strict=False)
        return with_level(revenue, self.as_of, self.value("value.indexation"))

    @property
    def as_of(self) -> date:
        """X."""
        return self.portfolio.as_of

    @cached_property
    def customers(self) -> pl.DataFrame:
        """One row per customer in force at X, ascending, with ``row`` and the columns of the
        portfolio's customers.
        """
        present = in_force(self.portfolio.policies, self.as_of, "customer").unique()
        return (
            present.join(self.portfolio.customers, on="customer", how="left")
            .sort("customer")
            .with_columns(
                no_marketing=pl.col("no_marketing").fill_null(value=False),
                deceased=pl.col("deceased").fill_null(value=False),
            )
            .with_row_index("row")
            .with_columns(pl.col("row").cast(pl.Int64))
        )

    @property
    def n(self) -> int:
        """Customers in force at X."""
        return self.customers.height

    def survival_by_slice(self) -> Iterator[tuple[Rows, pl.DataFrame]]:
        """Yield what the models say of every customer and month, some at a time where it lies: the
        customers' positions and customer, month, alive, ...; of customers in force alone.
        """
        known = self.models.survival
        if known.is_empty():
            return
        mine = self.customers["customer"].to_numpy()
        last = max(int(known["customer"].max()), int(mine.max()))  # type: ignore[arg-type]
        row_of = np.full(last + 1, -1, dtype=np.int64)
        row_of[mine] = np.arange(self.n)
        for some in known.iter_slices(_SLICE):
            rows = row_of[some["customer"].to_numpy()]
            there = rows >= 0
            yield (rows, some) if there.all() else (rows[there], some.filter(pl.Series(there)))

    @cached_property
    def held(self) -> pl.DataFrame:
        """Policies in force at X with ``row`` and ``ends`` (the announced end, unless another
        policy continues it).
        """
        return (
            in_force(self.policies, self.as_of)
            .join(self.customers.select("customer", "row"), on="customer")
            .with_columns(ends=pl.when(pl.col("replaced_on").is_null()).then(pl.col("end_date")))
            .sort("row", "branch", "policy")
        )

    @cached_property
    def policies_per_customer(self) -> Rows:
        """Contracts in force per customer: policies and subscriptions, each with its own end."""
        return np.bincount(self.rows, minlength=self.n).astype(np.int64)

    @cached_property
    def covers_per_customer(self) -> Rows:
        """Policies in force per customer as people count them: a subscription is none."""
        return np.bincount(covers(self.held)["row"].to_numpy(), minlength=self.n).astype(np.int64)

    @property
    def rows(self) -> Rows:
        """The customer's position of every policy in `held`."""
        return self.held["row"].to_numpy()

    @cached_property
    def announced(self) -> NDArray[np.bool_]:
        """Customers whose every policy has an announced end, without a known policy starting within
        G days.
        """
        gap = timedelta(days=self.settings.time.gap_days)
        last = self.held.group_by("row").agg(
            pl.col("customer").first(), last=pl.col("ends").fill_null(OPEN).max()
        )
        signed = self.portfolio.policies.filter(pl.col("start_date") > self.as_of).select(
            "customer", "start_date"
        )
        kept = (
            last.join(signed, on="customer")
            .filter(pl.col("start_date") <= pl.col("last") + gap)["row"]
            .unique()
        )
        leaving = last.filter((pl.col("last") < OPEN) & ~pl.col("row").is_in(kept.implode()))[
            "row"
        ].to_numpy()
        out = np.zeros(self.n, dtype=np.bool_)
        out[leaving] = True
        return out

    @cached_property
    def spells(self) -> pl.DataFrame:
        """Every unbroken relation of the export, see `akb.describe.relations.spells`."""
        return relations.spells(self.portfolio.policies, self.settings.time.gap_days)

    @cached_property
    def has_ended(self) -> bool:
        """Whether the models could say when relations end."""
        return not self.models.survival.is_empty()

    @cached_property
    def causes_known(self) -> bool:
        """Whether the models could say by which cause whole relations end."""
        whole = {each.key: each.status for each in self.models.whole}
        if whole:
            return whole.get(PREVENTABLE_CHURN, "unavailable") != "unavailable"
        return self.score(PREVENTABLE_CHURN) is not None

    @cached_property
    def has_commission(self) -> bool:
        """Whether any policy in force is known to bring recurring revenue; a column of zeros holds
        no money.
        """
        return bool((self.held["revenue_cents"].fill_null(0) != 0).any())

    @cached_property
    def commission(self) -> Cents:
        """Recurring revenue per policy in `held`, cents a year; an unknown one counts as zero.

        In this room "commission" is short for it: of an intermediary that is what it mostly
        consists of."""
        return self.held["revenue_cents"].fill_null(0).cast(pl.Int64).to_numpy()

    @cached_property
    def commission_customer(self) -> Cents:
        """Recurring revenue per customer, cents a year."""
        return sum_cents(self.commission, self.rows, self.n)

    @cached_property
    def revenue_parts(self) -> dict[str, Cents]:
        """Part of the recurring revenue -> cents a year per customer; they add up to
        `commission_customer`.
        """
        columns = {
            part: self.held[f"revenue_{part}_cents"].fill_null(0).to_numpy() for part in PARTS
        }
        return {part: sum_cents(cents, self.rows, self.n) for part, cents in columns.items()}

    def banned(self, branch: str) -> bool:
        """Whether a new policy of a branch may bring nothing: the ban is on commission, not on a
        margin.
        """
        return self.taxonomy[branch].ban and self.terms.client != "verzekeraar"

    @cached_property
    def _scored(self) -> pl.Series:
        """Per customer its row in the scores of the models; null where there is none."""
        known = self.models.scores.select("customer").with_row_index("place")
        mine = self.customers.select("customer")
        return mine.join(known, on="customer", how="left", maintain_order="left")["place"]

    def score(self, key: str) -> Floats | None:
        """Return a modelled score per customer (NaN: not eligible), or None where the run has
        none.
        """
        if key not in self.models.scores.columns:
            return None
        column = self.models.scores[key].gather(self._scored)
        return (
            None
            if column.null_count() == column.len()
            else column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        )

    def relation_churn(self, months: int) -> Floats | None:
        """Return the chance that the whole relation ends within 1..12 months, whatever the
        definition of churn.

        NaN for customers whom the models did not see; None where they know no ends.
        """
        if not self.has_ended:
            return None
        alive = self.models.survival.filter(pl.col("month") == months).select("customer", "alive")
        joined = self.customers.select("customer").join(
            alive, on="customer", how="left", maintain_order="left"
        )
        chance: Floats = 1.0 - joined["alive"].fill_null(np.nan).to_numpy()
        return chance

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The catalogue unfolded for the branches of this portfolio."""
        present = set(self.portfolio.policies["branch"].unique())
        held = {key: branch for key, branch in self.taxonomy.items() if key in present}
        return entries(
            {key: branch.name_nl for key, branch in held.items()},
            english={key: branch.name_en for key, branch in held.items()},
        )

    @cached_property
    def predictions(self) -> dict[str, Prediction]:
        """What the models room made, by key; churn of the whole relation, for that is what money
        stands on.
        """
        return {each.key: each for each in (*self.models.predictions, *self.models.whole)}

    def gate(self, *keys: str) -> Gate:
        """Return the gate of the first of `keys` that has one."""
        for key in keys:
            made = self.predictions.get(key)
            if made is not None and made.gate != "none":
                return made.gate
        return "none"

    @cached_property
    def churn_gate(self) -> Gate:
        """The gate that euros from retention have to pass: both preventable churn and churn must
        stand.
        """
        gates = [self.gate(PREVENTABLE_CHURN), self.gate("churn_12m")]
        known = [gate for gate in gates if gate != "none"]
        order: list[Gate] = ["fail", "provisional", "pass"]
        return min(known, key=order.index) if known else "none"

    @property
    def churn_in_euros(self) -> bool:
        """Whether lifetime value may be told in euros: the level of churn was right."""
        return self.churn_gate in EURO_GATES

    def shown(self, *keys: str) -> Shown:
        """Return what the first of `keys` whose order can be judged showed."""
        return first_judged(self.predictions[key].shown for key in keys if key in self.predictions)

    @cached_property
    def churn_shown(self) -> Shown:
        """What the order of who leaves preventably showed; where too few did, the order of everyone
        who leaves.
        """
        return self.shown(PREVENTABLE_CHURN, "churn_12m")

    @property
    def retention_in_euros(self) -> bool:
        """Whether contacts to keep may be told in euros: both the level of churn and its order were
        right.
        """
        return self.churn_in_euros and self.churn_shown.order == "proven"

    @cached_property
    def branch_gates(self) -> dict[str, Gate]:
        """Branch -> gate of its purchase prediction."""
        return {
            entry.branch: self.gate(entry.key)
            for entry in self.entries
            if entry.method == "family_purchase" and entry.branch is not None
        }

    @cached_property
    def lapse_gates(self) -> dict[str, LapseGate]:
        """Branch -> whose chances of a policy lapse may carry euros: its ``own``, the ``base``
        rate, or none.
        """
        base: LapseGate = "base" if self.gate(ANY_LAPSE) in EURO_GATES else "closed"
        return {
            entry.branch: "own" if self.gate(entry.key) in EURO_GATES else base
            for entry in self.entries
            if entry.method == "family_lapse" and entry.branch is not None
        }

    @cached_property
    def failed_lapse(self) -> tuple[str, ...]:
        """Branches whose prediction of policy lapse failed its gate: nothing in euros may follow
        it.
        """
        return tuple(
            entry.branch
            for entry in self.entries
            if entry.method == "family_lapse"
            and entry.branch is not None
            and self.gate(entry.key) == "fail"
        )

    @cached_property
    def counted_branches(self) -> tuple[str, ...]:
        """Branches whose policies lapse at the rate that was counted: failed, or closed where base
        rates may speak.
        """
        base = [branch for branch, gate in self.lapse_gates.items() if gate == "base"]
        return tuple(sorted({*self.failed_lapse, *base}))


def sum_cents(cents: Cents, rows: Rows, n: int) -> Cents:
    """Return integer sums of `cents` per row number 0..n-1, exact in any order."""
    out = np.zeros(n, dtype=np.int64)
    np.add.at(out, rows, cents)
    return out


def to_cents(amounts: Floats) -> Cents:
    """Return amounts in (fractions of) cents as integer cents, half to even.

    Raises
    ------
    AkbError
        If an amount is no number or too large to count exactly: only assumptions make it so.
    """
    if not (np.abs(amounts) < EXACT_CENTS).all():
        raise AkbError(
            "under these assumptions amounts grow without end",
            "Look at what you set: value.indexation and value.horizon_years make later years "
            "count for more.",
        )
    return np.rint(amounts).astype(np.int64)


def bands(name: str) -> tuple[list[float], list[str]]:
    """Return the upper bounds and labels of a band in ``configs/lists.toml``."""
    table = load_toml("lists.toml")["bands"][name]
    return [float(upper) for upper in table["uppers"]], [str(label) for label in table["labels"]]


def band_numbers(name: str, values: Any) -> Rows:
    """Return the band number of every value; a value on a bound belongs to the higher band."""
    uppers, _ = bands(name)
    return np.searchsorted(
        np.asarray(uppers), np.asarray(values, dtype=np.float64), side="right"
    ).astype(np.int64)


def band_labels(name: str, values: Any) -> list[str]:
    """Return the label of every value's band."""
    _, labels = bands(name)
    return [labels[number] for number in band_numbers(name, values).tolist()]


def at(values: Sequence[Any] | NDArray[Any], dtype: Any) -> pl.Series:
    """Return values as a Polars series of `dtype`; NaN becomes null."""
    return pl.Series(values, dtype=dtype, nan_to_null=True)
