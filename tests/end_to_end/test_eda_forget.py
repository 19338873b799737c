"""``akb forget`` on a real run: the customer that the report shows first is nowhere any more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl

from akb.cli import run
from tests.searched import everything_in


def test_the_first_customer_of_the_report_is_forgotten(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    shown = summary["risk"]["defend"]["rows"][0]["customer"]
    private = pl.read_csv(folder / "private" / "customers.csv", infer_schema=False)
    scored = pl.read_parquet(folder / "scores.parquet", columns=["customer"])
    # the report shows the first signs of a name, which two customers may share: both go out of what it shows
    customer = scored.filter(pl.col("customer").str.starts_with(shown))["customer"][0]
    relation = private.filter(pl.col("customer") == customer)["relation"][0]
    told = [part for path in folder.rglob("*") if path.is_file() for part, content in everything_in(path).items()
            if customer.encode() in content]  # fmt: skip
    assert {"scores.csv", "scores.parquet: rows", "customers.csv"} <= set(told)  # the search finds what is there
    assert run(["forget", str(folder), relation, "--quiet"]) == 0
    for path in folder.rglob("*"):
        if path.is_file():
            for part, content in everything_in(path).items():
                assert customer.encode() not in content, part
                assert relation.encode() not in content, part
    assert shown not in (folder / "report.html").read_text("utf-8")
    before, after = (pl.read_parquet(run_of / "scores.parquet") for run_of in (finished, folder))
    assert after.equals(before.filter(pl.col("customer") != customer))
    others = json.loads((folder / "summary.json").read_text("utf-8"))
    assert others["customers"] == summary["customers"]
