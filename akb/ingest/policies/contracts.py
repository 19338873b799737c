"""Contracts that decide together: a collective or mantel contract is one customer with members, and
a fleet is one policy of many vehicles.

Whoever decides is the customer. A policy under a contract that several relations share ends when
the contract ends, whatever its member wants: it belongs to the contract, and what a member holds
besides stays his own. So a contract that leaves is one event, a member who leaves is a policy of
it that lapses, every interval that is clustered by customer is clustered by contract, and a
contract at risk is one line on a list. ``[client] contracts = "apart"`` leaves every policy with
its own relation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.relations import in_force
from akb.ingest.cells.texts import known, rules
from akb.ingest.columns.notes import texts_of
from akb.ingest.policies.linking import link

if TYPE_CHECKING:
    from datetime import date

    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

CONTRACT = "CONTRACT "
"""How the key, and the number that is shown, of a contract begins: no relation number does."""
_NOBODY = ("birth_year", "postcode4", "main", "household", "home", "no_marketing", "deceased")
_MONEY = (
    "premium_cents", "commission_cents", "fee_cents", "signing_cents", "profit_cents",
    "one_off_cents",
)  # fmt: skip


def contract_numbers(table: Table, cells: pl.DataFrame, column: str) -> pl.Series:
    """Return the numbers of contracts or fleets of the rows; null where there is none, or only a
    yes or no.
    """
    texts = known(texts_of(cells, column))
    if texts.null_count() == texts.len():
        return texts.alias(column)
    words = {word.upper() for each in rules().values["boolean"].values() for word in each}
    number = table.identifiers(column, cells)[1]
    none = texts.is_null() | number.is_in(sorted(words)) | ~texts.str.contains(r"[0-9]")
    return pl.DataFrame({"n": number, "none": none}).select(
        pl.when(~pl.col("none").fill_null(value=True)).then("n").alias(column)
    )[column]


def with_contracts(rows: pl.DataFrame, settings: Settings, notes: Notes) -> pl.DataFrame:
    """Let the policies of a contract belong to it, where two relations or more have it.

    Parameters
    ----------
    rows
        Policy rows: key, relation, ``contract`` str?, the dates, money and the attributes of
        customers.
    settings
        ``client.contracts``.
    notes
        Receives AKB-D141.

    Returns
    -------
    The same, sorted as before, without ``contract`` and with ``member`` and ``member_relation``:
    key and number of the relation under which a policy of a contract stands in the export; null for
    all others.
    """
    shared = pl.col("contract").is_not_null() & (pl.col("key").n_unique().over("contract") > 1)
    moved = rows.with_columns(_moved=shared)
    nobody = pl.lit(None, dtype=pl.String)
    rows = rows.drop("contract").with_columns(member=nobody, member_relation=nobody)
    if settings.client.contracts == "apart" or not moved["_moved"].any():
        return rows
    mine = pl.col("_moved")
    first = pl.col("number").cum_count().over("contract", "key") == 1
    fee = pl.sum_horizontal("fee_cents", pl.when(first).then("fee_customer_cents"))
    has_fee = pl.any_horizontal(pl.col("fee_cents", "fee_customer_cents").is_not_null())
    name = pl.lit(CONTRACT) + pl.col("contract")
    together = moved.with_columns(
        member=pl.when(mine).then("key"),
        member_relation=pl.when(mine).then("relation"),
        key=pl.when(mine).then(name).otherwise("key"),
        relation=pl.when(mine).then(name).otherwise("relation"),
        kind=pl.when(mine).then(pl.lit("business")).otherwise("kind"),
        fee_cents=pl.when(mine & has_fee).then(fee).otherwise("fee_cents"),
        fee_customer_cents=pl.when(~mine).then("fee_customer_cents"),
        **{column: pl.when(~mine).then(column) for column in _NOBODY},
    )
    contracts = together.filter(mine)
    members = contracts["member"].unique()
    own = together.filter(~mine)["key"].unique()
    notes.find(
        "AKB-D141",
        "tip",
        contracts["key"].n_unique(),
        contracts.height / rows.height,
        members=members.len(),
        policies=contracts.height,
        both=int(members.is_in(own.implode()).sum()),
    )
    return together.drop("contract", "_moved").sort(
        "key", "branch", "start_date", "number", "insurer", "member", nulls_last=True
    )


def known_keys(rows: pl.DataFrame) -> pl.Series:
    """Return the keys of all relations in the policy rows, members of contracts too."""
    return pl.concat([rows["key"], rows["member"].drop_nulls()]).unique()


def with_members(members: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Return which relations each customer is, with the members that hold nothing but a contract's
    policies: what is said of them is said of their contract, the first where there are several.

    Parameters
    ----------
    members
        key, relation, customer; sorted by key.
    policies
        customer, ``member``, ``member_relation``.
    """
    more = (
        policies.filter(pl.col("member").is_not_null())
        .group_by(key="member")
        .agg(relation=pl.col("member_relation").min(), customer=pl.col("customer").min())
        .join(members.select("key"), on="key", how="anti")
    )
    if more.is_empty():
        return members
    return pl.concat([members, more.select(members.columns)]).sort("key")


def with_member_count(customers: pl.DataFrame, policies: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Add ``members`` u32?: relations with a policy of the contract in force; null for who is no
    contract.
    """
    ever = policies.filter(pl.col("member").is_not_null())["customer"].unique()
    held = in_force(policies, as_of).group_by("customer").agg(members=pl.col("member").n_unique())
    contract = pl.col("customer").is_in(ever.implode())
    return customers.join(held, on="customer", how="left", maintain_order="left").with_columns(
        members=pl.when(contract).then(pl.col("members").fill_null(0)).cast(pl.UInt32)
    )


def link_by_member(policies: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return what `linking.link` does, where the policy of one member continues only his own."""
    if policies["member"].null_count() == policies.height:
        return link(policies, gap_days)
    whose = pl.struct("customer", "member").rank("dense").cast(pl.UInt32)
    linked = link(policies.with_columns(customer=whose), gap_days)
    return linked.with_columns(policies["customer"])


def one_policy_per_fleet(
    rows: pl.DataFrame, as_of: date, notes: Notes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make one policy of the vehicles of a fleet: it runs from the first until the last of them
    ends, and brings what those bring that are in it.

    Parameters
    ----------
    rows
        Policy rows with ``fleet`` str?.
    as_of
        X. Of a fleet that has ended those vehicles count that ended last.
    notes
        Receives AKB-D142.

    Returns
    -------
    The rows without ``fleet``, and what the vehicles were called: key, number (of the fleet),
    vehicle (number of its policy).
    """
    names = pl.DataFrame(schema=dict.fromkeys(("key", "number", "vehicle"), pl.String))
    if rows["fleet"].null_count() == rows.height:
        return rows.drop("fleet"), names
    by = ["key", "fleet", "insurer", "branch"]
    several = pl.col("fleet").is_not_null() & (pl.len().over(by) > 1)
    mine = rows.filter(several)
    if mine.is_empty():
        return rows.drop("fleet"), names
    far = pl.date(9999, 1, 1)
    until = pl.col("end_date").fill_null(far)
    there = (pl.col("start_date") <= as_of) & (until > as_of)
    last = ~there.any().over(by) & (until == until.max().over(by))
    counted = mine.with_columns(_counts=there | last, _until=until).sort(
        *by, "_until", "start_date", "number", descending=[*[False] * 4, True, False, False]
    )
    sums = [
        pl.when(pl.col(name).filter("_counts").count() > 0)
        .then(pl.col(name).filter("_counts").sum())
        .alias(name)
        for name in _MONEY
    ]
    kept = [name for name in rows.columns if name not in {*by, *_MONEY, "start_date", "number"}]
    fleets = (
        counted.group_by(by, maintain_order=True)
        .agg(
            pl.col("start_date").min(),
            *(pl.col(name).first() for name in kept),
            *sums,
            number=pl.col("fleet").first(),
        )
        .select(rows.columns)
    )
    notes.find("AKB-D142", "tip", fleets.height, vehicles=mine.height)
    names = mine.select("key", number="fleet", vehicle="number").unique().sort("key", "vehicle")
    whole = pl.concat([rows.filter(~several.fill_null(value=False)), fleets]).drop("fleet")
    order = ["key", "branch", "start_date", "number", "insurer"]
    return whole.sort(order, nulls_last=True), names


def with_vehicles(policies: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """Return what events can be about, with a row per vehicle of a fleet beside the fleet itself.

    Parameters
    ----------
    policies
        key, number, customer, policy, branch.
    vehicles
        Of `one_policy_per_fleet`.
    """
    if vehicles.is_empty():
        return policies
    more = policies.join(vehicles, on=["key", "number"]).with_columns(number="vehicle")
    return pl.concat([policies, more.select(policies.columns)])
