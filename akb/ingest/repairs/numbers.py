"""Whose number is it: relation and policy numbers that a spreadsheet, a back office or a stand-in
spoiled.

Decided over all files at once, before anything is joined on a number:

- ``1,00001E+11`` is a number whose digits are lost, unless it shows all of them. A relation that is
  written so is nobody's; a policy that is written so is a policy of its own.
- ``1005.0`` is 1005 where no number of the column has a real part behind its point.
- Points and capitals are how a number is written, unless they are all that tells two numbers of one
  file apart.
- ``0`` and its like are no relation, nor is one whose rows are of many different people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.core.findings import Finding
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import (
    distinct_of,
    distinct_with,
    identifiers,
    known,
    packed,
    plain,
    rule,
    rules,
    shape,
)
from akb.ingest.columns.notes import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.core.findings import Severity
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table

DAMAGED, STAND_IN = "damaged_number", "no_relation"
_NUMBERS = ("customer", "policy")
_FOLLOWS = {"main_relation": "customer"}  # written as the numbers of another column
_SCIENTIFIC = r"(?i)^\d(?:[.,]\d+E\+?|E\+)\d{1,3}$"
_PARTS = re.compile(r"(?i)^(\d)(?:[.,](\d+))?E\+?(\d{1,3})$")
_TAIL = r"^\d+[.,]0{1,2}$"
_SUFFIX = r"^\d+[.,]\d{1,2}$"
_GROUPED = r"^\d{1,3}(?:\.\d{3})+$"
_MANY_APART = 0.02  # of the numbers: so many customers or policies more make another book
_ZERO = r"^-?0+$"
_COMMAS = r"^\d{1,3}(?:,\d{3})+$"
_ONE_ROW_EACH = {
    "version",
    "version_date",
    "coverage",
    "changed",
    "header_day",
}  # else a policy has one row
_PEOPLE = ("birth_date", "birth_year")  # a postcode may be that of a risk


@dataclass(frozen=True)
class UnassignedRows:
    """Rows whose relation is lost: they still tell of the day of the export, and then they are put
    aside.
    """

    table: Table
    lines: pl.Series
    reason: str

    def put_aside(self, notes: Notes) -> None:
        """Reject the rows."""
        cells = self.table.cells
        notes.reject(
            self.table,
            cells.filter(pl.col("line").is_in(self.lines.implode())),
            "customer",
            self.reason,
        )
        self.table.cells = cells.filter(~pl.col("line").is_in(self.lines.implode()))


def settle_numbers(tables: Sequence[Table]) -> tuple[list[Finding], list[UnassignedRows]]:
    """Mend the numbers of all tables; return what was mended or lost, and the rows whose relation
    is lost.

    Changes the cells of the tables, and sets which columns are to be compared to the letter.

    Raises
    ------
    AkbError
        If most policy rows have lost their relation number.
    """
    findings: list[Finding] = []
    unassigned: list[UnassignedRows] = []
    for column in _NUMBERS:
        mine = [table for table in tables if column in table.cells.columns]
        texts = (
            pl.concat(_distinct(table, column, r"[.,]|[eE]\+") for table in mine)
            .unique()
            .sort("text")
        )
        instead = _instead(texts)
        rows = sum(_rewrite(table, column, instead) for table in mine) if instead else 0
        if rows:
            findings.append(_mended("AKB-D117", rows, mine, column))
        lost = texts.filter(
            pl.col("clean").str.contains(_SCIENTIFIC), ~pl.col("text").is_in(list(instead))
        )["text"]
        if lost.len():
            if column == "customer":
                unassigned = _lost_relations(mine, lost)
                findings += [_lost_finding(rows) for rows in unassigned]
            else:
                _one_each(mine, lost)
        letters = _telling(mine, column)
        for table in mine if letters else ():
            table.to_the_letter[column] = letters
        if letters:
            saved = _collapsed(mine, column)
            distinct = sum(distinct_of(table.texts(column)).len() for table in mine)
            severity: Severity = "issue" if saved > _MANY_APART * distinct else "tip"
            findings.append(
                Finding("AKB-D118", severity, saved, None, {"column": _heading(mine[0], column)})
            )
    for follower, of in _FOLLOWS.items():
        for table in tables:
            if follower in table.cells.columns and of in table.to_the_letter:
                table.to_the_letter[follower] = table.to_the_letter[of]
    return findings, unassigned


def _heading(table: Table, column: str) -> str:
    return (table.headings.heading(column) or "")[:40]


def _mended(code: str, rows: int, tables: Sequence[Table], column: str) -> Finding:
    every = sum(table.cells.height for table in tables)
    return Finding(code, "tip", rows, rows / max(every, 1), {"column": _heading(tables[0], column)})


def _distinct(table: Table, column: str, holding: str) -> pl.DataFrame:
    """Return the distinct cells of a column that hold a sign, as they stand and clean: most columns
    have none.
    """
    distinct = distinct_with(table.texts(column), holding)
    return pl.DataFrame(
        {"text": distinct, "clean": known(distinct)}, schema={"text": pl.String, "clean": pl.String}
    )


def _instead(texts: pl.DataFrame) -> dict[str, str]:
    """Return text -> the number that it stands for, of the texts that a spreadsheet changed without
    loss.
    """
    clean = pl.col("clean")
    instead: dict[str, str] = {}
    for text, written in (
        texts.filter(clean.str.contains(_SCIENTIFIC)).select("text", "clean").iter_rows()
    ):
        whole = _whole(written)
        if whole:
            instead[text] = whole
    decimals = texts.filter(clean.str.contains(_SUFFIX))
    if decimals.height and bool(decimals["clean"].str.contains(_TAIL).all()):
        instead |= dict(decimals.select("text", clean.str.replace(r"[.,]0+$", "")).iter_rows())
    commas = texts.filter(clean.str.contains(r"^\d+,\d"))
    if commas.height and bool(commas["clean"].str.contains(_COMMAS).all()):
        instead |= dict(commas.select("text", clean.str.replace_all(",", "")).iter_rows())
    return instead


def _whole(written: str) -> str | None:
    """Return a number in scientific notation that shows all its digits, written out."""
    parts = _PARTS.fullmatch(written)
    if parts is None:
        return None
    decimals, exponent = parts[2] or "", int(parts[3])
    shown = len(decimals) >= exponent and not decimals[exponent:].strip("0")
    return parts[1] + decimals[:exponent] if shown else None


def _rewrite(table: Table, column: str, instead: dict[str, str]) -> int:
    texts = table.cells[column].cast(pl.String)
    rows = int(texts.is_in(list(instead)).sum())
    if rows:
        table.cells = table.cells.with_columns(
            packed(texts.replace(instead).alias(column).to_frame())[column]
        )
    return rows


def _lost_relations(tables: Sequence[Table], lost: pl.Series) -> list[UnassignedRows]:
    """Return the rows of relations whose digits are lost: several customers share what is left of
    their numbers.
    """
    unassigned = []
    for table in tables:
        damaged = (
            table.cells["customer"].cast(pl.String).is_in(lost.implode()).fill_null(value=False)
        )
        rows = int(damaged.sum())
        if table.headings.role == "policies" and 2 * rows > table.cells.height:
            left, looks = (
                _different(table, damaged),
                shape(known(lost)[0]).upper().replace("X", "E"),
            )
            raise AkbError(
                f"{table.raw.name}: the relation numbers in column "
                f"'{_heading(table, 'customer')}' are in scientific "
                f"notation, such as '{looks}': {rows:,} of {table.cells.height:,} rows share "
                f"{left:,} numbers, and "
                "their last digits are lost",
                "A spreadsheet did this. Export again and read that file without saving it in "
                "Excel, or make the "
                "column a text or a number without decimals there first.",
            )
        if rows:
            unassigned.append(UnassignedRows(table, table.cells.filter(damaged)["line"], DAMAGED))
    return unassigned


def _different(table: Table, which: pl.Series) -> int:
    return table.cells.filter(which)["customer"].n_unique()


def _lost_finding(rows: UnassignedRows) -> Finding:
    table = rows.table
    left = _different(table, table.cells["line"].is_in(rows.lines.implode()))
    params = {"file": table.raw.name, "column": _heading(table, "customer"), "left": left}
    return Finding(
        "AKB-D119", "issue", rows.lines.len(), rows.lines.len() / table.cells.height, params
    )


def _one_each(tables: Sequence[Table], lost: pl.Series) -> None:
    """Give policies whose number lost its digits one of their own.

    It differs from others by all that the row says, so that two rows that say the same stay one;
    where a policy may have several rows, by its start."""
    policies = [table for table in tables if table.headings.role == "policies"]
    for table in policies:
        repeats = len(policies) > 1 or bool(_ONE_ROW_EACH & set(table.cells.columns))
        content_columns = (
            ["start"] if repeats else [name for name in table.cells.columns if name != "line"]
        )
        texts = table.cells["policy"].cast(pl.String)
        content = table.cells.select(
            text=pl.concat_str(
                [pl.col(name).cast(pl.String).fill_null("") for name in content_columns],
                separator="\x1f",
            )
        )["text"]
        damaged = texts.is_in(lost.implode()).fill_null(value=False)
        frame = pl.DataFrame({"text": texts, "content": content, "damaged": damaged})
        place = pl.when("damaged").then("content").rank("dense")
        own = (
            pl.when("damaged")
            .then(pl.col("text").str.strip_chars() + "#" + place.cast(pl.String))
            .otherwise("text")
        )
        if repeats:
            own = (
                pl.when("damaged")
                .then(pl.col("text").str.strip_chars() + "#" + pl.col("content"))
                .otherwise("text")
            )
        table.cells = table.cells.with_columns(frame.select(policy=own).to_series())


def _telling(tables: Sequence[Table], column: str) -> frozenset[str]:
    """Say what of the writing of a column tells numbers apart: ``dots``, ``case``, or nothing."""
    written = [
        _written(table, column).with_columns(table=pl.lit(place))
        for place, table in enumerate(tables)
    ]
    rows = pl.concat(written)
    if rows.is_empty():
        return frozenset()
    telling = set()
    if _dots_tell(rows.filter(pl.len().over("key") > 1)):
        telling.add("dots")
    bare = pl.col("text").str.replace_all(r"[\s.]", "")
    cased = (
        rows.group_by("table", "key")
        .agg(ways=bare.n_unique())
        .group_by("table")
        .agg(cased=(pl.col("ways") > 1).sum(), numbers=pl.len())
    )
    many = pl.max_horizontal(
        rule("identity", "case_least"), rule("identity", "case_share") * pl.col("numbers")
    )
    if cased.select((pl.col("cased") >= many).any()).item():
        telling.add("case")
    return frozenset(telling)


def _written(table: Table, column: str) -> pl.DataFrame:
    """Return the distinct numbers of a table as written and their keys; none if all are written
    like their keys.
    """
    texts = table.texts(column)
    if distinct_with(texts, r"[.\sa-z\x{a0}]").is_empty():
        texts = texts.head(0)
    written, key = identifiers(texts.drop_nulls().unique().cast(pl.String))
    rows = pl.DataFrame({"text": written, "key": key}, schema={"text": pl.String, "key": pl.String})
    return (
        rows.drop_nulls()
        .select("key", text=pl.col("text").str.replace_all(r"[\s\x{a0}]+", " "))
        .unique()
    )


def _dots_tell(twins: pl.DataFrame) -> bool:
    """Whether numbers that are one without their points are two.

    Both have a point, in another place; or, in one file, one of digits has a point that does not
    part thousands."""
    ways = twins.with_columns(upper=pl.col("text").str.to_uppercase()).with_columns(
        dotted=pl.col("upper").str.contains(r"\S[.\s]\S"),
        part=pl.col("upper").str.contains(r"^\d+(?:\.\d+)+$")
        & ~pl.col("upper").str.contains(_GROUPED),
    )
    elsewhere = pl.col("upper").filter("dotted").n_unique() > 1
    within = (pl.col("upper").n_unique() > 1) & pl.col("part").any()
    files = ways.group_by("table", "key").agg(within=within)["within"].any()
    return files or bool(ways.group_by("key").agg(elsewhere=elsewhere)["elsewhere"].any())


def _collapsed(tables: Sequence[Table], column: str) -> int:
    """Return how many numbers would have become another's."""
    distinct = pl.concat(
        table.texts(column).drop_nulls().unique().cast(pl.String) for table in tables
    ).unique()
    loose, exact = (
        identifiers(distinct)[1],
        identifiers(distinct, tables[0].to_the_letter[column])[1],
    )
    return exact.drop_nulls().n_unique() - loose.drop_nulls().n_unique()


def without_unassigned(
    tables: Sequence[Table],
    lost: Sequence[UnassignedRows],
    clock: Clock,
    settings: Settings,
    notes: Notes,
) -> None:
    """Put the rows aside whose relation is lost or stands in for nobody, and report the latter.

    Nobody is zero, a word or number that stands in where far more policies have it than a customer
    has, and a relation whose rows are of many different people. In a replay rows that start later
    say nothing of it.

    Raises
    ------
    AkbError
        If every row's relation is nobody.
    """
    for rows in lost:
        rows.put_aside(notes)
    policies = [table for table in tables if table.headings.role == "policies"]
    keys = [_keys(table, clock, settings) for table in policies]
    counts = (
        pl.concat(keys).drop_nulls("key").group_by("key").agg(rows=pl.len()).sort("rows", "key")
    )
    gone = _stand_ins(counts, policies, keys)
    if gone.len() == counts.height > 0:
        heading = _heading(policies[0], "customer")
        raise AkbError(
            f"{policies[0].raw.name}: column '{heading}' holds no relation number: every row has "
            f"'{shape(gone[0])}' "
            "or the like",
            "Export again with the relation number of the policyholder, or name another column as "
            "customer under "
            "[ingest.columns.policies] in akb.toml.",
        )
    for table, own in zip(policies, keys, strict=True):
        lines = own.filter(pl.col("key").is_in(gone.implode()))["line"]
        if lines.len():
            params = {
                "file": table.raw.name,
                "column": _heading(table, "customer"),
                "numbers": gone.len(),
            }
            notes.find("AKB-D120", "issue", lines.len(), lines.len() / own.height, **params)
            UnassignedRows(table, lines, STAND_IN).put_aside(notes)
    _say_large(counts.filter(~pl.col("key").is_in(gone.implode())), notes)


def _stand_ins(
    counts: pl.DataFrame, policies: Sequence[Table], keys: Sequence[pl.DataFrame]
) -> pl.Series:
    """Return the relations that are nobody, of key and number of rows."""
    usual = float(counts["rows"].quantile(rule("identity", "usual_quantile")) or 0)
    many = pl.col("rows") >= max(rule("identity", "least"), rule("identity", "times") * usual)
    large = counts.filter(many)["key"]
    people = pl.concat(
        _people(table, own, large) for table, own in zip(policies, keys, strict=True)
    )
    several = people.group_by("key").agg(
        people=pl.max_horizontal(*(pl.col(name).drop_nulls().n_unique() for name in _PEOPLE)),
        kinds=pl.col("kind").drop_nulls().n_unique(),
    )
    counts = counts.join(several, on="key", how="left", maintain_order="left").with_columns(
        pl.col("people", "kinds").fill_null(0)
    )
    # a numbering may begin with zero: one customer like the others
    some = pl.col("rows") >= max(
        rule("identity", "zero_least"), rule("identity", "zero_times") * usual
    )
    zero = pl.col("key").str.contains(_ZERO) & (some | (pl.lit(counts.height) == 1))
    enough = pl.min_horizontal(
        rule("identity", "people_share") * pl.col("rows"), rule("identity", "people")
    )
    # an employer has policies of many people too, and is of one kind on all of them
    mixed = many & (pl.col("people") >= enough) & (pl.col("kinds") != 1)
    return counts.filter(zero | mixed | (many & _stands_in(large)))["key"]


def _keys(table: Table, clock: Clock, settings: Settings) -> pl.DataFrame:
    """Return line and key of the rows of a table that were known at X."""
    frame = pl.DataFrame(
        {"line": table.cells["line"], "key": table.identifiers("customer")[1]},
        schema={"line": pl.Int64, "key": pl.String},
    )
    if not clock.replay:
        return frame
    start = read_dates(
        table.texts("start"), upto=clock.upto, date_format=settings.ingest.date_format
    )
    return frame.filter((start.values <= clock.as_of).fill_null(value=True))


def _people(table: Table, keys: pl.DataFrame, large: pl.Series) -> pl.DataFrame:
    """Return key, day or year of birth and kind of the rows of large relations."""
    mine = keys.filter(pl.col("key").is_in(large.implode()))
    cells = table.cells.filter(pl.col("line").is_in(mine["line"].implode()))
    columns = {
        "key": mine["key"],
        **{name: known(texts_of(cells, name)) for name in (*_PEOPLE, "kind")},
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _stands_in(keys: pl.Series) -> pl.Expr:
    """Whether a key is a word for nobody, or one digit repeated."""
    words = {plain(word).replace(" ", "") for word in rules().values["relation"]["nobody"]}
    same = pl.col("key").str.contains(r"^(?:1{4,}|9{3,}|X{2,})$")
    named = [
        key
        for key in keys.drop_nulls()
        if not key.isdigit() and plain(key).replace(" ", "") in words
    ]
    return same | pl.col("key").is_in(named)


def _say_large(counts: pl.DataFrame, notes: Notes) -> None:
    """Report a relation that holds a share of the book that no other comes near to; it may be
    real.
    """
    if counts.is_empty() or 1 < counts.height < rule("identity", "customers"):
        return
    most, every = int(counts["rows"][-1]), int(counts["rows"].sum())
    next_most = int(counts["rows"][-2]) if counts.height > 1 else 0
    if most < rule("identity", "least"):
        return
    if (
        most >= rule("identity", "big_share") * every
        and most >= rule("identity", "times") * next_most
    ):
        notes.find("AKB-D121", "issue", most, most / every)
