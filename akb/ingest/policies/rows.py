"""Policy rows: what each row says as of X, which rows cannot be used and why, which rows are one
policy.
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.phrases import Phrase
from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.dates import Dates, read_dates
from akb.ingest.cells.taxonomy import NEVER, UNKNOWN, causes, map_reasons, read_branches
from akb.ingest.cells.texts import known, rule
from akb.ingest.cells.words import read_words
from akb.ingest.columns.boxes import read_status
from akb.ingest.columns.notes import texts_of
from akb.ingest.customers.relations import read_attributes
from akb.ingest.files.csvfile import MIXED
from akb.ingest.money_conventions.money import MONEY_OF, MoneyRows, read_money
from akb.ingest.money_conventions.terms import read_terms
from akb.ingest.policies.contracts import contract_numbers
from akb.ingest.policies.lists import one_insurer, one_list, say_doubles
from akb.ingest.policies.own_branches import stand_in
from akb.ingest.policies.parts import is_whole, separate_packages
from akb.ingest.policies.premiums import dated_rows
from akb.ingest.policies.subscriptions import (
    all_subscriptions,
    is_subscriptions,
    with_subscriptions,
)
from akb.ingest.policies.versions import HELPERS, is_per_coverage, one_row_per_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.as_of.clock import Clock
    from akb.ingest.as_of.run import IngestRun
    from akb.ingest.as_of.snapshots import Snapshots
    from akb.ingest.columns.notes import Notes, Table

_TOTAL = (
    r"^\s*(?:(?:sub|eind|grand|algemeen|algehele?|general|overall)[ -]?)*"
    r"(?:tota+l(?:en|s)?|som|sum)\b(?:[: ].{0,40})?$"
)


def read_policies(
    tables: Sequence[Table], snapshots: Snapshots, run: IngestRun
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per policy as of X, and what all rows say of dated premiums.

    Parameters
    ----------
    tables
        All tables of the run; those of the role policies are read.
    snapshots
        Days of the deliveries, where there are several of one book.
    run
        X, the run's settings and notes. In a replay rows that start later are rejected and later
        ends are open; the notes receive rejects, unreadable values and texts that no taxonomy
        knows.

    Returns
    -------
    key, relation, number, insurer, branch, product, start_date, end_date, reason, cause,
    premium_cents, commission_cents (given only), fee_cents, fee_customer_cents, signing_cents,
    profit_cents, one_off_cents, package, payment_months, collection, renewal_date and the
    customer's attributes; sorted by key, branch, start, number,
    insurer. And `premiums.dated_rows`."""
    clock, notes = run.clock, run.notes
    frames = []
    mine = [table for table in tables if table.headings.role == "policies"]
    days = snapshots.known_at(clock.as_of)
    for position, table in enumerate(mine):
        cells, start = _usable(table, snapshots.rows(table), days, run)
        rows = _typed(table, cells, start, run)
        frames.append(rows.with_columns(file=pl.lit(position, dtype=pl.Int32)))
    every = pl.concat(frames)
    frames.clear()
    every = one_insurer(every)
    if len(mine) > 1 and not days:
        every = one_list(every, mine, notes)
        say_doubles(every, mine, notes)
    every = separate_packages(every, mine, notes)
    rows = one_row_per_policy(every, mine, days, clock, notes)
    dated = dated_rows(every, clock, delivered=bool(days))
    del every  # so many rows that each copy counts
    rows = rows.drop(name for name in (*HELPERS, "changed") if name not in {"file", "line"})
    return rows.sort("key", "branch", "start_date", "number", "insurer", nulls_last=True), dated


def _usable(
    table: Table, delivered: pl.Series, days: Sequence[date], run: IngestRun
) -> tuple[pl.DataFrame, Dates]:
    """Reject rows without customer, policy or start, offers, and in a replay what starts or was
    delivered after X.
    """
    clock, settings, notes = run.clock, run.settings, run.notes
    start = read_dates(
        table.texts("start"), upto=clock.upto, date_format=settings.ingest.date_format
    )
    relation, key = table.identifiers("customer")
    _, number = table.identifiers("policy")
    total = _totals(table)
    status = read_status(table.texts("status"), settings).values
    cells = table.cells.with_columns(
        _relation=relation,
        _key=key,
        _number=number,
        _start=start.values,
        _bad=start.bad,
        _status=status,
        _snapshot=delivered,
    )
    later = (pl.col("_start") > clock.as_of) if clock.replay else pl.lit(value=False)
    if days:
        later = later.fill_null(value=False) | (pl.col("_snapshot") > days[-1])
    cells = cells.with_columns(
        _why=pl.when(later)
        .then(pl.lit("after_as_of"))
        .when(pl.col("_key").is_null())
        .then(pl.lit("no_customer"))
        .when(pl.col("_number").is_null())
        .then(pl.lit("no_policy"))
        .when(total)
        .then(pl.lit("no_customer"))
        .when("_bad")
        .then(pl.lit("bad_date"))
        .when(pl.col("_start").is_null())
        .then(pl.lit("no_start"))
        .when(pl.col("_status") == "offer")
        .then(pl.lit("offer"))
    )
    blame = {
        "after_as_of": "start",
        "no_customer": "customer",
        "no_policy": "policy",
        "bad_date": "start",
    }
    blame |= {"no_start": "start", "offer": "status"}
    return _split(table, cells, blame, notes), start


def _totals(table: Table) -> pl.Series:
    """Say which rows are sums below a list: in the place of a customer or a policy stands that
    word.
    """
    said = pl.DataFrame(
        {name: known(table.texts(name)).cast(pl.String) for name in ("customer", "policy")}
    )
    may_be = pl.all().str.contains_any(["tot", "som", "sum"], ascii_case_insensitive=True)
    if not said.select(pl.any_horizontal(may_be).any()).item():
        return pl.Series("total", [False]).new_from_index(0, said.height)
    return said.select(
        total=pl.any_horizontal(pl.all().str.to_lowercase().str.contains(_TOTAL)).fill_null(
            value=False
        )
    )["total"]


def _split(table: Table, cells: pl.DataFrame, blame: dict[str, str], notes: Notes) -> pl.DataFrame:
    """Put rows with a reason in ``_why`` aside; return the others."""
    if cells["_why"].null_count() == cells.height:
        return cells
    for why, column in blame.items():
        notes.reject(table, cells.filter(pl.col("_why") == why), column, why)
    return cells.filter(pl.col("_why").is_null())


def _typed(table: Table, cells: pl.DataFrame, start: Dates, run: IngestRun) -> pl.DataFrame:
    """Return the rows with their types, after rejecting those whose end cannot be."""
    clock, settings, notes = run.clock, run.settings, run.notes
    dated = _with_ends(cells, start, run)
    cells = _split(
        table,
        dated,
        {
            "bad_date": "end",
            "ended_before_started": "end",
            "never_started": "end",
            "ended_no_date": "status",
        },
        notes,
    )
    named = texts_of(cells, stand_in(cells, table))
    branch = (
        all_subscriptions(cells.height)
        if is_subscriptions(table)
        else read_branches(named, texts_of(cells, "branch_code"), settings)
    )
    notes.unknown |= {
        text: notes.unknown.get(text, 0) + count for text, count in branch.unknown.items()
    }
    term = read_terms(table, cells, branch.keys, settings, notes)
    notes.words("term", term.meanings)
    collection = notes.words(
        "collection", read_words(texts_of(cells, "collection"), "collection", settings)
    )
    if not clock.replay:  # a status has no date of its own
        notes.words("status", read_status(texts_of(cells, "status"), settings))
    renewal = read_dates(
        texts_of(cells, "renewal"),
        upto=clock.upto,
        date_format=settings.ingest.date_format,
        order=start.order,
    )
    notes.count_unreadable("renewal", int(renewal.bad.sum()))
    form = settings.ingest.date_format
    since = read_dates(
        texts_of(cells, "version_date"), upto=clock.upto, date_format=form, order=start.order
    )
    then = (since.values <= clock.as_of).fill_null(value=True) if clock.replay else None
    money = read_money(table, MoneyRows(cells, branch.keys, term.months, then), settings, notes)
    table.dialect["dates"] = start.format
    _say_what_was_assumed(table, start, money.unsure, notes)
    table.money_conventions, table.one_off = money.conventions, money.one_off
    rows = pl.DataFrame(
        {
            "line": cells["line"],
            "snapshot": cells["_snapshot"],
            "version_date": since.values,
            "version": known(texts_of(cells, "version"))
            .str.extract(r"^(\d{1,9})(?:\.0)?$")
            .cast(pl.Int64),
            "coverage": known(texts_of(cells, "coverage")),
            "key": cells["_key"],
            "relation": cells["_relation"],
            "number": cells["_number"],
            "insurer": known(texts_of(cells, "insurer")),
            "branch": branch.keys,
            "product": known(texts_of(cells, "product")),
            "start_date": cells["_start"],
            "end_date": cells["_end"],
            "changed": cells["_changed"],
            "reason": cells["_reason"],
            **with_subscriptions(money.rows, branch.keys).to_dict(),
            "payment_months": term.known(),
            "collection": collection,
            "package": read_package(cells),
            "contract": contract_numbers(table, cells, "contract"),
            "fleet": contract_numbers(table, cells, "fleet"),
            "part": known(texts_of(cells, "part")),
            "whole": is_whole(cells),
            "bundle": known(texts_of(cells, "package"))
            .str.replace_all(r"[\s.]", "")
            .str.to_uppercase(),
            "renewal_date": renewal.values.dt.replace(
                year=2000
            ),  # only its day and month mean something
        }
    )
    rows = rows.with_columns(
        sum_premium=pl.lit(value=_is_per_coverage(table, rows, "premium_cents")),
        sum_commission=pl.lit(value=_is_per_coverage(table, rows, "commission_cents")),
        sum_fee=pl.lit(value=_is_per_coverage(table, rows, "fee_cents")),
        sum_signing=pl.lit(value=_is_per_coverage(table, rows, "signing_cents")),
        sum_profit=pl.lit(value=_is_per_coverage(table, rows, "profit_cents")),
        sum_one_off=pl.lit(value=_is_per_coverage(table, rows, "one_off_cents")),
    )
    return rows.hstack(read_attributes(table, cells, clock, settings, notes))


def read_package(cells: pl.DataFrame) -> pl.Series:
    """Return whether a policy is part of a package: a code, number or discount above nothing stands
    there.

    Null on every row where the file has no such column. Of a number or code nothing but its
    presence is kept."""
    if "package" not in cells.columns:
        return pl.Series("package", [None], dtype=pl.Boolean).new_from_index(0, cells.height)
    texts = known(texts_of(cells, "package"))
    answer = read_answers(texts).values
    nothing = texts.str.contains(r"^[0.,\s%-]*$")
    said = pl.DataFrame({"text": texts, "answer": answer, "nothing": nothing})
    return said.select(
        package=(
            pl.col("text").is_not_null()
            & ~pl.col("nothing")
            & (pl.col("answer").fill_null("yes") == "yes")
        ).fill_null(value=False)
    ).to_series()


def _is_per_coverage(table: Table, rows: pl.DataFrame, column: str) -> bool:
    if "coverage" not in table.headings.at:
        return False
    heading = next(
        (table.headings.heading(name) for name in MONEY_OF[column] if name in table.headings.at),
        None,
    )
    return is_per_coverage(heading or "", rows, column)


def _say_what_was_assumed(table: Table, start: Dates, unsure: int, notes: Notes) -> None:
    if start.unproven:
        notes.find(
            "AKB-D022", "tip", file=table.raw.name, column=table.headings.heading("start") or ""
        )
    if unsure:
        notes.find("AKB-D021", "tip", unsure, file=table.raw.name)
    if "encoding" in table.raw.assumed:
        encoding = table.raw.dialect["encoding"]
        said = Phrase("columns.encoding.mixed") if encoding == MIXED else encoding
        notes.find("AKB-D023", "tip", file=table.raw.name, encoding=said)


def _with_ends(cells: pl.DataFrame, start: Dates, run: IngestRun) -> pl.DataFrame:
    """Add ``_end``, ``_changed``, ``_reason`` as known at X, and ``_why`` a row cannot be used.

    Two roads to an end: an end date; else a status that says ended with the date of the last change
    (announced: if that date is still to come). An end in the past of a policy that still runs was
    reversed."""
    clock, settings, notes = run.clock, run.settings, run.notes
    form = settings.ingest.date_format
    end = read_dates(texts_of(cells, "end"), upto=clock.upto, date_format=form, order=start.order)
    changed = read_dates(
        texts_of(cells, "changed"), upto=clock.upto, date_format=form, order=start.order
    )
    reasons = map_reasons(texts_of(cells, "reason"), settings)
    given = known(texts_of(cells, "reason")).is_not_null()
    frame = cells.with_columns(
        _end=without_never(texts_of(cells, "end"), end.values, cells["_start"]),
        _end_bad=end.bad,
        _changed=changed.values,
        _reason=pl.DataFrame({"r": reasons.keys, "t": given})
        .select(pl.coalesce("r", pl.when("t").then(pl.lit(UNKNOWN))))
        .to_series(),
    )
    gone = (pl.col("_status") == "ended") & pl.col("_end").is_null() & ~pl.col("_end_bad")
    ahead = (
        (pl.col("_status") == "announced")
        & pl.col("_end").is_null()
        & (pl.col("_changed") > clock.export_day)
    )
    reversed_ = _reversed(frame, clock, notes)
    frame = frame.with_columns(
        _end=pl.when(gone | ahead).then(pl.col("_changed")).when(~reversed_).then(pl.col("_end")),
        _by_status=(gone | ahead) & pl.col("_changed").is_not_null(),
        _lost=gone & pl.col("_changed").is_null(),
    )
    hidden = (pl.col("_end") > clock.as_of) if clock.replay else pl.lit(value=False)
    frame = frame.with_columns(
        _changed=pl.when(pl.col("_changed") <= clock.as_of).then(pl.col("_changed")),
        _end=pl.when(~hidden.fill_null(value=False)).then(pl.col("_end")),
        _hidden=hidden.fill_null(value=False),
    )
    never = (pl.col("_reason") == NEVER) & ~pl.col("_hidden")
    frame = frame.with_columns(
        _why=pl.when("_end_bad")
        .then(pl.lit("bad_date"))
        .when("_lost")
        .then(pl.lit("ended_no_date"))
        .when(pl.col("_end") < pl.col("_start"))
        .then(
            pl.when(never.fill_null(value=False))
            .then(pl.lit("never_started"))
            .otherwise(pl.lit("ended_before_started"))
        )
        .when((pl.col("_end") == pl.col("_start")) | never.fill_null(value=False))
        .then(pl.lit("never_started")),
        _reason=pl.when(pl.col("_end").is_not_null()).then(pl.col("_reason")),
    )
    by_status = int(
        frame.filter(pl.col("_why").is_null() & pl.col("_end").is_not_null())["_by_status"].sum()
    )
    if by_status:
        notes.find("AKB-D038", "tip", by_status, by_status / max(frame.height, 1))
    seen = map_reasons(
        texts_of(frame.filter(pl.col("_end").is_not_null() & pl.col("_why").is_null()), "reason"),
        settings,
    )
    notes.unknown_reasons += sum(seen.unknown.values())
    return frame


def without_never(texts: pl.Series, ends: pl.Series, starts: pl.Series) -> pl.Series:
    """Return the ends without 31-12-99 where that is 31-12-9999 cut short: most of those rows
    started after 1999.
    """
    frame = pl.DataFrame({"text": known(texts), "end": ends, "start": starts})
    short = frame["text"].str.contains(r"(?i)^31[-/. ]?(?:12|dec)[-/. ]?99$").fill_null(value=False)
    since = frame.filter(short)["start"]
    if since.is_empty() or 2 * (since > date(1999, 12, 31)).sum() < since.len():
        return ends
    return frame.select(pl.when(~short).then("end")).to_series()


def _reversed(frame: pl.DataFrame, clock: Clock, notes: Notes) -> pl.Expr:
    """Say which ends were reversed: past ones of policies that still run, unless that is what most
    past ends show.
    """
    past = (pl.col("_end") <= clock.export_day).fill_null(value=False)
    undone = past & (pl.col("_status") == "running").fill_null(value=False)
    share = frame.select(undone.sum() / past.sum()).item() if frame.height else 0
    if not share or math.isnan(share) or share > rule("status", "reversed_share"):
        return pl.lit(value=False)
    count = int(frame.select((undone & (pl.col("_end") <= clock.as_of)).sum()).item())
    if count:
        notes.find("AKB-D052", "issue", count, count / frame.height)
    return undone


def with_causes(policies: pl.DataFrame) -> pl.DataFrame:
    """Add the cause of each end: of its reason, ``unknown`` without one, null while there is no
    end.
    """
    cause = (
        pl.col("reason")
        .replace_strict(causes(), default=None, return_dtype=pl.String)
        .fill_null("unknown")
    )
    return policies.with_columns(cause=pl.when(pl.col("end_date").is_not_null()).then(cause))
