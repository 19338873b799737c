"""Customers: one row each, from the policy rows and from a customers file where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import distinct_texts, known, rule
from akb.ingest.cells.words import read_words
from akb.ingest.columns.notes import texts_of
from akb.ingest.customers.consent import read_objections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table

_SINGLE = ("kind", "birth_year", "postcode4")
_LATEST = ("adviser", "office", "sub_office", "manager", "region", "main", "household", "home")
ATTRIBUTES = (*_SINGLE, *_LATEST, "no_marketing", "deceased")


def read_attributes(
    table: Table, cells: pl.DataFrame, clock: Clock, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Return what the rows say of their customers.

    Returns
    -------
    kind str?, birth_year i32?, postcode4 str?, adviser str?, office str?, sub_office str?, manager
    str?, region str?, main str? (key of the main relation), household str? (the office's own number
    of it), home str? (keyed hash of the address), no_marketing bool?, deceased bool?; a row per row
    of `cells`. Of a birth date only the year is kept, of a postcode only four digits."""
    kind = notes.words("kind", read_words(texts_of(cells, "kind"), "kind", settings))
    postcode = distinct_texts(texts_of(cells, "postcode"))
    if (postcode.texts.str.len_chars() > 4).any():
        _drop(table, "postcode")
    area = postcode.texts.str.extract(r"^([1-9]\d{3})(?:\s*[A-Za-z]{2})?$")
    return pl.DataFrame(
        {
            "kind": kind,
            "birth_year": _birth_year(table, cells, clock, settings, notes),
            "postcode4": postcode.spread(area),
            "adviser": known(texts_of(cells, "adviser")),
            "office": known(texts_of(cells, "office")),
            "sub_office": known(texts_of(cells, "sub_office")),
            "manager": known(texts_of(cells, "manager")),
            "main": table.identifiers("main_relation", cells)[1],
            "household": table.identifiers("household", cells)[1],
            "home": texts_of(cells, "home"),
            "region": known(texts_of(cells, "region")),
            "no_marketing": read_objections(table, cells, settings, notes),
            "deceased": _deceased(cells, clock, settings),
        }
    )


def _drop(table: Table, column: str) -> None:
    heading = table.headings.heading(column)
    if heading and heading not in table.dropped:
        table.dropped.append(heading)


def _birth_year(
    table: Table, cells: pl.DataFrame, clock: Clock, settings: Settings, notes: Notes
) -> pl.Series:
    year = pl.Series([None], dtype=pl.Int32).new_from_index(0, cells.height)
    if "birth_year" in table.headings.at:
        texts = known(texts_of(cells, "birth_year"))
        written = texts.str.extract(r"^((?:18|19|20)\d{2})(?:\.0)?$").cast(pl.Int32)
        day = read_dates(
            texts.to_frame("t").select(pl.when(written.is_null()).then(pl.col("t"))).to_series()
        )
        year = (
            pl.DataFrame({"a": written, "b": day.values.dt.year()})
            .select(pl.coalesce("a", "b"))
            .to_series()
        )
    if "birth_date" in table.headings.at:
        texts = texts_of(cells, "birth_date")
        _drop(table, "birth_date")
        day = read_dates(texts, date_format=settings.ingest.date_format)
        bare = known(texts).str.extract(r"^((?:18|19|20)\d{2})$").cast(pl.Int32)
        born = _right_century(texts, day.values, clock)
        born = (
            pl.DataFrame({"a": year, "b": bare, "c": born})
            .select(pl.coalesce("a", "b", "c"))
            .to_series()
        )
        year = born
        notes.count_unreadable("birth_date", int(day.bad.sum()))
    return year.cast(pl.Int32).alias("birth_year")


def _right_century(texts: pl.Series, days: pl.Series, clock: Clock) -> pl.Series:
    """Return years of birth: with two digits (dd-mmm-jj) the century in which a policyholder is old
    enough.
    """
    age = clock.as_of.year - pl.col("year")
    short = pl.col("text").str.contains(r"(?:^|[^\d])\d{2}$") & ~pl.col("text").str.contains(
        r"^\d{4}"
    )
    young = (
        short & (age < rule("customers", "youngest")) & (age + 100 <= rule("customers", "oldest"))
    )
    frame = pl.DataFrame({"text": known(texts), "year": days.dt.year()})
    moved = (
        pl.when((age < 0) | young.fill_null(value=False))
        .then(pl.col("year") - 100)
        .otherwise("year")
    )
    return frame.select(moved.alias("year")).to_series()


def _deceased(cells: pl.DataFrame, clock: Clock, settings: Settings) -> pl.Series:
    """Return whether a row says that the customer died by X; a flag without a date says nothing in
    a replay.
    """
    texts = texts_of(cells, "deceased")
    flag = read_answers(texts).values
    day = read_dates(texts, upto=clock.upto, date_format=settings.ingest.date_format).values
    flagged = (flag == "yes") & (not clock.replay)
    return (flagged.fill_null(value=False) | (day <= clock.as_of).fill_null(value=False)).alias(
        "deceased"
    )


def read_customer_rows(
    tables: Sequence[Table], customers: pl.Series, clock: Clock, settings: Settings, notes: Notes
) -> pl.DataFrame | None:
    """Return the rows of the customers files for the known customers; None without such a file.

    Rows without a policy are rejected (``no_policies``), doubles too.
    """
    frames = []
    for table in tables:
        if table.headings.role != "customers":
            continue
        _, key = table.identifiers("customer")
        cells = table.cells.with_columns(_key=key)
        reason = (
            pl.when(pl.col("_key").is_null())
            .then(pl.lit("no_customer"))
            .when(~pl.col("_key").is_in(customers.implode()))
            .then(pl.lit("no_policies"))
        )
        cells = cells.with_columns(_why=reason)
        for why in ("no_customer", "no_policies"):
            notes.reject(table, cells.filter(pl.col("_why") == why), "customer", why)
        cells = cells.filter(pl.col("_why").is_null())
        rows = read_attributes(table, cells, clock, settings, notes).with_columns(key=cells["_key"])
        kept = rows.with_row_index("row").unique(rows.columns, keep="first", maintain_order=True)[
            "row"
        ]
        notes.reject(
            table,
            cells.with_row_index("row").filter(~pl.col("row").is_in(kept.implode())),
            None,
            "duplicate",
        )
        frames.append(rows[kept])
    return pl.concat(frames) if frames else None


def build_relations(
    policies: pl.DataFrame, file_rows: pl.DataFrame | None, clock: Clock, notes: Notes
) -> pl.DataFrame:
    """Return a row per relation, in the order of the normalised relation number.

    Parameters
    ----------
    policies
        Policy rows with ``key`` (relation number to join on), ``relation`` (as written),
        ``start_date`` and the columns of `read_attributes`.
    file_rows
        Rows of a customers file; they win over policy rows.
    clock
        X, for ages.
    notes
        Receives findings on conflicts, ages and guessed kinds.
    """
    relations = (
        policies.group_by("key")
        .agg(relation=pl.col("relation").min())
        .sort("key")
        .with_row_index("id")
    )
    own = policies.select(
        "key", "start_date", *_SINGLE, *_LATEST, "no_marketing", "deceased", rank=pl.lit(1)
    )
    rows = own
    if file_rows is not None:
        extra = file_rows.with_columns(rank=pl.lit(0), start_date=pl.lit(clock.as_of))
        rows = pl.concat([own, extra.select(own.columns)])
    rows = _numbered(rows, relations)
    rows = _without_nonsense(rows, clock, notes)
    conflicts: set[int] = set()
    for column in _SINGLE:
        chosen, doubtful = _most_said(rows, column)
        conflicts |= doubtful if column != "postcode4" else set()
        relations = relations.join(chosen, on="id", how="left", maintain_order="left")
    for column in _LATEST:
        if rows[column].null_count() == rows.height:  # most exports tell few of them
            nothing = pl.lit(None, dtype=rows.schema[column])
            relations = relations.with_columns(nothing.alias(column))
            continue
        relations = relations.join(
            _latest(rows, column), on="id", how="left", maintain_order="left"
        )
    flags = rows.group_by("id").agg(
        no_marketing=pl.col("no_marketing").any(ignore_nulls=True),
        deceased=pl.col("deceased").any(ignore_nulls=True),
    )
    relations = relations.join(flags, on="id", how="left", maintain_order="left").with_columns(
        pl.col("no_marketing", "deceased").fill_null(value=False)
    )
    if conflicts:
        notes.find("AKB-D019", "tip", len(conflicts), len(conflicts) / relations.height)
    return relations.drop("id")


def _numbered(rows: pl.DataFrame, relations: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a number, ``id``, in place of their relation's key: what is sorted and
    grouped by it takes half the time.
    """
    numbers = relations.select("key", "id")
    others = rows.join(numbers, on="key", how="anti").select("key").unique()
    if others.height:  # of a file of customers
        more = pl.int_range(relations.height, relations.height + pl.len(), dtype=pl.UInt32)
        numbers = pl.concat([numbers, others.with_columns(id=more)])
    return rows.join(numbers, on="key", how="left", maintain_order="left").drop("key")


def _without_nonsense(rows: pl.DataFrame, clock: Clock, notes: Notes) -> pl.DataFrame:
    """Take away birth years that make a customer unborn or older than 105."""
    age = clock.as_of.year - pl.col("birth_year")
    sane = age.is_between(0, int(rule("customers", "oldest"))) & (pl.col("birth_year") != 1900)
    lost = rows.filter(pl.col("birth_year").is_not_null() & ~sane)["id"].n_unique()
    if lost:
        notes.find("AKB-D018", "issue", lost, lost / rows["id"].n_unique())
    return rows.with_columns(birth_year=pl.when(sane).then(pl.col("birth_year")))


def _most_said(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, set[int]]:
    """Return the value that most rows give (ties: the most recent policy, then the lowest), and who
    has several.
    """
    counted = (
        rows.filter(pl.col(column).is_not_null())
        .group_by("id", column)
        .agg(rank=pl.col("rank").min(), rows=pl.len(), last=pl.col("start_date").max())
        .sort("id", "rank", "rows", "last", column, descending=[False, False, True, True, False])
    )
    again = pl.col("id").eq_missing(pl.col("id").shift(1))
    several = counted.filter(again)["id"].unique().to_list()
    return counted.filter(~again).select("id", column), set(several)


def _latest(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return (
        rows.filter(pl.col(column).is_not_null())
        .select("id", "rank", "start_date", column)
        .sort("id", "rank", "start_date", column, descending=[False, False, True, False])
        .filter(pl.col("id").ne_missing(pl.col("id").shift(1)))
        .select("id", column)
    )


def guess_kind(
    customers: pl.DataFrame, policies: pl.DataFrame, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Fill a missing kind from the branches that a customer holds or held.

    More business lines than private ones is business; else one private line or a birth year is
    private.

    Parameters
    ----------
    customers
        With ``customer``, ``kind`` and ``birth_year``.
    policies
        With ``customer`` and ``branch``.
    """
    guess = guessed_kind(customers, policies, "customer", settings)
    joined = customers.with_columns(guess=guess)
    guessed = int(
        joined.select((pl.col("kind").is_null() & pl.col("guess").is_not_null()).sum()).item()
    )
    if guessed:
        notes.find("AKB-D024", "tip", guessed, guessed / customers.height)
    return joined.with_columns(kind=pl.coalesce("kind", "guess")).drop("guess")


def guessed_kind(
    people: pl.DataFrame, policies: pl.DataFrame, by: str, settings: Settings
) -> pl.Series:
    """Return what the branches say of each of `people` (`by`, birth_year): ``private``,
    ``business`` or null.
    """
    segments = {key: entry.segment for key, entry in settings.taxonomy().items()}
    lines = policies.select(
        by, segment=pl.col("branch").replace_strict(segments, return_dtype=pl.String)
    )
    votes = lines.group_by(by).agg(
        business=(pl.col("segment") == "Z").sum().cast(pl.Int64),
        private=(pl.col("segment") == "P").sum().cast(pl.Int64),
    )
    guess = (
        pl.when(pl.col("business") > pl.col("private"))
        .then(pl.lit("business"))
        .when((pl.col("private") > 0) | pl.col("birth_year").is_not_null())
        .then(pl.lit("private"))
    )
    return (
        people.join(votes, on=by, how="left", maintain_order="left")
        .select(guess.alias("guess"))
        .to_series()
    )
