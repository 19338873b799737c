"""``akb init`` writes settings that say what akb finds by itself: with them an export reads as without them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.config import Ingest, load_settings
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.sample import simulate, write_sample
from tests.broken.generate import GOOD, renamed, where, with_claims
from tests.ingest.ingest_exports import assert_same

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "export"
    write_sample(simulate(200, seed=6), folder, truth=False)
    return folder


def written(files: list[str], out: Path) -> str:
    assert run(["init", *files, "--out", str(out), "-q"]) == 0
    return out.read_text("utf-8")


def same_with_and_without(files: list[str], out: Path) -> None:
    """The export reads alike with the settings and without, to the row and the finding."""
    paths = [Path(file) for file in files]
    without = read_portfolio(Sources(paths, bytes(32)), load_settings())
    assert_same(read_portfolio(Sources(paths, bytes(32)), load_settings(out)), without)


def test_the_file_loads_and_gives_the_same_portfolio(office: Path, tmp_path: Path) -> None:
    files = [str(office / name) for name in NAMES]
    text = written(files, tmp_path / "akb.toml")
    same_with_and_without(files, tmp_path / "akb.toml")
    settings = load_settings(tmp_path / "akb.toml").ingest
    assert settings.columns["policies"]["start"] == "Ingangsdatum"
    assert settings.columns["claims"]["reported"] == "Meldingsdatum"
    assert settings.branches["Personenauto"] == "auto"
    assert settings.reasons["Opzegging klant"] == "opzegging_klant"
    assert "99-99-9999" in text
    assert "certain" in text


ODD = {
    "a heading of AFD": renamed("Ingangsdatum", "PP_INGDAT"),
    "a heading with a hash and a backslash": renamed("Maatschappij", "Maatschappij # \\ [x]"),
    "unknown branches": where(2, 'Ruimte "reis" # 1\\', 2),
    "control characters": where(3, "De\x01 Vaart", 2),
    "car twice": where(2, lambda n, _: "CAR" if n % 2 else "car"),
    "no ends": where(5, ""),
    "formulas": where(3, "=1+1", 2),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_exports_read_alike_too(tmp_path: Path, name: str) -> None:
    export = tmp_path / "polissen.csv"
    export.write_bytes(ODD[name])
    written([str(export)], tmp_path / "akb.toml")
    same_with_and_without([str(export)], tmp_path / "akb.toml")


def test_two_files_of_one_role_with_other_headings_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD.encode())
    (tmp_path / "b.csv").write_bytes(GOOD.replace("Polisnummer", "Contractnummer", 1).replace(";P0", ";Q0").encode())
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    text = written(files, tmp_path / "akb.toml")
    assert "different headings for: policy" in text
    same_with_and_without(files, tmp_path / "akb.toml")


def test_what_is_missing_and_what_it_costs_is_said(tmp_path: Path) -> None:
    (tmp_path / "polissen.csv").write_bytes(where(5, ""))
    text = written([str(tmp_path / "polissen.csv")], tmp_path / "akb.toml")
    assert "Missing: ended policies" in text
    assert "churn_12m" in text
    assert "Missing: a file of claims" in text
    assert "The export is of 2022-10-15" in text


def test_no_value_but_shared_texts_is_written(tmp_path: Path) -> None:
    for name, content in with_claims("1000;P00000;01-01-2020;5\r\n").items():
        (tmp_path / name).write_bytes(content)
    rare = where(2, lambda n, old: f"Zqcanary {n} de Vries" if n % 7 == 0 else "piet@zqcanary.nl" if n % 3 else old)
    (tmp_path / "polissen.csv").write_bytes(rare)
    text = written([str(tmp_path / name) for name in NAMES[:2]], tmp_path / "akb.toml")
    assert "zqcanary" not in text.lower()
    assert "1000" not in text
    assert "P00000" not in text
    assert "De Vaart" not in text


def test_an_existing_file_is_left_alone(office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "akb.toml"
    out.write_text("mine")
    assert run(["init", str(office / NAMES[0]), "--out", str(out)]) == 2
    assert "left alone" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_json_and_the_default_name(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(office / NAMES[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["init", NAMES[0], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == "akb.toml"
    assert told["settings"]["ingest"]["columns"]["policies"]["customer"] == "Relatienummer"
    assert load_settings(tmp_path / "akb.toml").ingest.columns == told["settings"]["ingest"]["columns"]


def test_an_export_that_cannot_be_read_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    assert run(["init", str(tmp_path / "x.csv"), "--out", str(tmp_path / "akb.toml")]) == 2
    assert not (tmp_path / "akb.toml").exists()


UGLY = "\r\n".join(
    [
        "Portefeuille kantoor Jansen;;;;;;;;",
        "Klantnr.;Pol.nr;Soort verz.;Mij;Ing. dat.;Roy.dat;Prem. p/jr;Prov;Gekoppeld",
        *(f"{1000 + n // 2};P{n:04d};{('AVP', 'Ruiter')[n % 2]};NN;0{1 + n % 9}/0{1 + n % 7}/1{n % 10};"
          f"{'15/06/2024' if n % 3 == 0 else ''};{100 + n},50;{10 + n},25;ja" for n in range(60)),
    ]
)  # fmt: skip


def test_a_foreign_export_is_settled_in_three_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a consultant does: take over the name that the error suggests, then the proposals of akb init."""
    export, first, second = str(tmp_path / "export.csv"), tmp_path / "first.toml", tmp_path / "second.toml"
    Path(export).write_text(UGLY, "utf-8")
    assert run(["init", export, "--out", str(second)]) == 2
    said = capsys.readouterr().err
    lines = said.splitlines()[-2:]
    assert [line.strip() for line in lines] == ["[ingest.columns.policies]", 'policy = "Pol.nr"']
    first.write_text('[client]\nname = "Jansen"\n[ingest]\ndecimal = ","\n' + "\n".join(lines))
    assert run(["init", export, "--config", str(first), "--out", str(second), "-q"]) == 0
    text = second.read_text("utf-8")
    proposed = [line.removeprefix("# ").partition("  #")[0] for line in text.splitlines() if "proposed, not" in line]
    assert proposed == [
        'branch = "Soort verz."', 'end = "Roy.dat"', 'premium = "Prem. p/jr"', 'commission = "Prov"'
    ]  # fmt: skip
    assert (load_settings(second).client.name, load_settings(second).ingest.decimal) == ("Jansen", ",")
    for line in proposed:
        text = text.replace(f"# {line}  # proposed, not read: take the first # away if this is it", line)
    second.write_text(text, "utf-8")
    capsys.readouterr()
    assert run(["check", export, "--config", str(second), "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mapping"]["policies"]["proposals"] == {}
    assert [entry["need"] for entry in told["missing"]] == ["reasons", "claims", "contacts", "premiums"]
    assert {entry["text"]: entry["key"] for entry in told["branches"]["texts"]} == {"AVP": "avp", "Ruiter": None}


def test_check_tells_the_same_as_a_document_and_as_a_table(
    office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [str(office / name) for name in NAMES[:2]]
    settings = load_settings_of(written(files, tmp_path / "akb.toml"), tmp_path)
    assert run(["check", *files, "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["check", *files, "-q"]) == 0
    table = " ".join(capsys.readouterr().out.split())
    for role, columns in settings.columns.items():
        entries = {entry["column"]: entry for entry in told["mapping"][role]["columns"]}
        assert {name: entry["heading"] for name, entry in entries.items()} == columns
        for entry in entries.values():
            words = (entry["column"], entry["label"], entry["heading"], entry["confidence"], f"{entry['filled']:.0%}")
            assert " ".join(words) in table
    for name in ("branches", "reasons"):
        texts = told[name]["texts"]
        assert getattr(settings, name).items() <= {(entry["text"], entry["key"]) for entry in texts}
        for entry in texts:
            assert f"{entry['text']} {entry['rows']:,} {entry['key'] or 'unknown'}" in table
    for entry in told["missing"]:
        assert f"Missing: {entry['name']}; " in table
        assert f"# Missing: {entry['name']}; " in (tmp_path / "akb.toml").read_text("utf-8")
    assert told["as_of"] in table
    assert [entry["need"] for entry in told["missing"]] == ["contacts", "premiums"]
    for finding in told["findings"]:
        assert f"{finding['code']} {finding['severity']}" in table


def load_settings_of(text: str, folder: Path) -> Ingest:
    (folder / "copy.toml").write_text(text, "utf-8")
    return load_settings(folder / "copy.toml").ingest


def test_cells_that_do_not_fit_make_a_heading_a_guess(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "polissen.csv").write_bytes(where(5, "binnenkort", 2))
    assert run(["check", str(tmp_path / "polissen.csv"), "--json", "-q", "--go-on"]) == 0
    columns = {
        entry["column"]: entry for entry in json.loads(capsys.readouterr().out)["mapping"]["policies"]["columns"]
    }
    assert (columns["end"]["confidence"], columns["start"]["confidence"]) == ("guess", "certain")
    assert columns["end"]["legible"] < 0.9 < columns["start"]["legible"] == 1
