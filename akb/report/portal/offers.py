"""What customers lack beside comparable ones, and the policies that suit them best, in bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.report.files.list_columns import MOST
from akb.report.portal.people import band_of

if TYPE_CHECKING:
    from akb.report.context import Context

GAPS = 4
"""Most covers that a card tells are missing."""
_EFFECT = (-10.0, -5.0, -2.5, -1.0)
"""Points of leaving between two bands of lower leaving; see `effect_band`."""
NO_EFFECT, HIGHER = 1, 7


def missing(context: Context) -> pl.DataFrame:
    """Return the covers that most comparable customers hold and these do not: customer, branch,
    ``tenths``.
    """
    models = context.bundle.models
    schema = {"customer": pl.UInt32, "branch": pl.String, "tenths": pl.Int64}
    needs = (
        []
        if models is None
        else [name for name in models.scores.columns if name.startswith("need_")]
    )
    if models is None or not needs:
        return pl.DataFrame(schema=schema)
    return (
        models.scores.select("customer", *needs)
        .rename({name: name.removeprefix("need_") for name in needs})
        .unpivot(index="customer", variable_name="branch", value_name="share")
        .with_columns(pl.col("share").cast(pl.Float64).fill_nan(None))
        .filter(pl.col("share") >= MOST)
        .join(
            context.held.select("customer", "branch").unique(),
            on=["customer", "branch"],
            how="anti",
        )
        .sort(["customer", "share", "branch"], descending=[False, True, False])
        .with_columns(place=pl.int_range(pl.len()).over("customer"))
        .filter(pl.col("place") < GAPS)
        .select(
            "customer", "branch", tenths=(10 * pl.col("share")).round().clip(1, 9).cast(pl.Int64)
        )
    )


def best_offers(context: Context) -> pl.DataFrame:
    """Return the next best policies, best first, with ``chance`` and ``effect`` in bands.

    Empty where later data did not show that the order holds.
    """
    value = context.bundle.value
    schema = {
        "customer": pl.UInt32,
        "place": pl.Int64,
        "branch": pl.String,
        "chance": pl.Int64,
        "effect": pl.Int64,
        "euros": pl.Float64,
        "ban": pl.Boolean,
    }
    if value is None or value.offers is None or "next_best_policy" in context.withheld:
        return pl.DataFrame(schema=schema)
    table = value.offers.sort("customer", "place")
    chance = table["probability"].cast(pl.Float64).to_numpy()
    return table.with_columns(
        chance=band_of(chance, "chance", table.height),
        effect=_effects(context, table),
        euros=pl.col("commission_cents") / 100,
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _effects(context: Context, table: pl.DataFrame) -> pl.Series:
    """Return the band of the difference in leaving of each row's branch; null where nobody made
    it.
    """
    models = context.bundle.models
    codes = np.zeros(table.height, dtype=np.int64)
    if models is None:
        return pl.Series(codes).replace(0, None)
    shown = _beyond_chance(models.effects)
    scored = models.scores.select("customer").with_row_index("place")
    rows = table.select("customer", "branch").with_row_index("row")
    found = rows.join(scored, on="customer", maintain_order="left")
    for (branch,), mine in found.group_by("branch"):
        name = f"churn_effect_{branch}"
        if name not in models.scores.columns:
            continue
        points = models.scores[name].gather(mine["place"])
        values = points.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        band = effect_band(values) if branch in shown else NO_EFFECT
        codes[mine["row"].to_numpy()] = band * ~np.isnan(values)
    return pl.Series(codes).replace(0, None)


def effect_band(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the band of a difference in points: 2 (holders leave a little less) to 6, and 7 where
    they leave more.
    """
    lower = HIGHER - 1 - np.searchsorted(_EFFECT, points, side="right")
    return np.where(points >= 0, HIGHER, lower).astype(np.int64)


def _beyond_chance(effects: pl.DataFrame | None) -> frozenset[str]:
    """Return the branches whose holders leave more or less than the 95 % interval leaves room for
    chance.
    """
    if effects is None or effects.is_empty():
        return frozenset()
    clear = effects.filter((pl.col("low") > 0) | (pl.col("high") < 0))
    return frozenset(clear["branch"])
