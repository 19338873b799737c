"""Annex: how the figures were made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from akb.core.typed import made
from akb.report.chapters.method import determinants
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle
    from akb.report.context import Context


@dataclass(frozen=True)
class FeatureGroupSize:
    """A group of features."""

    group: str
    features: int


@dataclass(frozen=True)
class FeatureWeight:
    """What a feature weighs."""

    feature: str
    words: str
    share: float


@dataclass(frozen=True)
class WinnerCount:
    """How many predictions a kind of model won."""

    winner: str
    predictions: int


@dataclass(frozen=True)
class LibraryVersion:
    """A library and its version."""

    library: str
    version: str


@dataclass(frozen=True)
class MethodFacts(Facts):
    """How the figures were made."""

    KEY: ClassVar[str] = "method"

    gap_days: int
    lag_days: int
    history_months: int
    recorded_from: date | None
    features: int
    feature_groups: tuple[FeatureGroupSize, ...]
    test_date: date | None
    train_dates: tuple[date, ...]
    train_rows: int | None
    importance: tuple[FeatureWeight, ...]
    winners: tuple[WinnerCount, ...]
    seed: int
    versions: tuple[LibraryVersion, ...]


def facts(context: Context) -> MethodFacts:
    """Return dates, models, features and versions behind the figures."""
    bundle = context.bundle
    groups: dict[str, int] = {}
    for feature in bundle.features:
        groups[feature.group] = groups.get(feature.group, 0) + 1
    churn = bundle.predictions.get("churn_12m")
    evidence_ = churn.evidence if churn else None
    importance = [
        row
        for row in (bundle.models.importance if bundle.models else ())
        if row[0].startswith("churn")
    ]
    known = {feature.name for feature in bundle.features}
    importance = [row for row in importance if row[1] in known or not known]
    importance.sort(key=lambda row: (row[0], -row[2], row[1]))
    given = {
        "gap_days": bundle.settings.time.gap_days,
        "lag_days": bundle.settings.time.registration_lag_days,
        "history_months": bundle.portfolio.history.months,
        "recorded_from": bundle.portfolio.history.recorded_from,
        "features": len(bundle.features),
        "feature_groups": [{"group": group, "features": count} for group, count in groups.items()],
        "test_date": evidence_.test_date if evidence_ else None,
        "train_dates": evidence_.train_dates if evidence_ else (),
        "train_rows": evidence_.train_rows if evidence_ else None,
        "importance": [
            {"feature": feature, "words": context.words.feature_name(feature), "share": share}
            for _, feature, share in importance[:10]
        ],
        "winners": _winners(bundle),
        "seed": bundle.settings.models.seed,
        "versions": [
            {"library": name, "version": version}
            for name, version in sorted(bundle.versions.items())
        ],
    }
    return made(MethodFacts, given)


def _winners(bundle: RunBundle) -> list[dict[str, Any]]:
    won = Counter(
        prediction.winner for prediction in bundle.predictions.values() if prediction.winner
    )
    return [
        {"winner": name, "predictions": count}
        for name, count in sorted(won.items(), key=lambda w: (-w[1], w[0]))
    ]


FACTS = (facts, determinants.facts)
