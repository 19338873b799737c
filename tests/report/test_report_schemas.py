"""Schemas and dictionary: every output is as published, nothing undeclared, and no change breaks a reader unnoticed."""

from __future__ import annotations

import copy
import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from akb.catalogue.entries import templates
from akb.cli import run
from akb.commands.inspect.schema import NAMES
from akb.report import dictionary, schemas
from akb.store.feedback import Feedback
from akb.store.json_schema import SchemaMaker, breaking, whole
from tests.json_schemas import complaints

MADE = schemas.schemas()


def rows(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return pl.read_parquet(io.BytesIO(files[f"{name}.parquet"])).to_dicts()


def lists(files: dict[str, bytes]) -> dict[str, list[dict[str, str]]]:
    texts = {
        path: content.decode("utf-8-sig")
        for path, content in files.items()
        if path.startswith("actions/") and path.endswith(".csv")
    }
    return {
        Path(path).stem: list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
        for path, text in texts.items()
    }


def wrong(files: dict[str, bytes]) -> list[str]:
    scores = {name: rows(files, name) for name in ("scores", "winback")}
    documents = {"summary": json.loads(files["summary.json"]), "scores": scores, "lists": lists(files)}
    found = [f"{name}{each}" for name, document in documents.items() for each in complaints(document, MADE[name])]
    # The lists of these fabricated runs have fewer columns than real ones, which the test of the whole looks at.
    return [each for each in found if not (each.startswith("lists/") and each.endswith(": missing"))]


def test_every_output_of_a_run_is_as_its_schema_says(files: dict[str, bytes]) -> None:
    assert wrong(files) == []


def test_so_is_every_output_of_a_poor_run(poor: dict[str, dict[str, bytes]]) -> None:
    for name, files in poor.items():
        assert wrong(files) == [], name


def test_an_undeclared_key_or_column_is_seen(files: dict[str, bytes]) -> None:
    document = json.loads(files["summary.json"])
    document["quality"]["surprise"] = 1
    document["predictions"][0]["auc"] = "high"
    scores = {"scores": [{**rows(files, "scores")[0], "surprise": 1.0}], "winback": []}
    assert {each.partition(":")[0] for each in complaints(document, MADE["summary"])} == {
        "/quality/surprise",
        "/predictions/0/auc",
    }
    assert complaints(scores, MADE["scores"]) == ["/scores/0/surprise: not declared"]


def test_an_event_of_the_portal_is_as_its_schema_says() -> None:
    event = Feedback(
        run="R-0123456789ab",
        customer="K-0123456789ABCDEF",
        recorded="2026-01-05T09:30:00Z",
        event="status",
        status="planned",
    )
    assert complaints(event.model_dump(mode="json", by_alias=True), MADE["feedback"]) == []
    assert complaints({"schema": "akb.feedback/1"}, MADE["feedback"]) != []


@pytest.mark.parametrize("name", NAMES)
def test_published_schemas_are_those_of_the_code(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = schemas.folder() / schemas.file_name(MADE[name])
    published = json.loads(path.read_text("utf-8"))
    assert breaking(published, MADE[name]) == [], "write a new major"
    assert published == MADE[name], "python -m akb.report.schemas"
    assert run(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out) == published


def test_an_unknown_schema_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert capsys.readouterr().out.split() == list(NAMES)
    assert run(["schema", "sumary"]) == 2
    assert "did you mean 'summary'?" in capsys.readouterr().err


@dataclass(frozen=True)
class Inner:
    """What is inside."""

    name: str
    kept: int | None
    class_: tuple[float, float]


def schema(**more: Any) -> dict[str, Any]:
    maker = SchemaMaker()
    made = whole({"rows": maker.of(tuple[Inner, ...]), "share": {"type": "number"}, **more})
    return {**made, "$defs": maker.definitions}


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(schema())
    node, *rest = made, *path.split("/")
    for part in rest[:-1]:
        node = node[part]
    if value is None:
        del node[rest[-1]]
    else:
        node[rest[-1]] = value
    return made


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (schema(), []),
        (schema(more={"type": "string"}), []),
        (changed("required", ["rows"]), ["/share: no longer always there"]),
        (changed("properties/share", {"type": "string"}), ["/share: string instead of integer or number"]),
        (
            changed("properties/share", {"type": ["number", "null"]}),
            ["/share: integer or null or number instead of integer or number"],
        ),
        (changed("properties/share", {"type": "integer"}), []),
        (changed("$defs/Inner/properties/kept", {"type": "integer"}), []),
        (
            changed("$defs/Inner/properties/kept", {"type": ["string", "null"]}),
            ["/rows/*/kept: null or string instead of integer or null"],
        ),
        (changed("$defs/Inner/properties/name", {}), ["/rows/*/name: anything instead of string"]),
        (changed("properties/rows/items", {"type": "string"}), ["/rows/*: string instead of object"]),
    ],
)
def test_what_breaks_a_reader_is_named(new: dict[str, Any], says: list[str]) -> None:
    assert breaking(schema(), new) == says


def test_a_breaking_change_is_not_written_under_the_same_major(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "folder", lambda: tmp_path)
    schemas.write()
    broken = {name: copy.deepcopy(each) for name, each in MADE.items()}
    del broken["summary"]["properties"]["headlines"]
    monkeypatch.setattr(schemas, "schemas", lambda: broken)
    with pytest.raises(ValueError, match=r"akb.summary/2 needs a new major: /headlines: gone"):
        schemas.write()


def test_a_dataclass_is_its_schema() -> None:
    inner = schema()["$defs"]["Inner"]
    assert inner["description"] == "What is inside."
    assert inner["required"] == ["name", "kept", "class"]
    good = {"rows": [{"name": "a", "kept": None, "class": [0.1, 1]}], "share": 1}
    assert complaints(good, schema()) == []
    bad = {"rows": [{"name": 1, "kept": 1.5, "class": [0.1]}], "share": True}
    assert len(complaints(bad, schema())) == 4


def test_the_dictionary_is_written_and_whole() -> None:
    assert dictionary.document_path().read_text("utf-8") == dictionary.document(), "python -m akb.report.dictionary"
    for path, columns in dictionary.dictionary().items():
        assert len({column.name for column in columns}) == len(columns), path
        for column in columns:
            for words in (column.meaning, column.unit, column.empty, column.population):
                assert set(words) == {"nl", "en"}
                assert all(words.values()), (path, column.name)


def test_english_words_are_those_of_the_catalogue() -> None:
    from akb.core.wording.text import texts

    assert [each.key for each in templates() if bool(each.population_nl) != bool(each.population_en)] == []
    nl, en = texts("dictionary", "nl"), texts("dictionary", "en")
    assert {table: set(nl[table]) for table in nl} == {table: set(en[table]) for table in nl}


def test_parquet_carries_the_same_words(files: dict[str, bytes]) -> None:
    for name in ("scores", "winback"):
        content = io.BytesIO(files[f"{name}.parquet"])
        words = json.loads(pl.read_parquet_metadata(content)[dictionary.METADATA])
        assert list(words) == pl.read_parquet_schema(content).names()
        said = {column.name: column for column in dictionary.dictionary()[name]}
        for key in words.keys() & said.keys():
            assert words[key]["meaning"] == said[key].meaning
        assert not [key for key, word in words.items() if "{" in "".join(word["meaning"].values())]


def test_data_files_have_the_columns_of_the_dictionary(files: dict[str, bytes]) -> None:
    said = {name: [column.name for column in columns] for name, columns in dictionary.dictionary().items()}
    assert files["rejects.csv"].decode().splitlines()[0].split(",") == said["rejects"]
    assert said["private/customers"] == ["customer", "relation"]
