"""Calendar arithmetic that every room does in the same way."""

from __future__ import annotations

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """Return the day `months` later (or earlier), clipped to the end of a shorter month.

    The last day of a month maps to the last day of the target month, so that a monthly grid from
    28 February runs over month ends and ``add_months(add_months(d, -k), k)`` returns to a month
    end."""
    years, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, month0 + 1)[1]
    is_month_end = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(years, month0 + 1, last if is_month_end else min(day.day, last))


def months_between(earlier: date, later: date) -> int:
    """Return the number of whole months from `earlier` to `later` (negative if `later` lies
    before).
    """
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months if add_months(earlier, months) <= later else months - 1
