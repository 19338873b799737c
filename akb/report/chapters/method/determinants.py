"""Annex C: what goes together with leaving, value and buying in this portfolio. Association, no
cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.typed import made
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.models.types import Determinants, LocalEffect
    from akb.report.context import Context

SHOWN = 6
"""Groups of features per outcome in the table; the others weigh little."""


@dataclass(frozen=True)
class GroupShare:
    """What a group of features weighs."""

    group: str
    words: str
    share: float
    low: float
    high: float
    telling: bool


@dataclass(frozen=True)
class EffectPoint:
    """A point of an effect."""

    value: float
    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class FeatureEffect:
    """How a feature moves an outcome."""

    feature: str
    words: str
    lowest: EffectPoint
    highest: EffectPoint
    points: tuple[EffectPoint, ...]


@dataclass(frozen=True)
class Outcome:
    """What goes together with one outcome."""

    key: str
    name: str
    test_date: date
    population: int
    groups: tuple[GroupShare, ...]
    effects: tuple[FeatureEffect, ...]


@dataclass(frozen=True)
class DeterminantFacts(Facts):
    """What goes together with every outcome that was looked at."""

    KEY: ClassVar[str] = "determinants"

    rows: tuple[Outcome, ...]


def facts(context: Context) -> DeterminantFacts:
    """Return per outcome the weight of each group of features and the effects of the heaviest
    features.
    """
    models = context.bundle.models
    names = {entry.key: context.of_entry(entry, "name") for entry in context.bundle.entries}
    found = () if models is None else models.determinants
    rows = [
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
    return made(DeterminantFacts, {"rows": rows})


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
    """The curve, and its lowest and highest point: between which values the chance moves, and by
    how much.
    """
    keys = ("value", "effect", "low", "high")
    points = [dict(zip(keys, point, strict=True)) for point in effect.points]
    return {
        "feature": effect.feature,
        "words": context.words.feature_name(effect.feature),
        "lowest": min(points, key=lambda point: point["effect"]),
        "highest": max(points, key=lambda point: point["effect"]),
        "points": points,
    }
