"""Offices side by side: each an ordinary run, the small ones drawn to their sisters, totals only in the comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.batch.offices import offices_in
from akb.batch.page import page
from akb.cli import run
from akb.config import Settings
from akb.core.errors import AkbError
from akb.sample import simulate, write_sample
from akb.value.actuarial.sisters import OfficeExperience, prior_of, sisters_of

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "ZQRELATIE"
FAST = "[models]\nhazard_rows = 4000\ntarget_rows = 4000\ntrees = 20\n"


def office(folder: Path, seed: int) -> None:
    write_sample(simulate(40, seed=seed), folder / "all", truth=False)
    table = pl.read_csv(folder / "all" / "polissen.csv", separator=";", infer_schema=False)
    table = table.with_columns(pl.concat_str(pl.lit(CANARY), "Relatienummer").alias("Relatienummer"))
    table.write_csv(folder / "polissen.csv", separator=";")


@pytest.fixture(scope="module")
def batched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two offices and one that cannot be read."""
    home = tmp_path_factory.mktemp("batch")
    for seed, name in enumerate(("noord", "zuid"), 5):
        office(home / "kantoren" / name, seed)
    (home / "kantoren" / "stuk").mkdir()
    (home / "kantoren" / "stuk" / "polissen.csv").write_text("a;b\n1;2\n")
    (home / "akb.toml").write_text(FAST)
    options = ["--config", str(home / "akb.toml"), "--key", str(home / "key"), "--out", str(home / "out")]
    assert run(["batch", str(home / "kantoren"), *options, "--jobs", "1", "--quiet", "--lang", "en"]) == 2
    return home


def test_every_office_has_its_run_and_the_small_ones_draw_on_their_sisters(batched: Path) -> None:
    document = json.loads((batched / "out" / "comparison.json").read_text("utf-8"))
    rows = {row["office"]: row for row in document["offices"]}
    assert {name: row["status"] for name, row in rows.items()} == {"noord": "made", "stuk": "failed", "zuid": "made"}
    assert rows["stuk"]["error"]
    for name in ("noord", "zuid"):
        summary = json.loads((batched / "out" / name / "summary.json").read_text("utf-8"))
        small = summary["outlook"]["small"]
        assert small["sisters"]["offices"] == 1
        weights = [rows[name][key] for key in ("own", "sisters", "sources")]
        assert min(weights) > 0
        assert sum(weights) == pytest.approx(1)
        assert "zusterkantoren" in (batched / "out" / name / "report.html").read_text("utf-8")
    other = sorted(path.name for path in (batched / "out").iterdir() if not path.name.startswith("."))
    assert other == ["comparison.html", "comparison.json", "noord", "zuid"]


def test_nobody_is_in_the_comparison_and_the_page_asks_for_nothing(batched: Path) -> None:
    made = (batched / "out" / "comparison.html").read_text("utf-8")
    told = made + (batched / "out" / "comparison.json").read_text("utf-8")
    assert CANARY not in told
    pseudonyms = pl.read_parquet(batched / "out" / "noord" / "scores.parquet")["customer"].to_list()
    assert not any(name in told for name in pseudonyms)
    assert "Offices side by side" in made
    assert "<script" not in made
    assert "http" not in made.replace("http-equiv", "")
    document = json.loads((batched / "out" / "comparison.json").read_text("utf-8"))
    assert "Kantoren naast elkaar" in page(document, "nl")


def seen(rate: float, years: float = 400.0, dispersion: float = 1.5) -> OfficeExperience:
    return OfficeExperience({"auto": (years, round(years * rate)), "avp": (years, round(years * rate / 2))}, dispersion)


def test_sisters_move_the_prior_as_far_as_they_saw_much() -> None:
    settings = Settings()
    source = prior_of(settings).rates["auto"]
    offices = {"own": seen(0.5)} | {f"sister{number}": seen(2 * source) for number in range(6)}
    lent = sisters_of("own", offices, settings)
    assert lent.offices == 6
    assert lent.branches["auto"].lapses == 6 * round(400 * 2 * source)  # not its own
    much = prior_of(settings.model_copy(update={"sisters": lent}))
    few = prior_of(
        settings.model_copy(
            update={"sisters": sisters_of("own", {"own": seen(0.5), "a": seen(2 * source, 20)}, settings)}
        )
    )
    assert source < few.rates["auto"] < much.rates["auto"] < 2 * source * 1.01
    assert 0 < few.weights["auto"] < much.weights["auto"] < 1
    assert few.weights["opstal"] < much.weights["auto"]  # of a branch nobody saw only the level crosses
    assumed = settings.assumed()["small.office_spread"]
    assert much.spread == assumed.low  # six alike offices: as near as is thought possible
    apart = {f"s{number}": seen(source * (1 + 2 * (number % 2))) for number in range(8)}
    assert sisters_of("own", apart, settings).spread == assumed.high


def test_folders_and_sets_of_files_are_offices(tmp_path: Path) -> None:
    for name in (
        "a/polissen.csv",
        "a/akb.toml",
        "b_noord_polissen.csv",
        "b_noord_schades.xlsx",
        "c-polissen.csv",
        "lees.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = offices_in(tmp_path)
    assert [(each.name, len(each.files), each.config is not None) for each in found] == [
        ("a", 1, True), ("b_noord", 2, False), ("c", 1, False),
    ]  # fmt: skip
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "x.csv").touch()
    with pytest.raises(AkbError, match="two offices are called 'c'"):
        offices_in(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AkbError, match="holds no exports"):
        offices_in(tmp_path / "empty")
