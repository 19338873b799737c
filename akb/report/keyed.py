"""Numbers that know where they stand in ``summary.json``: nothing reaches the page without its key.

A number of the facts is a number like any other, with `key`; what a format makes of it is text that
carries the key on, and stands on the page as ``<span
data-key="risk.horizons[12].expected">366</span>``. Arithmetic loses the key, so that what a
template works out for itself has none: a test finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any, TypeVar

from markupsafe import Markup, escape

from akb.report.plain import rounded

T = TypeVar("T")
LABELS = ("key", "branch", "months", "year", "code")
"""What an entry of a list is called in a key, if it has one of these and no other entry has the
same.
"""
_ELSEWHERE = (
    (re.compile(r"^case(?=\.|$)"), "business_case"),
    (re.compile(r"^determinants\.rows$"), "determinants"),
    (re.compile(r"^assumptions\.rows$"), "business_case.assumptions"),
    (re.compile(r"^summary\.headlines$"), "headlines"),
    (re.compile(r"^evidence\.predictions$"), "predictions"),
    (re.compile(r"^predictions(\[[^\]]*\])\.card$"), r"cards\1"),
)  # facts that summary.json has elsewhere; `cards[...]` are the files of models/cards
_NAMES = (".key", ".cause", ".branch", ".winner", ".grade", ".gate", ".status")
_WORD = re.compile(r"[\w.]+")
_DIGIT = re.compile(r"\d")
_PART = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


class Whole(int):
    """A whole number with its key."""

    key: str


class Real(float):
    """A number with its key."""

    key: str


class Day(date):
    """A date with its key."""

    key: str


class Said(str):
    """Text with its markup: what was made of keyed numbers, or a text of the facts that holds a
    number.
    """

    markup: Markup

    def __html__(self) -> Markup:
        return self.markup

    def lower(self) -> Said:
        """Return the text in small letters, with the same keys."""
        return said(super().lower(), keys_of(self))


def said(text: str, keys: Iterable[str]) -> Said:
    """Return text that carries keys on."""
    made = Said(text)
    known = " ".join(dict.fromkeys(keys))
    made.markup = (
        Markup('<span data-key="{}">{}</span>').format(known, text) if known else escape(text)
    )
    return made


def joined(parts: Iterable[str], between: str = "") -> Said:
    """Return parts one after the other, each with its own keys."""
    rows = list(parts)
    made = Said(between.join(row.striptags() if isinstance(row, Markup) else row for row in rows))
    made.markup = escape(between).join(escape(row) for row in rows)
    return made


def keys_of(*values: object) -> list[str]:
    """Return the keys of numbers and texts, in order."""
    found: list[str] = []
    for value in values:
        if isinstance(value, Whole | Real | Day):
            found.append(value.key)
        elif isinstance(value, Said):
            for keys in re.findall(r'data-key="([^"]*)"', value.markup):
                found += keys.split()
    return found


def keyed(value: T, key: str) -> T:
    """Return a value in which every number, date and telling text knows its key, at every depth."""
    made: Any = value
    for pattern, instead in _ELSEWHERE:
        key = pattern.sub(instead, key)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        made = Whole(value)
        made.key = key
    elif isinstance(value, float):
        exact = rounded(value)
        if exact is not None:
            made = Real(exact)
            made.key = key
    elif isinstance(value, date):
        made = Day(value.year, value.month, value.day)
        made.key = key
    elif isinstance(value, str):
        made = (
            said(value, [key])
            if _DIGIT.search(value) and not (key.endswith(_NAMES) and _WORD.fullmatch(value))
            else value
        )
    elif is_dataclass(value) and not isinstance(value, type):
        names = {field.name: f"{key}.{field.name.removesuffix('_')}" for field in fields(value)}
        made = replace(
            value, **{name: keyed(getattr(value, name), inner) for name, inner in names.items()}
        )
    elif isinstance(value, Mapping):
        made = {name: keyed(entry, f"{key}.{name}") for name, entry in value.items()}
    elif isinstance(value, list | tuple):
        names_of = labels(value)
        made = type(value)(
            keyed(entry, f"{key}[{label}]") for entry, label in zip(value, names_of, strict=True)
        )
    return made  # type: ignore[no-any-return]


def find(document: Any, key: str) -> Any:
    """Return what stands under a key in ``summary.json``.

    Raises
    ------
    KeyError
        If nothing does.
    """
    node = document
    for name, label in _PART.findall(key):
        try:
            node = node[name] if name else node[labels(node).index(label)]
        except (KeyError, IndexError, TypeError, ValueError):
            raise KeyError(key) from None
    return node


def labels(rows: Iterable[object]) -> list[str]:
    """Return what each entry of a list is called: by its label where that is its own, else by its
    place.
    """
    entries = list(rows)
    for label in LABELS:
        names = [_under(entry, label) for entry in entries]
        if all(name is not None for name in names) and len({*names}) == len(names) and names:
            return [re.sub(r"[\[\].\s]", "_", str(name)) for name in names]
    return [str(place) for place in range(len(entries))]


def _under(entry: object, label: str) -> object:
    if isinstance(entry, Mapping):
        found = entry.get(label)
    else:
        found = getattr(entry, label, None) if is_dataclass(entry) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None
