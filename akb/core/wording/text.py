"""Words that people read, from ``configs/text/<language>/*.toml``: data, not code."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[2]


def configs_dir() -> Path:
    """Return the folder with the shipped configuration (in the wheel: inside the package)."""
    shipped = _PACKAGE / "configs"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "configs"


@cache
def load_toml(relative: str) -> dict[str, Any]:
    """Return a shipped TOML file, given relative to ``configs/``."""
    with (configs_dir() / relative).open("rb") as file:
        return tomllib.load(file)


@cache
def texts(topic: str, language: str = "nl") -> dict[str, Any]:
    """Return all words on a topic: the tables of ``configs/text/<language>/<topic>*.toml``, merged
    at every depth.
    """
    merged: dict[str, Any] = {}
    for path in sorted((configs_dir() / "text" / language).glob(f"{topic}*.toml")):
        with path.open("rb") as file:
            _merge(merged, tomllib.load(file))
    return merged


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def text(topic: str, language: str, *keys: str) -> str:
    """Return one text; a missing one is a programming error and raises KeyError."""
    node: Any = texts(topic, language)
    for key in keys:
        node = node[key]
    if not isinstance(node, str):
        raise KeyError(".".join(keys))
    return node
