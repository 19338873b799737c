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
        Phrases and texts.
    between
        What stands between two of them.
    alphabetical
        In the order of their words.
    """

    parts: tuple[Phrase | str, ...]
    between: str = ", "
    alphabetical: bool = False

    def words(self, language: str = "nl") -> str:
        """Return them in words."""
        said = [part if isinstance(part, str) else part.words(language) for part in self.parts]
        return self.between.join(sorted(said) if self.alphabetical else said)


class ShownValues(dict[str, Any]):
    """Values as a sentence shows them.

    1.234 for counts, 12 % for shares given as floats, 3 mei 2025 for dates.
    """

    def __init__(self, values: Mapping[str, Any], language: str) -> None:
        super().__init__(values)
        self._language = language

    def __getitem__(self, key: str) -> str:
        from datetime import date

        from akb.core.wording.numbers import day_nl, number_nl, percent_nl

        value = super().__getitem__(key)
        if isinstance(value, Phrase | Listed):
            return value.words(self._language)
        if isinstance(value, bool) or value is None:
            return str(value)
        if isinstance(value, int):
            return number_nl(value)
        if isinstance(value, float):
            return percent_nl(value)
        if isinstance(value, date):
            return day_nl(value)
        return str(value)
