"""Policy rows: what each row says as of X, which rows cannot be used and why, which rows are one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells import coded, identifiers, known
from akb.ingest.customers import read_attributes
from akb.ingest.dates import Dates, read_dates
from akb.ingest.money import read_money
from akb.ingest.notes import texts_of
from akb.ingest.taxonomy import NEVER, UNKNOWN, causes, map_branches, map_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.asof import Clock
    from akb.ingest.notes import Notes, Table

KEY = ["key", "number", "insurer", "branch"]


def read_policies(tables: Sequence[Table], clock: Clock, settings: Settings, notes: Notes) -> pl.DataFrame:
    """Return one row per policy as of X.

    Parameters
    ----------
    tables
        All tables of the run; those of the role policies are read.
    clock
        X. In a replay rows that start later are rejected and later ends are open.
    settings
        The run's settings.
    notes
        Receives rejects, unreadable values and texts that no taxonomy knows.

    Returns
    -------
    key, relation, number, insurer, branch, product, start_date, end_date, reason, cause, premium_cents,
    commission_cents (given only), payment_months, collection, renewal_date and the customer's attributes; sorted
    by key, branch, start, number, insurer.
    """
    frames = []
    for position, table in enumerate(table for table in tables if table.headings.role == "policies"):
        cells, start = _usable(table, clock, settings, notes)
        rows = _typed(table, cells, start, clock, settings, notes)
        frames.append(rows.with_columns(file=pl.lit(position, dtype=pl.Int32)))
    rows = _without_doubles(pl.concat(frames), [table for table in tables if table.headings.role == "policies"], notes)
    return rows.sort("key", "branch", "start_date", "number", "insurer", nulls_last=True)


def _usable(table: Table, clock: Clock, settings: Settings, notes: Notes) -> tuple[pl.DataFrame, Dates]:
    """Reject rows without customer, policy or start, offers, and in a replay what starts after X."""
    start = read_dates(table.texts("start"), upto=clock.upto, date_format=settings.ingest.date_format)
    relation, key = identifiers(table.texts("customer"))
    _, number = identifiers(table.texts("policy"))
    status, _ = coded(table.texts("status"), "status")
    cells = table.cells.with_columns(
        _relation=relation, _key=key, _number=number, _start=start.values, _bad=start.bad, _status=status
    )
    later = (pl.col("_start") > clock.as_of) if clock.replay else pl.lit(value=False)
    cells = cells.with_columns(
        _why=pl.when(later)
        .then(pl.lit("after_as_of"))
        .when(pl.col("_key").is_null())
        .then(pl.lit("no_customer"))
        .when(pl.col("_number").is_null())
        .then(pl.lit("no_policy"))
        .when("_bad")
        .then(pl.lit("bad_date"))
        .when(pl.col("_start").is_null())
        .then(pl.lit("no_start"))
        .when(pl.col("_status") == "offer")
        .then(pl.lit("offer"))
    )
    blame = {"after_as_of": "start", "no_customer": "customer", "no_policy": "policy", "bad_date": "start"}
    blame |= {"no_start": "start", "offer": "status"}
    return _split(table, cells, blame, notes), start


def _split(table: Table, cells: pl.DataFrame, blame: dict[str, str], notes: Notes) -> pl.DataFrame:
    """Put rows with a reason in ``_why`` aside; return the others."""
    for why, column in blame.items():
        notes.reject(table, cells.filter(pl.col("_why") == why), column, why)
    return cells.filter(pl.col("_why").is_null())


def _typed(
    table: Table, cells: pl.DataFrame, start: Dates, clock: Clock, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Return the rows with their types, after rejecting those whose end cannot be."""
    dated = _with_ends(table, cells, start, clock, settings, notes)
    cells = _split(
        table,
        dated,
        {"bad_date": "end", "ended_before_started": "end", "never_started": "end", "ended_no_date": "status"},
        notes,
    )
    branch = map_branches(texts_of(cells, "branch"), settings)
    notes.unknown |= {text: notes.unknown.get(text, 0) + count for text, count in branch.unknown.items()}
    term, odd_terms = coded(texts_of(cells, "term"), "term")
    collection, odd_collections = coded(texts_of(cells, "collection"), "collection")
    renewal = read_dates(
        texts_of(cells, "renewal"), upto=clock.upto, date_format=settings.ingest.date_format, order=start.order
    )
    notes.count_unreadable("term", odd_terms)
    notes.count_unreadable("collection", odd_collections)
    notes.count_unreadable("renewal", int(renewal.bad.sum()))
    money = read_money(table, cells, branch.keys, term.cast(pl.Int8), settings, notes)
    table.dialect["dates"] = start.format
    _say_what_was_assumed(table, start, money.unsure, money.per if money.detected else "", money.basis, notes)
    months = term.cast(pl.Int8)
    return pl.DataFrame(
        {
            "line": cells["line"],
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
            "premium_cents": money.premium,
            "commission_cents": money.commission,
            "payment_months": months.to_frame("m").select(pl.when(pl.col("m") > 0).then(pl.col("m"))).to_series(),
            "collection": collection,
            "renewal_date": renewal.values.dt.replace(year=2000),  # only its day and month mean something
        }
    ).hstack(read_attributes(table, cells, clock, settings, notes))


def _say_what_was_assumed(table: Table, start: Dates, unsure: int, detected: str, basis: str, notes: Notes) -> None:
    if start.unproven:
        notes.find("AKB-D022", "tip", file=table.raw.name, column=table.headings.heading("start") or "")
    if unsure:
        notes.find("AKB-D021", "tip", unsure, file=table.raw.name)
    if "aangenomen" in table.raw.dialect.get("encoding", ""):
        notes.find("AKB-D023", "tip", file=table.raw.name, encoding=table.raw.dialect["encoding"].split(" ")[0])
    if detected:
        notes.find("AKB-D029", "tip", file=table.raw.name, column=table.headings.heading("premium") or "", basis=basis)


def _with_ends(
    table: Table, cells: pl.DataFrame, start: Dates, clock: Clock, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Add ``_end``, ``_changed``, ``_reason`` as known at X, and ``_why`` a row cannot be used.

    Two roads to an end: an end date; else a status that says ended with the date of the last change.
    """
    form = settings.ingest.date_format
    end = read_dates(texts_of(cells, "end"), upto=clock.upto, date_format=form, order=start.order)
    changed = read_dates(texts_of(cells, "changed"), upto=clock.upto, date_format=form, order=start.order)
    reasons = map_reasons(texts_of(cells, "reason"), settings)
    told = known(texts_of(cells, "reason")).is_not_null()
    frame = cells.with_columns(
        _end=end.values,
        _end_bad=end.bad,
        _changed=changed.values,
        _reason=pl.DataFrame({"r": reasons.keys, "t": told})
        .select(pl.coalesce("r", pl.when("t").then(pl.lit(UNKNOWN))))
        .to_series(),
    )
    gone = (pl.col("_status") == "ended") & pl.col("_end").is_null() & ~pl.col("_end_bad")
    frame = frame.with_columns(
        _end=pl.when(gone).then(pl.col("_changed")).otherwise(pl.col("_end")),
        _by_status=gone & pl.col("_changed").is_not_null(),
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
    by_status = int(frame.filter(pl.col("_why").is_null() & pl.col("_end").is_not_null())["_by_status"].sum())
    if by_status:
        notes.find("AKB-D038", "tip", by_status, by_status / max(frame.height, 1))
    seen = map_reasons(
        texts_of(frame.filter(pl.col("_end").is_not_null() & pl.col("_why").is_null()), "reason"), settings
    )
    notes.unknown_reasons += sum(seen.unknown.values())
    return frame


def _without_doubles(rows: pl.DataFrame, tables: Sequence[Table], notes: Notes) -> pl.DataFrame:
    """Reject rows that repeat another, and all but one row of each spell of a policy.

    Rows with one customer, number, insurer and branch whose periods overlap or touch are versions of one policy.
    Kept is the version that was changed last (else the one that started last, else the one with an end), with the
    first start of them all.
    """
    rows = rows.sort("file", "line").with_columns(relation=pl.col("relation").min().over("key"))
    twins = rows.filter(pl.struct(KEY).is_duplicated()) if rows.height else rows
    if twins.is_empty():
        return rows
    said = [column for column in rows.columns if column not in {"file", "line", "relation"}]
    first = twins.unique(said, keep="first", maintain_order=True)
    far = pl.lit(None, dtype=pl.Date).fill_null(pl.date(9999, 1, 1))
    spells = (
        first.sort(*KEY, "start_date", "end_date", nulls_last=True)
        .with_columns(until=pl.col("end_date").fill_null(far).cum_max().shift(1).over(KEY))
        .with_columns(new=(pl.col("until").is_null() | (pl.col("start_date") > pl.col("until") + pl.duration(days=1))))
        .with_columns(spell=pl.col("new").cum_sum())
        .with_columns(first_start=pl.col("start_date").min().over("spell"))
    )
    order = ["changed", "start_date", "end_date", *[c for c in said if c not in {"changed", "start_date", "end_date"}]]
    kept = spells.sort("spell", *order, nulls_last=False).group_by("spell", maintain_order=True).last()
    _reject_lines(twins.join(first, on=["file", "line"], how="anti"), "duplicate", tables, notes)
    _reject_lines(first.join(kept, on=["file", "line"], how="anti"), "version", tables, notes)
    kept = kept.with_columns(start_date="first_start").select(rows.columns)
    alone = rows.filter(~pl.struct(KEY).is_duplicated())
    return pl.concat([alone, kept])


def _reject_lines(rows: pl.DataFrame, reason: str, tables: Sequence[Table], notes: Notes) -> None:
    for position, table in enumerate(tables):
        lines = rows.filter(pl.col("file") == position).select("line").sort("line")
        notes.reject(table, lines.join(table.cells, on="line", how="left", maintain_order="left"), "policy", reason)


def with_causes(policies: pl.DataFrame) -> pl.DataFrame:
    """Add the cause of each end: of its reason, ``unknown`` without one, null while there is no end."""
    cause = pl.col("reason").replace_strict(causes(), default=None, return_dtype=pl.String).fill_null("unknown")
    return policies.with_columns(cause=pl.when(pl.col("end_date").is_not_null()).then(cause))
