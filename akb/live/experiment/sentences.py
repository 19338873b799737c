"""What a result is in words that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import euro_in, number_in, percent_in
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = "experiment"


def sentences(document: Mapping[str, Any], language: str = "nl") -> list[str]:
    """Return the verdict on the registered outcome, and what an uplift model would take."""
    outcome = document["outcome"]
    row = document["effects"][outcome]
    said = text(TOPIC, language, "verdict", document["direction"]).format(
        outcome=text(TOPIC, language, "outcome", outcome),
        **{name: amount(outcome, row[name], language) for name in ("difference", "low", "high")},
    )
    out = [said[0].upper() + said[1:]]
    for need in document["uplift"]:
        if need["contacts"] is None:
            out.append(text(TOPIC, language, "uplift", "none"))
            break
        out.append(
            text(TOPIC, language, "uplift", "needs").format(
                difference=percent_in(language, need["difference"]),
                more=number_in(language, need["more"]),
                contacts=number_in(language, need["contacts"]),
            )
        )
    return out


def amount(outcome: str, value: float, language: str = "nl") -> str:
    """Return a mean or a difference of an outcome as people write it."""
    if outcome == "relations":
        points = text(TOPIC, language, "unit", "points")
        return f"{number_in(language, 100 * value, 2)} {points}"
    if outcome == "euros":
        return euro_in(language, value, rounded=False)
    return number_in(language, value, 3)
