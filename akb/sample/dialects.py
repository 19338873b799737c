"""The dialects of a simulated export: ``configs/dialects/*.toml``, and the tables that they choose
from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from akb.config import load_settings
from akb.core.dates import months_between
from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.text import configs_dir, load_toml
from akb.sample.records import premium_table

if TYPE_CHECKING:
    import polars as pl

    from akb.sample.book import Book

DEFAULT = "abc"
_YEARS = 4  # insurance years that an export of policy years goes back
_RISE = 0.97  # an earlier year's premium, per year (assumed; only the last one counts)


class _DialectTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DialectFile(_DialectTable):
    """One file of a dialect: headings and what stands under them.

    Parameters
    ----------
    name
        File name; its extension does not choose the form.
    table
        Rows of which table (see `tables_of`).
    columns
        Pairs of heading and column; ``=text`` is the same text on every row.
    separator
        Where it differs from the dialect's.
    optional
        Written only if asked for.
    """

    name: str
    table: Literal["policies", "coverages", "years", "customers", "claims", "contacts", "premiums"]
    columns: tuple[tuple[str, str], ...]
    separator: str | None = None
    optional: bool = False


class Dialect(_DialectTable):
    """How a back office writes: form, dates, amounts, headings and coded values.

    Parameters
    ----------
    title
        What it is, for the README (Dutch).
    format, archive, title_rows
        CSV or XLSX; the name of the ZIP around the files; rows above the headings.
    encoding, separator, quotes
        Of text files. UTF-16 is written little-endian with a byte order mark.
    day, months, decimal, thousands
        ``strftime`` form (with `months` for ``%b``) and signs of amounts.
    heading_limit
        Headings are cut off there.
    words
        Column -> value -> text; ``*`` for every value that is not named, else the value itself.
    """

    title: str
    format: Literal["csv", "xlsx"] = "csv"
    archive: str | None = None
    title_rows: tuple[str, ...] = ()
    encoding: str = "utf-8"
    separator: str = ";"
    quotes: Literal["necessary", "always"] = "necessary"
    day: str = "%Y-%m-%d"
    months: tuple[str, ...] = ()
    decimal: Literal[",", "."] = ","
    thousands: str = ""
    heading_limit: int | None = None
    files: tuple[DialectFile, ...]
    words: dict[str, dict[str, str]] = Field(default_factory=dict)


def dialect_names() -> list[str]:
    """Return the names of the shipped dialects, the usual one first."""
    names = sorted(path.stem for path in (configs_dir() / "dialects").glob("*.toml"))
    return sorted(names, key=lambda name: name != DEFAULT)


def load_dialect(name: str) -> Dialect:
    """Return a dialect.

    Raises
    ------
    AkbError
        If there is none of that name; with the nearest one.
    """
    names = dialect_names()
    if name not in names:
        raise AkbError(
            f"unknown dialect '{name}'{did_you_mean(name, names)}", f"Dialects: {', '.join(names)}."
        )
    return Dialect.model_validate(load_toml(f"dialects/{name}.toml"))


def tables_of(book: Book) -> dict[str, pl.DataFrame]:
    """Return the tables that a dialect's files show, by name.

    Returns
    -------
    dict of polars.DataFrame
        policies: `Book.policies` with the customer's columns, and: mailing, no_marketing (``yes |
        no``), birth_date (of which only the year means something), status (``running | ended |
        announced``), changed (the end, or the last renewal), change_reason (``renewed`` without an
        end), change_code, reason_code, branch_code, branch_number, branch_en, insurer_code, as_of,
        ended_months, year_end. coverages: the same, one to three rows per policy whose money adds
        up, with ``coverage``. years: the same, a row per insurance year, with year_start.
        customers, claims, contacts: of the book. premiums: policy, date, premium_cents, a row per
        renewal.
    """
    import polars as pl

    customers = book.customers.with_columns(
        mailing=pl.when("no_marketing").then(pl.lit("no")).otherwise(pl.lit("yes")),
        no_marketing=pl.when("no_marketing").then(pl.lit("yes")).otherwise(pl.lit("no")),
        birth_date=pl.date("birth_year", 7, 1),
    )
    policies = _described(
        book, book.policies.join(customers.drop("adviser", "office"), on="relation")
    )
    policies = policies.sort("relation", "start_date", "policy")
    fault = pl.when("at_fault").then(pl.lit("yes")).when(~pl.col("at_fault")).then(pl.lit("no"))
    direction = pl.when("inbound").then(pl.lit("inbound")).otherwise(pl.lit("outbound"))
    return {
        "policies": policies,
        "coverages": _coverages(policies),
        "years": _years(book, policies),
        "customers": customers,
        "claims": book.claims.with_columns(at_fault=fault),
        "contacts": book.contacts.with_columns(direction=direction),
        "premiums": premium_table(book),
    }


def _described(book: Book, policies: pl.DataFrame) -> pl.DataFrame:
    """Add what other back offices store about the same policies."""
    import polars as pl

    names = {key: entry.name_en for key, entry in load_settings().taxonomy().items()}
    numbers = {key: f"{5000 + 10 * place:05d}" for place, key in enumerate(names)}
    ended = pl.col("end_date") <= book.as_of
    renewed = pl.min_horizontal(
        pl.max_horizontal("start_date", pl.col("renewal_date").dt.offset_by("-1y")),
        pl.lit(book.as_of),
    )
    open_ = pl.col("end_date").is_null()
    return policies.with_columns(
        status=pl.when(open_)
        .then(pl.lit("running"))
        .when(ended)
        .then(pl.lit("ended"))
        .otherwise(pl.lit("announced")),
        changed=pl.coalesce("end_date", renewed),
        change_reason=pl.when(open_).then(pl.lit("renewed")).otherwise("reason_text"),
        change_code=pl.when(open_).then(pl.lit("renewed")).otherwise("reason_text"),
        reason_code="reason_text",
        branch_code="branch",
        branch_number=pl.col("branch").replace_strict(numbers, return_dtype=pl.String),
        branch_en=pl.col("branch").replace_strict(names, return_dtype=pl.String),
        insurer_code=pl.format("P{}", pl.col("insurer").rank("dense") + 300),
        as_of=pl.lit(book.as_of),
        ended_months=pl.lit(months_between(book.ended_from, book.as_of), dtype=pl.Int64),
        year_end=pl.when(pl.col("renewal_date") > book.as_of)
        .then("renewal_date")
        .otherwise(pl.lit(book.as_of)),
    )


def _coverages(policies: pl.DataFrame) -> pl.DataFrame:
    """Return one to three rows per policy; their premiums and commissions add up to the
    policy's.
    """
    import polars as pl

    rows = policies.with_columns(parts=pl.int_range(pl.len()) % 3 + 1).with_columns(
        coverage=pl.int_ranges(1, pl.col("parts") + 1)
    )
    rows = rows.explode("coverage")

    def share(column: str) -> pl.Expr:
        other = pl.col(column) // 5
        return (
            pl.when(pl.col("coverage") == 1)
            .then(pl.col(column) - other * (pl.col("parts") - 1))
            .otherwise(other)
        )

    return rows.with_columns(
        premium_cents=share("premium_cents"), commission_cents=share("commission_cents")
    )


def _years(book: Book, policies: pl.DataFrame) -> pl.DataFrame:
    """Return a row per insurance year, the last one with the premium of today (or of the end).

    A policy that ended on its anniversary has the renewal that was not taken as its last row.
    """
    import polars as pl

    until = pl.min_horizontal(pl.coalesce("end_date", pl.lit(book.as_of)), pl.lit(book.as_of))
    steps = pl.int_ranges(
        0, pl.max_horizontal(until.dt.year() - pl.col("start_date").dt.year() + 1, pl.lit(1))
    )
    rows = policies.with_columns(step=steps).explode("step")
    rows = rows.with_columns(
        year_start=pl.col("start_date").dt.offset_by(pl.format("{}y", "step")),
        year_end=pl.col("start_date").dt.offset_by(pl.format("{}y", pl.col("step") + 1)),
    )
    rows = rows.filter((pl.col("step") == 0) | (pl.col("year_start") <= until))
    in_force = (
        pl.col("end_date").is_null() | (pl.col("year_start") < pl.col("end_date"))
    ).fill_null(value=True)
    age = pl.col("step").filter(in_force).max().over("policy") - pl.col("step")
    rows = rows.with_columns(age=age).filter(pl.col("age") < _YEARS)
    then = (
        (pl.col("premium_cents") * _RISE ** pl.col("age").cast(pl.Float64)).round().cast(pl.Int64)
    )
    paid = (
        (pl.col("commission_cents") * _RISE ** pl.col("age").cast(pl.Float64))
        .round()
        .cast(pl.Int64)
    )
    return rows.with_columns(premium_cents=then, commission_cents=paid).sort(
        "relation", "start_date", "policy", "year_start"
    )
