"""What counts as churn changes labels, lists and scores of churn, and not one euro: money stands on whole relations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import value_fixtures as f

from akb.catalogue.entries import entries
from akb.config import Settings
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.models import run_models
from akb.models.coherence.scores import within
from akb.sample import simulate, write_sample
from akb.value.case.case import business_case
from akb.value.in_force import InForce
from akb.value.lifetime.lost import lost_commission
from akb.value.valuation import valuation

if TYPE_CHECKING:
    from akb.features.types import Matrix
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.valuation import Valuation

SMALL = {"trees": 10, "target_rows": 3000, "hazard_rows": 3000}
METHODS = ("hazard", "hazard_cause", "hazard_peak", "survival", "family_lapse")
TARGETS = ("first_lapse", "lapses_12m")
FILES = ("polissen.csv", "schades.csv", "contacten.csv")


@dataclass(frozen=True)
class Office:
    portfolio: Portfolio
    matrix: Matrix

    def run(self, definition: str) -> tuple[ModelRun, Valuation]:
        """Models and values; every gate open, for a book this small opens none."""
        settings = Settings.model_validate({"models": SMALL, "churn": {"definition": definition}})
        held = set(self.portfolio.policies["branch"].unique())
        catalogue = entries([(key, branch.name_nl) for key, branch in settings.taxonomy().items() if key in held])
        models = run_models(
            self.matrix,
            replace(build_targets(self.portfolio, self.matrix, settings), definitions=None),
            [
                entry.model_copy(update={"determinants": False})
                for entry in catalogue
                if entry.method in METHODS or entry.target in TARGETS
            ],
            settings,
            as_of=self.portfolio.as_of,
            history=self.portfolio.history,
            progress=lambda _: None,
        )
        opened = replace(
            models,
            predictions=tuple(replace(each, gate="pass") for each in models.predictions),
            whole=tuple(replace(each, gate="pass") for each in models.whole),
        )
        return opened, valuation(self.portfolio, opened, settings, say=lambda _: None)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office")
    write_sample(simulate(300, seed=4), folder, truth=False)
    settings = Settings.model_validate({"models": SMALL})
    portfolio = read_portfolio(Sources([folder / name for name in FILES], bytes(32)), settings)
    return Office(portfolio, build_matrix(portfolio, as_of_grid(portfolio, settings), settings))


@pytest.fixture(scope="module")
def usual(office: Office) -> tuple[ModelRun, Valuation]:
    return office.run("all")


# non_life is another set of branches
@pytest.mark.parametrize("definition", ["any_policy", "main_branch", "essential"])
def test_a_definition_of_churn_touches_no_euro(
    office: Office, usual: tuple[ModelRun, Valuation], definition: str
) -> None:
    (models, work), (usual_models, usual_work) = office.run(definition), usual
    assert work.value is not None and usual_work.value is not None
    for name in ("clv", "clv_5y", "current", "potential", "commission", "variable", "fixed", "stay", "leave"):
        assert (getattr(work.value, name) == getattr(usual_work.value, name)).all(), name
    assert np.abs(usual_work.value.stake).sum() > 0
    for earned, usually in zip(work.earned or (), usual_work.earned or (), strict=True):
        assert (earned == usually).all()
        assert earned.sum() > 0
    assert at_risk(work) == at_risk(usual_work)
    assert work.five_years is not None
    assert (work.five_years == usual_work.five_years).all()
    case = business_case(usual_work)
    assert case is not None
    other = business_case(work)
    assert other is not None
    # the page's bins may be cut elsewhere where the last bit of two customers differs
    assert replace(other, basis={}) == replace(case, basis={})
    assert models.branch_lapse.equals(usual_models.branch_lapse)
    assert models.survival.equals(usual_models.survival)
    assert usual_models.whole == ()
    # and it does change what it is meant to change
    own, whole = models.scores, usual_models.scores
    assert not own["churn_12m"].equals(whole["churn_12m"])
    if definition == "any_policy":
        assert own["churn_12m"].mean() > 1.05 * whole["churn_12m"].mean()
    assert own["remaining_lifetime_years"].equals(whole["remaining_lifetime_years"])
    assert (own["churn_12m"] <= own["policy_lapse_any_12m"]).all()
    assert (own["churn_6m"] <= own["churn_12m"]).all()
    causes = own.select(pl.sum_horizontal(pl.col("^churn_(natural|insurer|preventable)_12m$").cast(pl.Float64)))
    assert np.abs(causes.to_series() - own["churn_12m"]).max() < 1e-6


def at_risk(work: Valuation) -> dict[str, int]:
    assert work.survival is not None and work.branches is not None
    parts = lost_commission(work.in_force, work.survival, work.branches).parts
    assert sum(parts.values()) > 0
    return parts


def test_money_stands_on_the_gates_of_the_whole_relation() -> None:
    office = f.portfolio(40)
    run = f.models(office, gate="fail")
    whole = tuple(replace(each, gate="pass") for each in run.predictions if each.key.startswith("churn_"))
    assert not InForce(office, run, f.SETTINGS).churn_in_euros
    assert InForce(office, replace(run, whole=whole), f.SETTINGS).churn_in_euros
    closed = tuple(replace(each, gate="fail") for each in whole)
    assert not InForce(office, replace(f.models(office), whole=closed), f.SETTINGS).churn_in_euros
    unknown = tuple(replace(each, status="unavailable") for each in whole)
    assert not InForce(office, replace(f.models(office), whole=unknown), f.SETTINGS).causes_known


def test_chances_within_a_bound_keep_their_sum() -> None:
    chance, bound = np.array([0.5, 0.2, 0.1, 0.0]), np.array([0.3, 0.4, 0.4, 0.9])
    kept = within(chance, bound)
    assert (kept <= bound + 1e-12).all()
    assert kept.sum() == pytest.approx(0.8)
    assert kept[3] == 0  # what cannot happen does not begin to
    tight = within(np.array([0.5, 0.5]), np.array([0.2, 0.4]))
    assert tight.tolist() == [0.2, 0.4]
    assert within(chance, np.ones(4)).tolist() == chance.tolist()
