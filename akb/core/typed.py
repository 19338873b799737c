"""Frozen dataclasses made from mappings: rows of a frame, figures put together."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

import polars as pl

T = TypeVar("T")


def made(kind: type[T], given: Mapping[str, Any]) -> T:
    """Return a dataclass with what a mapping holds, at every depth.

    A field whose name is a word of Python ends in ``_``. What the mapping has more is left out,
    what it lacks is the field's default; a field without one is a programming error.

    Raises
    ------
    KeyError
        If the mapping lacks a field that has no default.
    """
    values = {}
    hints = _hints(kind)  # type: ignore[arg-type]
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.removesuffix("_")
        name = name if name in given else field.name
        if name in given:
            values[field.name] = _as(hints[field.name], given[name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(f"{kind.__name__}.{name}")
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _as(hint: Any, value: Any) -> Any:  # noqa: PLR0911 - a shape is a case of its own
    """Return a value in the shape that its annotation asks for."""
    if value is None:
        return None
    origin = typing.get_origin(hint)
    parts = typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _as(next(part for part in parts if part is not type(None)), value)
    if origin is tuple:
        rows = value.to_dicts() if isinstance(value, pl.DataFrame) else value
        inner = parts if parts and parts[-1] is not Ellipsis else [parts[0]] * len(rows)
        return tuple(_as(part, row) for part, row in zip(inner, rows, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _as(parts[1], entry) for key, entry in value.items()}
    if is_dataclass(hint) and isinstance(value, Mapping):
        return made(hint, value)  # type: ignore[arg-type]
    if is_dataclass(hint) and is_dataclass(value) and not isinstance(value, hint):  # type: ignore[arg-type]
        return made(hint, {field.name: getattr(value, field.name) for field in fields(value)})  # type: ignore[arg-type]
    if hint is date and isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, Sequence | str | int | float):
        return value
    return value.item() if hasattr(value, "item") else value
