"""Contacts, claims and margins after T, and the rows of topics and channels: known numbers, and nothing from beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from portfolios import Customer, Policy, Rows, X, portfolio

from akb.config import Settings
from akb.core.service import service_rates
from akb.features import build_matrix, build_targets, topics_of
from akb.ingest.types import Portfolio

T = date(2023, 6, 30)


def made(contacts: list[tuple[int, date, str, str]] | None, claims: list[tuple[int, date]] | None) -> Portfolio:
    rows = Rows(
        (
            Policy(0, "auto", date(2015, 1, 1)),
            Policy(1, "auto", date(2016, 1, 1)),
            Policy(2, "auto", date(2016, 1, 1)),
            Policy(3, "auto", date(2016, 1, 1), end=date(2023, 12, 30), reason="overstap", cause="preventable"),
        ),
        tuple(Customer(number) for number in range(4)),
    )
    base = portfolio(rows)
    table = None
    if contacts is not None:
        table = pl.DataFrame(
            contacts,
            schema={"customer": pl.UInt32, "date": pl.Date, "channel": pl.String, "subject": pl.String},
            orient="row",
        ).with_columns(inbound=pl.lit(value=True))
    hits = None
    if claims is not None:
        hits = pl.DataFrame(claims, schema={"customer": pl.UInt32, "date": pl.Date}, orient="row").with_columns(
            policy=pl.lit(None, pl.UInt32), branch=pl.lit("auto"), amount_cents=pl.lit(None, pl.Int64),
            at_fault=pl.lit(None, pl.Boolean),
        )  # fmt: skip
    paid = base.policies.with_columns(commission_cents=pl.lit(10_000, pl.Int64), collection=pl.lit("insurer"))
    return replace(base, contacts=table, claims=hits, policies=paid)


CONTACTS = [
    (0, date(2020, 2, 1), "phone", "Premie"),
    (0, date(2022, 9, 1), "email", "Klacht"),
    (0, date(2023, 7, 15), "phone", "Premie te hoog"),
    (0, date(2023, 12, 1), "email", "Vraag over de nota"),
    (0, date(2024, 6, 30), "email", "Klacht"),
    (0, date(2024, 7, 1), "email", "Klacht"),
    (1, date(2023, 11, 1), "phone", "Schade melden"),
    (1, date(2024, 12, 1), "phone", "Onbekend"),
]
CLAIMS = [
    (2, date(2019, 5, 1)),
    (2, date(2023, 8, 1)),
    (2, date(2023, 9, 1)),
    (2, date(2023, 10, 1)),
    (1, date(2024, 12, 20)),
]


def rows_at(base: Portfolio, day: date = T) -> pl.DataFrame:
    matrix = build_matrix(base, [day, X], Settings())
    return build_targets(base, matrix, Settings()).counts.filter(pl.col("as_of") == day).sort("customer")


def test_contacts_and_claims_of_the_twelve_months_after_t_are_counted() -> None:
    counts = rows_at(made(CONTACTS, CLAIMS))
    assert counts["contacts_12m"].to_list() == [3, 1, 0, 0]
    assert counts["claims_12m"].to_list() == [0, 0, 3, 0]
    assert counts["contacts_12m_possible"].all()


def test_an_event_on_t_is_known_and_one_on_the_last_day_is_still_ahead() -> None:
    """T is 30 June 2023: that day belongs to the year behind, 30 June 2024 to the year ahead."""
    days = [date(2022, 7, 1), T, date(2023, 7, 1), date(2024, 6, 30), date(2024, 7, 1)]
    record = [(3, date(2019, 1, 1)), (3, date(2025, 6, 1))]
    contacts = [(1, day, "phone", "Vraag") for day in days]
    contacts += [(number, day, "phone", "Vraag") for number, day in record]
    counts = rows_at(made(contacts, [*((2, day) for day in days), *record]))
    assert counts["contacts_12m"].to_list() == [0, 2, 0, 0]
    assert counts["claims_12m"].to_list() == [0, 0, 2, 0]
    rates = service_rates(lambda name: float(Settings().assumed()[name].value))
    quiet = counts["margin_now"][0]
    assert quiet - counts["margin_now"][1] == pytest.approx(2 * rates.contact)
    assert quiet - counts["margin_now"][2] == pytest.approx(2 * rates.claim)


def test_without_events_nothing_can_be_asked_and_the_yearly_margin_speaks() -> None:
    counts = rows_at(made(None, None))
    assert not counts["contacts_12m_possible"].any()
    assert not counts["bleeder_possible"].any()
    assert counts["bleeder_now"].to_list() == [False] * 4


def test_a_date_before_the_record_cannot_be_asked() -> None:
    late = [row for row in CONTACTS if row[1] > date(2023, 10, 1)]
    assert not rows_at(made(late, CLAIMS))["contacts_12m_possible"].any()


def test_a_margin_is_what_was_earned_minus_what_was_asked_of_the_office() -> None:
    """EUR 100 a year against three claims of 45 minutes at EUR 55 an hour, and the leaver earned half a year."""
    assumed = Settings().assumed()
    rates = service_rates(lambda name: float(assumed[name].value))
    assert rates.claim == 4125
    counts = rows_at(made(CONTACTS, CLAIMS))
    assert counts["bleeder"].is_not_null().to_list() == [False, False, True, False]
    poor = made(CONTACTS, CLAIMS)
    poor = replace(poor, policies=poor.policies.with_columns(commission_cents=pl.lit(4_000, pl.Int64)))
    cost = rates.policy + rates.relation["private"]
    assert 4_000 - cost < 3 * rates.contact  # three contacts are what makes a bleeder of the first customer
    assert cost + rates.contact < 4_000
    assert rows_at(poor)["bleeder"].is_not_null().to_list() == [True, False, True, False]


def test_topics_and_channels_look_at_what_comes_and_know_what_was() -> None:
    base = made([*CONTACTS, *((number, date(2025, 3, 1), "visit", "Offerte") for number in range(3))], CLAIMS)
    day = date(2024, 11, 30)
    matrix = build_matrix(base, [day, X], Settings())
    targets = build_targets(base, matrix, Settings())
    assert topics_of(base) == ("complaint", "price", "quote", "claim", "payment")
    assert targets.topics is not None
    assert targets.channels is not None
    topics = targets.topics.frame.filter((pl.col("as_of") == day) & (pl.col("customer") == 0))
    known = dict(topics.select("branch", "own_12m").iter_rows())
    assert known == {"complaint": 2, "price": 0, "quote": 0, "claim": 0, "payment": 1}
    assert topics["label"].sum() == 0  # 1 March lies 91 days ahead
    channels = targets.channels.frame.filter(pl.col("as_of") == day)
    first = {row["customer"]: row["branch"] for row in channels.filter(pl.col("label") == 1).to_dicts()}
    assert first == {0: "visit", 1: "phone", 2: "visit"}
    assert channels.group_by("customer").agg(pl.col("label").sum())["label"].to_list() == [1, 1, 1]


@pytest.mark.parametrize("table", ["topics", "channels"])
def test_what_happens_after_t_changes_no_feature_of_a_topic_or_channel(table: str) -> None:
    day = date(2024, 6, 30)
    seen = []
    for contacts in (
        CONTACTS,
        [row for row in CONTACTS if row[1] <= day]
        + [(3, date(2025, 11, 1), "email", "Klacht"), (1, date(2025, 1, 1), "phone", "Schade")],
    ):
        base = made(contacts, CLAIMS)
        rows = getattr(build_targets(base, build_matrix(base, [day, X], Settings()), Settings()), table)
        frame = rows.frame.filter(pl.col("as_of") == day)
        seen.append(
            frame.select("customer", "branch", *rows.names).filter(
                pl.col("branch").is_in(["complaint", "price", "phone", "email"])
            )
        )
    assert seen[0].height > 0
    assert seen[0].equals(seen[1])


def test_the_margin_as_of_t_is_known_beside_its_side() -> None:
    counts = rows_at(made(CONTACTS, CLAIMS))
    assert ((counts["margin_now"] < 0) == counts["bleeder_now"]).all()
    rates = service_rates(lambda name: float(Settings().assumed()[name].value))
    quiet = counts["margin_now"].max()
    assert quiet == pytest.approx(10_000 - rates.policy - rates.relation["private"])
