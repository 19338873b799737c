"""A whole run under other assumptions: the one that akb eda would have left, and the run it came from as it was."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from akb.cli import run
from akb.config import Settings, load_settings
from akb.report.chapters.case.facts import worded
from akb.report.plain import plain
from akb.rerun import kept_classes, recomputed_case
from akb.store.carried import foreign_files
from akb.store.packed import unpacked
from tests.offices import FEW_ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.offices import Office

CHANGED = {
    "contacts.call.effect_policy": 0.4, "contacts.call.minutes": 8.0, "capacity.hours_per_year_inside": 20.0,
    "contacts.mail.effect_policy": 0.01, "experiment.control_share": 0.25, "retention.preventable_share": 0.5,
    "value.discount": 0.03, "value.horizon_years": 7.0, "contact_policy.years_private": 2.0, "outlook.inflow": 0.02,
    "cost.marketing_share": 0.1, "price.eda": 4000.0,
}  # fmt: skip
PARTS = (
    "cohort", "cash", "running_year", "payback_month", "deepest", "options", "without_predictions", "plan", "advice",
    "sensitivity", "claims", "why_different", "facts",
)  # fmt: skip
"""Everything that the business case tells."""
CONTROL = "controlegroep, geen contact"


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
    (tmp_path / "akb.toml").write_text(f"{FEW_ROWS.read_text()}[assumptions]\n{own}")
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
    from akb.ingest.types import Sources

    read: set[str] = set()

    class Register(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    register = load_settings().assumed()
    monkeypatch.setattr(Settings, "assumed", lambda _: Register(register))
    settings = load_settings()
    read.clear()  # checking the settings reads the whole ladder
    book = read_portfolio(Sources([tmp_path.joinpath(name) for name in office.files], b"k" * 32), settings)
    dates = [day for day in as_of_grid(book, settings) if day >= add_months(book.as_of, -36)]
    build_targets(book, build_matrix(book, dates, settings), settings)
    assert len(read) > 10
    assert [name for name in sorted(read) if register[name].affects != "models"] == []


def test_every_place_tells_the_new_figures(other: Path, finished: Path) -> None:
    told, was = _told(other), _told(finished)
    case = told["business_case"]
    assert case["changed"] == CHANGED
    assert case["cohort"]["net"] != was["business_case"]["cohort"]["net"]
    register = {row["key"]: row["value"] for row in case["assumptions"]}
    assert {name: register[name] for name in CHANGED} == CHANGED
    headline = next((row for row in told["headlines"] if row["key"] == "net"), None)
    assert headline is None or headline["value"] == case["cohort"]["net"]["base"]
    assert 'data-test="case-changed"' in (other / "report.html").read_text("utf-8")
    assert 'data-test="case-changed"' not in (finished / "report.html").read_text("utf-8")
    assert json.loads((other / "manifest.json").read_text())["case"]["changed"] == CHANGED


def test_the_figures_alone_are_those_of_the_whole_run(other: Path, finished: Path) -> None:
    found = recomputed_case(finished, CHANGED)
    assert found is not None
    told, case = plain(worded(found)), _told(other)["business_case"]
    assert {name: case[name] for name in PARTS} == {name: told[name] for name in PARTS}


def test_without_what_was_kept_there_are_no_figures(
    finished: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rows that stand for groups of customers are an estimate: a figure without its customers is refused."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished / name, bare / name)
    assert run(["case", str(bare), "--set", "price.eda=9000", "--json"]) == 3
    assert "Run akb eda again" in capfd.readouterr().err


def _alone(folder: Path, capfd: pytest.CaptureFixture[str], *sets: str) -> dict[str, Any]:
    given = [word for each in sets for word in ("--set", each)]
    assert run(["case", str(folder), *given, "--json"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    told: dict[str, Any] = json.loads(said.out)
    assert told["schema"] == "akb.case/2"
    return told


def test_percent_and_comma_are_understood(finished: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = "contacts.call.effect_policy"
    told = [_alone(finished, capfd, f"{name}={text}") for text in ("0.25", "0,25", "25 %")]
    assert all(one == told[0] for one in told)
    assert told[0]["changed"] == {name: 0.25}
    row = next(row for row in told[0]["business_case"]["assumptions"] if row["key"] == name)
    assert row["source"] == "client"


def test_more_effect_and_less_cost_never_lower_the_net(finished: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nets = [
        _alone(finished, capfd, *sets)["business_case"]["cohort"]["net"]["base"]
        for sets in (["contacts.call.minutes=30"], [], ["contacts.call.effect_policy=20%", "contacts.call.minutes=5"])
    ]
    assert nets == sorted(nets)


def test_the_price_of_the_portfolio_waits_for_a_multiple(finished: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _alone(finished, capfd)["business_case"]["multiple"] is None
    assert _alone(finished, capfd, "portfolio.multiple=2,5")["business_case"]["multiple"]["base"] >= 0


def test_figures_need_no_heavy_library(finished: Path) -> None:
    code = (
        "import sys; from akb.cli import run; "
        f"run(['case', {str(finished)!r}, '--set', 'lists.ageing=70%', '--quiet']); "
        "print(sorted({'lightgbm', 'sklearn', 'lifelines', 'plotly', 'jinja2', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_but_what_the_models_read_changes_the_figures_alone_to_the_cent(
    finished: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["case", str(finished), "--set", "value.horizon_years=4", "--set", "value.discount=0.08"]
    assert run([*given, "--json"]) == 0
    alone = json.loads(capfd.readouterr().out)
    assert run([*given, "--out", str(tmp_path / "new"), "--quiet"]) == 0
    whole = _told(tmp_path / "new")["business_case"]
    assert whole["facts"] != _told(finished)["business_case"]["facts"]
    assert {name: alone["business_case"][name] for name in PARTS} == {name: whole[name] for name in PARTS}


def test_the_lists_are_the_plan_in_whole_customers(other: Path) -> None:
    """Only one customer a pool may be split, so the lists hold as many as the case counts, but for a few."""
    told = _told(other)
    planned = told["business_case"]["facts"]["customers_planned_count"]
    todo = _list(other, "next_best_action")
    named = [row for row in todo if row["actie"] in ("Behouden", "Uitbreiden") and row[CONTROL] == "nee"]
    assert abs(len(named) - planned) <= 3
    assert all(row["soort contact"] for row in named)
    gap = told["business_case"]["plan"]["gap"]
    assert 0 <= gap <= 0.005
    codes = {row["klant"] for row in named}
    for name in ("top_defend", "next_best_policy"):
        assert {row["klant"] for row in _list(other, name) if row["contact gepland"] == "ja"} <= codes
    offers = _list(other, "next_best_policy")
    assert [row["rang"] for row in offers] == [str(place) for place in range(1, len(offers) + 1)]


def test_a_case_of_a_case_comes_back(other: Path, finished: Path, tmp_path: Path) -> None:
    register = {row["key"]: row["value"] for row in _told(finished)["business_case"]["assumptions"]}
    back = _sets({name: register[name] for name in CHANGED})
    assert run(["case", str(other), *back, "--out", str(tmp_path / "back"), "--quiet"]) == 0
    again, was = _told(tmp_path / "back"), _told(finished)
    assert {name: again["business_case"][name] for name in PARTS} == {
        name: was["business_case"][name] for name in PARTS
    }
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
    assert run(["case", str(folder), "--quiet"]) == 3  # nor are there figures without it


def test_another_cover_changes_the_page_and_nothing_else(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run(["report", str(folder), "--quiet", "--client", "Kantoor <b>", "--author", "J. Jansen"]) == 0
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert before.keys() == after.keys()
    assert {path.name for path, content in after.items() if content != before[path]} == {"report.html", "manifest.json"}
    page = (folder / "report.html").read_text("utf-8")
    assert "Kantoor &lt;b&gt;" in page and "J. Jansen" in page
    assert foreign_files(folder) == []


def test_what_an_experiment_measured_reaches_the_case_and_the_whole_run(
    finished: Path, tmp_path: Path, capsys: Any
) -> None:
    before = _told(finished)["business_case"]
    used = max(before["plan"]["contacts"], key=lambda row: row["benefit"])["key"]
    name, config = f"contacts.{used}.effect_relation", tmp_path / "measured.toml"
    config.write_text(f"[measured.'{name}']\nvalue = 0.0\nlow = -0.01\nhigh = 0.01\nevidence = 'akb 2026'\n")
    assert run(["case", str(finished), "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["business_case"]
    entry = next(row for row in told["assumptions"] if row["key"] == name)
    assert (entry["value"], entry["low"], entry["high"], entry["source"]) == (0.0, -0.01, 0.01, "measured")
    assert told["cohort"]["benefit"] < before["cohort"]["benefit"]
    out = tmp_path / "out"
    assert run(["case", str(finished), "--config", str(config), "--out", str(out), "--quiet"]) == 0
    whole = _told(out)["business_case"]
    assert all(whole[part] == told[part] for part in PARTS)
    assert next(row for row in whole["assumptions"] if row["key"] == name)["source"] == "measured"
