"""Why something is as it is: a stable code and the values that its sentence names; the report words
it.

The sentences stand in ``configs/text/<language>/why_models.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from akb.core.wording.numbers import number_nl
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
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, language: str = "nl") -> str:
        """Return the reason as one sentence in `language`.

        >>> Reason("too_short", {"months": 12}).sentence()  # doctest: +NORMALIZE_WHITESPACE
        'De vastgelegde geschiedenis is te kort: er is nog geen periode van 12 maanden die helemaal
        voorbij is.'
        """
        words = {name: _Worded(value, language) for name, value in self.params.items()}
        return text("why", language, "why_models", self.code).format_map(words)


@dataclass(frozen=True)
class _Worded:
    """A value in a sentence; ``{share:2}`` asks for two decimals."""

    value: Any
    language: str

    def __format__(self, decimals: str) -> str:
        if isinstance(self.value, Reason):
            return self.value.sentence(self.language)
        if isinstance(self.value, Shown):
            return self.value.order_words(self.language)
        if isinstance(self.value, int | float):
            return number_nl(self.value, int(decimals or 0)).replace(
                "-", "−"
            )  # a minus sign, as the report writes it
        return str(self.value)
