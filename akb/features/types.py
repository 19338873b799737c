"""The matrix and the labels that leave the features room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Feature:
    """One column of the matrix.

    Parameters
    ----------
    name, group, meaning, unit
        `meaning` is English for the documentation; what a client reads comes from ``configs/text``.
    current
        True if the source keeps only today's value (adviser, office, postcode): a slowly changing
        attribute that needs watching, see docs/architecture.md, Time 2.
    """

    name: str
    group: str
    meaning: str
    unit: str
    current: bool = False


@dataclass(frozen=True)
class Matrix:
    """One row per (T, customer in force at T), sorted by both.

    frame
        as_of Date, customer u32, then one column per feature in the order of `features`: Float32,
        unknown is null; of a large portfolio codes, see `coded`. Who wants values asks `floats`,
        `column` or `on`.
    identity
        By customer (former ones too) the number that he is drawn by in every sample, u64, see
        `akb.core.draws.sampling`; None: the customer's own.
    panel
        By customer whether he is followed over the dates: who teaches. On X and on the latest
        closed date of a year everybody has a row, on the other dates the panel. None: everybody.
    coded
        Per column that holds codes (u8 or u16) the values behind them, float32, unknown is NaN:
        most features have few different values, and a quarter of the memory does.
    """

    frame: pl.DataFrame
    features: tuple[Feature, ...]
    identity: NDArray[np.uint64] | None = None
    panel: NDArray[np.bool_] | None = None
    coded: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature columns, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @property
    def rows(self) -> pl.DataFrame:
        """as_of and customer of every row."""
        return self.frame.select("as_of", "customer")

    @property
    def dates(self) -> list[date]:
        """The as-of dates, ascending."""
        return sorted(self.frame["as_of"].unique().to_list())

    def has(self, name: str) -> bool:
        """Return whether there is a column of this name."""
        return name in self.frame.columns

    def on(self, day: date, names: Iterable[str] = ()) -> pl.DataFrame:
        """Return customer and some features of everybody on one date, Float32; unknown is null."""
        days = self.frame["as_of"]
        first, after = (int(days.search_sorted(day, side)) for side in ("left", "right"))
        return self._decoded(self.frame.select("customer", *names).slice(first, after - first))

    def decoded(self) -> pl.DataFrame:
        """Return everything, as_of, customer and all features, Float32: of few rows."""
        return self._decoded(self.frame)

    def at(self, place: int) -> pl.DataFrame:
        """Return one row with all features, Float32; unknown is null."""
        return self._decoded(self.frame.slice(place, 1))

    def floats(self, rows: NDArray[np.int64] | slice, names: Sequence[str]) -> NDArray[np.float32]:
        """Return some rows of some features, float32 [n, f], column by column; unknown is NaN."""
        import numpy as np

        chosen = self.frame.select("customer", *names)
        if isinstance(rows, slice):
            chosen = chosen.slice(rows.start, rows.stop - rows.start)
        else:
            chosen = chosen[rows]
        if not self.coded:
            found: NDArray[np.float32] = chosen.drop("customer").to_numpy(order="fortran")
            return found.astype(np.float32, copy=False)
        x = np.empty((chosen.height, len(names)), dtype=np.float32, order="F")
        code = np.empty(chosen.height, dtype=np.intp)  # numpy looks up by no smaller number
        for place, name in enumerate(names):
            values, column = self.coded.get(name), chosen[name].to_numpy()
            if values is None:
                x[:, place] = column
                continue
            code[:] = column
            np.take(values, code, out=x[:, place], mode="clip")
        return x

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one feature of all rows, float32; unknown is NaN."""
        values, column = self.coded.get(name), self.frame[name].to_numpy()
        found = column if values is None else values[column]
        return found.astype("f4", copy=False)

    def _decoded(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """Some columns of the frame with values instead of codes."""
        import polars as pl

        return chosen.with_columns(
            pl.Series(name, values[chosen[name].to_numpy()], nan_to_null=True)
            for name, values in self.coded.items()
            if name in chosen.columns
        )

    def identity_of(self, customer: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """Return what these customers are drawn by."""
        return customer.astype("u8") if self.identity is None else self.identity[customer]

    def teaches(self, customer: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Return whether the rows of these customers may teach: whether they are of the panel."""
        return customer >= 0 if self.panel is None else self.panel[customer]

    def until(self, day: date) -> Matrix:
        """Return the rows of the as-of dates up to `day`: what was known by then."""
        last = int(self.frame["as_of"].search_sorted(day, "right"))
        return replace(self, frame=self.frame.head(last))


@dataclass(frozen=True)
class BranchRows:
    """One row per (T, customer, branch): either held at T (lapse) or eligible and not held at T
    (purchase).

    frame
        as_of Date, customer u32, branch Enum, branch-level Float32 columns named in `names`, and
        ``label`` Float32 (1 if the event falls in (T, T + 12 months], else 0; meaningless until
        closed), ``event_date`` Date? (first event of that kind after T, whatever its distance).
        Sorted by (as_of, branch, customer).
    standing
        Of what could be taken: branch str, ``reason`` str, ``customers`` i64 at X: ``open``, or why
        it is not (``held
        | signed | kind | age | requires | included``, the first that holds). None for what is held.
    open
        Of what could be taken: customer u32, branch Enum at X, for every branch of the portfolio,
        also those that are taken too seldom to have rows. None for what is held.
    seldom
        Events since the first T of the branches that have too few for rows.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    standing: pl.DataFrame | None = None
    open: pl.DataFrame | None = None
    seldom: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TaughtBranches:
    """The branches that stored models were taught rows of: held at T, and open at T."""

    held: frozenset[str]
    eligible: frozenset[str]


@dataclass(frozen=True)
class FormerRows:
    """One row per (T, customer whose relation ended in the three years up to T and who has not come
    back by T).

    frame
        as_of Date, customer u32, Float32 features known at T named in `names`, ``event_date`` Date?
        (the first day of a new relation after T, whatever its distance). Sorted by (as_of,
        customer). Who died or ended the business is left out.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]


@dataclass(frozen=True)
class Targets:
    """What happened after each T, for every row of the matrix (same order), and for branches.

    A label is used only when its window is closed at the day K from which we look:
    ``T + h + G + registration lag <= K`` (see `closed_by`).

    relation
        as_of, customer, ``end_date`` Date? (first day of the relation without a policy in force and
        none starting within G days; null if not recorded by X), ``cause`` str? (``natural | insurer
        | preventable | unknown``).
    counts
        as_of, customer, ``first_lapse`` Date?, ``lapses_{1,3,6,12}m`` Float32, ``first_purchase``
        Date? (in a branch not held at T), ``first_nonpayment`` Date? (the first lapse for
        non-payment). Technical ends are no lapse, continued policies no purchase. Of the whole
        relation, whatever the definition: `targets_money.money_targets`: ``upsell``,
        ``commission_drop`` Date?; `targets_events.event_targets`: contacts, claims, ``bleeder``,
        ``feeder``. A column ``{name}_possible`` bool says which rows can be asked for ``name``.
    held, eligible
        branch rows for ``lapse_{branch}_12m`` and ``next_policy_{branch}_12m``.
    whole
        `relation` of the whole relation, whatever the definition; None where `relation` is that
        itself.
    announced
        customer, ``end_date``, ``cause``: relations at X whose end is already announced (under the
        definition that is set; with ``all``: all policies end, no known policy starts within G
        days).
    leaving
        The same of the whole relation, whatever the definition; None: not told apart.
    announced_lapses
        customer, ``branch``, ``end_date``, ``nonpayment`` bool: policies in force at X whose lapse
        is announced.
    definitions
        as_of, customer, a Float32 column per definition of churn (1 churned within 12 months, 0
        not, null not to be followed), for the rows of a few closed dates, the latest being the last
        closed year.
    former
        Former customers, see `FormerRows`.
    topics, channels
        Rows like those of branches in which ``branch`` is the topic of a contact or its channel:
        the label is whether a contact about it takes place within 90 days, or whether the first
        contact after T goes by it (``asked`` bool: there was one within 12 months). None without
        contacts.
    """

    relation: pl.DataFrame
    counts: pl.DataFrame
    held: BranchRows
    eligible: BranchRows
    announced: pl.DataFrame
    gap_days: int
    lag_days: int
    announced_lapses: pl.DataFrame | None = None
    leaving: pl.DataFrame | None = None
    whole: pl.DataFrame | None = None
    definitions: pl.DataFrame | None = None
    former: FormerRows | None = None
    topics: BranchRows | None = None
    channels: BranchRows | None = None

    def of_whole_relation(self) -> Targets:
        """Return these targets with the end of the whole relation, whatever the definition that is
        set.
        """
        if self.whole is None:
            return self
        announced = self.announced.clear() if self.leaving is None else self.leaving
        return replace(self, relation=self.whole, whole=None, announced=announced)
