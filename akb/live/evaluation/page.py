"""``evaluation.html``: the evaluation as one page in the style of the report, without scripts or
requests."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import day_nl, euro_nl, number_nl, percent_nl
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOPIC = "evaluation"
NOTHING = "–"


def page(document: Mapping[str, Any], limit: int) -> str:
    """Return the whole page.

    Parameters
    ----------
    limit
        Counts under it are not shown.
    """
    from akb.report.page.alone import page_alone

    names = {row["key"]: row["name"] for row in document["predictions"]}
    alarms = [
        names.get(row["key"]) or text(TOPIC, "nl", "line", row["key"]) for row in document["alarms"]
    ]
    return page_alone(
        Path(__file__).parent,
        said,
        d=document,
        alarm_names=", ".join(alarms),
        limit=limit,
        day=_day,
        number=_number,
        decimal=_decimal,
        percent=lambda value: NOTHING if value is None else percent_nl(value),
        euro=lambda value: NOTHING if value is None else euro_nl(value),
        ratio=_ratio,
        figure=_figure,
        words_of=_alarm,
    )


def said(key: str, **values: Any) -> str:
    """Return a text of this page with its values."""
    return text(TOPIC, "nl", *key.split(".")).format(**values)


def _alarm(row: Mapping[str, Any]) -> str:
    found = [row.get("alarm"), row.get("order_alarm")]
    return ", ".join(said(f"alarm.{each}") for each in found if each)


def _day(iso: str) -> str:
    return day_nl(date.fromisoformat(iso))


def _number(value: float | None) -> str:
    if value is None:
        return NOTHING
    return number_nl(value, 0 if abs(value) >= 10 or float(value).is_integer() else 1)


def _decimal(value: float | None, decimals: int = 2) -> str:
    return NOTHING if value is None else number_nl(value, decimals)


def _ratio(value: float | None, ends: Sequence[float | None] | None) -> str:
    if value is None:
        return NOTHING
    if not ends or None in ends:
        return _decimal(value)
    return f"{_decimal(value)} ({_decimal(ends[0])}–{_decimal(ends[1])})"


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    if key == "effectiviteit":
        return percent_nl(value)
    return euro_nl(value) if key == "impact" else number_nl(value, 1)
