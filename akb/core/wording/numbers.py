"""Number, percentage, euro and date formats in Dutch (1.234,5; 12,4 %; € 2.500; 31 december 2025)
and in English (1,234.5; 12.4%; €2,500; 31 December 2025).
"""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

MONTHS = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
]
MONTHS_EN = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
NBSP = "\u00a0"
DUTCH = "nl"


def number_nl(value: float, decimals: int = 0) -> str:
    """Return 1234.5 as ``1.234,5``."""
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def percent_nl(share: float, decimals: int | None = None) -> str:
    """Return 0.124 as ``12 %``; below 10 % one decimal, unless `decimals` says otherwise."""
    if decimals is None:
        decimals = 0 if abs(share) >= 0.0995 or share == 0 else 1
    return f"{number_nl(100 * share, decimals)}{NBSP}%"


def euro_nl(value: float, *, rounded: bool = True) -> str:
    """Return 12387.21 as ``€ 12.400`` (three significant digits), or exact in whole euros."""
    if rounded and abs(value) >= 1000:
        unit = 10 ** max(0, floor(log10(abs(value))) - 2)
        value = round(value / unit) * unit
    amount = round(value)
    return f"{'−' if amount < 0 else ''}€{NBSP}{number_nl(abs(amount))}"


def day_nl(day: date) -> str:
    """Return a date as ``31 december 2025``."""
    return day_in(DUTCH, day)


def number_in(language: str, value: float, decimals: int = 0) -> str:
    """Return a number as a language writes it: ``1.234,5`` or ``1,234.5``."""
    return number_nl(value, decimals) if language == DUTCH else f"{value:,.{decimals}f}"


def percent_in(language: str, share: float, decimals: int | None = None) -> str:
    """Return a share as a language writes it: ``12,4 %`` or ``12.4%``."""
    shown = percent_nl(share, decimals)
    return shown if language == DUTCH else _anglicised(shown.replace(f"{NBSP}%", "%"))


def euro_in(language: str, value: float, *, rounded: bool = True) -> str:
    """Return euros as a language writes them: ``€ 12.400`` or ``€12,400``."""
    shown = euro_nl(value, rounded=rounded)
    return shown if language == DUTCH else _anglicised(shown.replace(f"€{NBSP}", "€"))


def day_in(language: str, day: date) -> str:
    """Return a date as a language writes it: ``31 december 2025`` or ``31 December 2025``."""
    months = MONTHS if language == DUTCH else MONTHS_EN
    return f"{day.day}{NBSP}{months[day.month - 1]}{NBSP}{day.year}"


def _anglicised(number: str) -> str:
    return number.translate(str.maketrans(",.", ".,"))
