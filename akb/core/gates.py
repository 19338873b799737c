"""Whether a level may carry euros and an order may make a list, by what later data showed: one rule
for all kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    Interval = tuple[float, float]

FEW_EVENTS = 50  # below this a test window proves nothing


def level_gate(
    events: float, level: Interval, slope: Interval | None = None
) -> Literal["pass", "provisional", "fail"]:
    """Return the gate of a level.

    ``fail`` under `FEW_EVENTS` events in the test window, whatever they show; if the 90 % interval
    of observed/expected (`level`) lies wholly outside .90-1.10, or the `slope`'s wholly outside
    .8-1.2. ``pass`` if that of observed/expected lies inside .80-1.25; between: ``provisional``.

    Examples
    --------
    >>> level_gate(300, (0.9, 1.1)), level_gate(120, (0.7, 1.05)), level_gate(300, (1.12, 1.3))
    ('pass', 'provisional', 'fail')
    """
    if (
        events < FEW_EVENTS
        or _outside(level, 0.90, 1.10)
        or (slope is not None and _outside(slope, 0.8, 1.2))
    ):
        return "fail"
    return "pass" if level[0] >= 0.80 and level[1] <= 1.25 else "provisional"


def order_holds(events: float, auc: Interval | None) -> bool:
    """Return whether an order beat chance on later data: on `FEW_EVENTS` events, with the AUC's
    interval above .5.

    Examples
    --------
    >>> order_holds(80, (0.52, 0.6)), order_holds(80, (0.48, 0.6)), order_holds(40, (0.6, 0.8))
    (True, False, False)
    """
    return events >= FEW_EVENTS and auc is not None and auc[0] > 0.5


def _outside(interval: Interval, low: float, high: float) -> bool:
    return interval[1] < low or interval[0] > high
