"""Section 4: customers at risk. Predicted; what was measured on later data stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.disclosure import few
from akb.core.gates import FEW_EVENTS
from akb.describe import relations
from akb.report.context import group_sum
from akb.report.formats import short_code

if TYPE_CHECKING:
    from akb.models.types import Calibration, Prediction
    from akb.report.context import Context, Row

HORIZONS = (1, 3, 6, 12)
BANDS = ((0.0, 0.05), (0.05, 0.075), (0.075, 0.10), (0.10, 0.20), (0.20, 1.0))
CAUSES = ("natural", "insurer", "preventable")
SHOWN = 10
REASONS = 3
SAME_NEWS = dict.fromkeys(("coverage", "branches", "insurers"), "holdings")
"""Groups of features that tell an adviser the same: how much, and how little, a customer has here."""


def facts(context: Context) -> dict[str, Any]:
    """Return expected leavers per horizon and cause, bands, announced ends, the proof and the first of the list."""
    announced = relations.announced(context.bundle.portfolio, context.relations)
    announced = announced.join(context.customers.select("customer"), on="customer", how="semi")
    known = announced.height
    horizons = [row for months in HORIZONS if (row := _horizon(context, months)) is not None]
    shown = context.shown(*(f"churn_{months}m" for months in reversed(HORIZONS)))
    missing = [] if horizons else ["churn"]
    return {
        "announced": None if 0 < known < context.limit else known,
        "announced_suppressed": 0 < known < context.limit,
        "horizons": horizons,
        "order": shown.order,
        "order_words": shown.order_words(),
        "withheld": withheld(context).get("top_defend"),
        "causes": _causes(context, horizons),
        "bands": _bands(context, horizons),
        "proof": proof(context, [f"churn_{months}m" for months in reversed(HORIZONS)]),
        "defend": _defend(context),
        "pair": _pair(context),
        "missing": missing,
    }


def level_range(total: float, prediction: Prediction | None, most: float) -> tuple[float, float] | None:
    """Return `total` times the 90 % interval of observed / expected on the last test: round it, in [0, `most`].

    None where the level was not tested over its own horizon.
    """
    level = own_level(prediction)
    if level is None:
        return None
    low, high = level.ci
    return min(total, total * low), max(total, min(most, total * high))


def corrected(
    modelled: float, prediction: Prediction | None, most: float, certain: float = 0.0
) -> tuple[float, float | None, float | None]:
    """Return an expected number as the last test corrected it, and its 90 % interval: round it, in [0, `most`].

    Parameters
    ----------
    certain
        The part of `modelled` that is announced: it comes whatever the level of the others is.
    """
    ratio, level = correction(prediction), own_level(prediction)
    left, room = modelled - certain, most - certain
    point = min(room, left if ratio is None else left * ratio)
    if level is None:
        return certain + point, None, None
    low, high = (left * bound for bound in level.ci)
    return certain + point, certain + min(point, low), certain + max(point, min(room, high))


def own_level(prediction: Prediction | None) -> Calibration | None:
    """Return the level that was tested over the prediction's own horizon: one over a shorter one says nothing of it."""
    if prediction is None or prediction.evidence is None or prediction.evidence_months is not None:
        return None
    return prediction.evidence.calibration


def correction(prediction: Prediction | None) -> float | None:
    """Return observed / expected of the last test, where enough happened in it to correct a figure by."""
    level = own_level(prediction)
    if level is None or prediction is None or prediction.shown.events < FEW_EVENTS:
        return None
    return level.observed_expected


def withheld(context: Context) -> dict[str, str]:
    """Return list -> why it is not delivered."""
    value = context.bundle.value
    made: Any = value.figures.get("actions") if value else None
    found: dict[str, str] = (made or {}).get("withheld", {})
    return found


def _horizon(context: Context, months: int) -> Row | None:
    chance = context.score(f"churn_{months}m")
    if chance is None:
        return None
    prediction = context.bundle.predictions.get(f"churn_{months}m")
    modelled = float(np.nansum(chance))
    certain = float((chance >= 1.0).sum())  # only an announced end is, and it comes whatever the level of the others is
    expected, low, high = corrected(modelled, prediction, float(chance.size), certain)
    return {
        "months": months,
        "expected": expected,
        "modelled": modelled,
        "certain": certain,
        "correction": correction(prediction),
        "low": low,
        "high": high,
        "share": expected / chance.size,
        "grade": prediction.grade if prediction else "none",
    }


def _causes(context: Context, horizons: list[Row]) -> list[Row]:
    """Return the expected leavers by cause, which add up to those of the year: corrected as they are."""
    ratio, certain = _corrected_by(context, horizons)
    rows: list[Row] = []
    for cause in CAUSES:
        chance = context.score(f"churn_{cause}_12m")
        if chance is not None:
            expected = float(np.nansum(chance[certain])) + ratio * float(np.nansum(chance[~certain]))
            rows.append({"cause": cause, "expected": expected})
    return rows


def _corrected_by(context: Context, horizons: list[Row]) -> tuple[float, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return by what a year's chances are corrected, and whose end is announced and therefore is not."""
    year = next((row for row in horizons if row["months"] == HORIZONS[-1]), None)
    whole = context.score(f"churn_{HORIZONS[-1]}m")
    certain = np.zeros(len(context.customers), dtype=bool) if whole is None else whole >= 1.0
    left = year["modelled"] - year["certain"] if year else 0.0
    return (year["expected"] - year["certain"]) / left if year and left > 0 else 1.0, certain


def _bands(context: Context, horizons: list[Row]) -> list[Row]:
    chance = context.score("churn_12m")
    if chance is None:
        return []
    known = ~np.isnan(chance)
    place = np.searchsorted([lower for lower, _ in BANDS[1:]], chance[known], side="right")
    customers = np.bincount(place, minlength=len(BANDS))
    ratio, certain = _corrected_by(context, horizons)
    modelled = group_sum(chance[known], place, len(BANDS))
    expected = group_sum(np.where(certain, chance, ratio * chance)[known], place, len(BANDS))
    cents = context.customers["commission_cents"].to_numpy()[known]
    total = sum(expected)
    rows = [
        {
            "lower": lower,
            "upper": upper,
            "customers": int(customers[i]),
            "share": int(customers[i]) / int(known.sum()),
            "expected": expected[i],
            "share_expected": expected[i] / total if total else None,
            "mean": modelled[i] / int(customers[i]) if customers[i] else None,
            "commission_cents": int(cents[place == i].sum()) if context.has_commission else None,
        }
        for i, (lower, upper) in enumerate(BANDS)
    ]
    return context.suppressed(rows, keep=("lower", "upper"), parts=True)


def proof(context: Context, keys: list[str]) -> dict[str, Any] | None:
    """Return what the first of `keys` with a proven order showed: of 100 in its top tenth, and of 100 at random."""
    for key in keys:
        prediction = context.bundle.predictions.get(key)
        evidence = prediction.evidence if prediction else None
        if prediction is None or evidence is None or prediction.order != "proven":
            continue
        if evidence.precision_top_decile is not None and evidence.base_rate:
            return {
                "key": key,
                "months": prediction.tested_months,
                "test_date": evidence.test_date,
                "population": evidence.population,
                "listed": round(evidence.population / 10),
                "precision": evidence.precision_top_decile,
                "base_rate": evidence.base_rate,
                "lift": evidence.precision_top_decile / evidence.base_rate,
                "grade": prediction.grade,
            }
    return None


def _defend(context: Context) -> dict[str, Any] | None:
    """Return the Top Defend list: its size, what is expected of it, and its first rows by pseudonym."""
    value = context.bundle.value
    listed = value.lists.get("top_defend") if value else None
    if value is None or listed is None or listed.is_empty():
        return None
    chance = context.score("churn_12m")
    order = context.customers["customer"].to_numpy()
    on_list = np.isin(order, listed["customer"].to_numpy())
    rows = first_rows(context, listed)
    planned = int(listed["contact"].sum()) if "contact" in listed.columns else None
    return {
        "customers": listed.height,
        "planned": None if planned is None else few(planned, context.limit),
        "planned_few": planned is not None and 0 < planned < context.limit,
        "expected": float(np.nansum(chance[on_list])) if chance is not None else None,
        "share": float(np.nanmean(chance[on_list])) if chance is not None and on_list.any() else None,
        "share_all": float(np.nanmean(chance)) if chance is not None else None,
        "left_out": left_out(context, value.left_out.get("top_defend", {})),
        "rows": rows,
    }


def _pair(context: Context) -> list[Row] | None:
    """Return the two customers that the value room sets side by side, if the second has more to keep right now."""
    pair: Any = context.bundle.value.figures.get("pair") if context.bundle.value else None
    if not pair:
        return None
    rows = [
        {**row, "customer": short_code(row["customer"]), "at_risk": round(row["churn_12m"] * row["value_at_stake"])}
        for row in (pair["high_commission"], pair["high_stake"])
    ]
    return rows if rows[1]["at_risk"] > rows[0]["at_risk"] else None


def left_out(context: Context, counts: dict[str, int]) -> dict[str, int | None]:
    """Return reason -> customers left out, None where too few to show."""
    return {reason: None if count < context.limit else count for reason, count in counts.items() if count}


def first_rows(context: Context, listed: pl.DataFrame, count: int = SHOWN) -> list[Row]:
    """Return the first rows to be contacted (no control group): pseudonym, kind, office, scores, three reasons each."""
    called = listed.filter(~pl.col("control")) if "control" in listed.columns else listed
    top = (called.sort("rank") if "rank" in called.columns else called).head(count)
    who = context.customers.select(
        "customer", "pseudonym", "kind", "office", "policies", "commission_cents", place=pl.int_range(pl.len())
    )
    # The lists hold the office as it is written, `who` only if enough customers share it to name it.
    joined = top.drop("office", strict=False).join(who, on="customer", how="left", suffix="_now", maintain_order="left")
    scores = {key: context.score(key) for key in ("churn_3m", "churn_12m", "churn_preventable_12m", "clv")}
    reasons = worded_reasons(context)
    rows: list[Row] = []
    for rank, row in enumerate(joined.to_dicts(), start=1):
        place = row.get("place")
        numbers = {key: _at(values, place) for key, values in scores.items()}
        rows.append(
            {
                "rank": row.get("rank", rank),
                "customer": short_code(row["pseudonym"]),
                "kind": row["kind"],
                "office": row["office"],
                "policies": row["policies"],
                "commission_cents": row["commission_cents"] if context.has_commission else None,
                **numbers,
                "value_at_stake": row.get("value_at_stake"),
                "expected_saving": row.get("expected_saving"),
                "best_contact": row.get("best_contact"),
                "contact": row.get("contact"),
                "reasons": reasons.get(row["customer"], []),
            }
        )
    return rows


def worded_reasons(context: Context) -> dict[int, list[str]]:
    """Return customer -> why the chance of leaving is high, in words, strongest first, at most three.

    One per group of features: "one policy" and "one branch" are the same news. What is true of everybody like this
    customer (all policies of who has one renew on one day) is no news either.
    """
    models = context.bundle.models
    like = _like(context)
    group = {feature.name: feature.group for feature in context.bundle.features}
    found: dict[int, dict[str, str]] = {}
    for reason in models.reasons if models else ():
        mine = found.setdefault(reason.customer, {})
        # the models' own columns, such as the month ahead, are no reason that a person can use
        idea = SAME_NEWS.get(group.get(reason.feature, ""), group.get(reason.feature))
        if reason.contribution <= 0 or idea is None or idea in mine or len(mine) == REASONS:
            continue
        if context.words.trivial(reason.feature, reason.value, like.get(reason.customer, ())):
            continue
        worded = context.words.reason(reason.feature, reason.value)
        if worded:
            mine[idea] = worded
    return {customer: list(mine.values()) for customer, mine in found.items()}


def _like(context: Context) -> dict[int, tuple[str, ...]]:
    """Return customer -> what he is, as ``configs/trivial.toml`` names it."""
    told = context.customers.select("customer", "kind", "policies").iter_rows()
    return {customer: (kind, *(["one_policy"] if policies == 1 else [])) for customer, kind, policies in told}


def _at(values: np.ndarray[Any, Any] | None, place: int | None) -> float | None:
    return None if values is None or place is None or np.isnan(values[place]) else float(values[place])
