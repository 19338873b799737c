"""How values look, in Dutch or English. The only place where figures become text, which carries
their keys on.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import wraps
from math import floor, log10
from typing import TYPE_CHECKING, ParamSpec

from akb.core.wording.numbers import (
    MONTHS,
    MONTHS_EN,
    NBSP,
    day_in,
    euro_in,
    number_in,
    percent_in,
)
from akb.report.keyed import keys_of, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
NOTHING = "–"
_WHOLE = 10  # from so many euros on cents say nothing
MARCH = 3  # the only Dutch month that is not cut to its first three letters
WORDS = {
    "nl": {
        "points": "procentpunt",
        "to": "tot",
        "of": "op de",
        "under": "minder dan",
        "yes": "ja",
        "no": "nee",
    },
    "en": {
        "points": "percentage points",
        "to": "to",
        "of": "in",
        "under": "less than",
        "yes": "yes",
        "no": "no",
    },
}
_language: ContextVar[str] = ContextVar("language", default="nl")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Write what is made inside in a language."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def _keyed(form: Callable[P, str]) -> Callable[P, str]:
    """Let the text of a format carry the keys of the values that it was made of."""

    @wraps(form)
    def shown(*values: P.args, **named: P.kwargs) -> str:
        text = form(*values, **named)
        keys = keys_of(*values)
        return said(text, keys) if keys else text

    return shown


def _dutch() -> bool:
    return _language.get() == "nl"


def _say(word: str) -> str:
    return WORDS[_language.get()][word]


def _number(value: float, decimals: int = 0) -> str:
    return number_in(_language.get(), value, decimals)


def _percent(share: float, decimals: int | None) -> str:
    return percent_in(_language.get(), share, decimals)


def _euro(value: float, *, rounded: bool = True) -> str:
    return euro_in(_language.get(), value, rounded=rounded)


@_keyed
def number(value: float | None, decimals: int = 0) -> str:
    """Return 1234.5 as ``1.234,5``; a dash where there is nothing."""
    if value is None:
        return NOTHING
    shown = _number(value, decimals)
    return _number(0, decimals) if shown.strip("-0,.") == "" else shown.replace("-", "−")


@_keyed
def rough(value: float | None) -> str:
    """Return an expected number with at most two significant decimals: 812, 81, 8,1, 0,81."""
    if value is None:
        return NOTHING
    size = abs(value)
    decimals = 0 if size >= 10 or size == 0 else 1 if size >= 1 else 2
    return str(number(float(value), decimals))


@_keyed
def percent(share: float | None, decimals: int | None = None) -> str:
    """Return 0.124 as ``12 %``, 0.034 as ``3,4 %``."""
    if share is None:
        return NOTHING
    if decimals is None and 0 < abs(share) < 0.0005:
        decimals = 2
    return _percent(share, decimals).replace("-", "−")


@_keyed
def at_most_all(share: float | None) -> str:
    """Return a share as a percentage, above everything as ``> 100 %``: how far above says nothing
    to a reader.
    """
    if share is None or share <= 1:
        return str(percent(share))
    return f">{NBSP}{_percent(1.0, 0)}"


@_keyed
def points(difference: float | None) -> str:
    """Return a difference of two shares as ``1,5 procentpunt``."""
    return NOTHING if difference is None else f"{number(100 * difference, 1)}{NBSP}{_say('points')}"


@_keyed
def euro(cents: float | None) -> str:
    """Return cents as rounded euros: ``€ 12.400``."""
    return NOTHING if cents is None else _euro(cents / 100)


@_keyed
def euro_exact(cents: float | None) -> str:
    """Return cents as whole euros: ``€ 12.387``."""
    return NOTHING if cents is None else _euro(cents / 100, rounded=False)


@_keyed
def cost(cents: float | None) -> str:
    """Return what something costs, in cents, as what it takes off: ``−€ 12.400``."""
    return NOTHING if cents is None else _euro(-cents / 100)


@_keyed
def cost_exact(cents: float | None) -> str:
    """Return what something costs, in cents, as what it takes off, in whole euros."""
    return NOTHING if cents is None else _euro(-cents / 100, rounded=False)


@_keyed
def size(cents: float | None) -> str:
    """Return an amount without its sign: a sentence says which way it goes."""
    return NOTHING if cents is None else _euro(abs(cents) / 100)


@_keyed
def whole_euro(euros: float | None) -> str:
    """Return euros, not cents, rounded as `euro` does."""
    return NOTHING if euros is None else _euro(euros)


@_keyed
def price(euros: float | None) -> str:
    """Return an amount in euros, not cents, with cents where they say something: ``€ 0,60``, ``€
    55``.
    """
    if euros is None:
        return NOTHING
    decimals = 0 if float(euros).is_integer() or euros >= _WHOLE else 2
    return f"€{NBSP if _dutch() else ''}{_number(euros, decimals)}"


@_keyed
def hours(minutes: float | None) -> str:
    """Return minutes as hours."""
    return NOTHING if minutes is None else str(rough(minutes / 60))


@_keyed
def day(value: date | str | None) -> str:
    """Return a date (or its ISO text) as ``31 december 2025``."""
    if value is None:
        return NOTHING
    when = date.fromisoformat(value) if isinstance(value, str) else value
    return day_in(_language.get(), when)


@_keyed
def span(low: str, high: str) -> str:
    """Return a range of formatted values: ``12–18``, ``12–18 %``, ``€ 1.000–2.000``; long ones with
    *tot*.
    """
    low, high = str(low), str(high)
    if low == high:
        return low
    for unit in (f"{NBSP}%", "%"):
        if low.endswith(unit) and high.endswith(unit):
            low = low.removesuffix(unit)
    if low.startswith("−") or high.startswith(("−", ">")):
        return f"{low} {_say('to')} {high}"
    for unit in (f"€{NBSP}", "€"):
        if low.startswith(unit) and high.startswith(unit):
            high = high.removeprefix(unit)
    return f"{low}–{high}"


def interval(low: float | None, high: float | None) -> str:
    """Return a range of expected numbers: ``12–18``; a dash where there is none."""
    return NOTHING if low is None or high is None else span(rough(low), rough(high))


@_keyed
def year(value: int) -> str:
    """Return a year as it is written: without a thousands separator."""
    return f"{value:d}"


def like(text: str, *values: object) -> str:
    """Return text that was worked out of values, with their keys."""
    return said(str(text), keys_of(*values))


def named(text: str, key: str) -> str:
    """Return a name that may hold a number, or a number that is no fact, with the key of what it
    names.
    """
    return said(str(text), [key])


@_keyed
def month_year(value: date | str) -> str:
    """Return a date (or its ISO text) as ``sep 2025``."""
    when = date.fromisoformat(value) if isinstance(value, str) else value
    if not _dutch():
        return f"{MONTHS_EN[when.month - 1][:3]} {when.year}"
    return f"{'mrt' if when.month == MARCH else MONTHS[when.month - 1][:3]} {when.year}"


@_keyed
def of_hundred(share: float | None) -> str:
    """Return a share as a count in a hundred: ``24``; under one in a hundred with a decimal."""
    if share is None:
        return NOTHING
    return str(number(100 * share, 0 if share >= 0.01 or share == 0 else 1))


@_keyed
def of_ten(share: float | None) -> str:
    """Return a share as a count in ten: ``7 op de 10``."""
    if share is None:
        return NOTHING
    if share >= 0.05:
        return f"{number(10 * share, 0)} {_say('of')} 10"
    return f"{_say('under')} 1 {_say('of')} 10"


@_keyed
def in_points(difference: float | None) -> str:
    """Return a difference of shares as a number of percentage points: ``−1,5``."""
    return NOTHING if difference is None else str(number(100 * difference, 1))


@_keyed
def points_more(high: float, low: float) -> str:
    """Return how many percentage points one share lies above another."""
    return str(rough(100 * (high - low)))


@_keyed
def band(lower: float, upper: float | None) -> str:
    """Return a band of shares as ``5–7,5 %`` or ``> 20 %``."""
    low, unit = _short(100 * lower), f"{NBSP}%" if _dutch() else "%"
    return f"> {low}{unit}" if upper is None or upper >= 1 else f"{low}–{_short(100 * upper)}{unit}"


def short_code(pseudonym: str | None) -> str:
    """Return a pseudonym as it stands in the report: ``K-7F3A``. Never join on it: two customers
    may be alike.
    """
    return (pseudonym or "")[:6]


def nice_step(largest: float) -> float:
    """Return a round tick distance that gives about five ticks up to `largest`."""
    if largest <= 0:
        return 1.0
    raw = largest / 5
    unit: float = 10.0 ** floor(log10(raw))
    return next(step * unit for step in (1, 2, 5, 10) if step * unit >= raw)


def shown(value: object) -> str:
    """Return any value for a sentence; what needs a unit must have been formatted before."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return _say("yes" if value else "no")
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return rough(value)
    if isinstance(value, date):
        return day(value)
    return value if isinstance(value, str) else str(value)


@_keyed
def trimmed(value: float | None) -> str:
    """Return a number with the decimals that it has, at most three: ``0,2``, ``1.400``."""
    if value is None:
        return NOTHING
    text = str(number(float(value), 3))
    return text.rstrip("0").rstrip(",.")


@_keyed
def turning(value: float | None) -> str:
    """Return a value at which something turns, no finer than it is known: ``0,153``, ``1,0``,
    ``6,2``, ``48``.
    """
    return str(trimmed(value) if value is None or abs(value) < 1 else rough(value))


def _short(value: float) -> str:
    return str(number(value, 0 if float(value).is_integer() else 1))
