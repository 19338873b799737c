"""Exports that cannot be used end with a sentence; poor ones with a report that says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from akb.cli import run
from akb.store.models import read_models
from tests.offices import Office


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n\n", "empty.csv|blank.csv"),
        ("header.csv", b"klant;polis;ingangsdatum\n", "no "),
        ("really.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "PDF"),
        ("no_dates.csv", b"klant;polis;premie\n1;2;3\n2;3;4\n", "start"),
        ("bad_dates.csv", b"klant;polis;ingangsdatum\n1;2;soon\n2;3;later\n", "ingangsdatum|start"),
        ("not_ours.csv", b"a,b,c\n1,2,3\n", "customer"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, words: str
) -> None:
    code = run(["eda", write(tmp_path / name, content), "--out", str(tmp_path / "run"), "--key", str(tmp_path / "k")])
    said = capsys.readouterr().err
    assert code == 2, said
    assert any(word in said for word in words.split("|")), said
    assert name in said
    assert not (tmp_path / "run").exists()


def test_a_folder_is_refused_naming_its_files(
    tmp_path: Path, compared_office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared_office.eda(tmp_path / "run", files=[str(compared_office.folder)]) == 2
    assert "polissen.csv" in capsys.readouterr().err


FEW = 300
"""Customers of an export of which columns are taken away: what is missing is said of few as of many."""


def poorer(compared_office: Office, target: Path, change: pl.Expr | None = None, *without: str) -> str:
    table = pl.read_csv(compared_office.folder / "polissen.csv", separator=";", infer_schema=False)
    few = table["Relatienummer"].unique().sort().head(FEW)
    table = table.filter(pl.col("Relatienummer").is_in(few.implode()), *([] if change is None else [change]))
    table.drop(without).write_csv(target, separator=";")
    return str(target)


POOR = {
    "no_ends": (None, ("Einddatum", "Royementsreden")),
    "no_reasons": (None, ("Royementsreden",)),
    "no_money": (None, ("Premie per jaar", "Provisie per jaar")),
    "one_branch": (pl.col("Branche").str.contains("(?i)auto"), ()),
    "bare": (None, (
        "Branche", "Maatschappij", "Royementsreden", "Premie per jaar", "Provisie per jaar", "Termijn", "Incassowijze",
        "Hoofdvervaldatum", "Adviseur", "Kantoor", "Soort relatie", "Geboortejaar", "Postcode", "Mailing",
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", POOR)
def test_a_poor_export_gives_a_report_that_says_what_is_missing(
    compared_office: Office, tmp_path: Path, name: str
) -> None:
    change, without = POOR[name]
    export = poorer(compared_office, tmp_path / f"{name}.csv", change, *without)
    assert compared_office.eda(tmp_path / "run", files=[export]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    missing = [entry for entry in summary["predictions"] if entry["status"] == "unavailable"]
    assert all(entry["why"] for entry in missing)
    if name == "no_ends":
        assert {"churn_12m", "policy_lapse_any_12m"} <= {entry["key"] for entry in missing}
    if name in ("no_money", "bare"):
        assert "clv" in {entry["key"] for entry in missing} or summary["findings"]


@pytest.mark.parametrize("customers", [30, 50])
def test_a_handful_of_customers_runs(compared_office: Office, tmp_path: Path, customers: int) -> None:
    table = pl.read_csv(compared_office.folder / "polissen.csv", separator=";", infer_schema=False)
    some = table["Relatienummer"].unique().sort().head(customers)
    export = tmp_path / "small.csv"
    table.filter(pl.col("Relatienummer").is_in(some.implode())).write_csv(export, separator=";")
    assert compared_office.eda(tmp_path / "run", files=[str(export)]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert not [entry for entry in summary["predictions"] if entry["grade"] in ("strong", "usable")]
    cards = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "run" / "models" / "cards").iterdir()]
    assert len(cards) == len(summary["predictions"])
    assert all(card["why"] for card in cards if card["status"] == "unavailable")
    assert all("zelfde getal" in " ".join(card["limits"]) for card in cards if card["constant"])
    for card in cards:
        for part in (card["evidence"] or {}).get("segments", ()):
            assert part["population"] is None or part["population"] >= 5
    assert read_models(tmp_path / "run")
