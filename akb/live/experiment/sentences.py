"""What a result is in words that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import euro_nl, number_nl, percent_nl
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = "experiment"


def sentences(document: Mapping[str, Any]) -> list[str]:
    """Return the verdict on the registered outcome, and what an uplift model would take."""
    outcome = document["outcome"]
    row = document["effects"][outcome]
    said = text(TOPIC, "nl", "verdict", document["direction"]).format(
        outcome=text(TOPIC, "nl", "outcome", outcome),
        **{name: amount(outcome, row[name]) for name in ("difference", "low", "high")},
    )
    out = [said[0].upper() + said[1:]]
    for need in document["uplift"]:
        if need["contacts"] is None:
            out.append(text(TOPIC, "nl", "uplift", "none"))
            break
        out.append(
            text(TOPIC, "nl", "uplift", "needs").format(
                difference=percent_nl(need["difference"]),
                more=number_nl(need["more"]),
                contacts=number_nl(need["contacts"]),
            )
        )
    return out


def amount(outcome: str, value: float) -> str:
    """Return a mean or a difference of an outcome as people write it."""
    if outcome == "relations":
        return f"{number_nl(100 * value, 2)} procentpunt"
    return euro_nl(value, rounded=False) if outcome == "euros" else number_nl(value, 3)
