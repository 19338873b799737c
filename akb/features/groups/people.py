"""What happened in the year before T among the other customers of the same adviser, office and
region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import KEY
from akb.features.rates import WEIGHT, relative, shrunk
from akb.features.registry import Group, within

if TYPE_CHECKING:
    from akb.features.cut import Source
    from akb.features.registry import Aggregates, Events, Extra, Record, Tables, World

_WHO = {
    "adviser": "adviser",
    "office": "office",
    "region": "region (first two digits of the postcode, else the given one)",
}
_ACTIVE: dict[Record, Events] = {"contacts": "contacts", "claims": "claims"}
_SHARED = (
    "_policies",
    "_kept_12",
    "_lost_12",
    "_lapses_12",
    "_purchases_12",
    "_contacts_12",
    "_claims_12",
)
_SUMS = ("members", "policies", "before", "lapses", "purchases", "contacts", "claims")


def build(world: World) -> Group:
    """Return size, lapse rate, purchase rate and growth of the customer's adviser, office and
    region.
    """
    group = Group("people")
    if world.people:
        group = Group("people", extend=_extend, aggregate=_aggregate, shared=_SHARED)
    for role in world.people:
        words = _WHO[role]
        group.add(
            f"{role}_customer_share",
            f"share of the portfolio's customers in force that have the same {words}",
            "share",
            pl.col(f"{role}_members") / pl.col("all_members"),
            current=True,
        )
        group.add(
            f"{role}_policies_per_customer",
            f"policies per customer of the same {words}, relative to the portfolio's",
            "ratio",
            relative(pl.col(f"{role}_policies") / pl.col(f"{role}_members"), pl.col("all_density")),
            current=True,
        )
        if "ends" in world.records:
            _rates(group, world, role, words)
        for record in (each for each in _ACTIVE if each in world.records and role in world.many):
            _activity(group, role, words, record)
    if "region" in world.people and world.postcodes:
        group.add(
            "postcode_2",
            "first two digits of the postcode",
            "number",
            pl.col("region"),
            current=True,
        )
    if "ends" in world.records and world.people:
        group.count("_lapses_12", "gone", pl.col("lapsed") & within("end", 12))
        group.count("_purchases_12", "taken", within("start", 12))
        group.count("_kept_12", "held", pl.col("start") <= pl.col("back_12"))
        group.count(
            "_lost_12",
            "gone",
            (pl.col("start") <= pl.col("back_12")) & (pl.col("end") > pl.col("back_12")),
        )
    return group


def _activity(group: Group, role: str, words: str, record: Record) -> None:
    """How much is going on around the other customers: who is served often, and who claims
    often.
    """
    own = group.count(f"_{record}_12", _ACTIVE[record], within("date", 12))
    others = pl.col(f"{role}_{record}") - own
    group.add(
        f"{role}_{record}_ratio_12m",
        f"{record} in 12 months per other customer of the same {words}, relative to the "
        f"portfolio's",
        "ratio",
        relative(
            shrunk(others, pl.col(f"{role}_members") - 1, pl.col(f"all_{record}_rate")),
            pl.col(f"all_{record}_rate"),
        ),
        back=12,
        record=record,
        current=True,
    )


def _rates(group: Group, world: World, role: str, words: str) -> None:
    """Peers leave the customer's own policies out; rates are shrunk to the portfolio's at T, and
    relative to it.
    """
    peers = pl.col(f"{role}_lapses") - pl.col("_lapses_12")
    at_risk = pl.col(f"{role}_policies") - pl.col("_policies") + peers
    group.add(
        f"{role}_lapse_ratio_12m",
        f"lapse rate in 12 months of other customers of the same {words}, relative to the "
        f"portfolio's",
        "ratio",
        relative(shrunk(peers, at_risk, pl.col("all_lapse_rate")), pl.col("all_lapse_rate")),
        back=12,
        current=True,
    )
    if role in world.many:
        _moves(group, world, role, words)


def _moves(group: Group, world: World, role: str, words: str) -> None:
    bought = pl.col(f"{role}_purchases") - pl.col("_purchases_12")
    group.add(
        f"{role}_purchase_ratio_12m",
        f"purchases in 12 months per other customer of the same {words}, relative to the "
        f"portfolio's",
        "ratio",
        relative(
            shrunk(bought, pl.col(f"{role}_members") - 1, pl.col("all_purchase_rate")),
            pl.col("all_purchase_rate"),
        ),
        back=12,
        back_days=world.gap_days,
        current=True,
    )
    own_before = pl.col("_kept_12") + pl.col("_lost_12")
    before = pl.col(f"{role}_before") - own_before
    now = pl.col(f"{role}_policies") - pl.col("_policies")
    group.add(
        f"{role}_growth_12m",
        f"growth in 12 months of the policies of other customers of the same {words}, minus the "
        f"portfolio's",
        "share",
        (now - before) / (before + WEIGHT) - pl.col("all_growth"),
        back=12,
        current=True,
    )


def _aggregate(tables: Tables) -> Aggregates:
    """Sums over everybody, and over the customers of each adviser, office and region."""
    per_customer = _per_customer(tables)
    sums = pl.col(_SUMS).sum()
    found: Aggregates = {"people": (["t"], per_customer.group_by("t").agg(sums))}
    for role in tables.world.people:
        given = per_customer.filter(pl.col(role).is_not_null())
        found[f"people.{role}"] = (["t", role], given.group_by("t", role).agg(sums))
    return found


def _extend(tables: Tables, aggregates: Aggregates) -> list[Extra]:
    members, policies, before = (pl.col(name) for name in ("members", "policies", "before"))
    overall = aggregates["people"][1].select(
        "t",
        all_members=members,
        all_density=policies / pl.max_horizontal(members, pl.lit(1)),
        all_growth=(policies - before) / (before + WEIGHT),
        all_lapse_rate=pl.col("lapses")
        / pl.max_horizontal(pl.col("policies") + pl.col("lapses"), pl.lit(1)),
        all_contacts_rate=pl.col("contacts") / pl.max_horizontal(members, pl.lit(1)),
        all_claims_rate=pl.col("claims") / pl.max_horizontal(members, pl.lit(1)),
        all_purchase_rate=pl.col("purchases") / pl.max_horizontal(pl.col("members"), pl.lit(1)),
    )
    extras: list[Extra] = [(["t"], overall)]
    for role in tables.world.people:
        keys, sums = aggregates[f"people.{role}"]
        extras.append((keys, sums.rename({name: f"{role}_{name}" for name in _SUMS})))
    return extras


def _per_customer(tables: Tables) -> pl.DataFrame:
    """Per (T, customer), also of those who have left: what they add to their adviser's, office's
    and region's sums.
    """
    parts: dict[Source, dict[str, pl.Expr]] = {
        "held": {
            "members": pl.lit(1),
            "policies": pl.col("_policies"),
            "before": _given(tables, "held", "_kept_12"),
        },
        "gone": {
            "before": _given(tables, "gone", "_lost_12"),
            "lapses": _given(tables, "gone", "_lapses_12"),
        },
        "taken": {"purchases": _given(tables, "taken", "_purchases_12")},
        "contacts": {"contacts": _given(tables, "contacts", "_contacts_12")},
        "claims": {"claims": _given(tables, "claims", "_claims_12")},
    }
    stacked = pl.concat(
        _counted(tables, source).select(
            *KEY, *(values.get(name, pl.lit(0)).cast(pl.Int64).alias(name) for name in _SUMS)
        )
        for source, values in parts.items()
        if source in tables.totals
    )
    return stacked.join(tables.customers.select("customer", *tables.world.people), on="customer")


def _counted(tables: Tables, source: Source) -> pl.DataFrame:
    """The totals of one source; contacts and claims of customers in force only, for they are shared
    out over those.
    """
    totals = tables.totals[source]
    return totals.join(tables.totals["held"], on=KEY, how="semi") if source in _ACTIVE else totals


def _given(tables: Tables, source: Source, name: str) -> pl.Expr:
    known = source in tables.totals and name in tables.totals[source].columns
    return pl.col(name) if known else pl.lit(0)
