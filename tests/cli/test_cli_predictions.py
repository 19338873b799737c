"""``akb predictions``: the catalogue with what an export supports, without fitting anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from akb.cli import run


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, object]]:
    assert run(["predictions", *arguments, "--json"]) == 0
    return {row["key"]: row for row in json.loads(capsys.readouterr().out)["predictions"]}


def test_the_catalogue_says_everything_in_two_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for row in listed(capsys).values():
        for name in ("name", "name_en", "question", "population", "kind", "unit", "section"):
            assert row[name], (row["key"], name)
        assert isinstance(row["needs"], list)


def test_an_export_says_what_is_possible_and_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["klant;polis;ingangsdatum;branche", *(f"{n};P{n};01-03-2021;auto" for n in range(1, 13))]
    export = tmp_path / "polissen.csv"
    export.write_text("\n".join(lines) + "\n")
    rows = listed(capsys, str(export))
    churn, clv = rows["churn_12m"], rows["clv"]
    assert churn["status"] == clv["status"] == "unavailable"
    assert "geen beëindigde polissen" in str(churn["why"]) and clv["why"]
    assert rows["cross_sell_any_12m"]["status"] == "possible" and not rows["cross_sell_any_12m"]["why"]
    assert rows["lapse_auto_12m"]["population"] == "Klanten met een lopende polis in de branche personenauto."
    assert run(["predictions", str(export)]) == 0
    assert "possible" in capsys.readouterr().out
