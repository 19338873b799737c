"""Where the field is sure that an outcome rises or falls with a feature:
``configs/directions.toml``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Outcome = Literal["leave", "lapse", "nonpayment", "purchase", "contact", "claim"]
"""Kinds of outcome: a feature may be sure for one and say nothing for another."""
_FILE = "directions.toml"


class Direction(BaseModel):
    """Some features, the direction per kind of outcome, and why the field is sure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: tuple[str, ...]
    outcomes: dict[Outcome, Literal[-1, 1]]
    why: str


@cache
def directions() -> Mapping[str, Mapping[Outcome, int]]:
    """Return the shipped table: feature -> kind of outcome -> +1 or -1."""
    return by_feature(load_toml(_FILE))


def by_feature(table: Mapping[str, Any]) -> dict[str, dict[Outcome, int]]:
    """Return a table as read from TOML by feature.

    Raises
    ------
    AkbError
        If it has a name that akb does not know, a direction other than +1 and -1, or two for the
        same.
    """
    found: dict[str, dict[Outcome, int]] = {}
    for entry in map(_validated, table.get("direction", ())):
        for name in entry.features:
            per_group = found.setdefault(name, {})
            twice = per_group.keys() & entry.outcomes.keys()
            if twice:
                raise AkbError(
                    f"{_FILE}: '{name}' has two directions for {', '.join(sorted(twice))}",
                    "Keep one.",
                )
            per_group.update(entry.outcomes)
    return found


def check_features(table: Mapping[str, Mapping[Outcome, int]], known: Collection[str]) -> None:
    """Raise AkbError if a table names a feature that does not exist."""
    for name in table:
        if name not in known:
            raise AkbError(
                f"{_FILE}: unknown feature '{name}'{did_you_mean(name, known)}",
                "See docs/features.md.",
            )


def constraints(outcome: Outcome | None, names: Sequence[str]) -> tuple[int, ...]:
    """Return +1, -1 or 0 per column for one kind of outcome; empty where every column is free."""
    table = directions()
    found = tuple(0 if outcome is None else table.get(name, {}).get(outcome, 0) for name in names)
    return found if any(found) else ()


def _validated(entry: dict[str, Any]) -> Direction:
    try:
        return Direction.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part != "[key]"]
        meant = did_you_mean(place[-1], get_args(Outcome)) if "outcomes" in place else ""
        raise AkbError(
            f"{_FILE}: '{'.'.join(place)}': {first['msg']}{meant}", "See the head of the file."
        ) from None
