"""Who is one customer: the relation, or by setting the household or group that it belongs to.

A relation is grouped by the first of these that it has: the main relation that the office gave it
(also where it is one itself), the office's own number of its household or group, or, for private
relations only, its address: a keyed hash of postcode, house number and addition. Businesses at one
address are not one customer, and an address that many relations share is a home or a block of
flats. A household speaks through its main relation, else through the relation with the oldest
policy: kind, birth year, postcode, adviser and office are what that one says, or the next that says
something. It does not want marketing if one of its relations does not; it has died when all have.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy.pseudonyms import pseudonyms
from akb.ingest.cells.texts import distinct_of, known, look_up, plain, rule, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

ADDRESS = ("house_number", "house_addition")
HOME = "home"
_NUMBER = re.compile(r"0*([1-9]\d{0,4})(?!\d)\W*(.*)", re.DOTALL)
_POSTCODE = re.compile(r"([1-9]\d{3})\s*([A-Z]{2})")
_DIGEST_BYTES = 8
_ROADS = {
    "main": ("", "most_in_group"),
    "household": ("G:", "most_in_group"),
    "home": ("H:", "most_at_address"),
}
_CHAIN = 8  # a main relation of a main relation of …
_ONE = ("kind", "birth_year", "postcode4", "adviser", "office", "sub_office", "manager", "region")


def close_the_door_on_addresses(tables: Sequence[Table], settings: Settings, key: bytes) -> None:
    """Take house numbers out of the tables; where households are wanted, their keyed hash stays as
    ``home``.
    """
    for table in tables:
        there = [column for column in ADDRESS if column in table.cells.columns]
        if (
            settings.client.unit == "household"
            and "house_number" in there
            and "postcode" in table.cells.columns
        ):
            home = home_keys(
                table.texts("postcode"),
                table.texts("house_number"),
                table.texts("house_addition"),
                key,
            )
            table.cells = table.cells.with_columns(home.alias(HOME))
        table.cells = table.cells.drop(there)
        table.dropped += [
            heading for column in there if (heading := table.headings.heading(column))
        ]


def home_keys(
    postcodes: pl.Series, numbers: pl.Series, additions: pl.Series, key: bytes
) -> pl.Series:
    """Return a keyed hash per address, null where postcode (four digits, two letters) or house
    number is lacking.

    "1234 ab", 12, "A" and "1234AB", "12-a", none are one address.
    """
    written = pl.DataFrame(
        {"p": known(postcodes), "n": known(numbers), "a": known(additions).fill_null("")}
    )
    joined = written.select(
        pl.concat_str("p", "n", "a", separator="\n")
    ).to_series()  # null if one is
    distinct = distinct_of(joined)
    parts = [text.split("\n", 2) for text in distinct]
    homes = [address_key(postcode, number, addition, key) for postcode, number, addition in parts]
    return look_up(joined, distinct, pl.Series(homes, dtype=pl.String))


def address_key(postcode: str, number: str, addition: str, key: bytes) -> str | None:
    """Return the keyed hash (BLAKE2b) of one address, None where it is not complete."""
    area, house = _POSTCODE.fullmatch(postcode.strip().upper()), _NUMBER.fullmatch(number.strip())
    if not area or not house:
        return None
    tail = plain(f"{house[2]} {addition}".removesuffix(" 0")).replace(" ", "").upper()
    address = f"{area[1]}{area[2]} {house[1]} {tail}"
    return (
        blake2b(address.encode(), key=key, digest_size=_DIGEST_BYTES, person=b"akb-home")
        .hexdigest()
        .upper()
    )


def with_units(
    relations: pl.DataFrame, rows: pl.DataFrame, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Add ``unit`` (the key of the customer that the relation belongs to) and ``head`` (it is a
    main relation).

    Parameters
    ----------
    relations
        One row per relation, see `build_customers`: key, kind, birth_year, main str?, household
        str?, home str?.
    rows
        Policy rows with key and branch: they tell private from business where the file does not.
    settings
        ``client.unit`` and the taxonomy.
    notes
        Receives what was asked for and can't be given (AKB-D071), and groups that are too big
        (AKB-D072).
    """
    if settings.client.unit == "relation":
        return relations.with_columns(unit="key", head=pl.lit(value=True))
    private = _private(relations, rows, settings)
    said = relations.select(
        "key", "household", main=_root(relations), home=pl.when(pl.lit(private)).then("home")
    )
    if said.select(pl.all_horizontal(pl.col("main", "household", "home").is_null()).all()).item():
        notes.find("AKB-D071", "issue", relations.height, 1.0)
    unit, crowded = pl.Series("unit", [None] * said.height, dtype=pl.String), 0
    for column, (prefix, most) in _ROADS.items():
        free = said.select(
            group=pl.when(pl.lit(unit.is_null())).then(pl.format(prefix + "{}", column))
        )
        crowd = pl.col("group").is_not_null() & (pl.len().over("group") > rule("household", most))
        crowded += int(free.select(crowd.sum()).item())
        unit = free.select(
            unit=pl.coalesce(pl.lit(unit), pl.when(~crowd).then("group"))
        ).to_series()
    if crowded:
        notes.find("AKB-D072", "tip", crowded, crowded / relations.height)
    return relations.with_columns(
        unit=pl.coalesce(pl.lit(unit), "key"),
        head=pl.lit((said["main"] == said["key"]).fill_null(value=False)),
    )


def _private(relations: pl.DataFrame, rows: pl.DataFrame, settings: Settings) -> pl.Series:
    """Return whether each relation is private: so given, else by the branches that it holds or
    held.
    """
    from akb.ingest.customers.relations import guessed_kind

    guess = guessed_kind(relations.select("key", "birth_year"), rows, "key", settings)
    kind = pl.DataFrame({"given": relations["kind"], "guess": guess}).select(
        pl.coalesce("given", "guess")
    )
    return kind.to_series().eq("private").fill_null(value=False)


def _root(relations: pl.DataFrame) -> pl.Series:
    """Return the main relation of each relation, itself for a main relation, null for the others.

    Chains are followed to their end; where they go round, to the lowest number of the round.
    """
    flags = {
        word.upper()
        for words in rules().values["boolean"].values()
        for word in words
        if not word.isdigit()
    }
    given = relations.filter(pl.col("main").is_not_null(), ~pl.col("main").is_in(list(flags)))
    above = dict(given.select("key", "main").iter_rows())

    def root(key: str) -> str:
        seen = [key]
        while above.get(seen[-1], seen[-1]) not in seen and len(seen) < _CHAIN:
            seen.append(above[seen[-1]])
        last = above.get(seen[-1], seen[-1])
        return min(seen[seen.index(last) :]) if last in seen else seen[-1]

    heads = set(above.values())
    roots = [root(key) if key in above or key in heads else None for key in relations["key"]]
    return pl.Series("main", roots, dtype=pl.String)


def customers_of(
    relations: pl.DataFrame, rows: pl.DataFrame, key: bytes, settings: Settings, notes: Notes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the customers, numbered in the order of their keys, and which relations each of them
    is.

    Parameters
    ----------
    relations
        One row per relation with ``unit`` and ``head``.
    rows
        Policy rows with the relations' key and start_date.
    key
        The client's key for pseudonyms.
    settings
        ``client.unit``.
    notes
        Receives how many relations became how many customers (AKB-D070).

    Returns
    -------
    customers: key (of the customer), relation (of the one that speaks for it), the attributes,
    customer u32, pseudonym. members: key, relation (of a relation), customer u32; sorted by key.
    """
    first = rows.group_by("key").agg(first=pl.col("start_date").min())
    order = relations.join(first, on="key", how="left", maintain_order="left").sort(
        "unit", "head", "first", "key", descending=[False, True, False, False]
    )
    customers = order.select("unit", "relation", *_ONE, "no_marketing", "deceased")
    if order["unit"].is_duplicated().any():
        customers = customers.group_by("unit", maintain_order=True).agg(
            pl.col("relation").first(),
            *(pl.col(column).drop_nulls().first() for column in _ONE),
            pl.col("no_marketing").any(),
            pl.col("deceased").all(),
        )
    customers = customers.rename({"unit": "key"}).with_columns(
        customer=pl.int_range(pl.len(), dtype=pl.UInt32)
    )
    customers = customers.with_columns(
        pseudonym=pl.Series(pseudonyms(customers["key"], key), dtype=pl.String)
    )
    members = order.select("key", "relation", "unit").join(
        customers.select("customer", unit="key"), on="unit", how="left", maintain_order="left"
    )
    if settings.client.unit == "household":
        share = 1 - customers.height / max(relations.height, 1)
        notes.find(
            "AKB-D070",
            "tip",
            customers.height,
            share,
            relations=relations.height,
            customers=customers.height,
        )
    return customers, members.sort("key").select("key", "relation", "customer")


def in_units(
    rows: pl.DataFrame, relations: pl.DataFrame, tables: Sequence[Table], notes: Notes
) -> pl.DataFrame:
    """Return the policy rows with the key of their customer instead of their relation's.

    A policy that stands with two relations of one household (same number, insurer, branch and
    start) is one policy: the row of the lowest relation number counts, the others are rejected
    (``duplicate``)."""
    units = relations.select("key", "unit")
    if (units["key"] == units["unit"]).all():
        return rows
    joined = rows.join(units, on="key", how="left", maintain_order="left").sort(
        "key", maintain_order=True
    )
    same = ["unit", "number", "insurer", "branch", "start_date"]
    if (joined["key"] != joined["unit"]).any() and joined.select(same).is_duplicated().any():
        first = joined.unique(same, keep="first", maintain_order=True)
        twice = joined.join(
            first.select("key", *same), on=["key", *same], how="anti", nulls_equal=True
        )
        mine = [table for table in tables if table.headings.role == "policies"]
        for position, table in enumerate(mine):
            lines = twice.filter(pl.col("file") == position).select("line").sort("line")
            notes.reject(
                table,
                lines.join(table.cells, on="line", how="left", maintain_order="left"),
                None,
                "duplicate",
            )
        joined = joined.join(
            twice.select("key", *same), on=["key", *same], how="anti", nulls_equal=True
        )
    return joined.with_columns(key="unit").drop("unit")
