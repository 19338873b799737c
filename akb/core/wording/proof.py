"""What may be said of a prediction's order, level and horizon: one place for the whole house, with
the intervals.

The sentences stand in ``configs/text/<language>/proof.toml``; no other text says that an order or a
level holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from akb.core.gates import FEW_EVENTS, order_holds
from akb.core.wording.numbers import number_in
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    Interval = tuple[float, float]

Order = Literal["proven", "unproven", "untested"]
Gate = Literal["pass", "provisional", "fail", "none"]


@dataclass(frozen=True)
class Shown:
    """What later data showed of one prediction.

    Parameters
    ----------
    events
        Customers to whom it happened in the test window.
    months
        Over how many months the test looked, which may be less than the prediction does; None: over
        its whole term.
    auc, ratio
        Each with its interval: 95 % of the AUC, 90 % of observed/expected. None where it was not
        tested.
    gate
        Of the level.
    """

    events: float = 0.0
    months: int | None = None
    auc: tuple[float, Interval] | None = None
    ratio: tuple[float, Interval] | None = None
    gate: Gate = "none"

    @property
    def order(self) -> Order:
        """Whether it ranks better than chance: the only ground for a list or a word of order."""
        if self.auc is None:
            return "untested"
        return "proven" if order_holds(self.events, self.auc[1]) else "unproven"

    def order_words(self, language: str = "nl") -> str:
        """Return the sentence about the order, with its interval and its horizon."""
        if self.auc is None:
            return _say(language, "order", "untested")
        if self.events < FEW_EVENTS:
            return _say(language, "order", "few", least=FEW_EVENTS)
        shown = _ranged(language, "auc", self.auc)
        return _say(language, "order", self.order, months=self._months(language), **shown)

    def level_words(self, language: str = "nl") -> str:
        """Return the sentence about the level, with its interval."""
        if self.ratio is None or self.gate == "none":
            return _say(language, "level", "none")
        if self.events < FEW_EVENTS:
            return _say(language, "level", "few", least=FEW_EVENTS)
        return _say(language, "level", self.gate, **_ranged(language, "ratio", self.ratio))

    def _months(self, language: str) -> str:
        key = "unknown" if self.months is None else "one" if self.months == 1 else "more"
        return _say(language, "month", key, months=self.months)


def first_judged(found: Iterable[Shown]) -> Shown:
    """Return the first whose order can be judged, on `FEW_EVENTS` events; without any the last, or
    an untested one.
    """
    made = list(found)
    judged = (each for each in made if each.auc is not None and each.events >= FEW_EVENTS)
    return next(judged, made[-1] if made else Shown())


def flat_words(language: str = "nl") -> str:
    """Return the sentence about a prediction that gives everybody the same."""
    return _say(language, "order", "flat")


def _ranged(language: str, name: str, value: tuple[float, Interval]) -> dict[str, str]:
    """Return a figure and its interval; three decimals where two would hide on which side of .5 the
    AUC ends.
    """
    digits = 3 if name == "auc" and round(value[1][0], 2) == 0.5 else 2
    low, high = (number_in(language, bound, digits) for bound in value[1])
    return {name: number_in(language, value[0], digits), "range": f"{low}–{high}"}


def _say(language: str, table: str, key: str, **values: object) -> str:
    return text("proof", language, table, key).format_map(values)
