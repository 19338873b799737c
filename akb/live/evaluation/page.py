"""``evaluation.html``: the evaluation as one page in the style of the report, without scripts or
requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import day_in, euro_in, number_in, percent_in
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOPIC = "evaluation"
NOTHING = "–"


def page(document: Mapping[str, Any], limit: int, language: str = "nl") -> str:
    """Return the whole page.

    Parameters
    ----------
    limit
        Counts under it are not shown.
    """
    from akb.report.page.alone import page_alone

    spoken = _Spoken(language)
    names = {row["key"]: spoken.name(row) for row in document["predictions"]}
    alarms = [
        names.get(row["key"]) or spoken.said(f"line.{row['key']}") for row in document["alarms"]
    ]
    return page_alone(
        Path(__file__).parent,
        spoken.said,
        language,
        d=document,
        alarm_names=", ".join(alarms),
        limit=limit,
        name=spoken.name,
        day=spoken.day,
        number=spoken.number,
        decimal=spoken.decimal,
        percent=spoken.percent,
        euro=spoken.euro,
        ratio=spoken.ratio,
        figure=spoken.figure,
        words_of=spoken.alarm,
    )


@dataclass(frozen=True)
class _Spoken:
    """The words and numbers of the page in a language."""

    language: str

    def said(self, key: str, **values: Any) -> str:
        """Return a text of this page with its values."""
        return text(TOPIC, self.language, *key.split(".")).format(**values)

    def name(self, row: Mapping[str, Any]) -> str:
        return str(row["name" if self.language == "nl" else "name_en"])

    def alarm(self, row: Mapping[str, Any]) -> str:
        found = [row.get("alarm"), row.get("order_alarm")]
        return ", ".join(self.said(f"alarm.{each}") for each in found if each)

    def day(self, iso: str) -> str:
        return day_in(self.language, date.fromisoformat(iso))

    def number(self, value: float | None) -> str:
        if value is None:
            return NOTHING
        return self.decimal(value, 0 if abs(value) >= 10 or float(value).is_integer() else 1)

    def decimal(self, value: float | None, decimals: int = 2) -> str:
        return NOTHING if value is None else number_in(self.language, value, decimals)

    def percent(self, value: float | None) -> str:
        return NOTHING if value is None else percent_in(self.language, value)

    def euro(self, value: float | None) -> str:
        return NOTHING if value is None else euro_in(self.language, value)

    def ratio(self, value: float | None, ends: Sequence[float | None] | None) -> str:
        if value is None:
            return NOTHING
        if not ends or None in ends:
            return self.decimal(value)
        return f"{self.decimal(value)} ({self.decimal(ends[0])}–{self.decimal(ends[1])})"

    def figure(self, key: str, value: float | None) -> str:
        if key == "effectiviteit":
            return self.percent(value)
        return self.euro(value) if key == "impact" else self.decimal(value, 1)
