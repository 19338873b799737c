"""What the export calls a branch or a reason, in the words of the taxonomies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError, did_you_mean
from akb.core.privacy.identifiers import OTHER_BRANCH
from akb.core.wording.text import load_toml
from akb.ingest.cells.texts import distinct_of, distinct_texts, plain, rules
from akb.ingest.cells.words import stands_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from akb.config import Settings

OTHER = OTHER_BRANCH
NEVER = "niet_doorgegaan"
UNKNOWN = "onbekend"
_TAIL = re.compile(r"(?<=[a-z]{3})(?:verzekering(?:en)?|verz|polis|dekking)$")
_INSURANCE = {"verzekering", "verzekeringen", "insurance", "polis"}


@dataclass(frozen=True)
class Mapped:
    """Texts in the words of a taxonomy.

    Parameters
    ----------
    keys
        Key per row; null where the cell is empty (branches: ``overig``).
    unknown
        Distinct filled texts that no entry knows -> number of rows.
    """

    keys: pl.Series
    unknown: dict[str, int]


@cache
def reasons() -> dict[str, dict[str, object]]:
    """Return the reason taxonomy (``configs/reasons.toml``)."""
    return load_toml("reasons.toml")


def causes() -> dict[str, str]:
    """Return reason key -> cause."""
    return {key: str(entry["cause"]) for key, entry in reasons().items()}


def map_branches(texts: pl.Series, settings: Settings) -> Mapped:
    """Return the branch of each row.

    In this order: the client's own mapping; a confirmed ADN code; the longest synonym that stands
    in the text as whole words; generic words ("motorrijtuig", "aansprakelijkheid"); else
    ``overig``."""
    taxonomy = settings.taxonomy()
    own = _own(settings.ingest.branches, taxonomy, "branches", "branch")
    codes = {
        code.lstrip("0"): key
        for key, entries in rules().values["branch_codes"].items()
        for code in entries
    }
    names = {
        key: (*entry.synonyms, entry.name_nl, entry.name_en) for key, entry in taxonomy.items()
    }
    synonyms = _ordered_synonyms(tuple(names.items()))

    shouting = all(text == text.upper() for text in distinct_of(texts))

    def branch(text: str) -> str | None:
        word = plain(text)
        if word in own:
            return own[word]
        if text == "CAR" and not shouting:
            return "car"  # construction all risks; "car" is English for auto
        if word in taxonomy and word != "car":
            return word
        code = re.match(r"^0*(\d{2,3})\b", word)
        if code and code[1] in codes and (word.isdigit() or word.startswith("0")):
            return codes[code[1]]
        padded = f" {' | '.join(_forms(word))} "
        return next((key for synonym, key in synonyms if stands_in(padded, f" {synonym} ")), None)

    return _mapped(texts, branch, OTHER)


def read_branches(texts: pl.Series, codes: pl.Series, settings: Settings) -> Mapped:
    """Return the branch of rows with a text, a code, or both: a code that is known wins, else the
    text counts.
    """
    by_text = map_branches(texts, settings)
    if codes.null_count() == codes.len():
        return by_text
    by_code = map_branches(codes, settings)
    if texts.null_count() == texts.len():
        return by_code
    settled = pl.when(pl.col("code") != OTHER).then("code").otherwise("text")
    keys = (
        pl.DataFrame({"code": by_code.keys, "text": by_text.keys})
        .select(settled.alias("branch"))
        .to_series()
    )
    return Mapped(keys, by_text.unknown)


@cache
def _ordered_synonyms(taxonomy: tuple[tuple[str, tuple[str, ...]], ...]) -> list[tuple[str, str]]:
    """Return (synonym, branch): specific before generic, the longest first."""
    generic = {plain(word) for word in rules().values["branch"]["generic"]}
    pairs = {plain(synonym): key for key, synonyms in reversed(taxonomy) for synonym in synonyms}
    return sorted(pairs.items(), key=lambda pair: (pair[0] in generic, -len(pair[0]), pair[0]))


def _forms(word: str) -> list[str]:
    """Return a text with and without the words that say insurance: "reisverzekering", "reis",
    "rei".
    """
    bare = " ".join(_TAIL.sub("", part) for part in word.split() if part not in _INSURANCE)
    linked = " ".join(
        part.removesuffix("s") if part != whole else part
        for part, whole in zip(bare.split(), word.split(), strict=False)
    )
    return list(dict.fromkeys(form for form in (word, bare, linked) if form))


def map_reasons(texts: pl.Series, settings: Settings) -> Mapped:
    """Return the reason of each row: the client's own mapping, an ADNMUT code, the first entry with
    a fitting text.
    """
    taxonomy = reasons()
    own = _own(settings.ingest.reasons, taxonomy, "reasons", "reason")
    codes, patterns = _reason_tables()

    def reason(text: str) -> str | None:
        word = plain(text)
        if word in own:
            return own[word]
        if word in taxonomy or word.replace(" ", "_") in taxonomy:
            return word.replace(" ", "_")
        if word in codes:
            return codes[word]
        padded = f" {word}"
        return next((key for pattern, key in patterns if stands_in(padded, f" {pattern}")), None)

    return _mapped(texts, reason, None)


def _own(
    given: Mapping[str, str], taxonomy: Collection[str], table: str, kind: str
) -> dict[str, str]:
    """Return text -> key as the client maps it under ``[ingest.<table>]``; AkbError where there is
    no such key.
    """
    own = {plain(text): key for text, key in given.items()}
    for key in own.values():
        if key not in taxonomy:
            raise AkbError(
                f"[ingest.{table}]: unknown {kind} '{key}'{did_you_mean(key, taxonomy)}",
                f"akb knows {', '.join(taxonomy)}.",
            )
    return own


@cache
def _reason_tables() -> tuple[dict[str, str], list[tuple[str, str]]]:
    codes: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    for key, entry in load_toml("reasons.toml").items():
        codes |= {plain(code): key for code in entry["adnmut"]}
        patterns += [(plain(pattern), key) for pattern in entry["patterns"]]
    return codes, patterns


def _mapped(texts: pl.Series, meaning: object, otherwise: str | None) -> Mapped:
    cells = distinct_texts(texts)
    keys = pl.Series([meaning(text) for text in cells.texts], dtype=pl.String)  # type: ignore[operator]
    found = cells.spread(keys)
    if found.null_count() == cells.place.null_count():
        return Mapped(found.fill_null(otherwise) if otherwise else found, {})
    lost = (
        cells.place.filter(cells.place.is_not_null() & found.is_null())
        .value_counts(sort=False)
        .sort(cells.place.name)
    )
    unknown = {cells.texts[place]: int(count) for place, count in lost.iter_rows()}
    return Mapped(found.fill_null(otherwise) if otherwise else found, unknown)
