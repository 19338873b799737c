"""A whole run under other assumptions: coherent everywhere, and the run it came from as it was."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from akb.cli import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("end_to_end")


def _told(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return told


def _list(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "actions" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source, delimiter=";"))


@pytest.fixture(scope="module")
def other(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("case") / "other"
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    sets = ["--set", "retention.rescue=60%", "--set", "contact.minutes=6"]
    assert run(["case", str(finished), *sets, "--out", str(out), "--quiet"]) == 0
    assert before == {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    return out


def test_nothing_changed_is_the_same_run(finished: Path, tmp_path: Path) -> None:
    if not _told(finished)["case_basis"]:
        pytest.skip("this office has no business case")
    assert run(["case", str(finished), "--out", str(tmp_path / "same"), "--quiet"]) == 0
    for name in ("report.html", "actions/top_defend.csv", "actions/next_best_policy.csv", "private/customers.csv"):
        assert (tmp_path / "same" / name).read_bytes() == (finished / name).read_bytes(), name
    assert _told(tmp_path / "same") == _told(finished)


def test_every_place_tells_the_new_figures(other: Path, finished: Path) -> None:
    told, was = _told(other), _told(finished)
    case = told["business_case"]
    assert case["changed"] == {"retention.rescue": 0.6, "contact.minutes": 6.0}
    assert case["base"]["net"] != was["business_case"]["base"]["net"]
    register = {row["key"]: row["value"] for row in case["assumptions"]}
    assert (register["retention.rescue"], register["contact.minutes"]) == (0.6, 6.0)
    headline = next((row for row in told["headlines"] if row["key"] == "net"), None)
    assert headline is None or headline["value"] == case["base"]["net"]
    assert 'data-test="case-changed"' in (other / "report.html").read_text("utf-8")
    assert 'data-test="case-changed"' not in (finished / "report.html").read_text("utf-8")
    assert json.loads((other / "manifest.json").read_text())["case"]["changed"] == case["changed"]


def test_the_lists_are_as_long_as_the_ledger_says(other: Path, finished: Path) -> None:
    facts = _told(other)["business_case"]["facts"]
    called = [row for row in _list(other, "top_defend") if row["controlegroep, niet bellen"] == "nee"]
    offers = _list(other, "next_best_policy")
    if "retention" in _told(other)["case_basis"]["lines"]:
        assert len(called) == facts["contacts_retention_count"] > len(_list(finished, "top_defend")) / 2
    assert sum(row["eigen gesprek nodig"] == "ja" for row in offers) == facts["contacts_offer_count"]
    assert [row["rang"] for row in offers] == [str(place) for place in range(1, len(offers) + 1)]


def test_a_case_of_a_case_comes_back(other: Path, finished: Path, tmp_path: Path) -> None:
    register = {row["key"]: row["value"] for row in _told(finished)["business_case"]["assumptions"]}
    back = [f"{key}={register[key]}" for key in ("retention.rescue", "contact.minutes")]
    sets = [word for one in back for word in ("--set", one)]
    assert run(["case", str(other), *sets, "--out", str(tmp_path / "back"), "--quiet"]) == 0
    assert _told(tmp_path / "back")["business_case"]["base"] == _told(finished)["business_case"]["base"]
