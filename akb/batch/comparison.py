"""``comparison.json``: the offices beside each other, in totals only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.privacy.disclosure import few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.batch.steps import OfficePreview, OfficeRun
    from akb.config import Settings
    from akb.pipeline import Request
    from akb.value.actuarial.sisters import OfficeExperience

SCHEMA = "akb.batch/1"


def comparison(
    requests: Mapping[str, Request],
    previews: Mapping[str, OfficePreview],
    runs: Mapping[str, OfficeRun],
    limit: int,
) -> dict[str, Any]:
    """Return the document.

    Returns
    -------
    dict
        ``offices`` rows {office, status: made | failed, error, as_of, customers, policies,
        policies_per_customer, commission_cents, left, lapsed (shares of the last closed year),
        level (lapses against what the others' rates expect, credibility-weighted), level_weight,
        expected, low, high (lapses in the coming 12 months), own, sisters, sources (weights of that
        figure), made, proven (predictions), issues}; figures of fewer customers than the limit are
        None. ``branches`` rows {branch, name, years, lapses, rate} of all offices together.
    """
    known = {name: each.experience for name, each in previews.items() if each.experience}
    settings = next(iter(requests.values())).settings
    rows = []
    for name in requests:
        error = previews[name].error or runs[name].error
        if error:
            rows.append({"office": name, "status": "failed", "error": error})
            continue
        row = _office(runs[name].summary, limit) | _level(name, known, requests[name].settings)
        rows.append({"office": name, "status": "made", "error": "", **row})
    return {
        "schema": SCHEMA,
        "suppress_below": limit,
        "offices": rows,
        "branches": _branches(known, settings, limit),
    }


def _office(summary: Mapping[str, Any], limit: int) -> dict[str, Any]:
    customers = summary["customers"]["in_force"]
    shown = few(customers, limit) is not None
    portfolio, year = summary["portfolio"], summary["leaving"].get("last_year") or {}
    small = summary["outlook"].get("small") or {}
    sisters = (small.get("sisters") or {}).get("weight", 0.0)
    figures = {
        "customers": customers,
        "policies": portfolio["policies"],
        "policies_per_customer": portfolio["policies_per_customer"],
        "commission_cents": portfolio["commission_cents"],
        "left": year.get("customer_churn"),
        "lapsed": None if _few_lapses(year, limit) else year.get("policy_lapse"),
        "expected": small.get("expected"),
        "low": small.get("low"),
        "high": small.get("high"),
        "own": small.get("weight"),
        "sisters": sisters if small else None,
        "sources": 1.0 - small["weight"] - sisters if small else None,
    }
    evidence = summary["evidence"]
    return {
        "as_of": summary["as_of"],
        **(figures if shown else dict.fromkeys(figures)),
        "made": evidence["made"],
        "proven": evidence["proven"],
        "issues": sum(finding["severity"] == "issue" for finding in summary["findings"]),
    }


def _few_lapses(year: Mapping[str, Any], limit: int) -> bool:
    return few(year.get("lapsed") or 0, limit) is None


def _level(
    name: str, known: Mapping[str, OfficeExperience], settings: Settings
) -> dict[str, float | None]:
    """Return an office's lapses against the rates of the others, on its own branches."""
    from akb.value.actuarial.credibility import drawn
    from akb.value.actuarial.sisters import prior_of, sisters_of

    made, own = sisters_of(name, known, settings), known.get(name)
    if own is None or not own.branches or not made.offices:
        return {"level": None, "level_weight": None}
    prior = prior_of(settings.model_copy(update={"sisters": made}))
    due = sum(
        years * prior.rates[key] for key, (years, _) in own.branches.items() if key in prior.rates
    )
    ended = sum(lapses for key, (_, lapses) in own.branches.items() if key in prior.rates)
    found = drawn(ended, due, prior.spread, own.dispersion)
    return {"level": found.ratio, "level_weight": found.weight}


def _branches(
    known: Mapping[str, OfficeExperience], settings: Settings, limit: int
) -> list[dict[str, Any]]:
    total: dict[str, tuple[float, int]] = {}
    for each in known.values():
        for key, (years, lapses) in each.branches.items():
            before = total.get(key, (0.0, 0))
            total[key] = (before[0] + years, before[1] + lapses)
    taxonomy, rows = settings.taxonomy(), []
    for key, (years, lapses) in sorted(total.items(), key=lambda each: (-each[1][0], each[0])):
        shown = few(lapses, limit) is not None and years > 0
        names = taxonomy.get(key)
        rows.append(
            {
                "branch": key,
                "name": names.name_nl if names else key,
                "name_en": names.name_en if names else key,
                "years": years,
                "lapses": lapses if shown else None,
                "rate": lapses / years if shown else None,
            }
        )
    return rows
