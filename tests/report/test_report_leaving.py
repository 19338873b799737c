"""Chapter 3 beyond the counts: causes over time, sBG beside the model, the five definitions; win-back beside scores."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from akb.config import Settings
from akb.models.types import Prediction
from akb.report.bundle import RunBundle
from akb.report.write import report_files
from tests.report import fixtures

CAUSES = ("natural", "insurer", "preventable", "unknown")


@pytest.fixture(scope="module")
def bundle() -> RunBundle:
    full = fixtures.full()
    assert full.models is not None
    curve = pl.DataFrame({"years": [float(year) for year in range(21)]}).with_columns(share=0.95 ** pl.col("years"))
    curve = curve.with_columns(((1 - pl.col("share")) / 4).alias(cause) for cause in CAUSES)
    test_date = date(2024, 10, 31)
    cohorts = pl.DataFrame(
        {
            "test_date": [test_date] * 3,
            "lower": [0.0, 1.0, 2.0],
            "upper": [1.0, 2.0, None],
            "customers": [200, 100, 300],
            "left": [30, 3, 18],
            "model": [0.14, 0.05, 0.06],
            "sbg": [0.10, 0.07, 0.06],
            "constant": [0.085] * 3,
            "customers_now": [210, 90, 310],
            "years_model": [8.0, 9.0, 12.0],
            "years_sbg": [9.0, 9.5, 11.0],
        }
    )
    definitions = pl.DataFrame(
        {
            "definition": ["all", "any_policy", "essential"],
            "chosen": [False, False, True],
            "test_date": [test_date] * 3,
            "customers": [600] * 3,
            "left": [51, 130, 60],
            "changed": [3, 70, 0],
            "customers_now": [610] * 3,
            "top": [61, None, 61],
            "top_changed": [12, None, 0],
        }
    )
    former = full.portfolio.customers.head(3).select(
        "customer", winback_12m=pl.Series([0.1, 0.2, 0.3], dtype=pl.Float32)
    )
    run = replace(full.models, curve=curve, cohorts=cohorts, definitions=definitions, winback=former)
    settings = Settings.model_validate({"churn": {"definition": "essential"}})
    return replace(full, models=run, settings=settings)


@pytest.fixture(scope="module")
def written(bundle: RunBundle) -> tuple[dict[str, bytes], dict[str, object]]:
    return report_files(bundle)


def test_the_tables_stand_in_the_page_and_few_customers_are_hidden(written: tuple[dict[str, bytes], dict]) -> None:
    files, summary = written
    page = files["report.html"].decode()
    for text in ("Waardoor zijn klanten weg", "Weet het model meer dan de duur", "Wat als u vertrek anders telt?",
                 "U koos een andere definitie van vertrek: alle essentiële polissen weg", "(gekozen)"):  # fmt: skip
        assert text in page
    leaving = summary["leaving"]
    assert [row["years"] for row in leaving["gone_by_cause"]] == [1, 2, 3, 5, 7, 10, 15, 20]
    assert all(row["share"] + sum(row[c] for c in CAUSES) == pytest.approx(1) for row in leaving["gone_by_cause"])
    rows = leaving["cohorts"]["rows"]
    assert [row["suppressed"] for row in rows] == [False, True, True]  # one alone could be worked out from the total
    assert rows[0]["rate"] == pytest.approx(0.15) and rows[1]["left"] is None and rows[1]["model"] is None
    assert leaving["cohorts"]["missed"]["model"] == pytest.approx((2 + 2 + 0) / 600)
    told = {row["definition"]: row for row in leaving["definitions"]["rows"]}
    assert told["all"]["suppressed"] and told["all"]["left"] is None
    assert told["any_policy"]["changed"] == 70 and told["any_policy"]["top"] is None


def test_winback_has_its_own_file_and_no_column_in_the_scores(
    bundle: RunBundle, written: tuple[dict[str, bytes], dict]
) -> None:
    files, _ = written
    table = pl.read_parquet(io.BytesIO(files["winback.parquet"]))
    assert table.schema == {"customer": pl.String, "winback_12m": pl.Float32}
    names = bundle.portfolio.customers.head(3)["pseudonym"].sort().to_list()
    assert table["customer"].to_list() == names
    assert "winback_12m" not in pl.read_parquet(io.BytesIO(files["scores.parquet"])).columns


def test_without_former_customers_the_file_has_its_headers() -> None:
    full = fixtures.full()
    assert full.models is not None
    run = replace(full.models, predictions=(*full.models.predictions, Prediction("winback_12m", "unavailable", "x.")))
    files, summary = report_files(replace(full, models=run))
    table = pl.read_parquet(io.BytesIO(files["winback.parquet"]))
    assert table.columns == ["customer", "winback_12m"] and table.is_empty()
    assert summary["leaving"]["cohorts"] is None and summary["leaving"]["definitions"] is None
