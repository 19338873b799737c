"""A run folder and an export made by hand: only what the commands of this room read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.core.dates import add_months
from akb.core.privacy.pseudonyms import key_id, load_or_create_key, pseudonym

if TYPE_CHECKING:
    from pathlib import Path

T = date(2024, 1, 31)
X = date(2025, 4, 30)
HEADS = "klant;rang;actie;soort contact;adviseur;kantoor;controlegroep, geen contact"
OFFERED = "klant;rang;te bespreken branche;kans op deze polis in 12 maanden;provisie per jaar van deze polis (euro)"
CALL = "Gesprek door de binnendienst"


@dataclass(frozen=True)
class Small:
    """A run as of T and the exports of a book of two policies a customer, of whom some leave within the year.

    Parameters
    ----------
    leavers
        Places of the customers who end everything half a year after T.
    lapsed
        Places of those who lose one policy then.
    """

    folder: Path
    customers: int
    leavers: tuple[int, ...] = ()
    lapsed: tuple[int, ...] = ()

    @property
    def key(self) -> Path:
        return self.folder / "key"

    def name(self, place: int) -> str:
        return pseudonym(self.relation(place), load_or_create_key(self.key))

    @staticmethod
    def relation(place: int) -> str:
        return f"R{place:06d}"

    def run(self, as_of: date = T, only: range | None = None, every: int = 0, rate: float = 0.11) -> Path:
        """Write a run folder and return it; every so many customers are withheld, churn is expected at `rate`."""
        folder = self.folder / f"run-{as_of}"
        (folder / "actions").mkdir(parents=True, exist_ok=True)
        settings = load_settings().model_dump(mode="json", by_alias=True)
        manifest = {"schema": "akb.manifest/1", "as_of": as_of.isoformat(), "run": f"R-{as_of}", "settings": settings,
                    "pseudonyms": True, "key_id": key_id(load_or_create_key(self.key))}  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest))
        places = list(only or range(self.customers))
        lines = [
            f"{self.name(place)};{rank};Behouden;{CALL};ADV{place % 7:02d};Kantoor {place % 2};"
            f"{'ja' if every and place % every == 0 else 'nee'}"
            for rank, place in enumerate(places, start=1)
        ]
        (folder / "actions" / "next_best_action.csv").write_text("\ufeff" + "\r\n".join([HEADS, *lines]) + "\r\n")
        (folder / "actions" / "top_defend.csv").write_text(
            "\ufeff"
            + "\r\n".join(
                [
                    "klant;rang;waarde op het spel (euro)",
                    *(";".join(line.split(";")[:2]) + ";1000,00" for line in lines),
                ]
            )
            + "\r\n"
        )
        offered = [f"{self.name(place)};{rank};Reis;0,1000;20,00" for rank, place in enumerate(places, start=1)]
        (folder / "actions" / "next_best_policy.csv").write_text("\ufeff" + "\r\n".join([OFFERED, *offered]) + "\r\n")
        chance = np.linspace(0.02, 2 * rate - 0.02, len(places))
        numbers = {
            "churn_12m": chance,
            "churn_preventable_12m": chance * 0.7,
            "policies_lost_12m": chance * 3,
            "churn_1m": chance * 0.1,
            "churn_3m": chance * 0.25,
            "churn_6m": chance * 0.5,
            "value_at_stake": np.full(len(places), 1000.0),
        }
        scores = {name: pl.Series(values, dtype=pl.Float32) for name, values in numbers.items()}
        pl.DataFrame(
            {"customer": [self.name(place) for place in places], **scores,
             "commission_12m": pl.Series([100.0] * len(places), dtype=pl.Float32)}
        ).write_parquet(folder / "scores.parquet")  # fmt: skip
        return folder

    def export(self, as_of: date = X, reason: str = "Naar andere verzekeraar") -> Path:
        """Write the policy export as it would stand on a day and return it."""
        gone = add_months(T, 6)
        rows = ["Relatienummer;Polisnummer;Branche;Ingangsdatum;Einddatum;Royementsreden;Provisie per jaar;Peildatum"]
        for place in range(self.customers):
            for number, branch in enumerate(("Personenauto", "Inboedel")):
                left = place in self.leavers or (place in self.lapsed and number == 0)
                ended = left and gone <= as_of
                start = date(2016 + place % 5, 1 + place % 12, 1 + place % 28)
                rows.append(
                    f"{self.relation(place)};P{place:06d}{number};{branch};{start:%d-%m-%Y};"
                    f"{f'{gone:%d-%m-%Y}' if ended else ''};{reason if ended else ''};"
                    f"{50 + number},00;{as_of:%d-%m-%Y}"
                )
        path = self.folder / f"polissen-{as_of}.csv"
        path.write_text("\r\n".join(rows) + "\r\n", "utf-8")
        return path
