"""Why something is as it is: a stable code and the values that its sentence names; the report words
it.

The sentences stand in ``configs/text/<language>/why_models.toml``, those of the value room in
``why_value.toml`` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import day_in, euro_in, number_in
from akb.core.wording.phrases import Listed, Phrase, Translated
from akb.core.wording.proof import Shown
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Reason:
    """Why a prediction is what it is.

    Parameters
    ----------
    code
        Of the sentence.
    params
        Values that it names: numbers, names, what later data showed (`Shown`), another reason.
        Never a person's data.
    table
        Where the sentence stands: ``why_models`` or ``why_value``.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    table: str = "why_models"

    def sentence(self, language: str = "nl") -> str:
        """Return the reason as one sentence in `language`.

        >>> Reason("too_short", {"months": 12}).sentence()  # doctest: +NORMALIZE_WHITESPACE
        'De vastgelegde geschiedenis is te kort: er is nog geen periode van 12 maanden die helemaal
        voorbij is.'
        """
        words = {name: _Worded(value, language) for name, value in self.params.items()}
        return text("why", language, self.table, self.code).format_map(words)


@dataclass(frozen=True)
class _Worded:
    """A value in a sentence; ``{share:2}`` asks for two decimals, ``{gain:euro}`` for rounded
    euros, ``{gain:euros}`` for whole ones.
    """

    value: Any
    language: str

    def __format__(self, form: str) -> str:
        value, language = self.value, self.language
        if isinstance(value, Reason):
            made = value.sentence(language)
        elif isinstance(value, Shown):
            made = value.order_words(language)
        elif isinstance(value, Listed | Translated | Phrase):
            made = value.words(language)
        elif isinstance(value, date):
            made = day_in(language, value)
        elif not isinstance(value, int | float):
            made = str(value)
        elif form.startswith("euro"):
            made = euro_in(language, value, rounded=form == "euro")
        else:  # with a minus sign, as the report writes it
            made = number_in(language, value, int(form or 0)).replace("-", "−")
        return made
