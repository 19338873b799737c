"""With many customers a panel teaches: fewer rows on the dates between, and not another value anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from portfolios import X
from test_features_partitions import office
from test_features_time import SETTINGS

from akb.core.draws.sampling import draw_key
from akb.features import build_matrix, build_targets, known_then
from akb.features.branch_rows import eligible
from akb.features.grid import date_table, on_each
from akb.features.matrix import scored_dates
from akb.features.types import Matrix, Targets
from akb.ingest.types import Portfolio
from akb.models.churn.landmark import Landmarks
from akb.models.temporal import branch_problem, customer_problem, happened_within

DATES = [date(2022, 6, 30), date(2022, 12, 31), date(2023, 6, 30), date(2024, 6, 30), X]
EVENTS = SETTINGS.models.model_copy(update={"min_events": 1})
ALL = SETTINGS.model_copy(update={"models": EVENTS})
FEW = SETTINGS.model_copy(update={"models": EVENTS.model_copy(update={"panel_customers": 15})})
Built = tuple[Portfolio, Matrix, Matrix]


@pytest.fixture(scope="module")
def built() -> Built:
    whole = office()
    return whole, build_matrix(whole, DATES, ALL), build_matrix(whole, DATES, FEW)


def _in_panel(frame: pl.DataFrame, panel: Matrix) -> pl.DataFrame:
    """The rows of everybody on the scored dates, and of the panel on the others."""
    scored = pl.col("as_of").is_in(scored_dates(DATES, X, FEW))
    assert panel.panel is not None
    return frame.filter(scored | pl.Series(panel.panel[frame["customer"].to_numpy()]))


def test_a_panel_has_the_rows_of_everybody_fewer(built: Built) -> None:
    _, everybody, panel = built
    assert everybody.panel is None and panel.panel is not None and panel.panel.sum() == 15
    assert scored_dates(DATES, X, FEW) == [date(2023, 6, 30), X]
    assert panel.frame.height < everybody.frame.height
    assert panel.coded and not everybody.coded
    assert panel.decoded().equals(_in_panel(everybody.frame, panel))


def test_targets_are_those_of_everybody_fewer(built: Built) -> None:
    whole, everybody, panel = built
    all_targets, targets = (build_targets(whole, each, ALL) for each in (everybody, panel))
    assert targets.relation.equals(_in_panel(all_targets.relation, panel))
    # a feeder lies above a quantile of the margins at T: of the panel's, where that teaches
    counts, all_counts = (each.counts.drop("feeder", "feeder_now") for each in (targets, all_targets))
    assert counts.equals(_in_panel(all_counts, panel))
    for name in ("held", "eligible"):
        rows, all_rows = getattr(targets, name), getattr(all_targets, name)
        assert rows.frame.height
        assert rows.frame.equals(_in_panel(all_rows.frame, panel))
    assert targets.eligible.standing is not None
    assert targets.eligible.standing.equals(all_targets.eligible.standing)


def test_who_may_take_what_is_the_same_some_customers_at_a_time(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _, panel = built
    found = build_targets(whole, panel, ALL).eligible
    monkeypatch.setattr(eligible, "_PART", 7)
    parts = build_targets(whole, panel, ALL).eligible
    assert found.standing is not None and parts.standing is not None
    assert found.open is not None and parts.open is not None
    assert parts.standing.equals(found.standing) and parts.open.equals(found.open)
    assert parts.frame.equals(found.frame)


def test_things_beside_each_date_are_those_of_a_cross_join() -> None:
    table = date_table(DATES)
    things = pl.DataFrame({"number": range(40)}).with_columns(from_=pl.col("number") * 150 + 16_000).lazy()
    keep = (pl.col("from_") > pl.col("back_36")) & (pl.col("from_") <= pl.col("day"))
    columns = ("t", "as_of", "day", "back_36", "month_end")
    for dates in (table, table.head(1), table.clear()):
        wanted = dates.lazy().select(columns).join(things, how="cross").filter(keep).collect()
        found = on_each(dates, columns, things, keep).collect()
        assert found.schema == wanted.schema
        assert found.equals(wanted.sort("t", "number"))
    assert on_each(table, columns, things, keep).collect().height > 10


def test_only_the_panel_teaches(built: Built) -> None:
    whole, _, panel = built
    targets: Targets = build_targets(whole, panel, ALL)
    assert panel.panel is not None
    months = Landmarks(panel, targets).known_on(X, 10**6, draw_key(0, "test", "fit"))
    taught = panel.frame["customer"].to_numpy()[months.row]
    assert len(taught) and panel.panel[taught].all()
    label = happened_within(targets.relation, "end_date", 12)
    held = targets.held
    groups = tuple(held.frame["branch"].unique().sort())
    for problem in (
        customer_problem(panel, "test", "binary", label),
        branch_problem(panel, held, "test", groups),
    ):
        judged, taught = problem.rows_on(DATES), problem.training_rows(DATES)
        assert 0 < len(taught) < len(judged)
        assert np.array_equal(taught, judged[panel.panel[problem.customer[judged]]])


def test_everybody_is_there_on_the_day_that_is_looked_back_to(built: Built) -> None:
    whole, everybody, panel = built
    day = DATES[1]
    then = known_then(whole, panel, day, FEW)
    assert then.dates == DATES[:2]
    assert then.on(day, then.names).equals(everybody.on(day, everybody.names))
    assert then.decoded().filter(pl.col("as_of") < day).equals(panel.until(DATES[0]).decoded())
    assert known_then(whole, everybody, day, ALL).frame.equals(everybody.until(day).frame)


def test_the_panel_is_the_same_whatever_the_customers_are_called_by(built: Built) -> None:
    whole, _, panel = built
    n = whole.customers.height
    number = np.random.default_rng(5).permutation(n).astype(np.uint32)

    def moved(frame: pl.DataFrame | None) -> pl.DataFrame | None:
        if frame is None or "customer" not in frame.columns:
            return frame
        own = pl.Series("customer", number[frame["customer"].to_numpy()])
        return frame.with_columns(own).sort("customer", maintain_order=True)

    tables = ("policies", "customers", "claims", "contacts", "payments")
    other = replace(whole, **{name: moved(getattr(whole, name)) for name in tables})
    found = build_matrix(other, DATES[-1:], FEW)
    again = build_matrix(whole, DATES[-1:], FEW)
    assert found.panel is not None and again.panel is not None
    assert np.array_equal(found.panel[number], again.panel)
    assert panel.panel is not None
