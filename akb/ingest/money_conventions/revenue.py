"""What a policy brings in a year.

Commission that is given or derived, fees, signing fees; and what is said of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from akb.core.wording.phrases import Listed, Phrase
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.columns.notes import texts_of
from akb.ingest.columns.readings import together
from akb.ingest.money_conventions.money import ONCE
from akb.ingest.money_conventions.questions import says
from akb.ingest.money_conventions.thresholds import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.config import Branch, Settings
    from akb.ingest.columns.notes import Notes, Table
    from akb.ingest.columns.readings import MoneyConventions, Reading

_UNSETTLED = (
    "no_terms",
    "level_between",
)  # instalments there are, and what they cost in a year is a guess
_TURNED = 0.9  # so many of the commissions below zero: the sign means something else
_SAME = 0.9  # so many customers with the same fee on all their policies: it is the customer's


def say_conventions(tables: Sequence[Table], notes: Notes) -> None:
    """Report how premium and commission were read and how akb knows, once for all files that are
    read alike.
    """
    alike: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        if table.money_conventions is not None and table.money_conventions.readings():
            readings = table.money_conventions.readings()
            key = tuple(
                f"{name} {reading.value} {reading.why}" for name, reading in readings.items()
            )
            alike.setdefault(key, []).append(table)
    for group in alike.values():
        every = [table.money_conventions for table in group if table.money_conventions]
        readings = {
            name: together([each.readings()[name] for each in every])
            for name in every[0].readings()
        }
        _say(group[0], every[0], readings, sum(each.rows for each in every), notes)


def _say(
    table: Table,
    conventions: MoneyConventions,
    readings: dict[str, Reading],
    rows: int,
    notes: Notes,
) -> None:
    parts = []
    for name, reading in readings.items():
        if name == "commission_basis" and reading.value == "amount":
            continue  # goes without saying
        value = Phrase(f"money.value.{reading.value}")
        said = Phrase(
            f"money.subject.{name}", {"column": _column(table, conventions, name), "value": value}
        )
        parts.append(Phrase("money.with_reason", {"said": said, "why": reading.because()}))
    notes.find("AKB-D080", "tip", rows, how=Listed(tuple(parts), between="; "))
    per = readings.get("premium_per")
    if per and per.how == "data" and per.value == "instalment":
        column = _column(table, conventions, "premium_per")
        notes.find("AKB-D029", "tip", file=table.raw.name, column=column, why=per.because())
    for name, reading in readings.items():
        if reading.how == "unsure":
            asked = Phrase(f"money.question.{name}", {"column": _column(table, conventions, name)})
            other = {"year": "instalment", "net": "gross"}.get(reading.value, "year")
            value = Phrase(f"money.value.{reading.value}")
            line = f'{name} = "{other}"'
            doubtful = name == "premium_per" and reading.why in _UNSETTLED
            severity: Literal["issue", "tip"] = "issue" if doubtful else "tip"
            why = reading.because()
            notes.find("AKB-D081", severity, asked=asked, why=why, value=value, line=line)


def _column(table: Table, conventions: MoneyConventions, name: str) -> str:
    column = conventions.premium if name.startswith("premium") else conventions.commission
    return table.headings.heading(column or "") or ""


def settle_commission(policies: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    """Decide what negative and zero amounts mean, and derive the commission that is missing.

    A negative amount is given back and comes back no more than a one-off does: that policy's
    recurring commission is unknown, unless nearly all are negative, when the sign is the
    bookkeeper's. Zero is zero: net premiums with a fee, products under the commission ban.

    Parameters
    ----------
    policies
        One row per policy with ``branch``, ``premium_cents``, ``commission_cents`` (as delivered),
        ``fee_cents``.

    Returns
    -------
    The same with ``commission_cents`` settled and ``commission_source`` (``given | derived |
    null``)."""
    asked = settings.ingest
    amounts = policies.select(
        below=(pl.col("commission_cents") < 0).sum(),
        filled=(pl.col("commission_cents").fill_null(0) != 0).sum(),
    ).row(0, named=True)
    below, filled = int(amounts["below"]), int(amounts["filled"])
    way = asked.negative_commission
    if way is None:
        way = "sign" if below >= ENOUGH and below >= _TURNED * filled else "unknown"
    cents = pl.col("commission_cents")
    settled = {"sign": -cents, "as_is": cents, "unknown": pl.when(cents >= 0).then(cents)}[way]
    if asked.zero_commission == "missing":
        settled = pl.when(settled != 0).then(settled)
    if below:
        refunds = policies.filter(cents < 0, pl.col("premium_cents") < 0).height
        doing = Phrase(f"money.negative.{way}")
        notes.find(
            "AKB-D082",
            "tip",
            below,
            below / policies.height,
            filled=filled,
            refunds=refunds,
            doing=doing,
        )
    _say_zero(policies, settings, notes)
    return derive_commission(policies.with_columns(commission_cents=settled), settings.taxonomy())


def _say_zero(policies: pl.DataFrame, settings: Settings, notes: Notes) -> None:
    banned = pl.col("branch").is_in(
        [key for key, entry in settings.taxonomy().items() if entry.ban]
    )
    zero = policies.filter(pl.col("commission_cents") == 0)
    if zero.is_empty():
        return
    fee = (pl.col("fee_cents").fill_null(0) > 0) & ~banned
    insurer = (pl.col("collection") == "insurer").fill_null(value=False) & ~banned & ~fee
    counts = zero.select(ban=banned.sum(), fee=fee.sum(), insurer=insurer.sum()).row(0, named=True)
    rest = zero.height - sum(counts.values())
    doing = Phrase(f"money.zero.{settings.ingest.zero_commission}")
    notes.find(
        "AKB-D083",
        "tip",
        zero.height,
        zero.height / policies.height,
        **counts,
        rest=rest,
        doing=doing,
    )


def derive_commission(policies: pl.DataFrame, taxonomy: dict[str, Branch]) -> pl.DataFrame:
    """Fill missing commission with premium times the branch's rate; nothing on branches under the
    commission ban.

    Parameters
    ----------
    policies
        With ``branch``, ``premium_cents`` and ``commission_cents`` (given or null).

    Returns
    -------
    The same with ``commission_cents`` filled where the premium is known and ``commission_source``
    (``given | derived | null``). A premium below zero is given back: nothing is derived from it.
    """
    rates = pl.DataFrame(
        {
            "branch": list(taxonomy),
            "_rate": [0.0 if entry.ban else entry.commission for entry in taxonomy.values()],
        }
    )
    premium = pl.when(pl.col("premium_cents") >= 0).then("premium_cents")
    derived = (premium * pl.col("_rate")).round().cast(pl.Int64)
    return (
        policies.join(rates, on="branch", how="left", maintain_order="left")
        .with_columns(
            commission_source=pl.when(pl.col("commission_cents").is_not_null())
            .then(pl.lit("given"))
            .when(derived.is_not_null())
            .then(pl.lit("derived")),
            commission_cents=pl.coalesce("commission_cents", derived),
        )
        .drop("_rate")
    )


def with_fees(
    policies: pl.DataFrame, tables: Sequence[Table], as_of: date, settings: Settings, notes: Notes
) -> pl.DataFrame:
    """Settle fees: one per policy, or one per customer that is divided over the policies that he
    has.

    Parameters
    ----------
    policies
        Sorted, one row per policy with ``key``, the dates, ``fee_cents`` and
        ``fee_customer_cents``.
    tables
        All tables; a file of customers may hold their fee.
    as_of
        X. A former customer's fee is divided over the policies that ended last.

    Returns
    -------
    The same with ``fee_cents`` and ``fee_source`` (``policy | customer | null``), without
    ``fee_customer_cents``.
    """
    own = "fee_cents"
    if _fee_is_the_customers(policies, settings, notes):
        policies = policies.with_columns(
            fee_customer_cents=pl.coalesce("fee_customer_cents", own),
            fee_cents=pl.lit(None, dtype=pl.Int64),
        )
    source = pl.when(pl.col(own).is_not_null()).then(pl.lit("policy"))
    filed = _filed_fees(tables, settings, notes)
    if filed.is_empty() and policies["fee_customer_cents"].null_count() == policies.height:
        policies = policies.drop("fee_customer_cents").with_columns(fee_source=source)
        _say_fees(policies, notes)
        return policies
    whole = policies.group_by("key").agg(_whole=pl.col("fee_customer_cents").max()).sort("key")
    whole = whole.join(filed, on="key", how="left", maintain_order="left").select(
        "key", _whole=pl.coalesce("_filed", "_whole")
    )
    far = pl.date(9999, 1, 1)
    until = pl.col("end_date").fill_null(far)
    policies = policies.join(whole, on="key", how="left", maintain_order="left").with_columns(
        _held=(pl.col("start_date") <= as_of) & (until > as_of)
    )
    last = ~pl.col("_held").any().over("key") & (until == until.max().over("key"))
    policies = policies.with_columns(_bears=pl.col("_held") | last)
    count, place = (
        pl.col("_bears").sum().over("key").cast(pl.Int64),
        pl.col("_bears").cum_sum().over("key") - 1,
    )
    part = pl.col("_whole") // count + (place < pl.col("_whole") % count).cast(pl.Int64)
    part = pl.when("_bears").then(part)
    policies = policies.with_columns(
        fee_cents=pl.when(part.is_not_null()).then(part + pl.col(own).fill_null(0)).otherwise(own),
        fee_source=pl.when(part.is_not_null()).then(pl.lit("customer")).otherwise(source),
    )
    _say_fees(policies, notes)
    return policies.drop("_whole", "_held", "_bears", "fee_customer_cents")


def _fee_is_the_customers(policies: pl.DataFrame, settings: Settings, notes: Notes) -> bool:
    """Say whether the policies' fee is their customer's, repeated.

    The same on all his policies, not on others'.
    """
    asked = settings.ingest.fee_for
    if asked:
        return asked == "customer"
    groups = (
        policies.filter(pl.col("fee_cents").is_not_null())
        .group_by("key")
        .agg(rows=pl.len(), fees=pl.col("fee_cents").n_unique(), fee=pl.col("fee_cents").max())
        .filter(pl.col("rows") > 1, pl.col("fee") != 0)
    )
    same = groups.filter(pl.col("fees") == 1)
    if groups.height < ENOUGH or same.height < _SAME * groups.height:
        return False
    if same["fee"].n_unique() >= 3:
        return True
    notes.find("AKB-D084", "tip", same.height, of=groups.height)
    return False


def _filed_fees(tables: Sequence[Table], settings: Settings, notes: Notes) -> pl.DataFrame:
    """Return the fee per customer of the files of customers: key, _filed (cents a year)."""
    found = [pl.DataFrame(schema={"key": pl.String, "_filed": pl.Int64})]
    for table in tables:
        if table.headings.role != "customers" or "fee" not in table.headings.at:
            continue
        amounts = read_amounts(texts_of(table.cells, "fee"), decimal=settings.ingest.decimal)
        notes.count_unreadable("fee", amounts.unreadable)
        times = 12 if says(table.headings.heading("fee"), "month") else 1
        _, key = table.identifiers("customer")
        found.append(pl.DataFrame({"key": key, "_filed": amounts.cents * times}))
    return (
        pl.concat(found)
        .filter(pl.col("key").is_not_null())
        .group_by("key")
        .agg(pl.col("_filed").max())
        .sort("key")
    )


def _say_fees(policies: pl.DataFrame, notes: Notes) -> None:
    paid = policies.filter(pl.col("fee_cents").fill_null(0) != 0)
    if paid.height:
        customers = paid.filter(pl.col("fee_source") == "customer")["key"].n_unique()
        alone = paid.filter(pl.col("fee_source") == "policy").height
        notes.find(
            "AKB-D085",
            "tip",
            paid.height,
            paid.height / policies.height,
            customers=customers,
            alone=alone,
        )


def say_one_off(tables: Sequence[Table], notes: Notes) -> None:
    """Report one-off commission and fees: they stay out of what comes back every year."""
    rows = sum(table.one_off for table in tables)
    columns = {table.headings.heading(name) for table in tables if table.one_off for name in ONCE}
    if rows:
        notes.find(
            "AKB-D086", "tip", rows, columns=", ".join(sorted(name for name in columns if name))
        )


def say_margin(policies: pl.DataFrame, settings: Settings, notes: Notes) -> None:
    """Report what the export lacks for the revenue of this kind of client."""
    kind = settings.client.type
    signed = policies["signing_cents"].fill_null(0) != 0
    if kind == "volmacht" and not signed.any():
        notes.find("AKB-D087", "issue", policies.height)
    elif kind == "verzekeraar":
        known = policies["premium_cents"].is_not_null().sum()
        notes.find("AKB-D088", "tip", int(known), int(known) / policies.height)
    elif kind == "intermediair" and signed.any():
        notes.find("AKB-D089", "issue", int(signed.sum()), int(signed.sum()) / policies.height)
