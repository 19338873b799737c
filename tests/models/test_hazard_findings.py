"""AKB-M020 to M022: each fires where it should, keeps silent where it should, and has words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hazard_world import World, simulate

from akb.config import load_settings
from akb.core.findings import Finding
from akb.models.churn.fit import fit_churn

SETTINGS = load_settings(models__hazard_rows=6_000, models__trees=40)


def _found(world: World) -> dict[str, Finding]:
    return {f.code: f for f in fit_churn(world.matrix, world.targets, SETTINGS, as_of=world.as_of).findings}


@pytest.fixture(scope="module")
def small() -> World:
    return simulate(250, seed=3, history=30)


def test_too_few_leavers(small: World) -> None:
    found = _found(small)["AKB-M020"]
    assert found.severity == "issue" and found.count and str(found.count) in found.sentence() and found.remedy()


def test_enough_leavers_say_nothing() -> None:
    assert not _found(simulate(1500, seed=3, history=30, level=-4.2, reasons=1.0))


def test_unknown_reasons_come_with_both_extremes(small: World) -> None:
    found = _found(simulate(250, seed=3, history=30, reasons=0.7))["AKB-M021"]
    assert found.share is not None and 0.1 < found.share < 0.5
    assert found.params["high"] - found.params["low"] == pytest.approx(found.share)
    assert "tussen" in found.sentence() and found.remedy()
    assert "AKB-M021" not in _found(simulate(250, seed=3, history=30, reasons=1.0))
    assert "AKB-M021" not in _found(simulate(250, seed=3, history=30, reasons=0.0))  # no causes: does not apply


def test_more_announced_than_expected(small: World) -> None:
    assert "AKB-M022" not in _found(small)
    many = pl.DataFrame(
        {
            "customer": small.customers[:80],
            "end_date": [small.as_of + timedelta(days=40)] * 80,
            "cause": ["preventable"] * 80,
        }
    )
    found = _found(replace(small, targets=replace(small.targets, announced=many)))["AKB-M022"]
    assert found.count == 80 and found.params["expected"] < 80 and "80" in found.sentence() and found.remedy()
