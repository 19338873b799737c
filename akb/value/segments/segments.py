"""Seven growth segments and four position segments, as classes; the rules stand in
``configs/segments.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.value.in_force import Floats, InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.revenue.cost import ServiceCost

    Flags = NDArray[np.bool_]

GROWTH = (
    "starter",
    "terugkomer",
    "hete_stijger",
    "warme_stijger",
    "warme_daler",
    "koude_daler",
    "uitgeblust",
)
POSITION = ("kernrelatie", "kernpotential", "toprelatie", "overige_relatie")
PotentialBy = Literal["margin", "commission", "chance"]


@dataclass(frozen=True)
class Segments:
    """The segments of every customer in force, in the order of `InForce.customers`.

    present
        Commission minus the cost to serve, cents a year.
    potential, potential_by
        What new policies are expected to bring: their discounted ``margin`` (clv_potential); where
        no euros may be named, the ``commission`` of a year or the ``chance`` of any new policy.
        Only its order is used.
    """

    growth: tuple[str, ...]
    position: tuple[str, ...]
    present: Floats
    potential: Floats
    potential_by: PotentialBy


def segments(
    base: InForce, cost: ServiceCost, value: Lifetime | None, made: Offers, history: pl.DataFrame
) -> Segments | None:
    """Return the segments of the customers in force; None without commission or without any
    potential.

    Parameters
    ----------
    history
        Every unbroken relation, see `rates.spells`.
    """
    found = _potential(base, value, made)
    if not base.has_commission or found is None:
        return None
    potential, by = found
    present = (base.commission_customer - cost.per_customer(base)).astype(np.float64)
    new, back = newcomers(base.customers["customer"], history, base.as_of)
    return Segments(
        growth=growth_classes(present, potential, new, back),
        position=position_classes(base.commission_customer.astype(np.float64), potential),
        present=present,
        potential=potential,
        potential_by=by,
    )


def class_columns(made: Segments | None, n: int) -> list[pl.Series]:
    """Return the columns ``growth_segment`` and ``position_segment`` of the scores; null without
    segments.
    """
    growth, position = (made.growth, made.position) if made else ([None] * n, [None] * n)
    return [
        pl.Series("growth_segment", growth, dtype=pl.String),
        pl.Series("position_segment", position, dtype=pl.String),
    ]


def growth_classes(present: Floats, potential: Floats, new: Flags, back: Flags) -> tuple[str, ...]:
    """Return the growth segment of every customer: who is new or back first, then present x
    potential return.
    """
    rules = load_toml("segments.toml")["growth"]
    promising = highest(potential, rules["high_potential_share"]) & (potential > 0)
    good = highest(present, rules["high_present_share"])
    top, middle = (highest(present, share) for share in rules["present_thirds"])
    chosen = np.select(
        [back, new, promising & good, promising, top, middle],
        ["terugkomer", "starter", "hete_stijger", "warme_stijger", "warme_daler", "koude_daler"],
        "uitgeblust",
    )
    return tuple(chosen.tolist())


def position_classes(commission: Floats, potential: Floats) -> tuple[str, ...]:
    """Return the position segment: share of the portfolio (high, low) x attractiveness (high,
    low).
    """
    rules = load_toml("segments.toml")["position"]
    large = highest(commission, rules["high_position_share"]) & (commission > 0)
    attractive = highest(potential, rules["high_attractive_share"]) & (potential > 0)
    chosen = np.select(
        [large & attractive, attractive, large],
        ["kernrelatie", "kernpotential", "toprelatie"],
        "overige_relatie",
    )
    return tuple(chosen.tolist())


def highest(values: Floats, share: float) -> Flags:
    """Return who belongs to the `share` with the highest values; who equals the last of them
    belongs to it too.
    """
    if not len(values):
        return np.zeros(0, dtype=np.bool_)
    last = np.sort(values)[::-1][max(0, round(share * len(values)) - 1)]
    out: Flags = values >= last
    return out


def newcomers(customers: pl.Series, history: pl.DataFrame, day: date) -> tuple[Flags, Flags]:
    """Return who of the `customers` on a `day` is one for less than two years, and who is back for
    at most two.

    Who left before ended policies were recorded and came back looks new: the export does not know
    better."""
    rules = load_toml("segments.toml")["growth"]
    begun = (pl.col("start") <= day) & (pl.col("end").is_null() | (pl.col("end") > day))
    now = (
        history.sort("customer", "start")
        .with_columns(earlier=pl.int_range(pl.len()).over("customer"))
        .filter(begun)
        .unique("customer", keep="last", maintain_order=True)
    )
    since = customers.to_frame("customer").join(
        now, on="customer", how="left", maintain_order="left"
    )
    fresh = since["start"] > add_months(day, -rules["new_months"])
    returned = (since["start"] >= add_months(day, -rules["returned_months"])) & (
        since["earlier"] > 0
    )
    return fresh.fill_null(value=False).to_numpy(), returned.fill_null(value=False).to_numpy()


def unit_rows(base: InForce, made: Segments, names: Sequence[str | None]) -> list[dict[str, Any]]:
    """Return the units with their own segments: rows {key, customers, commission, per_customer,
    growing, position}.

    A unit's position is its commission, its attractiveness the mean potential of its customers;
    `growing` is the share of its customers in the segments hete and warme stijger. Empty with too
    few units to compare.

    Parameters
    ----------
    names
        The unit of every customer; None where it has none that may be named.
    """
    table = (
        pl.DataFrame(
            {
                "key": pl.Series(names, dtype=pl.String),
                "commission": base.commission_customer,
                "potential": made.potential,
                "growing": [name.endswith("stijger") for name in made.growth],
            }
        )
        .drop_nulls("key")
        .group_by("key", maintain_order=True)
        .agg(
            pl.len().alias("customers"),
            pl.col("commission").sum(),
            pl.col("potential", "growing").mean(),
        )
        .filter(pl.col("customers") >= base.settings.report.suppress_below)
        .sort("commission", "key", descending=[True, False])
    )
    if table.height < load_toml("segments.toml")["unit"]["minimum_units"]:
        return []
    position = position_classes(
        table["commission"].cast(pl.Float64).to_numpy(), table["potential"].to_numpy()
    )
    return [
        {
            "key": row["key"],
            "customers": row["customers"],
            "commission": row["commission"],
            "per_customer": round(row["commission"] / row["customers"]),
            "growing": row["growing"],
            "position": own,
        }
        for row, own in zip(table.to_dicts(), position, strict=True)
    ]


def _potential(
    base: InForce, value: Lifetime | None, made: Offers
) -> tuple[Floats, PotentialBy] | None:
    """Return the best measure of potential return at hand: euros over the lifetime, euros a year, a
    chance.
    """
    if value is not None and (value.potential > 0).any():
        return value.potential.astype(np.float64), "margin"
    expected = made.expected_commission(base.n)
    if (expected > 0).any():
        return expected.astype(np.float64), "commission"
    chance = base.score("cross_sell_any_12m")
    if chance is None:
        return None
    return np.nan_to_num(chance, nan=0.0), "chance"
