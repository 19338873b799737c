"""What is said, as data: a code and what it counts or names; who shows it finds the words in
``configs/text``.

The rooms that read and predict hold no words of a language. They say
``Phrase("money.why.level_year", {"short": 40})``, and the report, the terminal and the JSON turn it
into a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Phrase:
    """Something to be said.

    Parameters
    ----------
    code
        Where its words stand: topic and keys below ``configs/text/<language>``, with points between
        them.
    params
        Values that the words name: numbers, days, texts of the export, phrases. Never a person's
        data.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def words(self, language: str = "nl") -> str:
        """Return it in words."""
        topic, *keys = self.code.split(".")
        return text(topic, language, *keys).format_map(ShownValues(self.params, language))


@dataclass(frozen=True)
class Listed:
    """Several things to be said one after another.

    Parameters
    ----------
    parts
        Phrases, names and texts.
    between
        What stands between two of them.
    alphabetical
        In the order of their words.
    """

    parts: tuple[Phrase | Listed | Translated | str, ...]
    between: str = ", "
    alphabetical: bool = False

    def words(self, language: str = "nl") -> str:
        """Return them in words."""
        said = [part if isinstance(part, str) else part.words(language) for part in self.parts]
        return self.between.join(sorted(said) if self.alphabetical else said)


@dataclass(frozen=True)
class Translated:
    """A name that is data and not of ``configs/text``: of a branch, of a prediction.

    Parameters
    ----------
    nl, en
        In each language.
    """

    nl: str
    en: str

    def words(self, language: str = "nl") -> str:
        """Return the name."""
        return self.nl if language == "nl" else self.en


@dataclass(frozen=True)
class Rounded:
    """A number that a sentence shows with a fixed number of decimals."""

    value: float
    decimals: int

    def words(self, language: str = "nl") -> str:
        """Return it as the language writes it."""
        from akb.core.wording.numbers import number_in

        return number_in(language, self.value, self.decimals)


class ShownValues(dict[str, Any]):
    """Values as a sentence shows them.

    1.234 for counts, 12 % for shares given as floats, 3 mei 2025 for dates.
    """

    def __init__(self, values: Mapping[str, Any], language: str) -> None:
        super().__init__(values)
        self._language = language

    def __getitem__(self, key: str) -> str:
        from datetime import date

        from akb.core.wording.numbers import day_in, number_in, percent_in

        value = super().__getitem__(key)
        if isinstance(value, Phrase | Listed | Translated | Rounded):
            return value.words(self._language)
        if isinstance(value, bool) or value is None:
            return str(value)
        if isinstance(value, int):
            return number_in(self._language, value)
        if isinstance(value, float):
            return percent_in(self._language, value)
        if isinstance(value, date):
            return day_in(self._language, value)
        return str(value)
