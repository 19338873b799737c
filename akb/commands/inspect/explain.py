"""``akb explain``: what a finding or a prediction means, in Dutch and English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.text import texts

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry

LANGUAGES = ("nl", "en")
_ROOMS = {"D": "data", "T": "time", "M": "models", "V": "value", "P": "privacy"}
_VALUE = re.compile(r"\{(\w+)\}")
_FIELD = re.compile(r"\\\{(\w+)\\\}")


def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CODE|KEY",
            help="A finding such as AKB-D011, or a prediction such as churn_12m.",
        ),
    ],
    json: options.Json = False,
) -> None:
    """Say what a finding means and what to do about it, or what a prediction asks and of whom; in
    Dutch and English.

    Example: akb explain AKB-D011
    """
    document = explained(name)
    if json:
        options.print_json({"schema": "akb.explain/1", **document})
        return
    for line in _lines(document):
        typer.echo(line)


def explained(name: str) -> dict[str, Any]:
    """Return what a finding or prediction is, by its code or key.

    Raises
    ------
    AkbError
        If there is no such code or key.
    """
    code = name.upper() if name.upper().startswith("AKB-") else name
    if code in texts("findings"):
        return _finding(code)
    entry = _entry(name)
    if entry is not None:
        return _prediction(name, *entry)
    known = [*texts("findings"), *(each.key for each in _catalogue())]
    raise AkbError(
        f"there is no finding or prediction '{name}'{did_you_mean(name, known)}",
        "akb predictions lists the keys; findings have codes such as AKB-D011.",
    )


def _finding(code: str) -> dict[str, Any]:
    words = {
        language: {
            part: _VALUE.sub(r"<\1>", texts("findings", language)[code][part])
            for part in ("sentence", "remedy")
        }
        for language in LANGUAGES
    }
    return {"code": code, "kind": "finding", "about": _ROOMS[code[4]], **words}


def _prediction(name: str, entry: Entry, part: dict[str, str]) -> dict[str, Any]:
    from akb.report.dictionary import score_columns, winback_columns

    columns = winback_columns if entry.rows == "former" else score_columns
    column = columns([entry])[-1]
    named = {"nl": entry.name_nl, "en": entry.name_en}
    words = {
        language: {
            "name": _filled(named[language], part),
            "question": _filled(column.meaning[language], part),
            "unit": column.unit[language],
            "population": _filled(column.population[language], part),
            "null": column.empty[language],
        }
        for language in LANGUAGES
    }
    return {
        "code": name,
        "kind": "prediction",
        "file": "winback.parquet" if entry.rows == "former" else "scores.parquet",
        "horizon_months": entry.horizon_months,
        "needs": list(entry.needs),
        "method": entry.method,
        **words,
    }


def _filled(text: str, part: dict[str, str]) -> str:
    """Return a text with the branch or topic of the key in it; what the key leaves open as <…>."""
    return _VALUE.sub(lambda found: part.get(found[1], f"<{found[1]}>"), text)


def _entry(name: str) -> tuple[Entry, dict[str, str]] | None:
    """Return the prediction of a key, with the branch or topic that the key holds."""
    for entry in _catalogue():
        pattern = _FIELD.sub(r"(?P<\1>\\w+)", re.escape(entry.key))
        found = re.fullmatch(pattern, name)
        if name == entry.key:
            return entry, {}
        if found:
            return entry, found.groupdict()
    return None


def _catalogue() -> list[Entry]:
    """Return the catalogue, those that hold no branch first: a key of its own is no branch's."""
    from akb.catalogue.entries import templates

    return sorted(templates(), key=lambda entry: "{" in entry.key)


def _lines(document: dict[str, Any]) -> list[str]:
    facts = {
        name: value
        for name, value in document.items()
        if name not in ("code", *LANGUAGES) and value not in (None, [])
    }
    shown = ", ".join(
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in facts.items()
        if name != "kind"
    )
    lines = [f"{document['code']}: {document['kind']}; {shown}"]
    for language in LANGUAGES:
        lines += ["", language]
        lines += [f"  {name}: {value}" for name, value in document[language].items()]
    return lines
