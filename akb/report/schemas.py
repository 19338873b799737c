"""JSON Schemas of what a run leaves: made of the types and words that write it.

``python -m akb.report.schemas`` writes ``docs/schemas/``, where the published ones stand; it
refuses a change that breaks their readers, unless the document has a new major."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from akb.core.wording.text import configs_dir
from akb.report.chapters.registry import chapters
from akb.report.dictionary import SCORED, dictionary
from akb.report.files import summary as summary_file
from akb.report.typed import Facts
from akb.store.json_schema import SchemaMaker, breaking, titled, type_hints, whole
from akb.value.types import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from akb.report.dictionary import DataColumn
    from akb.store.json_schema import Schema

SCORES = "akb.scores/1"
LISTS = "akb.lists/1"
_ELSEWHERE = ("case", "evidence", "assumptions", "summary")
_LOOSE: Schema = {"type": ["object", "null"]}


def schemas() -> dict[str, Schema]:
    """Return what ``akb schema`` knows: name -> JSON Schema."""
    from akb.store.schemas import feedback_schema, manifest_schema

    return {
        "summary": summary_schema(),
        "scores": scores_schema(),
        "lists": lists_schema(),
        "manifest": manifest_schema(),
        "feedback": feedback_schema(),
    }


def summary_schema() -> Schema:
    """Return the schema of ``summary.json``, of the types of the chapters' facts."""
    maker = SchemaMaker()
    facts = facts_classes()
    parts = {key: _shown(maker, kind) for key, kind in facts.items()}
    portfolio = maker.fields_of(facts["portfolio"])
    evidence = maker.fields_of(facts["evidence"])
    case = maker.fields_of(facts["case"])
    story = maker.fields_of(facts["summary"])
    quality = maker.fields_of(facts["quality"])
    prediction = maker.definitions["PredictionRow"]["properties"]
    of_prediction = summary_file.PREDICTION
    of_case = {name: case.get(name, {}) for name in ("available", *summary_file.CASE, "missing")}
    properties = {
        "schema": {"const": summary_file.SCHEMA},
        "as_of": {"type": "string", "format": "date"},
        "rows": quality["rows"],
        "customers": whole(
            {"in_force": portfolio["customers"], "former": portfolio["former_customers"]}
        ),
        "policies": whole(
            {"in_force": portfolio["policies"], "signed": portfolio["signed_policies"]}
        ),
        "findings": quality["findings"],
        "predictions": {
            "type": "array",
            "items": whole({name: prediction[name] for name in of_prediction}),
        },
        "value": maker.of(Figures),
        "business_case": whole({**of_case, "assumptions": parts["assumptions"]}),
        "case_basis": {
            **_LOOSE,
            "description": "What the page's planner works on; see its schema.",
        },
        "suppress_below": {"type": "integer"},
        "headlines": story["headlines"],
        "summary": whole({name: story[name] for name in ("spread", "decision")}),
        **{key: part for key, part in parts.items() if key not in _ELSEWHERE},
        "evidence": whole({key: part for key, part in evidence.items() if key != "predictions"}),
    }
    return titled(summary_file.SCHEMA, whole(properties), _used(properties, maker.definitions))


def facts_classes() -> dict[str, type]:
    """Return place in ``summary.json`` -> class of the facts that stand there."""
    made = [make for chapter in chapters() for make in chapter.facts]
    found: dict[str, type] = {}
    for make in made:
        names = vars(sys.modules[make.__module__])
        kind = names[str(make.__annotations__["return"])]
        if isinstance(kind, type) and issubclass(kind, Facts):
            found[kind.KEY] = kind
    return found


def _shown(maker: SchemaMaker, kind: type) -> Schema:
    """Return the schema of facts as `ReportModel.__getitem__` shows them."""
    return (
        maker.fields_of(kind)["rows"] if list(type_hints_of(kind)) == ["rows"] else maker.of(kind)
    )


def type_hints_of(kind: type) -> dict[str, Any]:
    """Return the fields of facts, without what belongs to the class."""
    return {name: hint for name, hint in type_hints(kind).items() if name != "KEY"}


def scores_schema() -> Schema:
    """Return the schema of the rows of ``scores.parquet`` and ``winback.parquet``."""
    files = {name: columns for name, columns in dictionary().items() if "/" not in name}
    return titled(SCORES, whole({name: _table(files[name]) for name in ("scores", "winback")}))


def lists_schema() -> Schema:
    """Return the schema of the rows of ``actions/*.csv``: text under the headings."""
    lists = {
        name.partition("/")[2]: _table(columns)
        for name, columns in dictionary().items()
        if name.startswith("actions/")
    }
    made = whole(lists)
    made["required"] = [name for name in lists if f"actions/{name}" != SCORED]
    return titled(LISTS, made)


def _table(columns: list[DataColumn]) -> Schema:
    row: Schema = {"type": "object", "properties": {}, "required": []}
    for column in columns:
        schema = _cell(column)
        if "{" in column.name:
            pattern = "^" + column.name.replace("{branch}", ".+").replace("{topic}", ".+") + "$"
            row.setdefault("patternProperties", {})[pattern] = schema
        else:
            row["properties"][column.name] = schema
    row["required"] = [column.name for column in columns if column.always]
    return {"type": "array", "items": row}


def _cell(column: DataColumn) -> Schema:
    kinds: Any = "string"
    if column.kind != "cell":
        kind = "number" if column.kind == "number" else "string"
        kinds = kind if column.empty["en"] == "never" else [kind, "null"]
    made: Schema = {
        "type": kinds,
        "description": column.meaning["en"],
        "x-betekenis": column.meaning["nl"],
        "x-unit": column.unit["en"],
        "x-null": column.empty["en"],
        "x-population": column.population["en"],
    }
    if column.kind == "number" and column.unit["nl"] == "kans":
        made |= {"minimum": 0, "maximum": 1}
    return made


def _used(properties: Schema, definitions: dict[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that are referred to, directly or by another."""
    ahead = [json.dumps(properties)]
    used: dict[str, Schema] = {}
    while ahead:
        text = ahead.pop()
        for name in definitions.keys() - used.keys():
            if f'"#/$defs/{name}"' in text:
                used[name] = definitions[name]
                ahead.append(json.dumps(definitions[name]))
    return used


def folder() -> Path:
    """Return where the published schemas stand in a checkout."""
    return configs_dir().parent / "docs" / "schemas"


def as_text(schema: Schema) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def file_name(schema: Schema) -> str:
    """Return the name of the file of a schema: with its major."""
    return f"{schema['title'].replace('/', '-')}.json"


def write() -> None:
    """Write the published schemas anew.

    Raises
    ------
    ValueError
        If a change breaks who reads by them.
    """
    folder().mkdir(exist_ok=True)
    for schema in schemas().values():
        path = folder() / file_name(schema)
        if path.exists():
            found = breaking(json.loads(path.read_text("utf-8")), schema)
            if found:
                raise ValueError(f"{schema['title']} needs a new major: {'; '.join(found)}")
        path.write_text(as_text(schema), "utf-8")


if __name__ == "__main__":
    write()
