"""Anything as JSON types: what leaves the report's model."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import polars as pl

_DIGITS = 9


def rounded(value: float) -> float | None:
    """Return a number to nine significant digits; None for NaN and infinity."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None


def plain(value: Any) -> Any:
    """Return a value as JSON types: dates as text, NaN as None, floats to nine significant digits,
    frames as rows.
    """
    made: Any
    if value is None or isinstance(value, bool | int | str):
        made = value
    elif isinstance(value, float):
        made = rounded(value)
    elif isinstance(value, date):
        made = value.isoformat()
    elif isinstance(value, dict):
        made = {str(key): plain(entry) for key, entry in value.items()}
    elif isinstance(value, list | tuple):
        made = [plain(entry) for entry in value]
    elif isinstance(value, pl.DataFrame):
        made = [plain(row) for row in value.to_dicts()]
    elif is_dataclass(value) and not isinstance(value, type):
        made = {
            field.name.removesuffix("_"): plain(getattr(value, field.name))
            for field in fields(value)
        }
    elif hasattr(value, "tolist"):
        made = plain(value.tolist())
    else:
        raise TypeError(f"no plain form for {type(value).__name__}")
    return made
