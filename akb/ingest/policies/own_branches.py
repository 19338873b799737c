"""Products that no taxonomy knows: each is a branch of its own, under its own name, and who can
take it is unknown.

One *Overig* for all of them is no branch: a savings plan and a hail cover in one row lapse and sell
like neither. Only names that enough customers share are shown; the others stay together under
Overig."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.privacy.identifiers import OTHER_BRANCH, identifier_in
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.taxonomy import read_branches
from akb.ingest.cells.texts import identifiers, known, plain, rule
from akb.ingest.policies.subscriptions import is_subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Table

PREFIX = "eigen_"
_LONGEST = 30  # letters of a key
_SHOWN = 60  # letters of a name


def branch_texts(table: Table) -> pl.Series:
    """Return what a table of policies calls a branch: its branches, else its products."""
    if {"branch", "branch_code"} & set(table.headings.at):
        return table.texts("branch")
    return table.texts("product").alias("branch")


def stand_in(cells: pl.DataFrame, table: Table) -> str:
    """Return the column in which the branches of a table stand."""
    return (
        "branch"
        if {"branch", "branch_code"} & set(table.headings.at) or "product" not in cells.columns
        else "product"
    )


def own_branches(
    tables: Sequence[Table], clock: Clock, settings: Settings
) -> dict[str, dict[str, Any]]:
    """Return key -> entry of the branches that only this export has, those with most customers
    first.

    Rows that start after X take no part: what comes later must not tell of a branch.
    """
    frames = [
        _unknown(table, clock, settings)
        for table in tables
        if table.headings.role == "policies" and not is_subscriptions(table)
    ]
    if not frames:
        return {}
    rows = pl.concat(frames).filter(pl.col("word") != "").unique()
    if rows.is_empty():
        return {}
    counted = (
        rows.group_by("word")
        .agg(customers=pl.col("customer").n_unique(), texts=pl.col("text").unique().sort())
        .filter(pl.col("customers") >= settings.report.suppress_below)
        .sort("customers", "word", descending=[True, False])
    )
    entries: dict[str, dict[str, Any]] = {}
    for _, _, texts in counted.head(int(rule("branches", "own_most"))).iter_rows():
        name = _name(texts)
        if identifier_in(name) is None:
            key = _key(name, {*settings.taxonomy(), *entries})
            entries[key] = {"name_nl": name, "synonyms": texts, "eligibility": "unknown"}
    return entries


def _unknown(table: Table, clock: Clock, settings: Settings) -> pl.DataFrame:
    """Return the customers and texts of a table's rows whose branch is none that akb knows, up to
    X.
    """
    texts, codes = branch_texts(table), table.texts("branch_code")
    filled = known(texts)
    if filled.null_count() == filled.len():
        texts, filled = codes, known(codes)  # a file with codes only
    keys = read_branches(texts, codes, settings).keys
    start = read_dates(
        table.texts("start"), upto=clock.upto, date_format=settings.ingest.date_format
    ).values
    frame = pl.DataFrame(
        {
            "text": filled,
            "key": keys,
            "start": start,
            "customer": identifiers(table.texts("customer"))[1],
        }
    )
    named = (
        frame.filter(
            pl.col("key") == OTHER_BRANCH,
            pl.col("text").is_not_null(),
            pl.col("start") <= clock.as_of,
        )
        .select("text", "customer")
        .unique()
    )
    words = {text: _word(text, settings) for text in named["text"].unique()}
    word = (
        named["text"].replace_strict(words, default="", return_dtype=pl.String)
        if words
        else named["text"]
    )
    return named.with_columns(word=word)


def _word(text: str, settings: Settings) -> str:
    """Return a text as akb compares it; empty where it says that it is something else."""
    word = plain(text)
    other = settings.taxonomy()[OTHER_BRANCH]
    other_words = {
        plain(name) for name in (OTHER_BRANCH, other.name_nl, other.name_en, *other.synonyms)
    }
    own = {plain(name) for name, key in settings.ingest.branches.items() if key == OTHER_BRANCH}
    return "" if word in other_words | own else word


def _name(texts: Iterable[str]) -> str:
    """Return the spelling that reads best, at a length that can be shown."""
    return min(texts, key=lambda text: (text.isupper() or text.islower(), text))[:_SHOWN]


def _key(name: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", plain(name)).strip("_")[:_LONGEST] or "branche"
    key, number = f"{PREFIX}{slug}", 2
    while key in taken:
        key, number = f"{PREFIX}{slug}_{number}", number + 1
    return key


def names_of(own: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of own branches, in their order."""
    return [str(entry["name_nl"]) for entry in own.values()]
