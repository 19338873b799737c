"""What must not be believed is not: shuffled outcomes, a column that knows the outcome, rows split at random."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from synthetic import BRANCHES, GAP, LAG, BranchWorld, X, branch_world

import akb
from akb.catalogue.entries import entries
from akb.config import Models, load_settings
from akb.core.findings import Finding
from akb.features.types import Feature, Matrix
from akb.models.evidence.grading import gate, grade
from akb.models.methods.checks import checks
from akb.models.methods.verdict import prediction_of
from akb.models.temporal.problem import branch_problem, customer_problem, happened_within
from akb.models.temporal.splits import temporal_splits
from akb.models.temporal.target import FittedTarget, fit_target

SETTINGS: Models = load_settings(models__target_rows=20_000, models__trees=90).models
RANDOM_SPLITS = {
    "train_test_split", "KFold", "StratifiedKFold", "RepeatedKFold", "RepeatedStratifiedKFold", "ShuffleSplit",
    "StratifiedShuffleSplit", "LeaveOneOut", "LeavePOut", "cross_val_score", "cross_val_predict", "cross_validate",
    "GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "LogisticRegressionCV", "CalibratedClassifierCV",
    "RidgeCV", "LassoCV", "ElasticNetCV", "learning_curve", "validation_curve", "permutation_test_score",
}  # fmt: skip


def family(world: BranchWorld) -> FittedTarget:
    problem = branch_problem(world.matrix, world.targets.held, "lapse", BRANCHES)
    return fit_target(problem, temporal_splits(world.matrix.dates, X, 12, GAP, LAG), SETTINGS)


def test_shuffled_branches_show_chance_and_nothing_is_graded_above_insufficient() -> None:
    """Outcomes dealt out anew among the holders of every date: nobody can rank them, and akb says so."""
    found = family(branch_world(1500, seed=8, shuffled=True, lapse_shift=0.5))
    proofs = [proof for proof in found.evidence if proof is not None]
    assert len(proofs) == len(BRANCHES) and min(proof.positives for proof in proofs) >= 30
    assert np.mean([proof.auc for proof in proofs]) == pytest.approx(0.5, abs=0.02)
    grades = [
        grade(p, gate(p), p.positives, len(p.by_date), gain_significant=g)
        for p, g in zip(proofs, found.gains, strict=True)
    ]
    assert set(grades) == {"insufficient"}


def test_unshuffled_branches_are_believed() -> None:
    """The same test, the same world, the outcomes where they belong: it can fail."""
    found = family(branch_world(1500, seed=8, lapse_shift=0.5))
    proofs = [proof for proof in found.evidence if proof is not None]
    grades = [grade(p, gate(p), p.positives, len(p.by_date), gain_significant=True) for p in proofs]
    assert np.mean([proof.auc for proof in proofs if proof.auc]) > 0.6
    assert set(grades) != {"insufficient"}


def planted(world: BranchWorld, *, known: bool) -> list[Finding]:
    """What akb notices of an outcome when the matrix has a column with the days to the (still unknown) end."""
    counts = world.targets.counts
    end = counts.select((pl.col("first_lapse") - pl.col("as_of")).dt.total_days().cast(pl.Float32)).to_series()
    end = end if known else end.sample(fraction=1.0, shuffle=True, seed=1)
    matrix = Matrix(
        world.matrix.frame.with_columns(end.alias("days_to_end")),
        (*world.matrix.features, Feature("days_to_end", "synthetic", "days_to_end", "")),
    )
    label = happened_within(world.targets.counts, "first_lapse", 12)
    problem = customer_problem(matrix, "any", "binary", label)
    outcome = fit_target(problem, temporal_splits(matrix.dates, X, 12, GAP, LAG), SETTINGS)
    entry = next(each for each in entries({}) if each.key == "policy_lapse_any_12m")
    prediction = prediction_of(entry, outcome, population=len(outcome.rows), seconds=0.0, limit=5)
    return checks([prediction], {entry.key: entry.name_nl})


@pytest.mark.parametrize("known", [True, False])
def test_a_column_that_knows_the_end_is_too_good_to_be_true(known: bool) -> None:
    codes = [finding.code for finding in planted(branch_world(1500, seed=9), known=known)]
    assert ("AKB-M002" in codes) == known


def random_splits(source: str) -> list[str]:
    """Names in a module that divide rows at random, without regard for time or customer."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found += [alias.name.rsplit(".")[-1] for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id in ("lgb", "lightgbm") and node.attr == "cv":
                found.append("KFold")
        elif isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.keyword) and node.arg in ("validation_fraction", "early_stopping"):
            found.append("ShuffleSplit")  # scikit-learn holds back random rows
    return sorted(set(found) & RANDOM_SPLITS)


def test_rows_are_never_split_at_random() -> None:
    root = Path(akb.__file__).parent
    modules = sorted(root.rglob("*.py"))
    assert len(modules) > 100
    assert {
        str(path.relative_to(root)): found for path in modules if (found := random_splits(path.read_text("utf-8")))
    } == {}


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.model_selection import train_test_split as split",
        "import sklearn.model_selection as m\nm.StratifiedKFold(5)",
        "import lightgbm as lgb\nlgb.cv({}, None)",
        "HistGradientBoostingClassifier(early_stopping=True)",
    ],
)
def test_a_random_split_would_be_seen(source: str) -> None:
    assert random_splits(source)
