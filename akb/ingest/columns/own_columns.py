"""Columns of the export without a role: what they hold, and whether that may be a feature.

Product variant, sum insured, channel, vehicle, underwriting answers: nobody can foresee their
headings, but their cells tell whether they hold numbers, a few hundred categories, or something
that is no feature: a day, an identifier, a person. Whether they show who has ended is tested later
(`akb.features.hindsight`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError, did_you_mean
from akb.core.privacy.identifiers import kinds_of, looks_like_name
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import (
    compact,
    distinct_of,
    identifiers,
    known,
    look_up,
    plain,
    rule,
    rules,
)
from akb.ingest.columns.matching import key_of, safe_heading
from akb.ingest.types import OwnColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from akb.config import Settings
    from akb.ingest.columns.matching import Headings
    from akb.ingest.columns.notes import Table

OF_ROLES = ("policies", "customers")
PRODUCT = "product"
"""A role without a feature of its own: it is tested and used like an own column."""
_CODED = ("branch", "branch_code", "insurer", "reason", "status", "term", "collection", "kind")
_TAKEN = ("line", "key", "customer")  # names that the tables of this room have for themselves
_DAY = re.compile(
    r"^\d{1,4}[-/. ]\w{1,9}[-/. ]\d{1,4}\b|^(?:19|20)\d{6}$|^\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}$"
)
_SURELY_A_NAME = re.compile(r"\b[A-Z]\.|\b(?:van|von|de|den|der|ter|ten)\b")
_MANY_NAMES = 5
_THOUSANDTHS = 1000
_LOOKED_AT = 2000
_ENOUGH = 50  # numbers, to say that they are all different


def wanted(headings: Headings) -> dict[str, int]:
    """Return heading -> position of the columns without a role (and of the product) that may be
    read.
    """
    if headings.role not in OF_ROLES:
        return {}
    never = {*headings.dropped, *headings.leaking, *_TAKEN}
    free = [
        (heading, place)
        for place, (heading, column) in enumerate(headings.named.items())
        if column in (None, PRODUCT) and heading not in never
    ]
    return dict(free[: int(rule("own", "columns"))])


def own_columns(
    tables: Sequence[Table], policies: pl.DataFrame, members: pl.DataFrame, settings: Settings
) -> tuple[tuple[OwnColumn, ...], pl.DataFrame | None]:
    """Return the own columns and what they say of each policy.

    Parameters
    ----------
    tables
        All tables of the run, with the cells of their columns without a role.
    policies
        policy, customer, and file and line of the row that counts.
    members
        key, customer: every relation number.
    settings
        ``[features] without`` and ``extra``; the decimal sign.

    Raises
    ------
    AkbError
        If ``[features]`` names no column of the export.
    """
    texts = _texts(tables, policies, members)
    _check_names(settings, [heading for heading, _ in texts.values()])
    columns: list[OwnColumn] = []
    values: dict[str, pl.Series] = {}
    keys: set[str] = set()
    doubles = {key_of(heading) for table in tables for heading in _doubles(table)}
    for heading, cells in texts.values():
        key = _key(heading, keys)
        column, coded = _read(key, heading, cells, settings)
        if not column.refused and key_of(heading) in doubles:
            column = OwnColumn(key, heading, "", (), "double")
        columns.append(column)
        if not column.refused:
            values[key] = coded
    if not values:
        return tuple(columns), None
    return tuple(columns), pl.DataFrame({"policy": policies["policy"], **values}).sort("policy")


def _doubles(table: Table) -> list[str]:
    """Return the headings of columns that say what one with a role says: its code, its text, or
    less than it.

    One to one with any column, or following from one of `_CODED`, on the rows where something
    stands."""
    if table.headings.role not in OF_ROLES or table.own.width < 2:
        return []
    rows = table.own.join(table.cells, on="line", suffix="\n")
    roles = [name for name in table.cells.columns if name not in ("line", PRODUCT)]
    return [
        heading
        for heading in table.own.columns
        if heading != "line" and _is_double(rows, heading, roles)
    ]


def _is_double(rows: pl.DataFrame, heading: str, roles: Sequence[str]) -> bool:
    own = rows.filter(pl.col(heading).is_not_null())
    different = own[heading].n_unique()
    if different < 2:
        return False
    for name in roles:
        other = f"{name}\n" if f"{name}\n" in rows.columns else name
        if name == "reason" and own[other].null_count():
            continue  # it says something where no reason stands, so it repeats none
        theirs = own[other].n_unique()
        follows = theirs == own.select(heading, other).n_unique()
        if follows and (theirs == different or name in _CODED):
            return True
    return False


def _check_names(settings: Settings, headings: Iterable[str]) -> None:
    known_names = {*headings, *_CANONICAL}
    for table, names in (
        ("extra", settings.features.extra),
        ("without", settings.features.without),
    ):
        for name in names:
            if name not in known_names:
                raise AkbError(
                    f"[features] {table}: no column '{name}'{did_you_mean(name, known_names)}",
                    "Name a heading of the export without a role, or one of "
                    + ", ".join(_CANONICAL)
                    + ".",
                )


_CANONICAL = (
    "adviser", "office", "region", "postcode", "kind", "birth_year", "insurer", "term",
    "collection", "renewal"
)  # fmt: skip


def _texts(
    tables: Sequence[Table], policies: pl.DataFrame, members: pl.DataFrame
) -> dict[str, tuple[str, pl.Series]]:
    """Return by the key of the heading: the heading, and the text per row of `policies`; files of
    one role add up.
    """
    found: dict[str, tuple[str, pl.Series]] = {}
    mine = [table for table in tables if table.headings.role == "policies"]
    for position, table in enumerate(mine):
        at = policies.select(line=pl.when(pl.col("file") == position).then(pl.col("line")))
        _add(found, table, at, "line", table.own)
    for table in tables:
        if table.headings.role == "customers":
            who = pl.DataFrame(
                {"line": table.cells["line"], "key": identifiers(table.texts("customer"))[1]}
            )
            rows = (
                who.join(members.select("key", "customer"), on="key")
                .join(table.own, on="line")
                .drop("key", "line")
            )
            one = rows.group_by("customer").agg(pl.all().cast(pl.String).min())
            _add(found, table, policies.select("customer"), "customer", one)
    return found


def _add(
    found: dict[str, tuple[str, pl.Series]],
    table: Table,
    at: pl.DataFrame,
    by: str,
    cells: pl.DataFrame,
) -> None:
    """Look up what the columns of one table say, and fill what others left open."""
    for heading in cells.columns:
        if heading in (by, "line"):
            continue
        looked_up = at.join(cells.select(by, heading), on=by, how="left", maintain_order="left")[
            heading
        ]
        texts = looked_up.cast(pl.String)
        name = safe_heading(heading)
        if key_of(heading) in found:
            name, before = found[key_of(heading)]
            texts = (
                pl.DataFrame({"a": before, "b": texts}).select(pl.coalesce("a", "b")).to_series()
            )
        found[key_of(heading)] = (name, texts)


def _key(heading: str, taken: set[str]) -> str:
    """Return a name for the features of a column, from its heading."""
    stem = "col_" + ("_".join(plain(heading).split())[:30].strip("_") or "column")
    key = next(
        each
        for number in range(1, 10_000)
        if (each := stem if number == 1 else f"{stem}_{number}") not in taken
    )
    taken.add(key)
    return key


def _read(
    key: str, heading: str, cells: pl.Series, settings: Settings
) -> tuple[OwnColumn, pl.Series]:
    """Return a column with what it holds and its values as numbers or codes; with why it is
    refused.
    """
    texts = known(compact(cells))
    distinct, filled = distinct_of(texts), texts.len() - texts.null_count()
    if heading in settings.features.without:
        return OwnColumn(key, heading, "", (), "without"), texts
    numbers = read_amounts(texts, decimal=settings.ingest.decimal, scale=_THOUSANDTHS)
    is_number = numbers.unreadable <= (1 - rule("own", "readable")) * filled
    refused = _refused(distinct, texts, numbers.cents if is_number else None)
    if refused:
        return OwnColumn(key, heading, "", (), refused), texts
    if is_number:
        return OwnColumn(key, heading, "number"), numbers.cents.alias(key)
    names = sorted({plain(text) for text in distinct})
    place = {name: code for code, name in enumerate(names)}
    codes = pl.Series([place[plain(text)] for text in distinct], dtype=pl.UInt16)
    return OwnColumn(key, heading, "category", tuple(names)), look_up(texts, distinct, codes).alias(
        key
    )


def _refused(distinct: pl.Series, texts: pl.Series, numbers: pl.Series | None) -> str:
    """Return why what stands in a column is no feature; empty where it may be one."""
    filled = texts.len() - texts.null_count()
    if not filled or filled < rule("own", "filled") * texts.len():
        return "empty"
    if distinct.len() < 2 and filled == texts.len():
        return "one"
    some = distinct.gather_every(max(1, distinct.len() // _LOOKED_AT))
    if _are_days(some):
        return "day"
    levels, least = rule("own", "levels"), rule("own", "rows_per_level")
    if numbers is None and (distinct.len() > levels or filled < least * distinct.len()):
        return "many"
    if _is_of_persons(some):
        return "person"
    return "identifier" if numbers is not None and _is_number_of_something(numbers) else ""


def _are_days(distinct: pl.Series) -> bool:
    shaped = [text for text in distinct if _DAY.search(text)]
    return (
        2 * len(shaped) >= distinct.len()
        and not read_dates(pl.Series(shaped, dtype=pl.String)).bad.any()
    )


def _is_of_persons(distinct: pl.Series) -> bool:
    """Whether texts are direct identifiers, names as persons have them, or a sex."""
    if len(kinds_of(distinct)) >= max(1, rule("own", "identifiers") * distinct.len()):
        return True
    sexes = {sex: {plain(word) for word in words} for sex, words in rules().values["sex"].items()}
    said = {plain(text) for text in distinct}
    if said <= set().union(*sexes.values()) and said & sexes["men"] and said & sexes["women"]:
        return True
    names = [text for text in distinct if looks_like_name(text)]
    return len(names) >= max(2, rule("own", "names") * distinct.len()) and _are_different_people(
        names
    )


def _are_different_people(names: Sequence[str]) -> bool:
    """Whether texts written as names are persons: with initials or "van der", or many that share
    hardly a word.

    Products and variants are capitalised too, but "Auto Basis" and "Auto Plus" have a word in
    common."""
    if any(_SURELY_A_NAME.search(name) for name in names):
        return True
    words = [word for name in names for word in name.split()]
    return len(names) >= _MANY_NAMES and len(set(words)) >= rule("own", "words") * len(words)


def _is_number_of_something(thousandths: pl.Series) -> bool:
    """Whether whole numbers are different on nearly every row: they point at something and measure
    nothing.
    """
    given = thousandths.drop_nulls()
    whole = bool((given % _THOUSANDTHS == 0).all())
    return (
        whole
        and given.len() >= _ENOUGH
        and given.n_unique() >= rule("own", "identifier") * given.len()
    )
