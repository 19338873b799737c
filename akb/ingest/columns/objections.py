"""Objections under a heading that says nothing of them: "AVG" with bezwaar and akkoord under it.

A heading that akb does not know loses every objection under it. So the few texts of a column
without a role are looked at too: where one of them says that the customer does not want to be
approached it is an objection; what else stands there says nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import distinct_of, known, plain
from akb.ingest.columns.consent_headings import OBJECTION, ROLES, is_consent
from akb.ingest.columns.matching import safe_heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.columns.notes import Notes, Table

_FEW = 20  # texts: more are names, remarks or codes
_LONGEST = 40
_APPROACH = r"(?:benader\w*|gemaild|mailen|bellen|gebeld|aanschrijven|aangeschreven)"
_OBJECTS = re.compile(
    rf"\b(?:niet (?:meer )?{_APPROACH}|(?:do not|don t) (?:call|mail|e ?mail|contact|solicit)|"
    r"geen (?:mailing\w*|reclame|marketing|nieuwsbrief\w*|acties)|no (?:marketing|mailing\w*)|"
    r"(?<!geen )(?<!niet )bezwaar|recht van verzet|opt(?:ed)? ?out)\b"
)
_WRITTEN = "bezwaar"


def with_objections(tables: Sequence[Table], notes: Notes) -> None:
    """Read columns without a role of which the texts object as objections (AKB-P009)."""
    for table in tables:
        if table.headings.role in ROLES:
            for heading in table.own.columns:
                if heading != "line" and table.headings.named[heading] is None:
                    _settle(table, heading, notes)


def _settle(table: Table, heading: str, notes: Notes) -> None:
    texts = known(table.own[heading])
    distinct = distinct_of(texts).to_list()
    said = [text for text in distinct if len(text) <= _LONGEST and _OBJECTS.search(plain(text))]
    if not said or len(distinct) > _FEW:
        return
    headings = table.headings
    number = sum(is_consent(name, OBJECTION) for name in headings.at) + 1
    name = OBJECTION if number == 1 else f"{OBJECTION} ({number})"
    place = list(headings.named).index(heading)
    table.headings = replace(
        headings, at=headings.at | {name: place}, named=headings.named | {heading: name}
    )
    objects = pl.DataFrame({"line": table.own["line"], name: texts.cast(pl.String)}).with_columns(
        pl.when(pl.col(name).is_in(said)).then(pl.lit(_WRITTEN)).alias(name)
    )
    table.cells = table.cells.join(objects, on="line", how="left", maintain_order="left")
    table.own = table.own.drop(heading)
    rows = objects.height - objects[name].null_count()
    share = rows / max(objects.height, 1)
    shown = safe_heading(heading)[:40]
    notes.find("AKB-P009", "issue", rows, share, column=shown, file=table.raw.name)
