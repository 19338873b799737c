"""The page tells who can take what, how the branches were ordered, and what comparable customers hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from akb.models.methods.descriptions import EFFECTS
from akb.models.types import Ranking, RankScore
from akb.report.assemble import build
from akb.report.bundle import RunBundle
from akb.report.formats import of_ten
from akb.report.write import write_report
from tests.report import fixtures as f

CI = ((0.5, 0.7), (0.4, 0.6), (0.4, 0.6))
RANKING = Ranking(
    date(2024, 9, 30),
    240,
    260,
    tuple(RankScore(rule, (0.6, 0.5, 0.5), CI) for rule in ("popularity", "co_ownership", "model")),
    -0.01,
    (-0.03, 0.01),
    "popularity",
)


@pytest.fixture(scope="module")
def told() -> RunBundle:
    bundle = f.full()
    assert bundle.models is not None
    standing = pl.DataFrame(
        [("auto", "open", 300), ("auto", "held", 250), ("auto", "age", 3), ("auto", "signed", 40)],
        schema={"branch": pl.String, "reason": pl.String, "customers": pl.Int64},
        orient="row",
    )
    effects = pl.DataFrame([("auto", -0.021, -0.034, -0.008, 0.07, 0.091, 0.9, 60)], schema=EFFECTS, orient="row")
    need = pl.when(pl.col("customer") % 2 == 0).then(pl.lit(0.72, pl.Float32))
    models = replace(
        bundle.models,
        scores=bundle.models.scores.with_columns(need_auto=need),
        ranking=RANKING,
        standing=standing,
        effects=effects,
    )
    return replace(bundle, models=models)


def test_the_order_is_shown_beside_the_plain_rules(told: RunBundle) -> None:
    found = build(told)["products"]["ranking"]
    assert [score["rule"] for score in found["scores"]] == ["popularity", "co_ownership", "model"]
    assert found["delivered"] == "popularity" and found["gain_ci"] == [-0.03, 0.01]
    strict = told.settings.model_copy(
        update={"report": told.settings.report.model_copy(update={"suppress_below": 241})}
    )
    assert build(replace(told, settings=strict))["products"]["ranking"] is None


def test_few_customers_cannot_be_recomputed_from_the_others(told: RunBundle) -> None:
    row = build(told)["products"]["standing"][0]
    assert row["age"] is None and row["signed"] is None  # the smallest other one goes with it
    assert (row["open"], row["held"], row["kind"]) == (300, 250, 0)


def test_a_gap_has_a_share_and_a_difference_and_no_euros(told: RunBundle) -> None:
    row = next(row for row in build(told)["products"]["gaps"] if row["branch"] == "auto")
    assert row["need"] == pytest.approx(0.72, abs=1e-6) and row["wide_gap"] == row["customers"]
    assert (row["difference"], row["low"], row["high"]) == (-0.021, -0.034, -0.008)
    assert not [name for name in row if "cents" in name or "euro" in name]


def test_the_page_words_them(told: RunBundle, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("gaps")
    write_report(folder, told)
    page = (folder / "report.html").read_text("utf-8")
    assert "7 op de 10" in page and "oorzaak niet aangetoond" in page and "Bespreken." in page
    assert "−2,1" in page
    assert 'data-test="ranking"' in page and 'data-test="standing"' in page


def test_a_share_in_ten() -> None:
    assert [of_ten(share) for share in (0.72, 0.04, 1.0, None)] == [
        "7 op de 10",
        "minder dan 1 op de 10",
        "10 op de 10",
        "–",
    ]
