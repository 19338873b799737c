"""Lists inside sentences: causes, reasons for being left out, the numbers behind the business
case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.privacy.disclosure import OTHER
from akb.report import formats
from akb.report.chapters.assumptions.facts import AssumptionFacts
from akb.report.chapters.case.facts import AvailableCase, CaseFacts
from akb.report.keyed import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from akb.report.chapters.method.facts import FeatureGroupSize
    from akb.report.chapters.moment.facts import CauseExpected
    from akb.report.model import ReportModel
    from akb.report.words import Words

_SHARES = ("share", "effect")


class Phrases:
    """Phrases of one report model, in its words."""

    def __init__(self, model: ReportModel, words: Words) -> None:
        self.model = model
        self.words = words
        self.assumptions = {row.key: row for row in model.of(AssumptionFacts).rows}

    def functions(self) -> dict[str, Any]:
        """Return what the templates call, by name."""
        return {
            "cause_list": self.causes,
            "left_out": self.left_out,
            "feature_groups": self.feature_groups,
            "revenue_parts": self.revenue_parts,
            "event_list": self.events,
            "changed_list": self.changed,
            "contact_name": self.contact,
            "assumption_name": self.assumption,
            "amount": self.amount,
            "fact_rows": self.facts(),
            "reason_name": self.words.reason_name,
        }

    def enumerated(self, parts: Iterable[str]) -> str:
        """Return ``a, b en c``."""
        *rest, last = list(parts) or [""]
        return (
            joined([joined(rest, ", "), last], f" {self.words.plain('table.and')} ")
            if rest
            else last
        )

    def causes(self, rows: Iterable[CauseExpected]) -> str:
        """Return ``120 natuurlijk, 14 door de verzekeraar en 310 te beïnvloeden``."""
        return self.enumerated(
            joined([formats.rough(row.expected), self.words.name("cause_sentence", row.cause)], " ")
            for row in rows
        )

    def changed(self, values: dict[str, float]) -> str:
        """Return ``kosten van een uur binnendienst 65 en contante waarde 0,03``."""
        return self.enumerated(
            joined([self.assumptions[key].label.lower(), formats.trimmed(value)], " ")
            for key, value in values.items()
        )

    def contact(self, key: str) -> str:
        """Return what a type of the ladder is called; one that this ladder no longer has is made
        readable.
        """
        if key == OTHER:
            return self.words.plain("case.other_contacts")
        return str(self.model.ladder.get(key, key.replace("_", " ")))

    def assumption(self, key: str) -> str:
        """Return what an assumption is called."""
        return self.assumptions[key].label

    def amount(self, key: str, value: float | None) -> str:
        """Return a value of an assumption with what it counts: ``12 %``, ``€ 55``, ``15
        minuten``.
        """
        entry = self.assumptions[key]
        if value is None:
            return self.words.plain("case.none")
        if entry.kind in _SHARES:
            return formats.percent(value, 0 if round(1000 * value) % 10 == 0 else 1)
        if entry.kind == "points":
            return formats.points(value)
        if entry.kind == "euro":
            return formats.price(value)
        return joined([formats.turning(value), entry.unit], " ")

    def left_out(self, counts: Mapping[str, int | None]) -> str:
        """Return why customers are not on a list, with their number."""
        hidden = self.words.html("page.suppressed", limit=self.model.suppress_below)
        return self.enumerated(
            joined(
                [
                    f"{self.words.name('left_out', reason)} (",
                    hidden if count is None else formats.number(count),
                    ")",
                ]
            )
            for reason, count in counts.items()
        )

    def feature_groups(self, rows: Iterable[FeatureGroupSize]) -> str:
        """Return the groups of features with their size."""
        return self.enumerated(
            joined(
                [
                    f"{self.words.name('feature_group', row.group)} (",
                    formats.number(row.features),
                    ")",
                ]
            )
            for row in rows
        )

    def revenue_parts(self, parts: Mapping[str, int | None]) -> str:
        """Return ``€ 1.200 doorlopende provisie en € 300 fees en abonnementen``."""
        return self.enumerated(
            joined([formats.euro(cents), self.words.name("part", part)], " ")
            for part, cents in parts.items()
            if cents
        )

    def events(self, kinds: list[str]) -> str:
        """Return ``schades, contacten en mutaties``."""
        return self.enumerated(self.words.name("event_kind", kind) for kind in kinds)

    def facts(self) -> list[tuple[str, str]]:
        """Return the numbers behind the business case that have a name, formatted by the ending of
        their key.
        """
        case = self.model.of(CaseFacts)
        if not isinstance(case, AvailableCase):
            return []
        known = self.words.table("fact")
        shown = ((key, case.facts.get(key)) for key in known)
        said_ = self.words.html
        return [
            (said_(f"fact.{key}"), _format(key)(value)) for key, value in shown if value is not None
        ]


def _format(key: str) -> Callable[[float], str]:
    if key.endswith("_count"):
        return lambda value: (
            formats.number(value) if float(value).is_integer() else formats.rough(value)
        )
    if key.endswith("_share"):
        return formats.percent
    if key.endswith("_ratio"):
        return lambda value: formats.number(value, 2)
    return formats.euro
