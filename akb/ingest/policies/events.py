"""Claims, contacts and payments: dated events of known customers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from akb.core.privacy.identifiers import HEALTH_BRANCHES, known_branches
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.taxonomy import map_branches
from akb.ingest.cells.texts import distinct_of, known, plain, rules
from akb.ingest.cells.words import meaning_of, read_with, read_words, vocabulary
from akb.ingest.columns.matching import Headings
from akb.ingest.columns.notes import Notes, Table, texts_of
from akb.ingest.policies.recoveries import without_recoveries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.as_of.run import IngestRun
    from akb.ingest.cells.dates import Dates

MOST_CLAIMS = 100
"""More claims than this on one row are a mistake in the file."""

EVENTS = ("claims", "contacts", "payments")
_DAYS = {"claims": ("reported", "occurred"), "contacts": ("date",), "payments": ("date",)}


@dataclass(frozen=True)
class EventOwners:
    """Whom and what an event can be about.

    Parameters
    ----------
    customers
        ``key`` str, ``customer`` u32.
    policies
        ``key``, ``number``, ``customer``, ``policy``, ``branch``, a row per policy.
    """

    customers: pl.DataFrame
    policies: pl.DataFrame

    @cached_property
    def of_numbers(self) -> pl.DataFrame:
        """``_number``, ``_owner`` u32, of the numbers that one customer has."""
        return (
            self.policies.group_by("number")
            .agg(owners=pl.col("customer").n_unique(), _owner=pl.col("customer").first())
            .filter(pl.col("owners") == 1)
            .select("_owner", _number="number")
        )

    @cached_property
    def policies_of_customers(self) -> pl.DataFrame:
        """``_customer``, ``_number``, ``_policy`` and ``_branch``, of the numbers that a customer
        has on one policy.
        """
        return (
            self.policies.group_by("customer", "number")
            .agg(
                several=pl.len(), _policy=pl.col("policy").first(), _branch=pl.col("branch").first()
            )
            .filter(pl.col("several") == 1)
            .select("_policy", "_branch", _customer="customer", _number="number")
        )


def read_events(
    role: str, tables: Sequence[Table], about: EventOwners, run: IngestRun
) -> pl.DataFrame | None:
    """Return the events of one role that were known at X, sorted; None without a file of that role.

    Rows without or with an unknown customer, without a date, or after X are rejected, repeats and
    recoveries too."""
    notes = run.notes
    mine = [table for table in tables if table.headings.role == role]
    inside = policy_year_claims(tables) if role == "claims" else []
    if not mine and not inside:
        return None
    frames = []
    for position, table in enumerate([*mine, *inside]):
        # a policy row counts as a policy, whatever becomes of the claims that stand on it
        kept = notes if position < len(mine) else Notes()
        rows = _dated(table, role, about, replace(run, notes=kept))
        if role == "claims":
            rows = without_recoveries(table, rows, run.settings, kept)
        details = {"claims": _claims, "contacts": _contacts, "payments": _payments}[role](
            rows, run.settings, kept
        )
        frames.append(
            details.with_columns(file=pl.lit(position, dtype=pl.Int32), line=rows["line"])
        )
    events = pl.concat(frames)
    said = [column for column in events.columns if column not in {"file", "line"}]
    first = events.unique(said, keep="first", maintain_order=True)
    doubles = first.head(0)
    if first.height < events.height:
        doubles = events.join(first, on=["file", "line"], how="anti")
    for position, table in enumerate(mine if doubles.height else ()):
        lines = doubles.filter(pl.col("file") == position).select("line")
        notes.reject(
            table,
            lines.join(table.cells, on="line", how="left", maintain_order="left"),
            None,
            "duplicate",
        )
    once = first.select(said)
    return (_each_claim(once) if role == "claims" else once).sort(pl.all(), nulls_last=True)


def policy_year_claims(tables: Sequence[Table]) -> list[Table]:
    """Return the claims that stand on the rows of policy years, as tables of claims per insurance
    year.
    """
    found = []
    for table in tables:
        if table.headings.role != "policies" or not {"year_claims", "version_date"} <= set(
            table.cells.columns
        ):
            continue
        cells = table.cells.select(
            "line",
            customer="customer",
            policy="policy",
            year_start="version_date",
            number="year_claims",
            amount=texts_of(table.cells, "year_claims_amount"),
        )
        headings = Headings("claims", {name: 0 for name in cells.columns if name != "line"}, {}, ())
        mine = Table(
            table.raw, headings, cells.filter(known(cells["number"]).str.contains("[1-9]"))
        )
        mine.to_the_letter = table.to_the_letter
        found.append(mine)
    return found


def _each_claim(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row per claim where a row counts several: each has an equal part of the amount, to
    the cent.
    """
    number, amount = pl.col("number"), pl.col("amount_cents")
    each = (
        rows.with_columns(claim=pl.int_ranges(0, number))
        .explode("claim")
        .filter(pl.col("claim").is_not_null())
    )
    part = amount // number + (pl.col("claim") < amount % number).cast(pl.Int64)
    return each.with_columns(amount_cents=part).drop("number", "claim")


def _dated(table: Table, role: str, about: EventOwners, run: IngestRun) -> pl.DataFrame:
    """Return the usable rows with ``_customer``, ``_policy``, ``_branch`` and ``_date`` beside
    their cells.
    """
    clock, settings, notes = run.clock, run.settings, run.notes
    _, key = table.identifiers("customer")
    _, number = table.identifiers("policy")
    days = [
        read_dates(table.texts(c), upto=clock.upto, date_format=settings.ingest.date_format)
        for c in _DAYS[role]
    ]
    if role == "claims":
        days.append(_year_ends(table, clock, settings))
    table.dialect["dates"] = next((day.format for day in days if day.format), "")
    cells = table.cells.with_columns(
        _key=key,
        _number=number,
        _date=pl.DataFrame([day.values.alias(str(i)) for i, day in enumerate(days)])
        .select(pl.coalesce(pl.all()))
        .to_series(),
        _bad=pl.DataFrame([day.bad.alias(str(i)) for i, day in enumerate(days)])
        .select(pl.any_horizontal(pl.all()))
        .to_series(),
    )
    cells = _with_policy(cells, about)
    columns = (*_DAYS[role], "year_start") if role == "claims" else _DAYS[role]
    column = next((c for c in columns if c in table.headings.at), columns[0])
    who = "customer" if "customer" in table.headings.at else "policy"
    cells = cells.with_columns(
        _why=pl.when((pl.col("_date") > clock.as_of) & pl.lit(value=column == "year_start"))
        .then(pl.lit("after_as_of"))  # the insurance year is not over yet
        .when(pl.col("_date") > clock.as_of)
        .then(pl.lit("after_as_of" if clock.replay else "in_future"))
        .when(pl.col("_date").is_null() & pl.col("_bad"))
        .then(pl.lit("bad_date"))
        .when(pl.col("_date").is_null())
        .then(pl.lit("no_date"))
        .when(pl.col("_key").is_null() & pl.col("_customer").is_null())
        .then(pl.lit("no_customer"))
        .when(pl.col("_customer").is_null())
        .then(pl.lit("unknown_customer"))
    )
    blame = {"after_as_of": column, "in_future": column, "bad_date": column, "no_date": column}
    for why, name in {**blame, "no_customer": who, "unknown_customer": who}.items():
        notes.reject(table, cells.filter(pl.col("_why") == why), name, why)
    return cells.filter(pl.col("_why").is_null())


def _year_ends(table: Table, clock: Clock, settings: Settings) -> Dates:
    """Return the end of each claim's insurance year: of a claim without a day it is known then at
    the earliest.
    """
    start = read_dates(
        table.texts("year_start"), upto=clock.upto, date_format=settings.ingest.date_format
    )
    return replace(start, values=start.values.dt.offset_by("1y"))


def _with_policy(cells: pl.DataFrame, about: EventOwners) -> pl.DataFrame:
    """Add customer, policy and branch; a number that several customers or policies share names
    none.
    """
    customers = about.customers.select(_key="key", _customer="customer")
    known_customers = cells.join(customers, on="_key", how="left", maintain_order="left")
    if cells["_number"].null_count() == cells.height:
        types = {name: about.policies.schema[name] for name in ("policy", "branch")}
        return known_customers.with_columns(
            pl.lit(None, dtype=dtype).alias(f"_{name}") for name, dtype in types.items()
        )
    if cells["_key"].null_count():
        known_customers = known_customers.join(
            about.of_numbers, on="_number", how="left", maintain_order="left"
        ).with_columns(
            _customer=pl.when(pl.col("_key").is_null()).then("_owner").otherwise("_customer")
        )
    return known_customers.join(
        about.policies_of_customers, on=["_customer", "_number"], how="left", maintain_order="left"
    )


def _claims(rows: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    answers = read_answers(texts_of(rows, "at_fault"))
    fault, odd = answers.values, sum(answers.unknown.values())
    notes.count_unreadable("at_fault", odd)
    number = known(texts_of(rows, "number")).str.extract(r"^(\d{1,4})(?:[.,]0+)?$").cast(pl.Int64)
    return rows.select(
        customer="_customer",
        policy="_policy",
        branch=_branch_of(rows, settings),
        date="_date",
        amount_cents="_cents",
        at_fault=fault == "yes",
        number=number.fill_null(1).clip(0, MOST_CLAIMS),
    )


def _branch_of(rows: pl.DataFrame, settings: Settings) -> pl.Series:
    """Return the branch of claims: the policy's, else what the claim says itself.

    What a claim says of health holds, whatever its policy is called: a branch of health, or an
    unknown text with a word of health in it (then the claim is unplaced, and no feature)."""
    texts = known(texts_of(rows, "branch"))
    own = map_branches(texts, settings).keys
    words = "|".join(rules().values["claim"]["health"])
    private = own.is_in(list(HEALTH_BRANCHES)) | (
        ~own.is_in(list(known_branches())) & texts.str.to_lowercase().str.contains(words)
    )
    named = pl.DataFrame(
        {"own": own, "policy": rows["_branch"], "private": private, "filled": texts.is_not_null()}
    )
    placed = pl.when(pl.col("policy").is_in(list(known_branches()))).then("policy")
    itself = pl.when(pl.col("filled")).then("own")
    kept = pl.when(pl.col("private").fill_null(value=False)).then("own")
    return named.select(branch=pl.coalesce(kept, placed, itself, "policy")).to_series()


def _contacts(rows: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    directions = read_words(texts_of(rows, "direction"), "direction")
    direction = directions.values
    notes.count_unreadable("direction", sum(directions.unknown.values()))
    return rows.select(
        customer="_customer",
        date="_date",
        channel=_channel(texts_of(rows, "channel"), settings, notes),
        inbound=direction == "inbound",
        subject=known(texts_of(rows, "subject")),
    )


def _channel(texts: pl.Series, settings: Settings, notes: Notes) -> pl.Series:
    """Return known channels by key; an unknown one keeps its own name."""
    found = notes.words("channel", read_words(texts, "channel", settings))
    words = {text: plain(text) for text in distinct_of(texts)}
    own = known(texts).replace_strict(words, default=None, return_dtype=pl.String)
    return pl.DataFrame({"a": found, "b": own}).select(pl.coalesce("a", "b")).to_series()


def _payments(rows: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    table = {name: rules().values["payment"][name] for name in ("reversal", "reminder", "paid")}
    words = vocabulary(table)
    kinds = read_with(texts_of(rows, "kind"), lambda text: meaning_of(text, words))
    kind = kinds.values
    notes.count_unreadable("kind", sum(kinds.unknown.values()))
    amount = read_amounts(texts_of(rows, "amount"), decimal=settings.ingest.decimal)
    notes.count_unreadable("amount", amount.unreadable)
    return rows.select(
        customer="_customer",
        policy="_policy",
        date="_date",
        kind=kind.fill_null("paid"),
        amount_cents=amount.cents,
    )
