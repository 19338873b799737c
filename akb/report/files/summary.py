"""``summary.json``: every figure of the report under a documented, versioned schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from akb.report.plain import plain

if TYPE_CHECKING:
    from akb.report.model import ReportModel

SCHEMA = "akb.summary/2"
PREDICTION = (
    "key",
    "name",
    "name_en",
    "counts",
    "status",
    "why",
    "horizon_months",
    "tested_months",
    "order",
    "population",
    "positives",
    "base_rate",
    "auc",
    "auc_ci",
    "average_precision",
    "average_precision_ci",
    "auc_due",
    "auc_due_ci",
    "lift_top_decile",
    "precision_top_decile",
    "precision_ci",
    "brier_skill",
    "deviance_skill",
    "gini",
    "calibration",
    "gate",
    "grade",
    "winner",
    "pooled_weight",
    "test_date",
)
CASE = (
    "cohort", "cash", "running_year", "payback_month", "deepest", "curve", "options",
    "without_predictions", "plan",
    "advice", "sensitivity", "claims", "why_different", "rule_of_thumb", "multiple", "facts",
    "changed",
)  # fmt: skip
_NUMBERS = re.compile(r"\[\s+(-?[\d.eE+-]+(?:,\s+-?[\d.eE+-]+)*)\s+\]")


def summary(model: ReportModel) -> dict[str, Any]:
    """Return the summary of a report.

    The keys up to ``business_case`` are the contract; the facts behind them hold what the report's
    tables and figures show: what a ``data-key`` of the page names. Money in integer cents where the
    key ends in ``_cents`` and throughout ``business_case``."""
    portfolio, case, quality = model["portfolio"], model["case"], model["quality"]
    predictions = model["evidence"]["predictions"]
    return {
        "schema": SCHEMA,
        "as_of": plain(model.as_of),
        "rows": quality["rows"],
        "customers": {"in_force": portfolio["customers"], "former": portfolio["former_customers"]},
        "policies": {"in_force": portfolio["policies"], "signed": portfolio["signed_policies"]},
        "findings": quality["findings"],
        "predictions": [{name: row[name] for name in PREDICTION} for row in predictions],
        "value": plain(model.value),
        "business_case": case_summary(case, model["assumptions"]),
        "case_basis": model.basis,
        "suppress_below": model.suppress_below,
        "headlines": model["summary"]["headlines"],
        "summary": {key: model["summary"][key] for key in ("spread", "decision")},
        **{
            key: model[key]
            for key in model.facts
            if key not in ("case", "evidence", "assumptions", "summary")
        },
        "evidence": {
            key: value for key, value in model["evidence"].items() if key != "predictions"
        },
    }


def as_bytes(document: dict[str, Any]) -> bytes:
    """Return a document as JSON: keys in their own order, UTF-8, never NaN, lists of numbers on one
    line.
    """
    text = json.dumps(
        document, ensure_ascii=False, indent=1, allow_nan=False
    )  # a string holds no bare line break
    flat = _NUMBERS.sub(
        lambda found: f"[{', '.join(found.group(1).split())}]".replace(",,", ","), text
    )
    return (flat + "\n").encode()


def case_summary(case: dict[str, Any], assumptions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the business case and everything it depends on; cents. See
    `akb.value.types.BusinessCase`.
    """
    return {
        "available": case["available"],
        **{name: case.get(name) for name in CASE},
        "missing": case["missing"],
        "assumptions": assumptions,
    }
