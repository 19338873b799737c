"""Feature values worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from portfolios import Customer, Policy, Rows, X, known_on, portfolio

from akb.config import Settings
from akb.core.dates import add_months
from akb.features import build_matrix, build_targets

SETTINGS = Settings.model_validate({"models": {"min_events": 1}})
T = date(2022, 12, 31)
STAYS = Policy(0, "avp", date(2018, 3, 1))


def at(day: date, *policies: Policy, customer: int = 0, **more: Any) -> dict[str, Any]:
    """The features of one customer on one day."""
    numbers = {p.customer for p in policies}
    people = more.pop("customers", tuple(Customer(number) for number in sorted(numbers)))
    rows = Rows(policies, people, **more)
    frame = build_matrix(portfolio(rows), [day], SETTINGS).frame
    return frame.row(by_predicate=pl.col("customer") == customer, named=True)


def test_a_continuation_is_known_from_the_day_it_starts() -> None:
    ended = Policy(0, "auto", date(2020, 1, 1), T, "unknown")
    follows = Policy(0, "auto", T + timedelta(days=5))
    before = at(T, STAYS, ended, follows)
    assert (before["past_lapses_12m"], before["converted_12m"]) == (1, 0)
    after = at(T + timedelta(days=5), STAYS, ended, follows)
    assert (after["past_lapses_12m"], after["converted_12m"]) == (0, 1)
    assert after["purchases_12m"] == 0


def test_a_nearer_start_later_does_not_undo_a_link_that_was_seen() -> None:
    """With hindsight the second start is the nearest to the end; on T only the first was known."""
    policies = (
        STAYS,
        Policy(0, "auto", date(2020, 1, 1), T - timedelta(days=1), "unknown"),
        Policy(0, "auto", T - timedelta(days=21)),
        Policy(0, "auto", T + timedelta(days=1)),
    )
    assert at(T, *policies)["past_lapses_12m"] == 0
    assert at(T, *known_on(Rows(policies, ()), T).policies)["past_lapses_12m"] == 0


def test_one_start_continues_one_end() -> None:
    end = date(2022, 6, 1)
    values = at(
        T,
        STAYS,
        Policy(0, "auto", date(2020, 1, 1), end, "unknown"),
        Policy(0, "auto", date(2021, 1, 1), end, "preventable"),
        Policy(0, "auto", end),
    )
    assert (values["past_lapses_12m"], values["converted_12m"]) == (1, 1)


def test_holdings_and_tenure() -> None:
    values = at(
        T,
        STAYS,
        Policy(0, "auto", T - timedelta(days=100), insurer="M2"),
        Policy(0, "auto", T - timedelta(days=300), insurer="M2"),
        Policy(0, "reis", date(2020, 1, 1), T, "preventable"),
        Policy(0, "zorg", T + timedelta(days=1)),
    )
    assert [values[name] for name in ("policies", "branches", "n_avp", "n_auto", "n_reis", "n_zorg")] == [
        3,
        2,
        1,
        2,
        0,
        0,
    ]
    assert values["share_essential"] == 1
    assert values["largest_branch_share"] == pytest.approx(2 / 3)
    assert values["youngest_months"] == pytest.approx(100 / 30.4375)
    assert values["tenure_months"] == pytest.approx((T - date(2018, 3, 1)).days / 30.4375)
    assert values["started_6m"] == 1
    assert values["first_year_policies"] == 2
    assert values["months_to_cliff"] == pytest.approx(65 / 30.4375)
    assert (values["insurers"], values["insurer_concentration"]) == (2, pytest.approx(5 / 9))


def test_windows_of_lapses_end_at_t_and_begin_after_t_minus_w() -> None:
    def lapses(end: date) -> list[float]:
        values = at(T, STAYS, Policy(0, "auto", date(2019, 1, 1), end, "preventable"))
        return [values[f"past_lapses_{window}m"] for window in (3, 6, 12, 24)]

    assert lapses(T) == [1, 1, 1, 1]
    assert lapses(T + timedelta(days=1)) == [0, 0, 0, 0]
    assert lapses(add_months(T, -3)) == [0, 1, 1, 1]
    assert lapses(add_months(T, -12) + timedelta(days=1)) == [0, 0, 1, 1]
    assert lapses(add_months(T, -12)) == [0, 0, 0, 1]


def test_months_since_a_policy_went_to_another_intermediary() -> None:
    """A reason of its own: another reason, a sold book, or an end that was continued is none."""

    def months(cause: str = "preventable", reason: str = "overgang_tussenpersoon", *more: Policy) -> float:
        gone = Policy(0, "auto", date(2019, 1, 1), date(2024, 11, 1), cause, reason=reason)
        return at(X, STAYS, gone, *more)["months_since_intermediary_change_36m"]

    assert months() == pytest.approx(60 / 30.4375)
    assert months(reason="overstap") == 36
    assert months("technical") == 36
    assert months("preventable", "overgang_tussenpersoon", Policy(0, "auto", date(2024, 11, 5))) == 36


def test_lapses_by_cause_and_share_lost() -> None:
    values = at(
        X,
        STAYS,
        Policy(0, "auto", date(2019, 1, 1), date(2024, 11, 1), "preventable"),
        Policy(0, "reis", date(2019, 1, 1), date(2022, 6, 1), "natural"),
        Policy(0, "zorg", date(2019, 1, 1), date(2024, 6, 1), "technical"),
    )
    assert (values["past_lapses_12m"], values["past_lapses_36m"], values["converted_12m"]) == (1, 2, 1)
    assert (values["lapses_preventable_12m"], values["lapses_natural_12m"], values["lapses_natural_36m"]) == (1, 0, 1)
    assert values["share_lost_36m"] == pytest.approx(2 / 3)
    assert values["months_since_lapse_36m"] == pytest.approx(60 / 30.4375)
    assert values["first_lapse_12m"] == 0
    assert values["policies_change_12m"] == -2


@pytest.mark.parametrize(
    ("day", "renewal", "month", "days"),
    [
        (date(2022, 12, 31), date(2011, 1, 1), 1, 1),
        (date(2022, 12, 31), date(2011, 12, 31), 12, 365),
        (date(2022, 12, 31), date(2011, 1, 31), 1, 31),
        (date(2022, 12, 31), date(2011, 2, 1), 2, 32),
        (date(2022, 12, 30), date(2011, 12, 31), 1, 1),
        (date(2023, 2, 28), date(2012, 2, 29), 12, 365),
        (date(2023, 4, 15), date(2030, 4, 15), 12, 366),
        (date(2023, 4, 15), date(2030, 4, 16), 1, 1),
        (date(2023, 4, 15), date(2030, 6, 15), 2, 61),
        (date(2023, 4, 15), date(2030, 6, 16), 3, 62),
    ],
)
def test_the_next_renewal_is_a_day_and_month_after_t(day: date, renewal: date, month: int, days: int) -> None:
    values = at(day, Policy(0, "auto", date(2015, 5, 5), renewal=renewal))
    assert values["months_to_next_renewal"] == pytest.approx(days / 30.4375)
    assert [m for m in range(1, 13) if values[f"renewals_in_month_{m}"]] == [month]
    assert [values[f"renewals_{window}m"] for window in (1, 2, 3, 6)] == [month <= window for window in (1, 2, 3, 6)]
    # the month is that of add_months: (T + m - 1 months, T + m months]
    due = day + timedelta(days=days)
    assert add_months(day, month - 1) < due <= add_months(day, month)


def test_without_a_renewal_date_a_policy_renews_on_the_anniversary_of_its_start() -> None:
    assert at(T, Policy(0, "auto", date(2015, 2, 10)))["months_to_next_renewal"] == pytest.approx(41 / 30.4375)


def test_peers_leave_the_customer_out() -> None:
    """What the customer ended or took himself does not move his own adviser's rates; the others' doings do."""
    advisers = tuple(Customer(number, adviser="A1" if number < 3 else f"A{number}") for number in range(8))

    def rates(*policies: Policy) -> tuple[float, ...]:
        others = (Policy(1, "avp", date(2018, 1, 1)), Policy(2, "avp", date(2018, 1, 1)))
        values = at(T, STAYS, *policies, *others, customers=advisers)
        return tuple(
            values[name] for name in ("adviser_customer_share", "adviser_lapse_ratio_12m", "adviser_growth_12m")
        )

    peers_lapse = Policy(1, "auto", date(2019, 1, 1), date(2022, 6, 1), "preventable")
    own_lapse = Policy(0, "auto", date(2019, 1, 1), date(2022, 6, 1), "preventable")
    # two policies of others, one of which lapsed: (1 + 50 * rate) / (3 + 50) with the portfolio's rate of 1 in 4
    assert rates(peers_lapse)[1] == pytest.approx((1 + 50 / 4) / 53 * 4)
    assert rates(own_lapse)[1] == pytest.approx((0 + 50 / 4) / 52 * 4)
    assert rates()[:2] == (1, 1)
    # the portfolio shrank from 4 to 3 policies, and 50 are mixed in
    assert rates(peers_lapse)[2] == pytest.approx(-1 / 53 + 1 / 54)
    assert rates(own_lapse)[2] == pytest.approx(1 / 54)


def test_claims_about_health_and_unplaced_claims_are_not_seen() -> None:
    day = date(2022, 11, 1)
    claims = (
        (0, "auto", date(2020, 1, 1), 1, False),
        (0, "auto", day, 12_345, True),
        (0, "zorg", day, 99_999, True),
        (0, None, day, 99_999, True),
    )
    values = at(T, STAYS, Policy(0, "zorg", date(2018, 1, 1)), claims=claims)
    assert (values["claims_12m"], values["claims_at_fault_12m"]) == (1, 1)
    assert values["claims_euros_12m"] == pytest.approx(123.45)


def test_contacts_by_direction_channel_and_complaint() -> None:
    contacts = (
        (0, date(2020, 1, 1), "phone", True, "vraag"),
        (0, date(2022, 12, 1), "phone", True, "Klacht over de afhandeling"),
        (0, date(2022, 3, 1), "email", False, "mutatie"),
    )
    values = at(T, STAYS, contacts=contacts)
    assert [values[f"contacts_{w}m"] for w in (3, 12)] == [1, 2]
    assert (values["contacts_inbound_12m"], values["contacts_outbound_12m"], values["contacts_complaints_12m"]) == (
        1,
        1,
        1,
    )
    assert (values["contacts_by_phone_12m"], values["contacts_by_email_3m"]) == (1, 0)
    assert values["months_since_contact_12m"] == pytest.approx(30 / 30.4375)


def test_a_contact_of_unknown_direction_is_a_contact_of_neither_side() -> None:
    day = date(2022, 11, 1)
    sides = [True] * 3 + [False] * 2 + [None] * 5
    contacts = tuple((0, day - timedelta(days=place), "phone", side, "vraag") for place, side in enumerate(sides))
    first = (0, date(2018, 6, 1), "phone", True, "vraag")  # the record goes back further than the windows
    values = at(T, STAYS, contacts=(first, *contacts))
    assert values["contacts_12m"] == 10
    assert (values["contacts_inbound_12m"], values["contacts_outbound_12m"]) == (3, 2)
    assert values["inbound_share_12m"] == pytest.approx(0.3)
    only = at(T, STAYS, contacts=(first, *contacts[5:]))
    assert (only["contacts_12m"], only["contacts_inbound_12m"], only["contacts_outbound_12m"]) == (5, 0, 0)
    assert only["months_since_outbound_12m"] == at(T, STAYS, contacts=(first,))["months_since_outbound_12m"]


def test_shares_are_of_the_policies_and_not_of_the_branches() -> None:
    """Two cars, a liability, a household and a funeral policy: five policies, four branches."""
    whole = (
        *(Policy(0, "auto", date(2018, 1, 1), insurer=name) for name in ("M1", "M2")),
        *(Policy(0, branch, date(2018, 1, 1)) for branch in ("avp", "inboedel", "uitvaart")),
        Policy(1, "rechtsbijstand", date(2018, 1, 1)),
        *(Policy(1, branch, date(2018, 1, 1), date(2023, 5, 1), "preventable") for branch in ("auto", "avp")),
        *(Policy(2, branch, date(2018, 1, 1)) for branch in ("auto", "avb", "cyber")),
    )
    people = (Customer(0), Customer(1), Customer(2, "business", None))
    values = at(T, *whole, customers=people)
    assert (values["policies"], values["branches"]) == (5, 4)
    assert values["share_traffic"] == pytest.approx(2 / 5)
    assert values["share_home"] == values["share_liability"] == pytest.approx(1 / 5)
    assert values["share_essential"] == pytest.approx(3 / 5)
    assert values["share_private"] + values["share_business"] < 1
    assert values["largest_branch_share"] == pytest.approx(2 / 5)
    assert values["theme_share"] == pytest.approx(3 / 4)  # of home, traffic, liability and legal; none is a company
    made = portfolio(Rows(whole, people))
    held = build_targets(made, build_matrix(made, [T, X], SETTINGS), SETTINGS).held.frame
    mine = held.filter((pl.col("customer") == 0) & (pl.col("as_of") == T))
    shares = dict(mine.select("branch", "branch_share").iter_rows())
    assert shares == {"auto": pytest.approx(2 / 5), "avp": pytest.approx(1 / 5)}  # branches that ever lapsed


def test_how_usual_a_branch_is_counts_among_customers_of_the_same_kind() -> None:
    """A travel policy is held by two of four private customers and by one of the two companies."""
    policies = (
        *(Policy(n, "avp", date(2018, 1, 1)) for n in range(6)),
        *(Policy(n, "reis", date(2018, 1, 1)) for n in (0, 1, 4)),
        *(Policy(n, "reis", date(2023, 2, 1 + n)) for n in (2, 5)),
    )
    people = tuple(Customer(n, "private" if n < 4 else "business", 1980 if n < 4 else None) for n in range(6))
    made = portfolio(Rows(policies, people))
    frame = build_targets(made, build_matrix(made, [T, X], SETTINGS), SETTINGS).eligible.frame
    row = frame.row(
        by_predicate=(pl.col("customer") == 3) & (pl.col("as_of") == T) & (pl.col("branch") == "reis"), named=True
    )
    assert row["branch_popularity_kind"] == pytest.approx(2 / 4)


def test_a_purchase_is_a_new_branch_within_the_relation() -> None:
    start = date(2022, 10, 1)

    def purchases(*policies: Policy) -> float:
        return at(T, *policies)["purchases_12m"]

    assert purchases(STAYS, Policy(0, "auto", start)) == 1
    assert purchases(STAYS, Policy(0, "avp", start)) == 0  # a second policy in a branch that is held
    assert purchases(Policy(0, "auto", start)) == 0  # a new customer
    left = Policy(0, "reis", date(2020, 6, 2), start - timedelta(days=32), "preventable")
    assert purchases(left, Policy(0, "auto", start)) == 0  # came back after more than G days: a win-back
    assert (
        purchases(STAYS, Policy(0, "auto", date(2020, 6, 2), start - timedelta(days=31)), Policy(0, "auto", start)) == 0
    )
    assert (
        purchases(STAYS, Policy(0, "auto", date(2020, 6, 2), start - timedelta(days=32)), Policy(0, "auto", start)) == 1
    )


def test_who_came_back_after_more_than_g_days_is_seen() -> None:
    back = Policy(0, "auto", date(2023, 6, 1))
    gone = Policy(0, "auto", date(2019, 1, 1), date(2023, 4, 1), "preventable")
    assert at(X, gone, back)["returned_36m"] == 1
    assert at(X, STAYS, gone, back)["returned_36m"] == 0


def test_age_is_that_of_the_year_of_t_and_nonsense_is_unknown() -> None:
    people = (Customer(0, birth_year=1950), Customer(1, birth_year=1900), Customer(2, kind="business", birth_year=None))
    policies = (STAYS, Policy(1, "avp", date(2018, 1, 1)), Policy(2, "avb", date(2018, 1, 1)))
    ages = [at(T, *policies, customers=people, customer=c)["age"] for c in range(3)]
    assert ages == [72, None, None]
    assert at(T, *policies, customers=people, customer=2)["is_business"] == 1


def test_eligible_rows_know_what_holders_of_the_same_branches_have() -> None:
    """Two of the three holders of a car policy also hold a travel policy, and everyone holds liability."""
    policies = (
        *(Policy(n, "avp", date(2018, 1, 1)) for n in range(4)),
        *(Policy(n, "auto", date(2018, 1, 1)) for n in range(3)),
        *(Policy(n, "reis", date(2018, 1, 1)) for n in range(2)),
        Policy(2, "reis", date(2023, 2, 1)),
    )
    made = portfolio(Rows(policies, tuple(Customer(n) for n in range(4))))
    eligible = build_targets(made, build_matrix(made, [T, X], SETTINGS), SETTINGS).eligible
    row = eligible.frame.row(by_predicate=(pl.col("customer") == 2) & (pl.col("as_of") == T), named=True)
    assert row["branch"] == "reis"
    # mean of P(reis | avp) = 2/4 and P(reis | auto) = 2/3
    assert row["branch_co_ownership"] == pytest.approx((2 / 4 + 2 / 3) / 2, abs=1e-5)
    assert row["branch_popularity_kind"] == pytest.approx(2 / 4)
    assert (row["label"], row["event_date"]) == (1.0, date(2023, 2, 1))
    assert row["branch_held_before_36m"] is None  # 36 months before T were not recorded


def test_insurers_of_equal_size_rank_by_name() -> None:
    policies = (Policy(0, "avp", date(2018, 1, 1), insurer="Zuid"), Policy(1, "avp", date(2018, 1, 1), insurer="Noord"))
    shares = [[at(T, *policies, customer=c)[f"share_insurer_{rank}"] for rank in (1, 2)] for c in (0, 1)]
    assert shares == [[0, 1], [1, 0]]


def test_a_fleet_is_matched_start_by_start() -> None:
    """Ten cars end, six are replaced within G days: six conversions and four lapses, in any order of the rows."""
    end = date(2022, 6, 1)
    gone = [Policy(0, "wagenpark", date(2019, 1, 1 + n), end + timedelta(days=n), "unknown") for n in range(10)]
    new = [Policy(0, "wagenpark", end + timedelta(days=30 + n)) for n in range(6)]
    values = at(T, STAYS, *gone, *new)
    assert (values["converted_12m"], values["past_lapses_12m"]) == (6, 4)


def test_a_policy_that_hardly_lived_is_only_continued_from_its_end_on() -> None:
    """A second car taken a week after the first does not make the first's end, days later, a conversion."""
    start = date(2022, 6, 1)
    short = Policy(0, "auto", start, start + timedelta(days=20), "preventable")
    values = at(T, STAYS, short, Policy(0, "auto", start + timedelta(days=7)))
    assert (values["past_lapses_12m"], values["converted_12m"]) == (1, 0)
    values = at(T, STAYS, short, Policy(0, "auto", start + timedelta(days=20)))
    assert (values["past_lapses_12m"], values["converted_12m"]) == (0, 1)
