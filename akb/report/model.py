"""The report as data: one plain dict with every figure, before a single word or template.

Sections know nothing of HTML; `summary.json`, the page, the figures and the tests all read this dict.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from akb.report.context import Context
from akb.report.plain import plain
from akb.report.sections import (
    actions,
    case,
    determinants,
    evidence,
    leaving,
    outlook,
    portfolio,
    products,
    quality,
    risk,
    segments,
    worth,
)

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def build(bundle: RunBundle, context: Context | None = None) -> dict[str, Any]:
    """Return the report model of a run: plain JSON types only, figures suppressed where they must be.

    Money in integer cents, shares and chances in [0, 1], dates as ISO text; unknown and not applicable are None.

    Parameters
    ----------
    context
        Of the same bundle, with what others made of it already; a new one if None.
    """
    context = context or Context(bundle)
    sections: dict[str, Any] = {
        "portfolio": portfolio.facts(context),
        "leaving": leaving.facts(context),
        "risk": risk.facts(context),
        "worth": worth.facts(context),
        "products": products.facts(context),
        "segments": segments.facts(context),
        "case": case.facts(context),
        "actions": actions.facts(context),
        "outlook": outlook.facts(context),
        "quality": quality.facts(context),
        "evidence": evidence.facts(context),
        "determinants": determinants.facts(context),
    }
    model = {
        "as_of": context.as_of,
        "client": bundle.settings.client.name,
        "client_type": bundle.settings.client.type,
        "suppress_below": context.limit,
        "headlines": headlines(sections),
        **sections,
        "assumptions": _register(bundle),
        "ladder": context.ladder,
        "method": _method(context),
        "value": dict(bundle.value.figures) if bundle.value else {},
    }
    plainly: dict[str, Any] = plain(model)
    case_ = bundle.value.case if bundle.value else None
    plainly["case"]["basis"] = case_.basis if case_ else None  # to the bit: figures are computed on it
    return plainly


def headlines(sections: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most five figures for the first screen, each with its mark and, unless counted, its range."""
    found: list[dict[str, Any]] = [_headline("customers", "counted", sections["portfolio"]["customers"])]
    commission = sections["portfolio"]["commission_cents"]
    if commission is not None:
        found.append(_headline("commission", sections["portfolio"]["commission_mark"], commission))
    year = next(iter(sections["leaving"]["years"]), None)
    if year and year["customer_churn"] is not None:
        found.append(_headline("churn", "counted", year["customer_churn"]))
    ahead = sections["risk"]["horizons"]
    if ahead and ahead[-1]["months"] == 12:
        found.append(_headline("leavers", "predicted", ahead[-1]["expected"], ahead[-1]["low"], ahead[-1]["high"]))
    if sections["case"]["available"]:
        net = sections["case"]["cohort"]["net"]
        found.append(_headline("net", "assumed", net["base"], net["low"], net["high"]))
    return found[:5]


def _headline(key: str, mark: str, value: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"key": key, "mark": mark, "value": value, "low": low, "high": high}


def _register(bundle: RunBundle) -> list[dict[str, Any]]:
    return [{"key": key, **assumption.model_dump()} for key, assumption in sorted(bundle.settings.assumed().items())]


def _method(context: Context) -> dict[str, Any]:
    bundle = context.bundle
    groups: dict[str, int] = {}
    for feature in bundle.features:
        groups[feature.group] = groups.get(feature.group, 0) + 1
    churn = bundle.predictions.get("churn_12m")
    evidence_ = churn.evidence if churn else None
    importance = [row for row in (bundle.models.importance if bundle.models else ()) if row[0].startswith("churn")]
    known = {feature.name for feature in bundle.features}
    importance = [row for row in importance if row[1] in known or not known]
    importance.sort(key=lambda row: (row[0], -row[2], row[1]))
    return {
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
        "versions": [{"library": name, "version": version} for name, version in sorted(bundle.versions.items())],
    }


def _winners(bundle: RunBundle) -> list[dict[str, Any]]:
    won = Counter(prediction.winner for prediction in bundle.predictions.values() if prediction.winner)
    return [{"winner": name, "predictions": count} for name, count in sorted(won.items(), key=lambda w: (-w[1], w[0]))]
