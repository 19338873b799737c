"""Every output of a run is as `akb schema` says, and no column is missing from the dictionary."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl

from akb.report.dictionary import SCORED, dictionary
from akb.report.schemas import schemas
from tests.json_schemas import complaints


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_every_output_validates(finished: Path) -> None:
    scores = {name: pl.read_parquet(finished / f"{name}.parquet").to_dicts() for name in ("scores", "winback")}
    documents: dict[str, Any] = {
        "summary": json.loads((finished / "summary.json").read_text("utf-8")),
        "manifest": json.loads((finished / "manifest.json").read_text("utf-8")),
        "scores": scores,
        "lists": {path.stem: cells(path) for path in (finished / "actions").glob("*.csv")},
    }
    made = schemas()
    found = {name: complaints(document, made[name])[:5] for name, document in documents.items()}
    assert [each for complaint in found.values() for each in complaint] == []


def test_every_heading_is_in_the_dictionary(finished: Path) -> None:
    for path, columns in dictionary().items():
        if path == SCORED:
            continue
        file = next(finished.glob(f"{path}.csv"), None) or finished / f"{path}.parquet"
        if file.suffix == ".parquet":
            names = pl.read_parquet_schema(file).names()
        else:
            head = file.read_text("utf-8-sig").splitlines()[0]
            names = head.split(";" if path.startswith("actions/") else ",")
        said = [column.name for column in columns]
        parts = [part for name in said if "{" in name for part in [name.replace("{", "|").replace("}", "|").split("|")]]
        strange = [
            name
            for name in names
            if name not in said and not any(name.startswith(part[0]) and name.endswith(part[2]) for part in parts)
        ]
        assert strange == [], path
        assert [column.name for column in columns if column.always and column.name not in names] == [], path
