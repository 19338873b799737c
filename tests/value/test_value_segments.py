"""Growth and position segments by hand, per unit, suppressed, and who moved between two days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import strategies as st

from akb.config import load_settings
from akb.core.privacy.disclosure import crossed
from akb.core.relations import in_force
from akb.core.wording.text import texts
from akb.describe.relations import spells
from akb.models.types import Backtest
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.revenue.cost import service_cost
from akb.value.segments.growth_migration import growth_migration, segments_on
from akb.value.segments.migration import basis_of, migration
from akb.value.segments.segments import GROWTH, POSITION, growth_classes, highest, newcomers, position_classes

X = f.X


def test_growth_segments_by_hand() -> None:
    """Six customers: potential 60 50 40 | 3 2 1; present 60 10 50 | 55 30 5."""
    potential = np.array([60.0, 50, 40, 3, 2, 1])
    present = np.array([60.0, 10, 50, 55, 30, 5])
    no = np.zeros(6, dtype=bool)
    assert growth_classes(present, potential, no, no) == (
        "hete_stijger",
        "warme_stijger",
        "hete_stijger",
        "warme_daler",
        "koude_daler",
        "uitgeblust",
    )
    new, back = no.copy(), no.copy()
    new[0] = new[5] = back[5] = True  # back goes before new
    made = growth_classes(present, potential, new, back)
    assert (made[0], made[5]) == ("starter", "terugkomer")


def test_position_segments_by_hand() -> None:
    """The fifth with most commission and the half with most potential, of ten."""
    commission = np.array([100.0, 90, 8, 7, 6, 5, 4, 3, 2, 1])
    potential = np.array([9.0, 0, 8, 7, 6, 5, 0, 0, 0, 0])
    made = position_classes(commission, potential)
    assert made[:3] == ("kernrelatie", "toprelatie", "kernpotential")
    assert made[6:] == ("overige_relatie",) * 4


def test_nobody_without_potential_is_promising() -> None:
    no = np.zeros(4, dtype=bool)
    made = growth_classes(np.arange(4.0), np.zeros(4), no, no)
    assert not any(name.endswith("stijger") for name in made)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.floats(0.05, 0.95), st.randoms())
def test_equal_amounts_are_in_the_same_class_in_any_order(values: list[int], share: float, random) -> None:
    amounts = np.array(values, dtype=float)
    inside = highest(amounts, share)
    assert inside.sum() >= round(share * len(amounts))
    if inside.any() and not inside.all():
        assert amounts[inside].min() > amounts[~inside].max()
    order = np.array(random.sample(range(len(values)), len(values)))
    assert (highest(amounts[order], share) == inside[order]).all()


def _policies(*rows: tuple[int, date, date | None]) -> pl.DataFrame:
    names = ["customer", "start_date", "end_date"]
    frame = pl.DataFrame(rows, schema=dict(zip(names, (pl.UInt32, pl.Date, pl.Date), strict=True)), orient="row")
    return frame.with_columns(
        policy=pl.int_range(pl.len(), dtype=pl.UInt32),
        branch=pl.lit("auto"),
        reason=pl.lit(None, dtype=pl.String),
        cause=pl.when(pl.col("end_date").is_not_null()).then(pl.lit("preventable")),
        replaced_on=pl.lit(None, dtype=pl.Date),
        premium_cents=pl.lit(50_000, dtype=pl.Int64),
        commission_cents=pl.lit(10_000, dtype=pl.Int64),
    )


def _base(policies: pl.DataFrame) -> InForce:
    made = f.portfolio(1)
    ids = policies["customer"].unique().sort()
    customers = made.customers.drop("customer").head(1).join(ids.to_frame(), how="cross")
    made = replace(made, policies=policies, customers=customers)
    return InForce(made, f.models(f.portfolio(30)), f.SETTINGS)


def test_who_is_new_and_who_came_back() -> None:
    old, gone = X - timedelta(days=3000), X - timedelta(days=1500)
    policies = _policies(
        (0, X - timedelta(days=700), None),  # starter
        (1, X - timedelta(days=800), None),
        (2, old, gone),
        (2, X - timedelta(days=600), None),  # back
        (3, old, gone),
        (3, gone + timedelta(days=20), None),  # never gone: within the gap
        (4, old, gone),
        (4, X - timedelta(days=900), None),  # back longer ago
        (5, old, None),
        (5, X - timedelta(days=30), None),  # a new policy makes no new customer
    )
    new, back = newcomers(_base(policies).customers["customer"], spells(policies, 31), f.X)
    assert new.tolist() == [True, False, True, False, False, False]
    assert back.tolist() == [False, False, True, False, False, False]


def test_migration_by_hand_with_branch_standard_commission() -> None:
    """Ten customers with 10..1 policies a year ago; the smallest grows to the top, one left, one came."""
    then = X - timedelta(days=400)
    rows: list[tuple[int, date, date | None]] = []
    for customer in range(10):
        rows += [(customer, then - timedelta(days=100), None)] * (10 - customer)
    rows += [(9, X - timedelta(days=50), None)] * 20  # from D to A
    rows += [(10, X - timedelta(days=50), None)] * 10  # new, in A
    rows[9 * 0 : 10] = [(0, start, X - timedelta(days=20)) for _, start, _ in rows[:10]]  # the only A leaves
    base = _base(_policies(*rows))
    base = replace(base, settings=load_settings(report__suppress_below=1), models=replace(base.models, predictions=()))
    made = migration(base)
    assert made is not None
    assert made.basis == "standard"
    table = {row.key: dict(zip(made.columns, row.cells, strict=True)) for row in made.rows}
    assert table["A"] == {"A": 0, "B": 0, "C": 0, "D": 0, "gone": 1}
    assert table["B"]["B"] == 2
    assert table["D"] == {"A": 1, "B": 0, "C": 0, "D": 3, "gone": 0}
    assert table["new"] == {"A": 1, "B": 0, "C": 0, "D": 0, "gone": 0}
    assert (made.up, made.down, made.same) == (1, 0, 8)


def test_migration_uses_no_amount_that_the_back_office_overwrote() -> None:
    """Amounts of ended policies count for nothing, those of today for no more than the median of their branch."""
    made = f.portfolio(300)
    kinds = made.customers.with_columns(kind=pl.lit("private"))  # one standard per branch
    made = replace(made, customers=kinds)
    now = pl.col("policy").is_in(f.present(made)["policy"].implode())
    turned = made.policies.filter(now).with_columns(pl.col("commission_cents").reverse().over("branch"))
    ended = made.policies.filter(~now).with_columns(pl.col("commission_cents") * 10)
    other = replace(made, policies=pl.concat([turned, ended]).sort("policy"))
    first, second = (migration(InForce(each, f.models(made), f.SETTINGS)) for each in (made, other))
    assert first is not None
    assert not made.policies["commission_cents"].equals(other.policies["commission_cents"])
    assert first == second


def test_migration_takes_dated_commission_where_nearly_every_policy_has_it() -> None:
    made = f.portfolio(300)
    dated = made.policies.select("policy", date="start_date", premium_cents="premium_cents").with_columns(
        commission_cents=pl.lit(5_000, dtype=pl.Int64)
    )
    with_dates = InForce(replace(made, premiums=dated), f.models(made), f.SETTINGS)
    found = migration(with_dates)
    assert found is not None
    assert found.basis == "dated"
    few = InForce(replace(made, premiums=dated.head(20)), f.models(made), f.SETTINGS)
    assert migration(few).basis == "standard"


def test_where_everybody_is_of_one_class_nobody_can_move() -> None:
    """One policy each in one branch: every customer counts for the same amount."""
    old = X - timedelta(days=900)
    rows = [(customer, old, X - timedelta(days=40) if customer < 10 else None) for customer in range(60)]
    assert migration(_base(_policies(*rows))) is None
    two = [*rows, *[(customer, old, None) for customer in range(10, 16)]]
    assert migration(_base(_policies(*two))) is not None


def test_without_a_year_of_history_nobody_is_said_to_have_moved() -> None:
    made = f.portfolio(200, months=11)
    assert migration(InForce(made, f.models(made), f.SETTINGS)) is None


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 12), min_size=n, max_size=n), min_size=2, max_size=5)
    ),
    st.integers(2, 6),
    st.booleans(),
)
def test_no_hidden_cell_follows_from_a_total(table: list[list[int]], limit: int, moves: bool) -> None:
    counts = np.array(table)
    classes = min(counts.shape) if moves else 0
    cells = crossed(counts, limit, moves=classes)
    hidden = np.array([[cell is None for cell in line] for line in cells])
    assert not ((counts > 0) & (counts < limit) & ~hidden).any()
    assert all(cell is None or cell == counts[i, j] for i, line in enumerate(cells) for j, cell in enumerate(line))
    square = counts[:classes, :classes], hidden[:classes, :classes]
    lines = [*zip(counts, hidden, strict=True), *zip(counts.T, hidden.T, strict=True)]
    lines += [tuple(part(each) for each in square) for part in (_above, _below, np.diag) if moves]
    for line, away in lines:
        if away.any() and line.sum() >= limit and len(line) > 1:
            assert away.sum() > 1
            assert line[away].sum() >= limit


def _above(table: np.ndarray) -> np.ndarray:
    return table[np.triu_indices(len(table), 1)]


def _below(table: np.ndarray) -> np.ndarray:
    return table[np.tril_indices(len(table), -1)]


def test_no_more_is_hidden_than_it_takes() -> None:
    """An empty cell is company enough for a large one; only a small one needs customers beside it."""
    counts = np.array([[545, 57, 3, 0], [60, 1049, 101, 0], [0, 104, 1558, 152], [0, 0, 152, 2268]])
    cells = crossed(counts, 5, moves=4)
    assert [cells[n][n] for n in range(4)] == [545, 1049, 1558, 2268]
    assert cells[0][2] is None


def test_a_table_without_small_cells_is_shown_whole() -> None:
    assert crossed(np.full((3, 3), 9), 5, moves=3) == [[9] * 3] * 3


@pytest.fixture(scope="module")
def run():
    made = f.portfolio(400)
    return run_value(made, f.models(made), load_settings(segment__unit="adviser"))


def test_a_run_gives_every_customer_both_segments(run) -> None:
    assert set(run.scores["growth_segment"].unique()) <= set(GROWTH)
    assert set(run.scores["position_segment"].unique()) <= set(POSITION)
    assert run.scores["growth_segment"].null_count() == run.scores["position_segment"].null_count() == 0
    told = {made.key: made for made in run.predictions}
    assert told["growth_segment"].status == told["position_segment"].status == "derived"


def test_the_tables_add_up_to_the_portfolio(run) -> None:
    made = run.figures.segments
    for name in ("growth", "position"):
        assert sum(row.customers for row in getattr(made, name)) == run.scores.height
        assert sum(row.commission for row in getattr(made, name)) == int(run.components["commission_cents"].sum())
        assert sum(row.clv for row in getattr(made, name)) == int(run.components["clv_cents"].sum())
    classes = made.classes
    assert sum(row.customers for row in classes.rows) == run.scores.height
    if classes.moved is not None:
        assert classes.moved == classes.up.customers + classes.down.customers
    offices = made.by_office
    assert sum(row.customers for row in offices.rows) == run.scores.height


def test_units_are_segmented_as_a_whole(run) -> None:
    made = run.figures.segments
    assert made.unit == "adviser"
    assert [row.key for row in made.units] == sorted(
        (row.key for row in made.units),
        key=lambda key: -next(row.commission for row in made.units if row.key == key),
    )
    assert len(made.units) == 4
    assert {row.position for row in made.units[:1]} <= {"kernrelatie", "toprelatie"}
    assert all(row.customers >= 5 for row in made.units)


def test_an_adviser_with_few_customers_is_never_named() -> None:
    made = f.portfolio(300)
    rare = made.customers.with_columns(
        adviser=pl.when(pl.col("customer") < 3).then(pl.lit("Zeldzaam")).otherwise(pl.col("adviser"))
    )
    found = run_value(replace(made, customers=rare), f.models(made), load_settings(segment__unit="adviser"))
    assert "Zeldzaam" not in str(found.figures.segments)
    rows = found.figures.segments.by_adviser.rows
    assert rows[-1].key is None
    assert all(row.customers >= 5 for row in rows)


@pytest.mark.parametrize(
    ("poor", "potential"), [({"commission": "none"}, None), ({"ended": False}, "commission")], ids=["none", "no ends"]
)
def test_poor_exports_get_what_can_be_made(poor: dict, potential: str | None) -> None:
    made = f.portfolio(200, **poor)
    found = run_value(made, f.models(made), f.SETTINGS)
    assert found.figures.segments.potential_by == potential
    missing = found.scores["growth_segment"].null_count()
    assert missing == (found.scores.height if potential is None else 0)


def test_where_no_euro_is_proven_the_chance_ranks() -> None:
    made = f.portfolio(200)
    found = run_value(made, f.models(made, gate="fail"), f.SETTINGS)
    assert found.figures.segments.potential_by == "chance"


def test_the_order_of_rows_changes_no_segment() -> None:
    made = f.portfolio(200)
    models = f.models(made)
    first = run_value(made, models, f.SETTINGS)
    second = run_value(*f.shuffled(made, models), f.SETTINGS)
    assert first.scores.equals(second.scores)
    assert first.figures.segments == second.figures.segments


def test_every_segment_has_words_and_a_neutral_name() -> None:
    words = texts("report", "nl")
    for table in ("growth_segment", "growth_rule"):
        assert set(words[table]) == {*GROWTH, "_other"}
    for table in ("position_segment", "position_strategy"):
        assert set(words[table]) == {*POSITION, "_other"}
    assert set(words["crm_name"]["growth_segment"]) == set(GROWTH)
    assert set(words["crm_name"]["position_segment"]) == set(POSITION)
    names = {name for table in words["crm_name"].values() for name in table.values()}
    assert names == {"Groei", "Onderhoud", "Zelfservice"}


def _with_purchase_chances(made, day, seed: int = 3):
    """A run that told purchase chances of `day`, at random, for everybody in force then."""
    held = in_force(made.policies, day)["customer"].unique().sort()
    rng = np.random.default_rng(seed)
    rows = held.to_frame("customer").join(pl.DataFrame({"branch": ["avp", "reis"]}), how="cross")
    chances = rows.with_columns(probability=pl.Series(rng.uniform(0, 0.3, rows.height)))
    return replace(f.models(made), backtest=Backtest(day, pl.DataFrame(), None, chances))


def _migrated(made, run):
    base = InForce(made, run, f.SETTINGS)
    return growth_migration(base, spells(made.policies, 31), service_cost(base))


def test_growth_segments_then_and_now_hold_everybody() -> None:
    made, day = f.portfolio(4000, seed=4), date(2024, 10, 31)
    run = _with_purchase_chances(made, day)
    found = _migrated(made, run)
    assert (found.from_, found.to, found.basis) == (date(2024, 10, 31), date(2025, 12, 31), "standard")
    assert [row.key for row in found.rows] == [*GROWTH, "new"]
    shown = [cell for row in found.rows for cell in row.cells if cell is not None]
    assert all(cell == 0 or cell >= 5 for cell in shown)
    then, now = (set(in_force(made.policies, each)["customer"]) for each in (day, f.X))
    assert sum(shown) <= len(then | now)
    assert sum(cell is None for row in found.rows for cell in row.cells) < 32
    assert sum(shown) > 0.9 * len(then | now)
    new = found.rows[-1].cells
    assert new[GROWTH.index("warme_daler")] == 0  # who came within the year is a starter, or back
    assert 0.1 < found.same < 0.9
    assert _migrated(made, replace(run, backtest=None)) is None
    assert _migrated(made, replace(run, backtest=Backtest(day, pl.DataFrame()))) is None


def test_nothing_after_the_earlier_day_changes_its_segments() -> None:
    made, day = f.portfolio(600, seed=5), date(2024, 10, 31)
    usual = pl.col("branch").str.len_chars().cast(pl.Int64) * 1000  # today's amounts are no news of that day
    made = replace(made, policies=made.policies.with_columns(commission_cents=usual))
    run = _with_purchase_chances(made, day)
    later = pl.col("end_date") > day
    other = replace(
        made,
        policies=made.policies.filter(pl.col("start_date") <= day).with_columns(
            end_date=pl.when(later).then(None).otherwise("end_date"), reason=pl.when(~later).then("reason")
        ),
    )
    rows = []
    for book in (made, other):
        base = InForce(book, run, f.SETTINGS)
        assert basis_of(base, day) == "standard"
        chances = run.backtest.branch_purchase
        rows.append(segments_on(base, day, chances, spells(book.policies, 31), "standard", each=1000.0))
    assert rows[0].equals(rows[1])
    assert rows[0]["segment"].n_unique() >= 5
