"""The matrix: every feature for every (T, customer in force at T), all dates in one plan."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.draws.sampling import draw_key, identities, lots, lowest
from akb.features.assembly import FeatureInputs, columns_elsewhere
from akb.features.compact import CodedColumn, PlainColumn, finished, put_rows, stacked
from akb.features.events import CHANNELS, EVENTS, dated_events, first_days
from akb.features.facts import policy_facts
from akb.features.grid import date_table, on_each, to_day
from akb.features.groups import groups as groups_of
from akb.features.hindsight.verdicts import seen_by_features
from akb.features.registry import World, only
from akb.features.themes import every_theme, every_topic, themes_of
from akb.features.types import Matrix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Branch, Settings
    from akb.features.cut import Source
    from akb.features.registry import Record
    from akb.ingest.types import OwnColumn, Portfolio

_FEW = 5
"""With fewer offices than this, how they moved in a year is one draw of a few: a model would learn
it by heart.
"""

_PART = 25_000
"""Customers at a time, on each of two threads: what is added up about them is some times as large
as their columns.
"""

_BATCH = 2
"""As-of dates at a time: two need 220 MB less at the peak than four on 66,000 policies
(benchmarks/features.py). With fewer customers more, until there are so many `_ROWS`: every
question to Polars has its fixed cost.
"""

_ROWS = 30_000

_POLICIES = 100_000
"""Policies times dates at a time, at most, where who is in force is asked."""

_THREADS = 2


def build_matrix(
    portfolio: Portfolio,
    dates: Iterable[date],
    settings: Settings,
    *,
    groups: Collection[str] | None = None,
    partitions: int | None = None,
    everybody: bool = False,
    executor: Executor | None = None,
) -> Matrix:
    """Return the features of customers in force at each of `dates`, as known on that day.

    Of everybody, or where that are more than ``settings.models.panel_customers``: of everybody on
    the dates that are scored (`scored_dates`), and on the others of the customers of a panel.

    Parameters
    ----------
    portfolio
        As it leaves ingest; the order of its rows changes nothing.
    dates
        As-of dates T, for instance `as_of_grid`.
    groups
        Names of the feature groups to work out (docs/features.md); None: all.
    partitions
        In how many parts the customers are looked at one after another: less memory at a time, and
        the same bytes. None: as many as their number asks.
    everybody
        Nobody is left to a panel, on any date.
    executor
        What works the parts out, maybe elsewhere; None: two threads here.

    Raises
    ------
    AkbError
        If this portfolio has no feature group of one of these names.

    Notes
    -----
    The premium and commission of today, status, change dates, sex and sensitive claims are not read
    at all; dated premiums are, up to T. Renewal dates count by day and month only. Columns of
    today's values that show who has ended are not read either, see `hindsight`."""
    dates = sorted(set(dates))
    portfolio = seen_by_features(portfolio, settings)
    inputs = feature_inputs(portfolio, settings)
    if groups is not None:
        inputs = replace(inputs, groups=only(inputs.groups, groups))
    features = tuple(column.feature for group in inputs.groups for column in group.columns)
    rows, identity = rows_in_force(inputs.facts, dates), _identity(portfolio)
    panel = None if everybody else drawn_panel(rows, identity, settings)
    if panel is not None:
        followed = pl.Series(panel[rows["customer"].to_numpy()])
        scored = pl.col("as_of").is_in(scored_dates(dates, portfolio.as_of, settings))
        rows = rows.filter(scored | followed)
    if partitions is None:
        partitions = max(getattr(executor, "workers", 1), -(-_most(rows) // _PART))
    names = [each.name for each in features]
    # codes take a moment: of a small office there is memory enough
    kind = PlainColumn if panel is None else CodedColumn
    columns: dict[str, PlainColumn | CodedColumn] = {name: kind(rows.height) for name in names}
    if executor is None:
        _fill(inputs, rows, columns, partitions)
    else:
        # a task has its fixed cost: of a small part as many dates as are large a part's two
        together = max(_BATCH, _BATCH * _PART * partitions // _most(rows)) if rows.height else 1
        shares = [inputs.among(part, partitions) for part in range(partitions)]
        pieces = columns_elsewhere(shares, rows, _batches(rows, together), executor, kind)
        _place(rows, columns, pieces)
    frame, coded = finished(rows, columns)
    return Matrix(frame, features, identity, panel, coded)


def feature_inputs(portfolio: Portfolio, settings: Settings) -> FeatureInputs:
    """Return what features are worked out from, of a portfolio as `seen_by_features` leaves it."""
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
    recorded: dict[Source, pl.DataFrame] = {
        record: events[record] for record in EVENTS if record in records
    }
    return FeatureInputs(groups_of(world), facts, recorded, customers, world)


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
    return coded(facts, insurer_codes(facts["insurer"]))


def insurer_codes(insurers: pl.Series) -> pl.DataFrame:
    """Return insurer and ``insurer_code``, its position in the alphabet."""
    names = insurers.drop_nulls().unique().sort()
    return pl.DataFrame(
        {"insurer": names, "insurer_code": range(len(names))},
        schema={"insurer": pl.String, "insurer_code": pl.Int32},
    )


def coded(facts: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
    """Replace the insurer by its code; of `insurer_codes`."""
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
    region = region_of("postcode4")
    if "region" in customers.columns and not customers["postcode4"].is_not_null().any():
        region = pl.col("region").rank("dense").cast(pl.Int32)  # the position in the alphabet
    return customers.select("customer", "kind", "birth_year", "adviser", "office", region=region)


def region_of(postcode: str) -> pl.Expr:
    """Return the region that a column of postcodes tells: their first two digits."""
    return pl.col(postcode).str.slice(0, 2).cast(pl.Int32, strict=False)


def _identity(portfolio: Portfolio) -> NDArray[np.uint64]:
    """What each customer is drawn by: the relation number, which no other row can change.

    What a run kept has pseudonyms only; nothing is drawn from that any more.
    """
    known = portfolio.customers.sort("customer")
    identity = np.zeros(int(known["customer"].max() or 0) + 1, dtype=np.uint64)  # type: ignore[arg-type]
    identity[known["customer"].to_numpy()] = identities(
        known.select(pl.coalesce("relation", "pseudonym")).to_series()
    )
    return identity


def _batches(rows: pl.DataFrame, together: int = _BATCH) -> list[list[date]]:
    """Some dates at a time: each T stands alone, and the tables in between stay small.

    A date with many more rows than the one before stands alone: of the customers on one of them
    everything would be worked out on both."""
    batches: list[list[date]] = []
    before = 0
    for day, count in rows.group_by("as_of").len().sort("as_of").iter_rows():
        alike = before <= 1.5 * count and count <= 1.5 * before
        if batches and len(batches[-1]) < together and alike:
            batches[-1].append(day)
        else:
            batches.append([day])
        before = count
    return batches


def known_then(
    portfolio: Portfolio,
    matrix: Matrix,
    day: date,
    settings: Settings,
    *,
    executor: Executor | None = None,
) -> Matrix:
    """Return the rows of the dates up to `day`, with those of everybody on the day itself."""
    known = matrix.until(day)
    if known.panel is None:
        return known
    whole = build_matrix(portfolio, [day], settings, executor=executor)
    before = known.frame.filter(known.frame["as_of"] < day)
    frame, coded = stacked([(before, known.coded), (whole.frame, whole.coded)], known.names)
    return replace(known, frame=frame, coded=coded)


def scored_dates(dates: Sequence[date], as_of: date, settings: Settings) -> list[date]:
    """Return the dates on which everybody has a row: the last, which is scored, and the latest of
    which a year is closed at X, on which what was said is laid beside what came.
    """
    wait = timedelta(days=settings.time.gap_days + settings.time.registration_lag_days)
    closed = [each for each in dates if add_months(each, 12) + wait <= as_of]
    return [*closed[-1:], dates[-1]] if dates else []


def drawn_panel(
    rows: pl.DataFrame, identity: NDArray[np.uint64], settings: Settings
) -> NDArray[np.bool_] | None:
    """Return by customer whether he is of the panel, from as_of and customer of everybody; None
    where that is everybody.

    The same customers on all dates: so that what a customer does can be followed, and that a year
    before stands beside a year.
    """
    customers, size = rows["customer"].unique().sort().to_numpy(), settings.models.panel_customers
    if len(customers) <= size:
        return None
    key = draw_key(settings.models.seed, "matrix", "panel")
    everyone = np.zeros(len(customers), dtype=np.int64)
    drawn, _ = lowest(lots(key, identity[customers]), everyone, size)
    panel = np.zeros(len(identity), dtype=np.bool_)
    panel[customers[drawn]] = True
    return panel


def rows_in_force(facts: pl.DataFrame, dates: Iterable[date]) -> pl.DataFrame:
    """Return as_of and customer of everybody in force at each of `dates`, sorted by both."""
    table = date_table(dates)
    start, end, day = pl.col("start"), pl.col("end"), pl.col("day")
    policies = facts.lazy().select("customer", "start", "end")
    there = (start <= day) & (end.is_null() | (end > day))
    # of all policies on all dates, which are many, only the customers are asked: some at a time
    together = max(1, _POLICIES // max(facts.height, 1))
    found = [
        on_each(some, ("as_of", "day"), policies, there)
        .select("as_of", "customer")
        .unique()
        .sort("as_of", "customer")
        .collect()
        for some in list(table.iter_slices(together)) or [table]
    ]
    return pl.concat(found)


def _most(rows: pl.DataFrame) -> int:
    """The most customers on one date."""
    return max(rows.group_by("as_of").len()["len"].to_list(), default=0)


def _fill(
    inputs: FeatureInputs,
    rows: pl.DataFrame,
    columns: Mapping[str, PlainColumn | CodedColumn],
    parts: int,
) -> None:
    """Put values into the columns of these rows, in memory that is taken once: the matrix is the
    largest thing there is.
    """
    keys, most = rows.with_row_index("at"), _most(rows)

    def fill(batch: list[date]) -> None:
        # of everybody at once they are added up on the way
        aggregates = None if parts == 1 else inputs.aggregates(batch, parts)
        asked = keys.filter(pl.col("as_of").is_in(batch))
        everybody = inputs if parts == 1 else inputs.of(asked["customer"].unique())
        # as large as the parts of the date with most rows
        few = max(1, -(-asked.height * parts // (len(batch) * most))) if asked.height else 0
        for part in range(few):
            own = asked if few == 1 else asked.filter(pl.col("customer") % few == part)
            made = everybody.among(part, few).columns(
                batch, own.select("as_of", "customer"), aggregates
            )
            at = own["at"].to_numpy()
            put_rows(columns, at, made, {})

    days = rows["as_of"].n_unique()
    together = max(_BATCH, min(_ROWS // most, -(-days // _THREADS))) if most else _BATCH
    with ThreadPoolExecutor(_THREADS) as pool:  # where one leaves a core idle the next goes on
        list(pool.map(fill, _batches(rows, together)))


def _place(
    rows: pl.DataFrame,
    columns: Mapping[str, PlainColumn | CodedColumn],
    pieces: Iterable[tuple[pl.DataFrame, Mapping[str, NDArray[np.float32]]]],
) -> None:
    """Put values into the columns of these rows, from pieces in any order; and the values behind
    their codes.
    """
    keys = rows.with_row_index("at")
    for piece, coded in pieces:
        wanted = piece.select("as_of", "customer")
        at = wanted.join(keys, on=["as_of", "customer"], how="left", maintain_order="left")["at"]
        put_rows(columns, at.to_numpy(), piece, coded)
