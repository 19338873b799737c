"""Words that mean something else in an export in English: "Motor" is a car there, and a motorcycle
in a Dutch one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.taxonomy import map_branches
from akb.ingest.cells.texts import distinct_of, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.ingest.columns.notes import Table

_ENGLISH = re.compile(
    r"(?i)(?:^|[\s_.])(?:number|date|start|end|type|customer|client|premium|insurer|reason|line|business|name|year|birth|"
    r"commission|status|cover|carrier|inception|policyholder)(?:$|[\s_.])"
)
_DUTCH = re.compile(
    r"(?i)nummer|datum|premie|naam|soort|klant|relatie|branche|maatschappij|verzeker|polis|reden|adviseur|kantoor|jaar|provisie"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOTOR = re.compile(r"\bmotor\b(?!\s*(?:cycle|bike))")
_READ_AS = ("motor", "overig")


def in_english(headings: Sequence[str]) -> bool:
    """Whether more headings are written in English than in Dutch."""
    words = [_CAMEL.sub(" ", heading) for heading in headings]
    dutch = [bool(_DUTCH.search(word)) for word in words]
    english = [
        bool(_ENGLISH.search(word)) and not known for word, known in zip(words, dutch, strict=True)
    ]
    return sum(english) > sum(dutch)


def with_motor_as_car(tables: Sequence[Table], settings: Settings) -> Settings:
    """Return settings in which "Motor" is a car, if the policies are in English and have no other
    word for a car.

    Where a car stands beside it the texts are Dutch; a word that the client maps stays his.
    """
    mine = [
        table
        for table in tables
        if table.headings.role == "policies" and "branch" in table.cells.columns
    ]
    if not mine or not all(in_english(table.raw.headings) for table in mine):
        return settings
    own = {plain(text) for text in settings.ingest.branches}
    texts = sorted({text for table in mine for text in distinct_of(table.texts("branch"))})
    keys = dict(
        zip(texts, map_branches(pl.Series(texts, dtype=pl.String), settings).keys, strict=True)
    )
    motor = [
        text
        for text in texts
        if _MOTOR.search(plain(text)) and plain(text) not in own and keys[text] in _READ_AS
    ]
    if not motor or "auto" in keys.values():
        return settings
    branches = {**dict.fromkeys(motor, "auto"), **settings.ingest.branches}
    return settings.model_copy(
        update={"ingest": settings.ingest.model_copy(update={"branches": branches})}
    )
