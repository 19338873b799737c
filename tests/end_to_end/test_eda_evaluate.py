"""A run of fourteen months ago judged by today's export, and a trial on it analysed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from akb.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.offices import Office

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def then(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("then") / "run"
    assert office.eda(out, "--as-of", "2024-10-31") == 0
    return out


def test_an_old_run_is_judged_by_a_new_export(office: Office, then: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["evaluate", str(then), *office.files, "--key", str(office.key), "--quiet", "--out", str(out)]) == 0
    told: dict[str, Any] = json.loads((out / "evaluation.json").read_text())
    assert told["missing"] == 0
    rows = {row["key"]: row for row in told["predictions"]}
    assert {row["status"] for row in rows.values()} <= {"judged", "nobody"}  # some branches nobody could buy
    assert {"churn_1m", "churn_12m", "policy_lapse_any_12m", "policies_lost_12m", "cross_sell_any_12m"} <= rows.keys()
    churn = rows["churn_12m"]
    assert churn["alarm"] is None
    assert churn["auc_interval"][1] > 0.6
    low, high = churn["interval"]
    assert low < 1.3 and high > 0.75
    assert {row["key"] for row in told["lines"]} >= {"relation", "policy"}
    assert len(told["alarms"]) <= 0.25 * len(rows)
    assert told["contact"]["status"] in ("measured", "unavailable")
    page = (out / "evaluation.html").read_text("utf-8")
    assert not re.search(r"ZQ\d{5}", page)  # no relation number


def test_the_run_says_what_a_trial_would_take(then: Path, capsys: Any) -> None:
    assert run(["experiment", "plan", str(then), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["customers"] > 0
    assert {row["question"] for row in told["designs"]} <= {"works", "pays"}
    clustered = run(["experiment", "plan", str(then), "--randomise", "adviser", "--json"])
    more = json.loads(capsys.readouterr().out)
    assert clustered == 0
    assert more["randomised"]["design_effect"] > 1
    sizes = [{(row["question"], row["outcome"]): row["per_arm"] for row in each["designs"]} for each in (told, more)]
    assert all(sizes[1][key] > size for key, size in sizes[0].items())


def test_a_trial_in_which_nobody_was_contacted_shows_nothing(office: Office, then: Path, tmp_path: Path) -> None:
    trial = tmp_path / "trial"
    assert run(["experiment", "assign", str(then), "--to", str(trial)]) == 0
    assert run(["experiment", "analyse", str(trial), *office.files, "--key", str(office.key), "--quiet"]) == 0
    told = json.loads((trial / "analysis.json").read_text())
    assert not told["distinguishable"]
    assert sum(row["followed"] for row in told["arms"]) > 50
