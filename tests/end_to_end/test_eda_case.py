"""A whole run under other assumptions: the one that akb eda would have left, and the run it came from as it was."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from akb.again import case_again, is_learned, kept_classes
from akb.cli import run
from akb.config import Settings, load_settings
from akb.report.model import plain
from akb.report.sections.case import told as case_told
from akb.store.packed import unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Office

pytestmark = pytest.mark.xdist_group("end_to_end")

CHANGED = {
    "retention.rescue": 0.6, "contact.minutes": 6.0, "capacity.hours_per_year": 40.0, "cross_sell.uplift": 0.4,
    "experiment.control_share": 0.25, "retention.preventable_share": 0.5, "value.discount": 0.03,
    "value.horizon_years": 7.0, "contact_policy.years_private": 2.0, "outlook.inflow": 0.02,
    "cost.marketing_share": 0.1, "price.eda": 4000.0,
}  # fmt: skip
SAME = ("npv", "payback_month", "band", "tornado", "break_even", "claims")


def _told(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return told


def _list(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "actions" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source, delimiter=";"))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _sets(values: dict[str, float]) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def other(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("case") / "other"
    before = _files(finished)
    assert run(["case", str(finished), *_sets(CHANGED), "--out", str(out), "--quiet"]) == 0
    assert before == _files(finished)
    return out


def test_it_leaves_what_eda_would_have_left(
    other: Path, finished: Path, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The models are those of the run: that they read none of these assumptions is the next test's matter.
    kept = unpacked((finished / "private" / "kept.zip").read_bytes(), kept_classes())
    files = {name: content for name, content in _files(finished).items() if name.startswith("models/")}
    files = {name: content for name, content in files.items() if "/cards/" not in name and "manifest" not in name}
    said = {0: replace(kept["models"], files=files), 1: kept["past"]}
    calls: list[Any] = []

    def as_before(*_: Any, as_of: Any, **__: Any) -> Any:
        calls.append(as_of)
        return said[len(calls) - 1]

    monkeypatch.setattr("akb.models.run_models", as_before)
    own = "".join(f'"{name}" = {value}\n' for name, value in CHANGED.items())
    (tmp_path / "akb.toml").write_text(f"[assumptions]\n{own}")
    assert office.eda(tmp_path / "eda", "--config", str(tmp_path / "akb.toml")) == 0
    assert calls[0] == kept["models"].as_of
    fresh, again, was = _files(tmp_path / "eda"), _files(other), _files(finished)
    assert [name for name in fresh if fresh[name] != again.get(name)] == ["manifest.json"]
    assert set(fresh) == set(again)
    told = ("report.html", "summary.json", "scores.csv", "actions/actions.xlsx", "actions/next_best_action.csv")
    assert [name for name in told if again[name] == was[name]] == []  # so the comparison says something


def test_nothing_changed_is_the_same_run(finished: Path, tmp_path: Path) -> None:
    assert run(["case", str(finished), "--out", str(tmp_path / "same"), "--quiet"]) == 0
    was, same = _files(finished), _files(tmp_path / "same")
    assert [name for name in was if was[name] != same.get(name)] == ["manifest.json"]
    assert set(was) == set(same)


def test_what_the_models_read_is_refused(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from akb.core.dates import add_months
    from akb.features import as_of_grid, build_matrix, build_targets
    from akb.ingest import read_portfolio

    read: set[str] = set()

    class Register(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    register = load_settings().assumed()
    monkeypatch.setattr(Settings, "assumed", lambda _: Register(register))
    settings = load_settings()
    book = read_portfolio([tmp_path.joinpath(name) for name in office.files], settings, key=b"k" * 32)
    dates = [day for day in as_of_grid(book, settings) if day >= add_months(book.as_of, -36)]
    build_targets(book, build_matrix(book, dates, settings), settings)
    assert len(read) > 10
    assert [name for name in sorted(read) if not is_learned(name)] == []


def test_every_place_tells_the_new_figures(other: Path, finished: Path) -> None:
    told, was = _told(other), _told(finished)
    case = told["business_case"]
    assert case["changed"] == CHANGED
    assert case["base"]["net"] != was["business_case"]["base"]["net"]
    register = {row["key"]: row["value"] for row in case["assumptions"]}
    assert {name: register[name] for name in CHANGED} == CHANGED
    headline = next((row for row in told["headlines"] if row["key"] == "net"), None)
    assert headline is None or headline["value"] == case["base"]["net"]
    assert 'data-test="case-changed"' in (other / "report.html").read_text("utf-8")
    assert 'data-test="case-changed"' not in (finished / "report.html").read_text("utf-8")
    assert json.loads((other / "manifest.json").read_text())["case"]["changed"] == CHANGED


def test_the_figures_alone_are_those_of_the_whole_run(other: Path, finished: Path) -> None:
    found = case_again(finished, CHANGED)
    assert found is not None
    told, case = plain(case_told(found)), _told(other)["business_case"]
    assert case["facts"] == told["facts"]
    assert [case["base"]["net"], case["base"]["roi"]] == [told["net"]["base"], told["roi"]["base"]]
    assert {name: case[name] for name in SAME} == {name: told[name] for name in SAME}


def test_without_what_was_kept_the_figures_say_that_they_are_estimates(
    finished: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished / name, bare / name)
    said = {}
    for folder, given in ((finished, "retention.rescue=0.6"), (bare, "retention.rescue=0.6"), (bare, "price.eda=9000")):
        assert run(["case", str(folder), "--set", given, "--json"]) == 0
        told = json.loads(capfd.readouterr().out)
        said[folder.name, given] = told["exact"], told["note"] is not None
    assert list(said.values()) == [(True, False), (False, True), (True, False)]


def test_the_lists_are_as_long_as_the_ledger_says(other: Path) -> None:
    facts = _told(other)["business_case"]["facts"]
    called = [row for row in _list(other, "top_defend") if row["bellen"] == "ja"]
    offers = _list(other, "next_best_policy")
    assert len(called) == facts["contacts_retention_count"]
    assert sum(row["eigen gesprek nodig"] == "ja" for row in offers) == facts["contacts_offer_count"]
    assert [row["rang"] for row in offers] == [str(place) for place in range(1, len(offers) + 1)]


def test_a_case_of_a_case_comes_back(other: Path, finished: Path, tmp_path: Path) -> None:
    register = {row["key"]: row["value"] for row in _told(finished)["business_case"]["assumptions"]}
    back = _sets({name: register[name] for name in CHANGED})
    assert run(["case", str(other), *back, "--out", str(tmp_path / "back"), "--quiet"]) == 0
    again, was = _told(tmp_path / "back"), _told(finished)
    assert again["business_case"]["base"] == was["business_case"]["base"]
    assert again["business_case"]["changed"] == {}
    assert again["risk"] == was["risk"]
    scores = (finished / "scores.csv").read_bytes()
    assert (tmp_path / "back" / "scores.csv").read_bytes() == scores


def test_relation_numbers_come_along_for_those_who_may_see_them(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "named"
    shutil.copytree(finished, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "pseudonyms": False}))
    assert run(["case", str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    private = (finished / "private" / "customers.csv").read_text("utf-8").splitlines()[1:]
    known = dict(line.split(",") for line in private)
    assert [row["klant"] for row in _list(tmp_path / "out", "top_defend")] == [
        known[row["klant"]] for row in _list(finished, "top_defend")
    ]
    (folder / "private" / "customers.csv").unlink()
    assert run(["case", str(folder), "--out", str(tmp_path / "gone"), "--quiet"]) == 3
    assert not (tmp_path / "gone").exists()


def test_a_run_that_kept_nothing_is_refused(finished: Path, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "old"
    shutil.copytree(finished, folder)
    relation = (folder / "private" / "customers.csv").read_text("utf-8").splitlines()[1].split(",")[1]
    assert run(["forget", str(folder), relation, "--quiet"]) == 0
    assert run(["case", str(folder), "--out", str(tmp_path / "x")]) == 3
    assert "taken out of this run" in capsys.readouterr().err
    (folder / "private" / "kept.zip").write_bytes(b"damaged")
    assert run(["case", str(folder), "--out", str(tmp_path / "x")]) == 3
    (folder / "private" / "kept.zip").unlink()
    assert run(["case", str(folder), "--out", str(tmp_path / "x")]) == 3
    assert "Run akb eda again" in capsys.readouterr().err
    assert run(["case", str(folder), "--quiet"]) == 0  # the figures need none of it
