"""Why a feature counts, as a sentence without its subject: ``heeft nog maar één polis``, ``verlengt
over 2 maanden``.

The phrases stand in ``features.toml`` of the language, one per feature or family of features;
families are recognised by the places in their key: ``past_lapses_{n}m`` serves past_lapses_3m,
past_lapses_12m and so on."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import euro_in, number_in, percent_in
from akb.core.wording.text import load_toml, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLACE = re.compile(r"\\{(\w+)\\}")
_OWN = "col_"
"""How the features of columns without a role begin; what they say only the client knows."""
_YEARS_FROM = 24
"""Months from which a time is told in years."""


class Reasons:
    """The phrases of one language.

    Parameters
    ----------
    own
        Key -> name of the branches that only this export or client has.
    """

    def __init__(self, language: str = "nl", own: Mapping[str, str] | None = None) -> None:
        self.language = language
        self._own = dict(own or {})
        self._entries = texts("features", language)
        self._words = texts("feature_words", language)

    def sentence(self, feature: str, value: float | None) -> str | None:
        """Return what the feature's value says about the customer.

        None where there is nothing to say to a person: an unknown value, or the absence of
        something to count."""
        entry, places = self._find(feature)
        if value is None or not entry:
            return None
        phrase = self._choose(entry, value, places)
        if phrase is None:
            return None
        return self._filled(phrase, places).replace(
            "{value}", self._written(abs(value), entry.get("format"))
        )

    def name(self, feature: str) -> str:
        """Return what a feature is called, or its key where it is one of the models' own."""
        entry, places = self._find(feature)
        if not entry and feature.startswith(_OWN):
            return str(self._words["own"]["name"]).replace(
                "{column}", feature.removeprefix(_OWN).replace("_", " ")
            )
        return self._filled(entry["name"], places) if entry else feature.replace("_", " ")

    def trivial(self, feature: str, value: float | None, like: Iterable[str]) -> bool:
        """Return whether a feature says nothing of a customer who is `like` this: keys of
        ``configs/trivial.toml``.
        """
        (family, _), table = self._matched(feature), load_toml("trivial.toml")
        like = like if value else (*like, "absent")
        return any(family in table[each]["features"] for each in like if each in table)

    def _choose(self, entry: dict[str, str], value: float, places: dict[str, str]) -> str | None:
        """The phrase that is true for this value."""
        if "yes" in entry:
            return entry["yes" if value else "no"]
        if "more" in entry:
            side = "more" if value > 0 else "less"
            return (
                None
                if not value
                else entry.get(f"one_{side}", entry[side])
                if abs(value) == 1
                else entry[side]
            )
        if "never" in entry and value >= float(places["n"]):
            return entry["never"]
        if value == 0:
            return entry.get("zero")
        return entry.get("one", entry["phrase"]) if value == 1 else entry["phrase"]

    def _find(self, feature: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the entry of a feature and what its places hold."""
        family, places = self._matched(feature)
        return (self._entries[family], places) if family is not None else ({}, {})

    def _matched(self, feature: str) -> tuple[str | None, dict[str, str]]:
        """Return the key under which a feature or its family stands, and what its places hold."""
        if feature in self._entries:
            return feature, {}
        for key, pattern in _patterns(self.language, tuple(self._own)):
            found = pattern.fullmatch(feature)
            if found:
                return key, found.groupdict()
        return None, {}

    def _filled(self, text: str, places: dict[str, str]) -> str:
        for place, held in places.items():
            text = text.replace(f"{{{place}}}", self._word(place, held))
        for table in ("period", "ahead", "before"):
            if f"{{{table}}}" in text:
                text = text.replace(f"{{{table}}}", self._words[table][places["n"]])
        return text

    def _word(self, place: str, held: str) -> str:
        if place == "branch":
            if held in self._own:
                return self._own[held]
            return str(load_toml("branches.toml")[held][f"name_{self.language}"]).lower()
        return str(self._words[place][held]) if place in self._words else held

    def _written(self, value: float, form: str | None) -> str:
        if form == "months":
            return self._duration(value)
        if form == "age":
            lowest = max((int(low) for low in self._words["age"] if int(low) <= value), default=0)
            return str(self._words["age"][str(lowest)])
        if form == "times":
            return str(self._words["times"]["times"]).replace("{count}", self._number(value))
        if form == "percent":
            return percent_in(self.language, value)
        if form == "euro":
            return euro_in(self.language, value)
        return self._number(value)

    def _duration(self, months: float) -> str:
        whole = round(months)
        words = self._words["duration"]
        if whole < 1:
            return str(words["short"])
        if whole == 1:
            return str(words["month"])
        if whole < _YEARS_FROM:
            return str(words["months"]).replace("{count}", str(whole))
        return str(words["years"]).replace("{count}", str(whole // 12))

    def _number(self, value: float) -> str:
        decimals = 0 if float(value).is_integer() or value >= 10 else 1
        return number_in(self.language, value, decimals).replace("-", "−")


@cache
def _patterns(language: str, own: tuple[str, ...] = ()) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The keys with places as regular expressions; the longest fixed text first, so that the
    nearest family wins.
    """
    words = texts("feature_words", language)
    known = {
        "branch": [*load_toml("branches.toml"), *own],
        **{name: list(table) for name, table in words.items()},
    }

    def held(place: str) -> str:
        return (
            r"\d+"
            if place == "n"
            else "|".join(sorted(known[place], key=lambda each: (-len(each), each)))
        )

    keys = [key for key in texts("features", language) if "{" in key]
    keys.sort(key=lambda key: (-len(re.sub(r"\{\w+\}", "", key)), key))
    return tuple(
        (
            key,
            re.compile(
                _PLACE.sub(lambda m: f"(?P<{m.group(1)}>{held(m.group(1))})", re.escape(key))
            ),
        )
        for key in keys
    )


def entry_of(feature: str, language: str = "nl") -> dict[str, Any]:
    """Return the phrase table's entry for a feature; empty where it has none."""
    return Reasons(language)._find(feature)[0]
