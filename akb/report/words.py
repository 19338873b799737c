"""The words of the report: looked up in ``configs/text``, filled with values that are never read as
markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from markupsafe import Markup, escape

from akb.core.wording.text import load_toml, texts
from akb.report import formats
from akb.report.keyed import Said, keys_of, said
from akb.report.reasons import Reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.core.revenue import Meaning
    from akb.core.wording.reasons import Reason

_FIXED = re.compile(r"(?<![\w{&#])\d[\d.,]*(?:–\d[\d.,]*)?")
_TERM = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")


class Banded(Protocol):
    """A row over a band [lower, upper)."""

    @property
    def lower(self) -> float | None:
        """Where the band begins."""

    @property
    def upper(self) -> float | None:
        """Where it ends; None if it does not."""


class Words:
    """Texts in one language, in which recurring revenue is called what it is for this client.

    Parameters
    ----------
    money
        ``commission`` (as the texts have it), ``revenue`` or ``margin``: see ``report_money.toml``
        among the texts.
    own
        Key -> name of the branches that only this export or client has.
    """

    def __init__(
        self,
        language: str = "nl",
        money: Meaning = "commission",
        own: Mapping[str, str] | None = None,
    ) -> None:
        self.language = language
        self._reasons = Reasons(language, own)
        self.money = money
        tree = texts("report", language)
        tree = {**tree, "column": {**texts("columns", language)["columns"], **tree["column"]}}
        self._says: dict[str, str] = tree["money_words"].get(money, {})
        self._tree = self._reworded(tree, set(tree["money_words"]["keep"]), "")

    def reworded(self, sentence: str) -> str:
        """Return a sentence of another room in which recurring revenue is called what it is for
        this client.
        """
        for word, instead in self._says.items():
            sentence = re.sub(rf"\b{word}\b", instead, sentence)
        return sentence

    def why(self, why: Reason | str) -> str:
        """Return a reason as a sentence."""
        return self.reworded(why if isinstance(why, str) else why.sentence(self.language))

    def _reworded(self, node: Any, keep: set[str], path: str) -> Any:
        if not self._says or path in keep:
            return node
        if isinstance(node, dict):
            inside = f"{path}." if path else ""
            return {
                self.reworded(key): self._reworded(value, keep, f"{inside}{key}")
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self._reworded(value, keep, path) for value in node]
        return self.reworded(node) if isinstance(node, str) else node

    def raw(self, key: str) -> str:
        """Return the text under a dotted key; a missing one is a programming error and raises
        KeyError.
        """
        node: Any = self._tree
        for part in key.split("."):
            node = node[part]
        if not isinstance(node, str):
            raise KeyError(key)
        return node

    def table(self, key: str) -> dict[str, Any]:
        """Return a whole table of texts."""
        node: Any = self._tree
        for part in key.split("."):
            node = node[part]
        return dict(node)

    def plain(self, key: str, **values: object) -> str:
        """Return a text with its values as plain text (figures, CSV, JSON); glossary marks are
        dropped.
        """
        return _TERM.sub(lambda m: m.group(1), self.raw(key)).format_map(_shown(values))

    def html(self, key: str, **values: object) -> Markup:
        """Return a text as markup: ``[[term]]`` or ``[[words|term]]`` links to the glossary, values
        are escaped.

        A number that the text itself holds (a fixed one, such as the 12 of *12 maanden*) has the
        text as its key."""
        fixed = _FIXED.sub(
            rf'<span data-key="text.{key.replace(" ", "_")}">\g<0></span>',
            str(escape(self.raw(key))),
        )
        linked = _TERM.sub(self._link, fixed)
        return Markup(
            linked.format_map({name: escape(value) for name, value in _shown(values).items()})
        )

    def name(self, table: str, key: object) -> str:
        """Return the name of something whose key another room or the data decides; unknown keys are
        made readable.
        """
        known = self._tree.get(table, {}).get(str(key))
        if isinstance(known, str):
            return said(
                known, [f"text.{table}.{key}"] if any(sign.isdigit() for sign in known) else []
            )
        return key if isinstance(key, Said) else str(key).replace("_", " ")

    def reason_name(self, key: str | None) -> str:
        """Return the name of a reason of leaving, as the taxonomy of reasons has it."""
        entry = load_toml("reasons.toml").get(str(key))
        return str(entry[f"name_{self.language}"]) if entry else self.plain("reason.unknown")

    def count(self, number: int | None, thing: str) -> str:
        """Return a number with its noun in the right form: ``1 klant``, ``1.200 klanten``."""
        one, many = self._tree["plural"][thing]
        shown = formats.number(number)
        return said(f"{shown} {one if number == 1 else many}", keys_of(number))

    @staticmethod
    def slug(term: str) -> str:
        """Return a term as the id of its place in the glossary."""
        return slug(term)

    def span(self, unit: str, row: Banded) -> str:
        """Return a band [lower, upper) in a unit: ``1 tot 3 jaar``, ``10 jaar of langer``, ``tot 1
        jaar``.
        """
        lower, upper = _whole(row.lower), _whole(row.upper)
        keys = keys_of(row.lower, row.upper)
        if upper is None:
            return said(self.plain(f"band.{unit}.from", lower=lower), keys)
        if not lower:
            one = "_one" if unit == "years" and upper == 1 else ""
            return said(self.plain(f"band.{unit}.below{one}", upper=upper), keys)
        single = (
            f"band.{unit}.single"
            if upper - (lower or 0) == 1 and unit.startswith("policies")
            else f"band.{unit}.between"
        )
        return said(self.plain(single, lower=lower, upper=upper), keys)

    def feature_name(self, feature: str) -> str:
        """Return what a feature is called, or its key where it is one of the models' own."""
        return self._reasons.name(feature)

    def _link(self, match: re.Match[str]) -> str:
        shown, term = match.group(1), match.group(2) or match.group(1)
        return f'<a class="term" href="#begrip-{slug(term)}">{shown}</a>'


def slug(term: str) -> str:
    """Return a term as the id of its place in the glossary."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def _whole(edge: float | None) -> float | None:
    """Return 3.0 as 3, so that no band runs to ``3,0 jaar``."""
    return int(edge) if edge is not None and float(edge).is_integer() else edge


def _shown(values: Mapping[str, object]) -> dict[str, str]:
    return {name: formats.shown(value) for name, value in values.items()}
