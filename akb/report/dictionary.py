"""The data dictionary: what every column of a run's files means, in Dutch and English.

``python -m akb.report.dictionary`` writes ``docs/dictionary.md``; the Parquet files carry the same
words, and ``akb schema`` too."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from akb.catalogue.entries import templates
from akb.core.wording.text import configs_dir, text, texts
from akb.report.files.list_columns import ADDED, SENTENCE
from akb.report.files.lists import ALWAYS, EUROS, POINTS, is_chance

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from akb.catalogue.entries import Entry

LANGUAGES = ("nl", "en")
METADATA = "akb_columns"
"""Key of the words in the metadata of a Parquet file."""
FILLED = ("churn_", "clv")
"""How the keys begin of which every customer in force has a value."""
SOMETIMES = {
    "next_best_action": ("contacts_12m",),
    "top_defend": (
        "churn_preventable_12m", "clv", "commission", "cost", "branches", "peak_risk_month",
    ),
    "next_best_policy": (
        "band", "commission", "expected_commission", "rank_chance", "churn_effect", "ban",
    ),
}  # fmt: skip
"""List -> columns that it has only where somebody stands on it."""
SCORED = "actions/since_last"
"""A list that only runs of ``akb score`` have."""
_ROWS = {
    "rejects": ("file", "line", "column", "shape", "reason"),
    "customers": ("customer", "relation"),
}
_PEOPLE = frozenset({"adviser", "office", "done_by"})
_UNITS = {
    **dict.fromkeys(EUROS, "euro"),
    **dict.fromkeys(POINTS, "procentpunt"),
    **dict.fromkeys(("control", "ban", "contact"), "ja of nee"),
    **dict.fromkeys(("rank", "rank_chance"), "plaats"),
    **dict.fromkeys(("ends", "left"), "datum"),
    **dict.fromkeys(("peak_risk_month", "contact_month"), "maand"),
    "policies": "polissen",
    "contacts_12m": "contactmomenten",
    "share": "deel",
    "line": "regel",
}


@dataclass(frozen=True)
class DataColumn:
    """One column of a file; words by language.

    Parameters
    ----------
    name
        As the file has it: a key, or the heading of a list. May contain ``{branch}`` or
        ``{topic}``.
    unit, empty, population
        What it is counted in, when it is null or empty, and whom it is about.
    kind
        ``number``, ``text`` or, in lists, ``cell``: text as Dutch Excel writes it.
    always
        Whether the file always has it.
    """

    name: str
    meaning: dict[str, str]
    unit: dict[str, str]
    empty: dict[str, str]
    population: dict[str, str]
    kind: str = "text"
    always: bool = True


def dictionary() -> dict[str, list[DataColumn]]:
    """Return file (path in the run, without its ending) -> its columns."""
    entries = templates()
    return {
        "scores": score_columns(entries),
        "winback": winback_columns(entries),
        **{f"actions/{name}": list_columns(name) for name in ALWAYS},
        "actions/tasks": task_columns(),
        SCORED: since_last_columns(),
        "rejects": _rows_of("rejects", "file"),
        "private/customers": _rows_of("customers", "relations"),
    }


def score_columns(entries: Iterable[Entry]) -> list[DataColumn]:
    """Return the columns of ``scores.parquet``."""
    own = [_of_entry(entry) for entry in entries if entry.rows == "customers"]
    return [_named("customer", "customer", population=_everyone()), *own]


def winback_columns(entries: Iterable[Entry]) -> list[DataColumn]:
    """Return the columns of ``winback.parquet``."""
    own = [_of_entry(entry) for entry in entries if entry.rows == "former"]
    return [_named("customer", "customer", population=own[0].population), *own]


def list_columns(name: str) -> list[DataColumn]:
    """Return the columns of a list, under the headings that people read."""
    names = texts("report")
    heads = {**names["list_column"], **names["list_column_of"].get(name, {})}
    keys = [*ALWAYS[name], *SOMETIMES.get(name, ()), *ADDED.get(name, ())]
    if name in SENTENCE:
        keys.append(SENTENCE[name])
    return [_of_list(name, key, heads[key]) for key in dict.fromkeys(keys)]


def since_last_columns() -> list[DataColumn]:
    """Return the columns of the list of who is new, gone and contacted."""
    heads = texts("live")["changes"]
    people = _words("population", "list")
    empty = {"customer": "never", "what": "never", "date": "unknown"}
    unit = {"date": "datum"}
    return [
        replace(
            _named(
                heads[key],
                "customer" if key == "customer" else f"since_{key}",
                unit=unit.get(key, "tekst"),
                empty=rule,
                population=people,
            ),
            kind="cell",
        )
        for key, rule in empty.items()
    ]


def task_columns() -> list[DataColumn]:
    """Return the columns of the tasks of a run."""
    units = {"before": "datum", "rank": "plaats"}
    never = ("customer", "rank", "list", "kind", "subject", "why", "before")
    own = ("list", "kind", "subject", "why", "before", "adviser")
    people, made = _words("population", "list"), []
    for key, heading in texts("tasks")["head"].items():
        meaning = f"task_{key}" if key in own else "done_level" if key == "level" else key
        empty = "never" if key in never else "few" if key in _PEOPLE else "unknown"
        column = _named(
            heading, meaning, unit=units.get(key, "tekst"), empty=empty, population=people
        )
        made.append(replace(column, kind="cell"))
    return made


def metadata(columns: Iterable[DataColumn]) -> dict[str, str]:
    """Return columns as the metadata of a Parquet file."""
    words = {
        column.name: {
            "meaning": column.meaning,
            "unit": column.unit,
            "null": column.empty,
            "population": column.population,
        }
        for column in columns
    }
    return {METADATA: json.dumps(words, ensure_ascii=False)}


def document() -> str:
    """Return ``docs/dictionary.md``."""
    parts = [_HEAD]
    for path, columns in dictionary().items():
        name = path.rpartition("/")[2]
        file = text("dictionary", "en", "file", "winback_list" if path == _WINBACK else name)
        parts += [f"\n## `{path}`\n\n{file}\n", _LINE_HEAD]
        parts += [_line(column) for column in columns]
    return "".join(parts)


_WINBACK = "actions/winback"
_HEAD = """# Data dictionary

Written by `python -m akb.report.dictionary`; a test keeps it up to date, and fails on a column that
is not in it. The same words stand in the metadata of `scores.parquet` and `winback.parquet` (key
`akb_columns`) and in `akb schema`. `{branch}` and `{topic}` stand for a column per branch of the
portfolio and per topic of its contacts.
"""
_LINE_HEAD = (
    "\n| column | betekenis | meaning | unit | null | population |\n|---|---|---|---|---|---|\n"
)


def _line(column: DataColumn) -> str:
    cells = (
        f"`{column.name}`",
        column.meaning["nl"],
        column.meaning["en"],
        column.unit["en"],
        column.empty["en"],
        column.population["en"],
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _of_entry(entry: Entry) -> DataColumn:
    everyone = _everyone()
    return DataColumn(
        entry.key,
        {"nl": entry.question_nl, "en": entry.question_en},
        {"nl": entry.unit_nl, "en": text("dictionary", "en", "unit", entry.unit_nl)},
        _words("null", _empty(entry)),
        {
            "nl": entry.population_nl or everyone["nl"],
            "en": entry.population_en or everyone["en"],
        },
        "text" if entry.kind == "class" else "number",
        always="{" not in entry.key,
    )


def _empty(entry: Entry) -> str:
    filled = entry.key.startswith(FILLED) and entry.kind != "points" and not entry.population_nl
    return "unavailable" if filled else "ineligible"


def _of_list(name: str, key: str, heading: str) -> DataColumn:
    unit = "deel" if is_chance(key) else _UNITS.get(key, "tekst")
    meaning = "relation_kept" if key == "relation" else key
    if name == "next_best_action" and key == "contact":
        meaning, unit = "best_contact", "tekst"
    never = key in ("customer", "rank", "control")
    empty = "never" if never else "few" if key in _PEOPLE else "unknown"
    made = _named(heading, meaning, unit=unit, empty=empty, population=_words("population", "list"))
    always = key in ALWAYS[name] or key not in SOMETIMES.get(name, ())
    return replace(made, kind="cell", always=always)


def _rows_of(name: str, population: str) -> list[DataColumn]:
    return [
        _named(
            key,
            key,
            unit=_UNITS.get(key, "tekst"),
            empty="unknown" if key in ("column", "shape") else "never",
            population=_words("population", population),
        )
        for key in _ROWS[name]
    ]


def _named(
    name: str,
    meaning: str,
    *,
    population: dict[str, str],
    unit: str = "tekst",
    empty: str = "never",
) -> DataColumn:
    words = {"nl": unit, "en": text("dictionary", "en", "unit", unit)}
    return DataColumn(name, _words("column", meaning), words, _words("null", empty), population)


def _words(table: str, key: str) -> dict[str, str]:
    return {language: text("dictionary", language, table, key) for language in LANGUAGES}


def _everyone() -> dict[str, str]:
    return {
        "nl": text("report", "nl", "card", "everyone"),
        "en": text("dictionary", "en", "everyone", "customers"),
    }


def document_path() -> Path:
    """Return where the document stands in a checkout."""
    return configs_dir().parent / "docs" / "dictionary.md"


if __name__ == "__main__":
    document_path().write_text(document(), "utf-8")
