"""Load the prediction catalogue; a ``{branch}`` entry unfolds into one entry per branch."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from akb.catalogue.directions import Outcome
from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Kind = Literal[
    "probability", "count", "euro", "years", "class", "month", "score", "share", "points"
]
Room = Literal["models", "value"]
Section = Literal["moment", "klant", "product", "aandacht"]


class Entry(BaseModel):
    """One prediction: a stable key, the words that clients read, what it needs and how it is made.

    Parameters
    ----------
    key
        Column in the scores and id in the summary; may contain ``{branch}`` or ``{topic}``.
    method
        Name of the step that makes it; models or value registers it, and a test finds every name.
    room
        The room whose run answers for this entry.
    needs
        What the export must have: ``ended``, ``reasons``, ``commission``, ``contacts``, ``claims``,
        ``premiums``, ``coverages`` (dated rows of what a policy covers).
    rows
        Whose scores they are: customers in force at X (``scores.parquet``) or former ones
        (``winback.parquet``).
    target
        Column of the targets that the method predicts, where the method serves several:
        ``first_lapse``, ``first_purchase``, ``first_nonpayment``, ``lapses_12m``, ``upsell``,
        ``commission_drop``, ``contacts_12m``, ``claims_12m``, ``bleeder``, ``feeder``.
    outcome
        The kind of outcome, which says in which features a direction is sure
        (``configs/directions.toml``).
    population_nl, population_en
        Whom it is about, where that is not everyone with a policy in force.
    determinants
        Whether the report tells what goes together with it in the portfolio.
    spare
        Whether fewer rows and trees are spent on it: no list and no euro rests on it.
    covers
        Whether only a branch that is a cover has it: nobody lacks a subscription.
    counts
        Whether it counts as a prediction; False for descriptions such as ``need_{branch}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    name_nl: str
    name_en: str
    question_nl: str
    question_en: str
    section: Section
    kind: Kind
    unit_nl: str
    method: str
    room: Room
    horizon_months: int | None = None
    needs: tuple[str, ...] = ()
    target: str = ""
    outcome: Outcome | None = None
    population_nl: str = ""
    population_en: str = ""
    counts: bool = True
    spare: bool = False
    covers: bool = False
    determinants: bool = False
    rows: Literal["customers", "former"] = "customers"
    branch: str | None = None
    topic: str | None = None


@cache
def templates() -> tuple[Entry, ...]:
    """Return the catalogue as written, with ``{branch}`` entries unexpanded."""
    with (Path(__file__).parent / "predictions.toml").open("rb") as file:
        return tuple(Entry.model_validate(entry) for entry in tomllib.load(file)["prediction"])


def entries(
    branches: Mapping[str, str] | Iterable[tuple[str, str]],
    topics: Collection[str] | None = None,
    english: Mapping[str, str] | None = None,
) -> tuple[Entry, ...]:
    """Return the catalogue for a portfolio.

    Parameters
    ----------
    branches
        Branch key -> Dutch name, for the branches that the portfolio has, in taxonomy order.
    topics
        The topics of which its contacts speak; None: every topic of ``configs/topics.toml``.
    english
        Branch key -> English name; a branch without one stands under its key.
    """
    spoken = load_toml("topics.toml")
    known = {key: entry["name_nl"] for key, entry in spoken.items()}
    in_english = {**(english or {}), **{key: entry["name_en"] for key, entry in spoken.items()}}
    members = {
        "branch": dict(branches),
        "topic": {key: name for key, name in known.items() if topics is None or key in topics},
    }
    branches_known = load_toml("branches.toml").items()
    subscriptions = {key for key, entry in branches_known if entry.get("subscription")}
    unfolded: list[Entry] = []
    for entry in templates():
        kind = next((kind for kind in members if f"{{{kind}}}" in entry.key), None)
        unfolded += (
            [entry]
            if kind is None
            else [
                _unfolded(entry, kind, key, (name, in_english.get(key, key)))
                for key, name in members[kind].items()
                if not (entry.covers and key in subscriptions)
            ]
        )
    return tuple(unfolded)


def _unfolded(entry: Entry, kind: str, key: str, names: tuple[str, str]) -> Entry:
    dutch, english = ({kind: name.lower()} for name in names)
    return entry.model_copy(
        update={
            "key": entry.key.format(**{kind: key}),
            "name_nl": entry.name_nl.format(**dutch),
            "name_en": entry.name_en.format(**english),
            "question_nl": entry.question_nl.format(**dutch),
            "question_en": entry.question_en.format(**english),
            "population_nl": entry.population_nl.format(**dutch),
            "population_en": entry.population_en.format(**english),
            kind: key,
        }
    )
