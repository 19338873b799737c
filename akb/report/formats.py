"""How values look: Dutch numbers, percentages, euros, dates, ranges. The only place where figures become text."""

from __future__ import annotations

from datetime import date
from math import floor, log10

from akb.core.numbers import MONTHS, NBSP, day_nl, euro_nl, number_nl, percent_nl

NOTHING = "–"
MARCH = 3  # the only month that is not cut to its first three letters


def number(value: float | None, decimals: int = 0) -> str:
    """Return 1234.5 as ``1.234,5``; a dash where there is nothing."""
    if value is None:
        return NOTHING
    shown = number_nl(value, decimals)
    return number_nl(0, decimals) if shown.strip("-0,.") == "" else shown.replace("-", "−")


def rough(value: float | None) -> str:
    """Return an expected number with at most two significant decimals: 812, 81, 8,1, 0,81."""
    if value is None:
        return NOTHING
    size = abs(value)
    decimals = 0 if size >= 10 or size == 0 else 1 if size >= 1 else 2
    return number(value, decimals)


def percent(share: float | None, decimals: int | None = None) -> str:
    """Return 0.124 as ``12 %``, 0.034 as ``3,4 %``."""
    if share is None:
        return NOTHING
    if decimals is None and 0 < abs(share) < 0.0005:
        decimals = 2
    return percent_nl(share, decimals).replace("-", "−")


def at_most_all(share: float | None) -> str:
    """Return a share as a percentage, above everything as ``> 100 %``: how far above says nothing to a reader."""
    return f">{NBSP}100{NBSP}%" if share is not None and share > 1 else percent(share)


def points(difference: float | None) -> str:
    """Return a difference of two shares as ``1,5 procentpunt``."""
    return NOTHING if difference is None else f"{number(100 * difference, 1)}{NBSP}procentpunt"


def euro(cents: float | None) -> str:
    """Return cents as rounded euros: ``€ 12.400``."""
    return NOTHING if cents is None else euro_nl(cents / 100)


def euro_exact(cents: float | None) -> str:
    """Return cents as whole euros: ``€ 12.387``."""
    return NOTHING if cents is None else euro_nl(cents / 100, rounded=False)


def day(value: date | str | None) -> str:
    """Return a date (or its ISO text) as ``31 december 2025``."""
    if value is None:
        return NOTHING
    return day_nl(date.fromisoformat(value) if isinstance(value, str) else value)


def span(low: str, high: str) -> str:
    """Return a range of formatted values: ``12–18``, ``12–18 %``, ``€ 1.000–2.000``; long ones with *tot*."""
    if low == high:
        return low
    if low.endswith(f"{NBSP}%") and high.endswith(f"{NBSP}%"):
        low = low.removesuffix(f"{NBSP}%")
    if low.startswith("−") or high.startswith(("−", ">")):
        return f"{low} tot {high}"
    if low.startswith("€") and high.startswith(f"€{NBSP}"):
        high = high.removeprefix(f"€{NBSP}")
    return f"{low}–{high}"


def interval(low: float | None, high: float | None) -> str:
    """Return a range of expected numbers: ``12–18``; a dash where there is none."""
    return NOTHING if low is None or high is None else span(rough(low), rough(high))


def month_year(value: str) -> str:
    """Return an ISO date as ``sep 2025``."""
    when = date.fromisoformat(value)
    return f"{'mrt' if when.month == MARCH else MONTHS[when.month - 1][:3]} {when.year}"


def of_hundred(share: float | None) -> str:
    """Return a share as a count in a hundred: ``24``; under one in a hundred with a decimal."""
    if share is None:
        return NOTHING
    return number(100 * share, 0 if share >= 0.01 or share == 0 else 1)


def of_ten(share: float | None) -> str:
    """Return a share as a count in ten: ``7 op de 10``."""
    if share is None:
        return NOTHING
    return f"{number(10 * share, 0)} op de 10" if share >= 0.05 else "minder dan 1 op de 10"


def in_points(difference: float | None) -> str:
    """Return a difference of shares as a number of percentage points: ``−1,5``."""
    return NOTHING if difference is None else number(100 * difference, 1)


def band(lower: float, upper: float | None) -> str:
    """Return a band of shares as ``5–7,5 %`` or ``> 20 %``."""
    low = _short(100 * lower)
    return f"> {low}{NBSP}%" if upper is None or upper >= 1 else f"{low}–{_short(100 * upper)}{NBSP}%"


def short_code(pseudonym: str | None) -> str:
    """Return a pseudonym as it stands in the report: ``K-7F3A``. Never join on it: two customers may be alike."""
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
        return "ja" if value else "nee"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return rough(value)
    return day(value) if isinstance(value, date) else str(value)


def trimmed(value: float | None) -> str:
    """Return a number with the decimals that it has, at most three: ``0,2``, ``1.400``."""
    if value is None:
        return NOTHING
    text = number(value, 3)
    return text.rstrip("0").rstrip(",")


def turning(value: float | None) -> str:
    """Return a value at which something turns, no finer than it is known: ``0,153``, ``1,0``, ``6,2``, ``48``."""
    return trimmed(value) if value is None or abs(value) < 1 else rough(value)


def _short(value: float) -> str:
    return number(value, 0 if float(value).is_integer() else 1)
