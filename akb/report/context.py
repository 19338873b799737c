"""What several sections of the report look at: the portfolio at X, its customers, names, and the
suppression rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from akb.core.privacy.identifiers import shared
from akb.core.relations import SUBSCRIPTION, in_force
from akb.core.revenue import meaning, with_level, with_revenue
from akb.core.wording.proof import first_judged
from akb.core.wording.text import load_toml, text
from akb.describe import relations
from akb.report.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.config import Branch
    from akb.core.revenue import Terms
    from akb.core.wording.proof import Shown
    from akb.report.bundle import RunBundle

T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """A run seen from X; every derived table is made once."""

    bundle: RunBundle
    _made: dict[Callable[[Context], Any], Any] = field(default_factory=dict)

    def once(self, make: Callable[[Context], T]) -> T:
        """Return what `make` makes of this run; made the first time that anybody asks."""
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found

    @property
    def language(self) -> str:
        """The language of the report."""
        return self.bundle.settings.report.language

    @cached_property
    def words(self) -> Words:
        """The texts of the report."""
        shipped = load_toml("branches.toml")
        own = {key: self.branch_name(key) for key in self.taxonomy if key not in shipped}
        return Words(self.language, meaning(self.held, self.terms), own)

    @cached_property
    def terms(self) -> Terms:
        """On what terms this client earns."""
        return self.bundle.settings.revenue_terms()

    @property
    def withheld(self) -> Mapping[str, str]:
        """List -> why it is not delivered."""
        value = self.bundle.value
        actions = value.figures.actions if value else None
        return actions.withheld if actions else {}

    @property
    def indexation(self) -> float:
        """By which share revenue is assumed to rise in a year."""
        return self.bundle.settings.assumed()["value.indexation"].value

    @cached_property
    def policies(self) -> pl.DataFrame:
        """All policies with ``revenue_cents`` and its parts, and ``level_cents``: the same at the
        level of X.
        """
        return with_level(
            with_revenue(self.bundle.portfolio.policies, self.terms), self.as_of, self.indexation
        )

    @cached_property
    def taxonomy(self) -> dict[str, Branch]:
        """Branch key -> its entry."""
        return self.bundle.settings.taxonomy()

    @property
    def as_of(self) -> date:
        """The day from which we look."""
        return self.bundle.portfolio.as_of

    @cached_property
    def held(self) -> pl.DataFrame:
        """Policies in force at X."""
        return in_force(self.policies, self.as_of)

    @cached_property
    def relations(self) -> pl.DataFrame:
        """Every unbroken relation; see `akb.describe.relations.spells`."""
        return relations.spells(self.bundle.portfolio.policies, self.bundle.settings.time.gap_days)

    @cached_property
    def years(self) -> list[tuple[date, date]]:
        """The closed years, newest first."""
        time = self.bundle.settings.time
        return relations.closed_years(
            self.bundle.portfolio, time.gap_days, time.registration_lag_days
        )

    @cached_property
    def customers(self) -> pl.DataFrame:
        """One row per customer in force at X, ascending: who, policies, recurring revenue in cents,
        tenure in years.
        """
        per_customer = self.held.group_by("customer").agg(
            policies=(pl.col("branch") != SUBSCRIPTION).sum().cast(pl.Int64),
            commission_cents=pl.col("revenue_cents").cast(pl.Int64).sum(),
        )
        day = self.as_of
        since = self.relations.filter(
            (pl.col("start") <= day) & (pl.col("end").is_null() | (pl.col("end") > day))
        ).select("customer", tenure=(pl.lit(day) - pl.col("start")).dt.total_days() / 365.25)
        who = self.bundle.portfolio.customers.select(
            "customer", "pseudonym", "kind", "birth_year", "office"
        )
        who = who.with_columns(
            office=pl.when(pl.col("office").is_in(list(self.shared["office"]))).then("office")
        )
        return (
            per_customer.join(who, on="customer", how="left")
            .join(
                since.unique("customer", keep="last", maintain_order=True),
                on="customer",
                how="left",
            )
            .sort("customer")
        )

    @cached_property
    def shared(self) -> dict[str, frozenset[str]]:
        """Offices, advisers and insurers that may be named: enough customers share them, and none
        is an identifier.
        """
        people, policies = self.bundle.portfolio.customers, self.bundle.portfolio.policies
        return {
            "office": shared(people["office"], people["customer"], self.limit),
            "adviser": shared(people["adviser"], people["customer"], self.limit),
            "insurer": shared(policies["insurer"], policies["customer"], self.limit),
        }

    @cached_property
    def has_commission(self) -> bool:
        """Whether any policy in force is known to bring recurring revenue; a column of zeros holds
        no money.
        """
        return bool((self.held["revenue_cents"].fill_null(0) != 0).any())

    def branch_name(self, key: str) -> str:
        """Return the name of a branch; a key outside the taxonomy stands for itself."""
        known = self.taxonomy.get(key)
        return str(getattr(known, f"name_{self.language}")) if known else key

    def of_entry(self, entry: Entry, field: str) -> str:
        """Return a text of an entry of the catalogue: its name, question, population or unit."""
        if field == "unit" and self.language != "nl":
            return text("dictionary", self.language, "unit", entry.unit_nl)
        return str(getattr(entry, f"{field}_{self.language}"))

    @cached_property
    def classes(self) -> pl.DataFrame:
        """What is known of every customer in force as a class or a month: segments, moment,
        channel, contact month.
        """
        table = self.customers.select("customer")
        value, models = self.bundle.value, self.bundle.models
        made = (
            value.classes if value else None,
            value.scores if value else None,
            models.scores if models else None,
        )
        for known in made:
            if known is not None:
                wanted = [
                    name
                    for name, kind in known.schema.items()
                    if kind == pl.String or name == "contact_month"
                ]
                table = table.join(
                    known.select("customer", *wanted),
                    on="customer",
                    how="left",
                    maintain_order="left",
                )
        return table

    def score(self, key: str) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Return the scores under `key` in the order of customers: NaN = not eligible; None if
        there is none.
        """
        for run in (self.bundle.models, self.bundle.value):
            if (
                run is not None
                and key in run.scores.columns
                and run.scores.schema[key].is_numeric()
            ):
                by_customer = self.customers.select("customer").join(
                    run.scores.select("customer", key), on="customer", how="left"
                )
                values = (
                    by_customer.sort("customer")[key]
                    .cast(pl.Float64)
                    .fill_null(float("nan"))
                    .to_numpy()
                )
                return None if np.isnan(values).all() else values
        return None

    def shown(self, *keys: str) -> Shown:
        """Return what the first of `keys` whose order can be judged showed on later data."""
        made = self.bundle.predictions
        return first_judged(made[key].shown for key in keys if key in made)

    @cached_property
    def ladder(self) -> dict[str, str]:
        """Contact type -> what it is called."""
        ladder = self.bundle.settings.ladder().items()
        if self.language == "nl":
            return {key: contact.label for key, contact in ladder}
        return {key: contact.label_en or contact.label for key, contact in ladder}

    @property
    def limit(self) -> int:
        """Aggregates over fewer customers than this are not shown."""
        return self.bundle.settings.report.suppress_below

    def suppressed(
        self,
        rows: Iterable[Row],
        *,
        keep: Sequence[str],
        by: Sequence[str] = ("customers",),
        parts: bool = False,
    ) -> list[Row]:
        """Return rows in which figures over too few customers are gone, each with ``suppressed``.

        Parameters
        ----------
        keep
            Keys that are labels, not figures.
        by
            Keys that count customers; a row is hidden if one of them is above zero and below the
            limit.
        parts
            The rows are parts of a shown total: one hidden row alone could be recomputed, so the
            smallest other one is hidden too.
        """
        rows = list(rows)
        hidden = {
            place for place, row in enumerate(rows) if any(0 < row[key] < self.limit for key in by)
        }
        others = [place for place, row in enumerate(rows) if place not in hidden and row[by[-1]]]
        if parts and len(hidden) == 1 and others:
            hidden.add(min(others, key=lambda place: (rows[place][by[-1]], place)))
        return [
            {
                key: value if key in keep or place not in hidden else None
                for key, value in row.items()
            }
            | {"suppressed": place in hidden}
            for place, row in enumerate(rows)
        ]


def group_sum(
    values: np.ndarray[Any, Any], groups: np.ndarray[Any, Any], count: int
) -> list[float]:
    """Return the sum of `values` per group number 0..count-1, in an order of addition that never
    varies.
    """
    return [float(total) for total in np.bincount(groups, weights=values, minlength=count)[:count]]
