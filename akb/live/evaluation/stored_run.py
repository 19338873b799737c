"""A finished run as it stands on disk: from which day it looked, what it scored, whom it listed."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from akb.config import Settings


@dataclass(frozen=True)
class PastRun:
    """A run and what it was made with.

    Parameters
    ----------
    as_of
        T, the day from which it looked.
    customer
        Column of a portfolio's customers that its files call ``customer``: the pseudonym, or the
        relation number for who may see it.
    """

    folder: Path
    manifest: Mapping[str, Any]
    as_of: date
    settings: Settings
    customer: str

    @property
    def name(self) -> str:
        """What the run is called."""
        return str(self.manifest.get("run", self.folder.name))

    def scores(self) -> pl.DataFrame:
        """Return its scores: ``customer`` and a column per prediction."""
        return pl.read_parquet(self.folder / "scores.parquet")

    def listed(self, name: str) -> pl.DataFrame:
        """Return a list as it was handed out, by the keys of its columns, all of them texts; empty
        where the run has none.
        """
        path = self.folder / "actions" / f"{name}.csv"
        if not path.is_file():
            return pl.DataFrame()
        rows = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter=";")
        head, *body = list(rows)
        keys = _keys(name)
        columns = [keys.get(heading, heading) for heading in head]
        return pl.DataFrame(
            {column: [row[place] or None for row in body] for place, column in enumerate(columns)},
            schema=dict.fromkeys(columns, pl.String),
        )


def stored_run(folder: Path) -> PastRun:
    """Return a finished run.

    Raises
    ------
    AkbError
        If the folder is no run.
    RefusedError
        If this akb does not know its settings.
    """
    from akb.rerun import settings_of
    from akb.store.folders import is_run
    from akb.store.manifest import manifest_of

    manifest = manifest_of(folder) if is_run(folder) else {}
    if not manifest:
        raise AkbError(
            f"{folder} is not the folder of a finished akb run",
            "Name the folder that akb eda wrote.",
        )
    try:
        as_of = date.fromisoformat(str(manifest["as_of"]))
    except (KeyError, ValueError):
        raise RefusedError(f"{folder} does not say from which day it looked") from None
    named = not manifest.get("pseudonyms", True)
    return PastRun(
        folder, manifest, as_of, settings_of(manifest, {}), "relation" if named else "pseudonym"
    )


def check_key(run: PastRun, key_id: str) -> None:
    """Raise RefusedError if the customers of an export have other pseudonyms than those of the
    run.
    """
    if run.customer == "pseudonym" and run.manifest.get("key_id") != key_id:
        raise RefusedError(
            f"{run.folder} knows its customers by other pseudonyms",
            "Give the key of that run with --key, and the same [client] name.",
        )


def _keys(name: str) -> dict[str, str]:
    """Return heading -> key of a list's columns, in every language that a list can be in."""
    from akb.core.wording.text import texts

    found: dict[str, str] = {}
    for words in (texts("report", "en"), texts("report", "nl")):
        for table in (words["list_column"], words.get("list_column_of", {}).get(name, {})):
            found |= {heading: key for key, heading in table.items()}
    return found
