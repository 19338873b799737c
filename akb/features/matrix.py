"""The matrix: every feature for every (T, customer in force at T), all dates in one plan."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.sampling import identities
from akb.features.cut import KEY, Cut, cut
from akb.features.events import CHANNELS, EVENTS, dated_events, first_days
from akb.features.facts import policy_facts
from akb.features.grid import to_day
from akb.features.groups import groups
from akb.features.hindsight.verdicts import seen_by_features
from akb.features.registry import Tables, World
from akb.features.themes import every_theme, every_topic, themes_of
from akb.features.types import Matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Branch, Settings
    from akb.features.cut import Source
    from akb.features.registry import Column, Extra, Group, Record, Total
    from akb.ingest.types import OwnColumn, Portfolio

_FEW = 5
"""With fewer offices than this, how they moved in a year is one draw of a few: a model would learn
it by heart.
"""

_BATCH = 2
"""As-of dates at a time: two need 220 MB less at the peak than four on 66,000 policies
(benchmarks/features.py).
"""


def build_matrix(portfolio: Portfolio, dates: Iterable[date], settings: Settings) -> Matrix:
    """Return the features of every customer in force at each of `dates`, as known on that day.

    Parameters
    ----------
    portfolio
        As it leaves ingest; the order of its rows changes nothing.
    dates
        As-of dates T, for instance `as_of_grid`.

    Notes
    -----
    The premium and commission of today, status, change dates, sex and sensitive claims are not read
    at all; dated premiums are, up to T. Renewal dates count by day and month only. Columns of
    today's values that show who has ended are not read either, see `hindsight`."""
    dates = sorted(set(dates))
    portfolio = seen_by_features(portfolio, settings)
    branches = portfolio_branches(portfolio, settings)
    own = tuple(column for column in portfolio.own if not column.refused)
    facts = with_insurer_codes(policy_facts(portfolio, list(branches), settings.time.gap_days))
    facts = with_own_columns(facts, portfolio.own_values, own)
    events = dated_events(portfolio)
    records: dict[Record, int] = first_days(events)
    if portfolio.history.recorded_from is not None:
        records["ends"] = to_day(portfolio.history.recorded_from)
    customers = _customers(portfolio)
    people = tuple(
        role for role in ("adviser", "office", "region") if customers[role].is_not_null().any()
    )
    many = tuple(role for role in people if customers[role].drop_nulls().n_unique() >= _FEW)
    postcodes = portfolio.customers["postcode4"].is_not_null().any()
    world = World(
        branches,
        settings.time.gap_days,
        records,
        reasons=portfolio.history.reasons,
        people=people,
        many=many,
        postcodes=postcodes,
        themes=themes_of(branches),
        topics=_named(events, "topic", every_topic()),
        channels=_named(events, "channel", CHANNELS),
        claimed=_named(events, "theme", every_theme(), "claims"),
        own=own,
    )
    chosen = groups(world)
    recorded: dict[Source, pl.DataFrame] = {
        record: events[record] for record in EVENTS if record in records
    }
    features = tuple(column.feature for group in chosen for column in group.columns)

    def part(batch: list[date]) -> pl.DataFrame:
        return _assemble(chosen, cut(facts, recorded, batch), customers, world)

    parts = _two_at_a_time(part, _batches(dates))
    frame = _stacked(parts, tuple(feature.name for feature in features), _rows(facts, dates))
    return Matrix(frame, features, _identity(portfolio))


def _two_at_a_time(
    part: Callable[[list[date]], pl.DataFrame], batches: list[list[date]]
) -> Iterator[pl.DataFrame]:
    """Yield the part of each batch in order: where one leaves a core idle the next goes on, and no
    more are kept.
    """
    with ThreadPoolExecutor(2) as pool:
        started: deque[Future[pl.DataFrame]] = deque()
        for batch in batches:
            started.append(pool.submit(part, batch))
            if len(started) == 2:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()


def _named(
    events: Mapping[Source, pl.DataFrame],
    column: str,
    names: tuple[str, ...],
    source: Source = "contacts",
) -> tuple[str, ...]:
    """Which of these names occur among the contacts (or the events of another source)."""
    given = set(events[source][column].unique()) if source in events else set()
    return tuple(name for name in names if name in given)


def portfolio_branches(portfolio: Portfolio, settings: Settings) -> Mapping[str, Branch]:
    """Return the branches that occur, in taxonomy order."""
    held = set(portfolio.policies["branch"].unique())
    return {key: branch for key, branch in settings.taxonomy().items() if key in held}


def with_insurer_codes(facts: pl.DataFrame) -> pl.DataFrame:
    """Replace the insurer by its position in the alphabet."""
    names = facts["insurer"].drop_nulls().unique().sort()
    codes = pl.DataFrame(
        {"insurer": names, "insurer_code": range(len(names))},
        schema={"insurer": pl.String, "insurer_code": pl.Int32},
    )
    return facts.join(codes, on="insurer", how="left", maintain_order="left").drop("insurer")


def with_own_columns(
    facts: pl.DataFrame, values: pl.DataFrame | None, own: Iterable[OwnColumn]
) -> pl.DataFrame:
    """Put beside each policy what stands in the columns without a role that may be features."""
    names = [column.key for column in own]
    if values is None or not names:
        return facts
    return facts.join(
        values.select("policy", *names), on="policy", how="left", maintain_order="left"
    )


def _customers(portfolio: Portfolio) -> pl.DataFrame:
    """The attributes that features use; region: first two digits of the postcode, else as given."""
    customers = portfolio.customers
    region = pl.col("postcode4").str.slice(0, 2).cast(pl.Int32, strict=False)
    if "region" in customers.columns and not customers["postcode4"].is_not_null().any():
        region = pl.col("region").rank("dense").cast(pl.Int32)  # the position in the alphabet
    return customers.select("customer", "kind", "birth_year", "adviser", "office", region=region)


def _identity(portfolio: Portfolio) -> NDArray[np.uint64]:
    """What each customer is drawn by: the relation number, which no other row can change."""
    known = portfolio.customers.sort("customer")
    identity = np.zeros(int(known["customer"].max() or 0) + 1, dtype=np.uint64)  # type: ignore[arg-type]
    identity[known["customer"].to_numpy()] = identities(known["relation"])
    return identity


def _batches(dates: list[date]) -> list[list[date]]:
    """Some dates at a time: each T stands alone, and the tables in between stay small."""
    return [dates[first : first + _BATCH] for first in range(0, len(dates), _BATCH)]


def _rows(facts: pl.DataFrame, dates: list[date]) -> int:
    """How many rows the matrix will have."""
    return cut(facts, {}, dates).frames["held"].select(KEY).unique().collect().height


def _stacked(parts: Iterable[pl.DataFrame], names: tuple[str, ...], rows: int) -> pl.DataFrame:
    """Put the parts below each other in memory that is taken once: the matrix is the largest thing
    there is.
    """
    blocks = {name: np.empty(rows, dtype=np.float32) for name in names}
    keys: list[pl.DataFrame] = []
    filled = 0
    for part in parts:
        keys.append(part.select("as_of", "customer"))
        for name in names:
            blocks[name][filled : filled + part.height] = part[name].to_numpy()
        filled += part.height
    columns = (pl.Series(name, blocks.pop(name), nan_to_null=True) for name in names)
    return pl.DataFrame([*pl.concat(keys, rechunk=True), *columns])


def _assemble(
    chosen: list[Group], seen: Cut, customers: pl.DataFrame, world: World
) -> pl.DataFrame:
    """Put everything that was added up beside the customers in force, then work out the columns."""
    totals = _totals(chosen, seen)
    table = totals["held"].sort(KEY)
    extras: list[Extra] = [(["t"], seen.dates), (["customer"], customers)]
    extras += [(KEY, frame) for source, frame in totals.items() if source != "held"]
    table = _beside(table, extras)
    tables = Tables(seen, totals, customers, world)
    for group in chosen:
        if group.extend is not None:
            table = _beside(table, group.extend(tables))
    empty = {
        total.name: total.empty
        for group in chosen
        for total in group.totals
        if total.empty is not None
    }
    columns = [column for group in chosen for column in group.columns]
    return table.with_columns(
        pl.col(name).fill_null(value) for name, value in empty.items()
    ).select("as_of", "customer", *(_value(column, world) for column in columns))


def _beside(table: pl.DataFrame, extras: list[Extra]) -> pl.DataFrame:
    """Add each table's columns in the order of `table`; the columns that are already there are not
    copied.
    """
    for keys, extra in extras:
        added = (
            table.select(keys).join(extra, on=keys, how="left", maintain_order="left").drop(keys)
        )
        table = table.hstack(added)
    return table


def _totals(chosen: list[Group], seen: Cut) -> dict[Source, pl.DataFrame]:
    """All groups' totals in one pass over each source; two groups may ask for the same."""
    wanted: dict[Source, dict[str, Total]] = {"held": {}}
    for group in chosen:
        for total in group.totals:
            wanted.setdefault(total.source, {})[total.name] = total
    plans = {
        source: seen.frames[source]
        .group_by(KEY)
        .agg(total.value.alias(name) for name, total in named.items())
        for source, named in wanted.items()
    }
    return dict(zip(plans, pl.collect_all(list(plans.values())), strict=True))


def _value(column: Column, world: World) -> pl.Expr:
    """A feature as float32: null where it would look further back than was recorded, never NaN."""
    value = column.value.cast(pl.Float32)
    if column.back:
        recorded = max(world.records[record] for record in column.records)
        seen = pl.col(f"back_{column.back}") - column.back_days >= recorded
        value = pl.when(seen).then(value)
    return value.alias(column.feature.name)
