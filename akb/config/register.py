"""The assumption register: every number that nobody measured, what kind of number it is and what it
touches.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

from pydantic import ConfigDict, model_validator

from akb.config.tables import SettingsTable, validated
from akb.core.wording.text import load_toml

Source = Literal["client", "seed", "measured", "guessed"]
Owner = Literal["klant", "adviseur", "directie", "akb"]
Affects = Literal["models", "value", "plan", "case"]
Kind = Literal[
    "share",
    "effect",
    "points",
    "rate",
    "years",
    "months",
    "hours",
    "minutes",
    "euro",
    "count",
    "customers",
    "multiple",
]
_ENDLESS = "cannot be below zero or without end"
LIMITS: dict[str, tuple[float, float, str]] = {
    "share": (0, 1, "is a share: between 0 and 1 (or 0% and 100%)"),
    "effect": (-1, 1, "is an effect: between -1 and 1 (or -100% and 100%)"),
    "points": (-1, 1, "is a number of points: between -1 and 1, where 0.01 is one point"),
    "years": (0, 100, "is a number of years: at most 100"),  # longer than any relation lasts
    "months": (0, 1200, "is a number of months: at most 1200"),
    "customers": (1, math.inf, "is a number of customers for one adviser: at least 1"),
}
"""Kind -> the least and the most that is possible, and what is said of another; a kind that is not
here has no most.
"""


class MeasuredEffect(SettingsTable):
    """What an experiment measured of an assumption: what is believed now, and between which ends.

    Parameters
    ----------
    evidence
        Which experiment, how many customers.
    """

    value: float
    low: float
    high: float
    evidence: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> MeasuredEffect:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value:g} lies outside {self.low:g} to {self.high:g}")
        return self


class Assumption(SettingsTable):
    """A number that nobody measured: value, range, where it comes from, what it means.

    Parameters
    ----------
    unit
        How people call what `kind` says; shown, never read.
    kind
        What values are possible, see `LIMITS`; an ``effect`` or ``points`` may be below zero.
    affects
        The earliest thing that another value changes: the ``models`` (fitted again), what every
        customer is worth (``value``), who is contacted how (``plan``), or only what is told of it
        (``case``).
    supplied
        False: there is no default, and nothing is shown until someone gives a value.
    """

    model_config = ConfigDict(allow_inf_nan=True)  # `complaint` has a sentence for what has no end

    value: float
    low: float
    high: float
    unit: str
    kind: Kind
    affects: Affects
    source: Source
    label: str
    note: str = ""
    evidence: str = ""  # what others measured, where there is anything
    owner: Owner = "akb"  # who may change it
    supplied: bool = True

    @model_validator(mode="after")
    def _in_its_range(self) -> Assumption:
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"the value {self.value} lies outside its range {self.low} to {self.high}"
            )
        for end in (self.low, self.high):
            why = self.complaint(end)
            if why:
                raise ValueError(f"{end:g} {why}")
        return self

    def complaint(self, value: float) -> str | None:
        """Return why `value` is impossible, or None."""
        least, most, sentence = LIMITS.get(self.kind, (0, math.inf, _ENDLESS))
        if math.isfinite(value) and least <= value <= most:
            return None
        beyond = least == 0 and self.kind != "share" and not 0 <= value < math.inf
        return _ENDLESS if beyond else sentence

    def measured(self, effect: MeasuredEffect) -> Assumption:
        """Return it as an experiment measured it, in the interval of that."""
        return self.model_copy(
            update={
                "value": effect.value,
                "low": effect.low,
                "high": effect.high,
                "source": "measured",
                "evidence": effect.evidence or self.evidence,
                "supplied": True,
            }
        )

    def replaced(self, value: float) -> Assumption:
        """Return it with the client's own value, in a range that holds it."""
        low, high = (
            (min(value, self.low), max(value, self.high)) if self.supplied else (value, value)
        )
        return self.model_copy(
            update={"value": value, "low": low, "high": high, "source": "client", "supplied": True}
        )


@cache
def shipped_assumptions() -> dict[str, Assumption]:
    """Return the entries of ``configs/assumptions.toml`` by ``table.key``."""
    tables = load_toml("assumptions.toml")
    return {
        f"{table}.{key}": validated(Assumption, entry, f"{table}.{key}")
        for table, entries in tables.items()
        for key, entry in entries.items()
    }
