"""The evidence of one customer as a page, and the register as a table."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import day_nl
from akb.core.wording.text import text, texts
from akb.live.duty.evidence import OPEN
from akb.live.duty.register import ATTEMPTED, SPOKEN
from akb.report.files.tables import dutch_cell, dutch_csv

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

TOPIC = "duty"
TABLE = ("customer", "branch", "what", "day", "mode", "list", "gap", "run")
"""Columns of the register for all: no note, which may name people, and no colleague."""


def evidence_page(document: Mapping[str, Any], branches: Mapping[str, str]) -> str:
    """Return the page of `akb.live.duty.evidence.customer_evidence`, without scripts or requests.

    Parameters
    ----------
    branches
        Key -> name.
    """
    from akb.report.page.alone import page_alone

    entries, gaps = document["entries"], document["gaps"]
    spoken = [row for row in entries if row["what"] in SPOKEN]
    figures = {
        "gaps": len(gaps),
        "spoken": len(spoken),
        "informed": sum(row["mode"] == "inform" for row in spoken),
        "advised": sum(row["mode"] == "advise" for row in spoken),
        "settled": sum(row["what"] != OPEN for row in gaps),
        "open": sum(row["what"] == OPEN and row["current"] for row in gaps),
        "attempted": sum(row["what"] == ATTEMPTED for row in entries),
    }
    lists = texts("portal")["list"]
    return page_alone(
        Path(__file__).parent,
        _said,
        d=document,
        f=figures,
        day=lambda iso: day_nl(date.fromisoformat(iso)),
        branch=lambda key: branches.get(key, key) or _said("page.none_branch"),
        tenths=lambda share: max(1, min(10, round(10 * share))),
        listed=lambda key: lists.get(key, key or ""),
    )


def register_csv(entries: pl.DataFrame, branches: Mapping[str, str]) -> bytes:
    """Return the register for Dutch Excel, customers under their pseudonyms."""
    words = texts(TOPIC)
    named = {"branch": branches, "what": words["what"], "mode": words["mode"]}
    rows = (
        [dutch_cell(named[key].get(row[key], row[key]) if key in named else row[key])
         for key in TABLE]
        for row in entries.iter_rows(named=True)
    )  # fmt: skip
    return dutch_csv([words["head"][key] for key in TABLE], rows)


def _said(key: str, **values: Any) -> str:
    return text(TOPIC, "nl", *key.split(".")).format(**values)
