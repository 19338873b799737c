"""Gate for euros and grade for readers, exactly as design.md (Models) fixes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.gates import level_gate, order_holds

if TYPE_CHECKING:
    from akb.models.types import Evidence, Gate, Grade


def gate(evidence: Evidence | None) -> Gate:
    """Return whether euros may rest on this level, see `akb.core.gates.level_gate`; ``none`` without evidence."""
    if evidence is None or evidence.calibration is None:
        return "none"
    return level_gate(evidence.tested, evidence.calibration.ci, evidence.calibration.slope_ci)


def grade(evidence: Evidence | None, gate: Gate, events: float, test_dates: int, *, gain_significant: bool) -> Grade:
    """Return how far a reader may lean on a prediction.

    Parameters
    ----------
    events
        Events on T0.
    test_dates
        Dates with evidence.
    gain_significant
        Whether the gain over the best simpler rival is above zero at 95 %.

    Notes
    -----
    *strong*: 200 events, two test dates, gate passed, gain significant; *usable*: 100 events, one date and a gate that
    did not fail; *insufficient*: fewer than 50 events, or the AUC's interval includes chance; else *indicative*: ranks
    only. ``none`` without any evidence.
    """
    if evidence is None or test_dates < 1:
        return "none"
    if not order_holds(events, evidence.auc_ci):
        return "insufficient"
    if events >= 200 and test_dates >= 2 and gate == "pass" and gain_significant:
        return "strong"
    if events >= 100 and gate in ("pass", "provisional"):
        return "usable"
    return "indicative"
