"""What a run leaves behind: every file of the contract, figures that agree, no relation number outside private/."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from akb.catalogue.entries import templates
from akb.commands.eda import closing_lines
from tests.offices import CANARY, Office

CONTRACT = (
    "report.html", "portal.html", "summary.json", "scores.parquet", "scores.csv", "winback.parquet", "rejects.csv",
    "manifest.json",
    "actions/top_defend.csv", "actions/next_best_policy.csv", "private/customers.csv", "models/churn.json",
    "actions/next_best_action.csv", "actions/care_gaps.csv", "actions/announced.csv", "actions/winback.csv",
    "actions/bleeders.csv", "actions/feeders.csv", "actions/actions.xlsx", "actions/recognition.xlsx",
    "actions/tasks.csv", "private/recognition_key.csv", "actuarial/lapse_ae.csv", "actuarial/lapse_basis.csv",
)  # fmt: skip


def summary(run: Path) -> dict:  # type: ignore[type-arg]
    return json.loads((run / "summary.json").read_text("utf-8"))


@pytest.mark.parametrize("name", CONTRACT)
def test_every_file_of_the_contract_is_there(finished: Path, name: str) -> None:
    assert (finished / name).stat().st_size > 0


def test_the_folder_is_private_and_the_report_bounded(finished: Path) -> None:
    assert stat.S_IMODE(finished.stat().st_mode) == 0o700
    assert (finished / "report.html").stat().st_size <= 3_000_000


def test_rows_reconcile(finished: Path) -> None:
    rows = summary(finished)["rows"]
    assert rows["read"] == rows["used"] + rows["rejected"]
    assert rows["rejected"] == pl.read_csv(finished / "rejects.csv").height


def test_the_last_lines_count_predictions_as_the_report_does(finished: Path) -> None:
    told = summary(finished)
    counts = told["evidence"]
    said = closing_lines(cast("Any", SimpleNamespace(summary=told, folder=finished)))
    page = re.sub(r"<[^>]+>", "", (finished / "report.html").read_text("utf-8"))
    assert any(line.startswith(f"{counts['made']} of {counts['total']} predictions made") for line in said)
    assert f"Van de {counts['total']} voorspellingen in de catalogus zijn er {counts['made']} gemaakt" in page


def test_scores_are_complete_and_consistent(finished: Path) -> None:
    scores = pl.read_parquet(finished / "scores.parquet")
    assert scores["customer"].is_unique().all()
    assert scores["customer"].str.starts_with("K-").all()
    churn = scores.select("churn_1m", "churn_3m", "churn_6m", "churn_12m")
    assert churn.null_count().sum_horizontal().item() == 0
    nested = scores.select(
        (pl.col("churn_1m") <= pl.col("churn_3m"))
        & (pl.col("churn_3m") <= pl.col("churn_6m"))
        & (pl.col("churn_6m") <= pl.col("churn_12m"))
        & (pl.col("churn_12m") <= pl.col("policy_lapse_any_12m") + 1e-6)
    )
    assert nested.to_series().all()
    causes = pl.sum_horizontal("churn_natural_12m", "churn_insurer_12m", "churn_preventable_12m")
    assert scores.select((causes - pl.col("churn_12m")).abs().max()).item() < 1e-6
    floats = scores.select(pl.col(pl.Float32, pl.Float64))
    assert floats.select(pl.all().is_nan().sum()).sum_horizontal().item() == 0


def test_csv_and_parquet_tell_the_same(finished: Path) -> None:
    parquet = pl.read_parquet(finished / "scores.parquet")
    csv = pl.read_csv(finished / "scores.csv", infer_schema_length=None)
    assert csv.columns == parquet.columns
    assert csv["customer"].to_list() == parquet["customer"].to_list()
    assert csv["churn_12m"].to_list() == pytest.approx(parquet["churn_12m"].to_list(), abs=1e-6)


def test_summary_has_every_prediction_and_what_became_of_it(finished: Path) -> None:
    predictions = summary(finished)["predictions"]
    keys = {entry["key"] for entry in predictions}
    assert {entry.key for entry in templates() if "{" not in entry.key} <= keys
    for entry in predictions:
        assert entry["status"] in ("fitted", "baseline", "derived", "unavailable"), entry["key"]
        assert entry["why"] or entry["status"] != "unavailable", entry["key"]


def test_no_relation_number_leaves_private(finished: Path, office: Office) -> None:
    relations = set(pl.read_csv(finished / "private" / "customers.csv", infer_schema=False)["relation"])
    assert all(relation.startswith(CANARY) for relation in relations)
    for path in finished.rglob("*"):
        if path.is_dir() or path.parent.name == "private" or path.suffix == ".parquet":
            continue
        words = path.read_text("utf-8", errors="replace")
        found = [relation for relation in relations if relation in words] if CANARY in words else []
        assert not found, path.name
    texts = pl.read_parquet(finished / "scores.parquet").select(pl.col(pl.String))
    assert not set(texts.to_numpy().ravel()) & relations


def test_lists_honour_opt_outs_and_reveal_finds_everyone(finished: Path, office: Office) -> None:
    from akb.commands.reveal import revealed

    private = pl.read_csv(finished / "private" / "customers.csv", infer_schema=False)
    relation_of = dict(zip(private["customer"], private["relation"], strict=True))
    export = pl.read_csv(office.folder / "polissen.csv", separator=";", infer_schema=False)
    opted_out = set(export.filter(pl.col("Mailing") == "N")["Relatienummer"])
    assert opted_out
    for name in ("top_defend", "next_best_policy"):
        text = revealed(finished / "actions" / f"{name}.csv", relation_of)
        listed = {line.split(";")[0] for line in text.splitlines()[1:]}
        assert listed
        assert not listed & opted_out, name
