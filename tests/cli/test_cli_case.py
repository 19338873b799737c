"""``akb case``: the figures of a run under other assumptions; the run never changes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from akb.cli import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A run of which only manifest and summary are left: enough for everything that is refused."""
    from akb.config import load_settings

    register = load_settings().assumed()
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    assumptions = [{"key": name, **entry.model_dump()} for name, entry in register.items()]
    case = {"available": True, "assumptions": assumptions, "plan": {"hour_price": {}}}
    told = {"schema": "akb.summary/2", "as_of": "2025-12-31", "business_case": case, "case_basis": {"rows": {}}}
    (folder / "summary.json").write_text(json.dumps(told))
    return folder


def _print(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_never_changes(office: Path) -> None:
    before = _print(office)
    assert run(["case", str(office), "--set", "price.per_customer=2", "--quiet"]) == 3  # nothing kept of its customers
    assert run(["case", str(office), "--out", str(office)]) == 2
    assert run(["case", str(office), "--out", str(office / "inside")]) == 2
    assert _print(office) == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("contacts.call.minuts=1", "did you mean 'contacts.call.minutes'"),
        ("contacts.call.minutes", "there is no value"),
        ("lists.ageing=veel", "is no number"),
        ("lists.ageing=25", "is a share"),
        ("lists.ageing=nan", "is a share"),
        ("contacts.call.effect_policy=2", "is an effect"),
        ("cost.rate_office=-1", "below zero"),
        ("price.eda=inf", "without end"),
        ("lifetime.attenuation=0.5", "the models were fitted with"),
        ("lifetime.attenuation=0.5", "akb eda --config"),
    ],
)
def test_impossible_changes_are_refused(office: Path, capsys: Any, given: str, words: str) -> None:
    assert run(["case", str(office), "--set", given]) == 2
    assert words in capsys.readouterr().err


def test_what_is_no_run_is_told(tmp_path: Path, capsys: Any) -> None:
    assert run(["case", str(tmp_path)]) == 2
    assert "not the folder" in capsys.readouterr().err


def test_without_a_case_there_is_nothing_to_change(office: Path, capsys: Any) -> None:
    told = json.loads((office / "summary.json").read_text())
    (office / "summary.json").write_text(json.dumps({**told, "case_basis": None}))
    assert run(["case", str(office)]) == 2
    assert "no business case" in capsys.readouterr().err


def test_a_whole_run_refuses_what_the_models_read(office: Path, tmp_path: Path, capsys: Any) -> None:
    out = ["--out", str(tmp_path / "new")]
    assert run(["case", str(office), "--set", "cost.rate_office=65", *out]) == 2
    assert '"cost.rate_office" = … under [assumptions]' in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert run(["case", str(office), "--set", "cost.rate_office=65", "--quiet"]) == 3  # the figures alone may have it
    assert "models were fitted" not in capsys.readouterr().err


def test_only_a_run_gives_way(office: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("mine")
    assert run(["case", str(office), "--out", str(tmp_path / "letters")]) == 2
    assert "not the output of an akb run" in capsys.readouterr().err
    assert run(["case", str(office), "--out", str(office.parent)]) == 2
    assert (tmp_path / "letters" / "one.txt").read_text() == "mine"


def test_a_run_of_another_schema_is_named(office: Path, capsys: Any) -> None:
    told = json.loads((office / "summary.json").read_text())
    (office / "summary.json").write_text(json.dumps({**told, "schema": "akb.summary/1"}))
    assert run(["case", str(office)]) == 2
    assert "akb.summary/1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('[assumptions]\n"contacts.call.minuts" = 1\n', "did you mean 'contacts.call.minutes'"),
        ('[assumptions]\n"contacts.call.minutes" = -1\n', "cannot be below zero"),
        ('[assumptions]\n"upsell.margin" = 0.1\n', "the models were fitted with upsell.margin"),
        ("[contacts.cal]\nenabled = false\n", "did you mean 'call'"),
        ("[contacts.call]\nminutes = 3\n", "can only be switched off"),
    ],
)
def test_a_file_of_chosen_assumptions_is_refused_in_a_sentence(
    office: Path, tmp_path: Path, capsys: Any, given: str, words: str
) -> None:
    (tmp_path / "chosen.toml").write_text(given)
    assert run(["case", str(office), "--config", str(tmp_path / "chosen.toml")]) == 2
    assert words in capsys.readouterr().err
