"""``akb case``: the figures of a run under other assumptions; the run never changes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from akb.cli import app, run
from akb.value.case.basis import CHANGEABLE, SCHEMA, SOLD, SUMS, TALKS

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN_SEED = {
    "retention.rescue": "50%",
    "cross_sell.uplift": "100%",
    "contact.minutes": "0",
    "contact.offer_minutes": "0",
}
CAREFUL = {
    "retention.rescue": "30%", "cross_sell.uplift": "25%", "contact.minutes": "15", "contact.offer_minutes": "0",
    "cost.rate_office": "100", "capacity.hours_per_year": "12,5",
}  # fmt: skip
WHOLE_YEAR = {"case.first_year_retention": "1", "case.first_year_cross_sell": "1"}


def _milli(euros: float) -> int:
    return round(100_000 * euros)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The stress case of the sources: 10,000 customers of € 200, 6 % leave preventably, € 60,000 of purchases a year.

    Half of those who leave are among the 500 customers with the most at stake.
    """
    retention: dict[str, Any] = {name: [0, 0] for name in (*SUMS, *TALKS)}
    retention |= {
        "upper": [40_000.0, 10_000.0], "lower": [10_000.0, 100.0], "calls": [500, 9500], "group": [0, 4],
        "chance": [300 * 10**6, 300 * 10**6], "commission": [_milli(60_000), _milli(60_000)],
        "weight": [_milli(60_000), _milli(60_000)], "alive": [_milli(54_600), _milli(54_600)],
        "talks": [500, 9500], "talk_commission": [_milli(24_000), _milli(36_000)],
        "talk_alive": [_milli(21_840), _milli(32_760)], "interval": [1.0, 1.0],
    }  # fmt: skip
    from akb.config import load_settings

    register = load_settings().assumed()
    basis = {
        "schema": SCHEMA, "customers": 10_000, "turnover": 200_000_000, "churn_commission": 18_000_000,
        "hours_factor": 1.0, "level": 0.0, "least": 5,
        "advisers": 10, "advisers_counted": True, "split": True, "lines": ["retention", "cross_sell"],
        "at": {name: register[name].value for name in CHANGEABLE} | {"experiment.control_share": 0.0},
        "retention": retention, "own_calls": {"interval": [1.0, 1.0]} | {
            name: [] for name in ("group", "upper", "lower", "calls", *SOLD)
        },
        "facts": {}, "draws": {"retention.rescue": [0, 5000, 9999]},
    }  # fmt: skip
    folder = tmp_path / "stress"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    assumptions = [{"key": name, **entry.model_dump()} for name, entry in register.items()]
    none = {"net": 0}
    case = {"available": True, "low": none, "base": none, "high": none, "assumptions": assumptions}
    told = {"schema": "akb.summary/1", "as_of": "2025-12-31", "business_case": case, "case_basis": basis}
    (folder / "summary.json").write_text(json.dumps(told))
    return folder


def _case(folder: Path, values: dict[str, str]) -> dict[str, Any]:
    sets = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, ["case", str(folder), "--json", "--set", "experiment.control_share=0", *sets])
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)["business_case"]
    return told


def _print(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_sources_end_of_the_stress_case(office: Path) -> None:
    # No hours, no half year, and every purchase counted as an effect: 60,000 + 60,000 against 12,500.
    base = _case(office, {**GOLDEN_SEED, **WHOLE_YEAR})["base"]
    assert (base["benefits"], base["year1"]["costs"]) == (12_000_000, 1_250_000)
    assert base["year1"]["roi"] == pytest.approx(8.60)
    alone = _case(office, {**GOLDEN_SEED, **WHOLE_YEAR, "cross_sell.uplift": "0"})["base"]
    assert alone["year1"]["roi"] == pytest.approx(3.80)


def test_the_careful_end_of_the_stress_case(office: Path) -> None:
    whole = _case(office, {**CAREFUL, **WHOLE_YEAR})
    assert [row["base"] for row in whole["parts"]["benefits"]] == [1_800_000, 600_000]
    assert whole["facts"]["contacts_used_count"] == 500
    assert whole["base"]["year1"]["costs"] == 2_500_000
    assert whole["base"]["year1"]["roi"] == pytest.approx(-0.04)
    # The source halves the churn line only: -40 %. On both lines it is -52 %.
    assert _case(office, {**CAREFUL, "case.first_year_cross_sell": "1"})["base"]["year1"]["roi"] == pytest.approx(-0.40)
    assert _case(office, CAREFUL)["base"]["year1"]["roi"] == pytest.approx(-0.52)


def test_a_run_never_changes(office: Path) -> None:
    before = _print(office)
    _case(office, CAREFUL)
    assert run(["case", str(office), "--out", str(office)]) == 2
    assert run(["case", str(office), "--out", str(office / "inside")]) == 2
    assert _print(office) == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("retention.resque=1", "did you mean 'retention.rescue'"),
        ("retention.rescue", "there is no value"),
        ("retention.rescue=veel", "is no number"),
        ("retention.rescue=25", "is a share"),
        ("retention.rescue=nan", "is a share"),
        ("cost.rate_office=-1", "below zero"),
        ("price.eda=inf", "without end"),
        ("value.horizon_years=5", "akb eda --config"),
        ("value.horizon_years=5", "nothing left of its customers"),
        ("contacts.call.minutes=5", "nothing left of its customers"),
        ("lifetime.attenuation=0.5", "the models were fitted with"),
        ("cost.minutes_claim=5", '"cost.minutes_claim" = '),
    ],
)
def test_impossible_changes_are_refused(office: Path, capsys: Any, given: str, words: str) -> None:
    assert run(["case", str(office), "--set", given]) == 2
    assert words in capsys.readouterr().err


def test_percent_and_comma_are_understood(office: Path) -> None:
    told = [_case(office, {"retention.rescue": text}) for text in ("0.25", "0,25", "25%", "25 %")]
    assert all(one == told[0] for one in told)
    assert next(row for row in told[0]["assumptions"] if row["key"] == "retention.rescue")["source"] == "client"


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
    assert run(["case", str(office), "--set", "cost.rate_office=65", "--quiet"]) == 0
    assert not (tmp_path / "new").exists()


def test_only_a_run_gives_way(office: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("mine")
    assert run(["case", str(office), "--out", str(tmp_path / "letters")]) == 2
    assert "not the output of an akb run" in capsys.readouterr().err
    assert run(["case", str(office), "--out", str(office.parent)]) == 2
    assert (tmp_path / "letters" / "one.txt").read_text() == "mine"


def test_a_run_of_another_schema_is_named(office: Path, capsys: Any) -> None:
    told = json.loads((office / "summary.json").read_text())
    (office / "summary.json").write_text(json.dumps({**told, "schema": "akb.summary/2"}))
    assert run(["case", str(office)]) == 2
    assert "akb.summary/2" in capsys.readouterr().err


def test_json_is_one_document(office: Path, capfd: Any) -> None:
    assert run(["case", str(office), "--json", "--set", "retention.rescue=30%"]) == 0
    said = capfd.readouterr()
    told = json.loads(said.out)
    assert (told["schema"], told["changed"], said.err) == ("akb.case/1", {"retention.rescue": 0.3}, "")


def test_figures_need_no_heavy_library(office: Path) -> None:
    code = (
        "import sys; from akb.cli import run; "
        f"run(['case', {str(office)!r}, '--set', 'retention.rescue=30%', '--quiet']); "
        "print(sorted({'lightgbm', 'sklearn', 'lifelines', 'plotly', 'jinja2', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_quick(office: Path) -> None:
    _case(office, {})
    began = time.process_time()
    _case(office, CAREFUL)
    assert time.process_time() - began < 2


def test_the_price_of_the_portfolio_waits_for_a_multiple(office: Path) -> None:
    assert _case(office, {})["multiple"] is None
    assert _case(office, {"portfolio.multiple": "2,5"})["multiple"]["base"] > 0
