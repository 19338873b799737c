"""Exports that are known as a whole: ``configs/presets/*.toml`` says what their headings and coded
cells mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.text import configs_dir, load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Preset:
    """What is known of one kind of export.

    Parameters
    ----------
    name
        Name of the file in ``configs/presets/``.
    signature
        Headings that are all there.
    columns
        Role -> canonical column -> heading.
    values
        Canonical column -> cell -> text that the taxonomies know.
    customer_runs
        Headings; consecutive policies that agree on all of them are one customer's. Empty where the
        file names them.
    """

    name: str
    signature: frozenset[str]
    columns: dict[str, dict[str, str]]
    values: dict[str, dict[str, str]]
    customer_runs: tuple[str, ...]


@cache
def _presets() -> tuple[Preset, ...]:
    tables = {
        path.stem: load_toml(f"presets/{path.name}")
        for path in sorted((configs_dir() / "presets").glob("*.toml"))
    }
    return tuple(
        Preset(
            name,
            frozenset([*table["signature"], *table.get("customer_runs", ())]),
            table.get("columns", {}),
            table.get("values", {}),
            tuple(table.get("customer_runs", ())),
        )
        for name, table in tables.items()
    )


def find_preset(headings: Sequence[str]) -> Preset | None:
    """Return the preset whose signature stands among the headings."""
    there = set(headings)
    return next((preset for preset in _presets() if preset.signature <= there), None)


def with_preset(
    given: Mapping[str, Mapping[str, str]],
    preset: Preset | None,
    headings: Sequence[str],
    named: bool,
) -> dict[str, dict[str, str]]:
    """Return role -> canonical column -> heading: the preset's that are there, then the client's
    own, which win.

    Parameters
    ----------
    given
        The client's own.
    preset
        What is known of the export.
    headings
        Headings of the file.
    named
        The file has a customer number of its own: the preset's stand-in is left out.
    """
    meant = {role: dict(columns) for role, columns in given.items()}
    for role, columns in (preset.columns if preset else {}).items():
        there = {name: heading for name, heading in columns.items() if heading in headings}
        if named and preset and preset.customer_runs:
            there.pop("customer", None)
        meant[role] = {**there, **meant.get(role, {})}
    return meant


def recoded(cells: pl.DataFrame, preset: Preset) -> pl.DataFrame:
    """Return the cells with the preset's coded values as words."""
    columns = [
        pl.col(column).cast(pl.String).str.strip_chars().replace(list(words), list(words.values()))
        for column, words in preset.values.items()
        if column in cells.columns
    ]
    return cells.with_columns(columns)


def customers_of_runs(policies: pl.Series, agreeing: pl.DataFrame) -> pl.Series:
    """Return a customer per row where the file names none.

    Parameters
    ----------
    policies
        Policy numbers; sorted as numbers where they are numbers, so the order of the rows means
        nothing.
    agreeing
        The columns that one customer's consecutive policies agree on.

    Returns
    -------
    The lowest policy number of the run, as the customer's number; no value of `agreeing` leaves
    this function."""
    rows = agreeing.select(pl.all().name.prefix("a_")).with_columns(policy=policies)
    first = rows.sort(pl.all()).unique("policy", keep="first", maintain_order=True)
    first = first.sort(pl.col("policy").cast(pl.Int64, strict=False), "policy", nulls_last=True)
    runs = first.select("policy", run=pl.struct(r"^a_.*$").rle_id())
    named = runs.select("policy", customer=pl.col("policy").first().over("run"))
    return policies.to_frame("policy").join(named, on="policy", how="left", maintain_order="left")[
        "customer"
    ]
