"""Annex C: what goes together with leaving, value and buying in this portfolio. Association, no cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from akb.models.types import Determinants, LocalEffect
    from akb.report.context import Context

SHOWN = 6
"""Groups of features per outcome in the table; the others weigh little."""


def facts(context: Context) -> list[dict[str, Any]]:
    """Return per outcome the weight of each group of features and the effects of the heaviest features."""
    models = context.bundle.models
    names = {entry.key: entry.name_nl for entry in context.bundle.entries}
    found = () if models is None else models.determinants
    return [
        {
            "key": each.key,
            "name": context.words.reworded(names.get(each.key, each.key)),
            "test_date": each.test_date,
            "population": each.population,
            "groups": _groups(context, each),
            "effects": [_effect(context, effect) for effect in each.effects],
        }
        for each in found
        if each.population >= context.limit and each.events >= context.limit
    ]


def _groups(context: Context, found: Determinants) -> list[dict[str, Any]]:
    return [
        {
            "group": each.group,
            "words": context.words.name("feature_group", each.group),
            "share": each.share,
            "low": each.ci[0],
            "high": each.ci[1],
            "telling": each.ci[0] > 0,
        }
        for each in found.groups[:SHOWN]
    ]


def _effect(context: Context, effect: LocalEffect) -> dict[str, Any]:
    """The curve, and its lowest and highest point: between which values the chance moves, and by how much."""
    keys = ("value", "effect", "low", "high")
    points = [dict(zip(keys, point, strict=True)) for point in effect.points]
    return {
        "feature": effect.feature,
        "words": context.words.feature_name(effect.feature),
        "lowest": min(points, key=lambda point: point["effect"]),
        "highest": max(points, key=lambda point: point["effect"]),
        "points": points,
    }
