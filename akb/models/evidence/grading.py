"""Gate for euros and grade for readers, the thresholds stand here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from akb.core.gates import level_gate, order_holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from akb.models.types import Evidence, Gate, Grade, Prediction

STRONG_EVENTS = 200  # in the test window
ALPHA = 0.05  # of all gains together (`holm`)


def gate(evidence: Evidence | None) -> Gate:
    """Return whether euros may rest on this level, see `akb.core.gates.level_gate`; ``none``
    without evidence.

    Examples
    --------
    >>> gate(None)
    'none'
    """
    if evidence is None or evidence.calibration is None:
        return "none"
    return level_gate(evidence.tested, evidence.calibration.ci, evidence.calibration.slope_ci)


def grade(
    evidence: Evidence | None, gate: Gate, events: float, test_dates: int, *, gain_significant: bool
) -> Grade:
    """Return how far a reader may lean on a prediction.

    Parameters
    ----------
    events
        Events on the test date.
    test_dates
        Dates with evidence that chose nothing.
    gain_significant
        Whether the gain over the best simpler rival on the test date is above zero at 95 %, see
        `holm`.

    Notes
    -----
    *strong*: 200 events, two test dates, gate passed, gain significant; *usable*: 100 events, one
    date and a gate that did not fail; *insufficient*: fewer than 50 events, or the AUC's interval
    includes chance; else *indicative*: ranks only. ``none`` without any evidence.

    Examples
    --------
    >>> from akb.models.types import Evidence
    >>> shown = Evidence(auc=0.7, auc_ci=(0.66, 0.74))
    >>> grade(shown, "pass", 250, 2, gain_significant=True)
    'strong'
    >>> grade(shown, "provisional", 250, 2, gain_significant=True)
    'usable'
    >>> grade(shown, "fail", 250, 2, gain_significant=True)
    'indicative'
    """
    if evidence is None or test_dates < 1:
        return "none"
    if not order_holds(events, evidence.auc_ci):
        return "insufficient"
    if events >= STRONG_EVENTS and test_dates >= 2 and gate == "pass" and gain_significant:
        return "strong"
    if events >= 100 and gate in ("pass", "provisional"):
        return "usable"
    return "indicative"


def significant(gain_p: float | None) -> bool:
    """Return whether one gain on its own is above zero at 95 %.

    Examples
    --------
    >>> significant(0.04), significant(0.06), significant(None)
    (True, False, False)
    """
    return gain_p is not None and gain_p < ALPHA


def holm(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """Return the catalogue with *strong* only where the gain also holds among all that were asked
    (Holm, 95 %).

    Of forty predictions without any gain two would show one at 95 %.

    Notes
    -----
    Holm 1979: the smallest p has to lie below .05 / n, the next below .05 / (n - 1), and so on
    until one does not.

    Examples
    --------
    .01 lies below .05 / 3, .03 not below .05 / 2; then .04 is not asked any more.

    >>> from akb.models.types import Prediction
    >>> p = {"a": 0.01, "b": 0.03, "c": 0.04}
    >>> asked = [Prediction(key, "fitted", grade="strong", gain_p=p[key]) for key in p]
    >>> [each.grade for each in holm(asked)]
    ['strong', 'usable', 'usable']
    """
    made = tuple(predictions)
    asked = sorted((each.gain_p, each.key) for each in made if each.gain_p is not None)
    holds: set[str] = set()
    for place, (p, key) in enumerate(asked):
        if p >= ALPHA / (len(asked) - place):
            break
        holds.add(key)
    return tuple(
        replace(each, grade="usable") if each.grade == "strong" and each.key not in holds else each
        for each in made
    )
