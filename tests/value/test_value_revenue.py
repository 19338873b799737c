"""One definition of recurring revenue, for every kind of client, in values, figures and report alike."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import strategies as st

from akb.config import Settings
from akb.core.revenue import PARTS, Terms, meaning, with_revenue
from akb.value import run_value
from akb.value.in_force import InForce
from akb.value.lifetime.purchases import mean_commission

CENTS = st.one_of(st.none(), st.integers(-10_000, 10_000_000))
CLIENTS = ("intermediair", "volmacht", "verzekeraar")


def _settings(client: str, **assumptions: float) -> Settings:
    return Settings(client={"type": client}, assumptions={k.replace("__", "."): v for k, v in assumptions.items()})


def _book(**columns: int | None):
    made = f.portfolio()
    cents = {name: pl.lit(value, dtype=pl.Int64) for name, value in columns.items()}
    return replace(made, policies=made.policies.with_columns(fee_source=pl.lit("policy"), **cents))


@given(rows=st.lists(st.tuples(CENTS, CENTS, CENTS, CENTS), min_size=1, max_size=20), client=st.sampled_from(CLIENTS))
def test_parts_add_up_and_nothing_known_is_unknown(rows, client) -> None:
    names = ["premium_cents", "commission_cents", "fee_cents", "signing_cents"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row").with_columns(branch=pl.lit("auto"))
    made = with_revenue(frame, Terms(client, {"auto": 0.1}, profit_share=0.01))
    for row in made.iter_rows(named=True):
        parts = [row[f"revenue_{part}_cents"] for part in PARTS]
        known = [part for part in parts if part is not None]
        assert row["revenue_cents"] == (sum(known) if known else None)


def test_each_client_earns_in_his_own_way() -> None:
    made = _book(commission_cents=10_000, fee_cents=1_500, signing_cents=700, premium_cents=50_000)
    held = f.present(made).height
    for client, each in (("intermediair", 11_500), ("volmacht", 12_200), ("verzekeraar", 10_000)):
        run = run_value(made, f.models(made), _settings(client, insurer__margin_auto=0.20))
        parts = run.components
        assert parts is not None
        assert parts["commission_cents"].sum() == each * held
        whole = sum(parts[f"revenue_{part}_cents"].sum() for part in PARTS)
        assert whole == each * held
    shared = _settings("volmacht", volmacht__profit_share=0.02)
    run = run_value(made, f.models(made), shared)
    assert run.components is not None
    assert run.components["commission_cents"].sum() == (12_200 + 1_000) * held


def test_a_margin_is_the_branchs_own_then_the_assumed_one() -> None:
    settings = Settings(client={"type": "verzekeraar"}, branches={"avp": {"margin": 0.5}})
    margins = settings.revenue_terms().margins
    register = settings.assumed()
    assert margins["avp"] == 0.5
    assert margins["auto"] == register["insurer.margin_auto"].value
    assert margins["opstal"] == register["insurer.margin"].value


def test_fees_alone_are_revenue_and_commission_of_an_insurer_is_none() -> None:
    made = _book(commission_cents=None, fee_cents=1_500, signing_cents=None, premium_cents=None)
    assert InForce(made, f.models(made), _settings("intermediair")).has_commission
    assert not InForce(made, f.models(made), _settings("verzekeraar")).has_commission


def test_one_more_policy_brings_no_second_fee_of_the_customer() -> None:
    made = _book(commission_cents=10_000, fee_cents=1_500, signing_cents=None)
    of_customer = replace(made, policies=made.policies.with_columns(fee_source=pl.lit("customer")))
    for book, cents in ((made, 11_500), (of_customer, 10_000)):
        table = mean_commission(InForce(book, f.models(book), _settings("intermediair")))
        assert table.filter(pl.col("branch") == "auto")["cents"].unique().to_list() == [cents]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_ban_is_on_commission_only(client) -> None:
    base = InForce(f.portfolio(40), f.models(f.portfolio(40)), _settings(client))
    assert base.banned("uitvaart") == (client != "verzekeraar")
    assert not base.banned("auto")


def test_what_revenue_is_called() -> None:
    plain = pl.DataFrame({"branch": ["auto"], "commission_cents": [100], "premium_cents": [500]})
    fee = plain.with_columns(fee_cents=pl.lit(10))
    for frame, client, name in (
        (plain, "intermediair", "commission"),
        (fee, "intermediair", "revenue"),
        (plain, "volmacht", "revenue"),
        (plain, "verzekeraar", "margin"),
    ):
        terms = Terms(client)
        assert meaning(with_revenue(frame, terms), terms) == name
