"""Who can take what: every rule of the taxonomy leaves out whom it should, and what is unknown leaves nobody out."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from portfolios import Customer, Policy, Rows, X, portfolio

from akb.config import Settings, load_settings
from akb.core.errors import AkbError
from akb.features import build_matrix, build_targets
from akb.features.types import BranchRows

LONG = date(2015, 1, 1)
EVERY = ("auto", "motor", "avp", "inboedel", "opstal", "woonpakket", "glas_kostbaarheden", "aov", "bca", "cyber")


def eligible(*own: Policy, customer: Customer | None = None, settings: Settings | None = None) -> BranchRows:
    """What is open to customer 0, in a portfolio of twenty others who took every branch once."""
    policies, customers = list(own), [customer or Customer(0)]
    for number in range(1, 21):
        policies.append(Policy(number, "avp", LONG))
        policies += [Policy(number, branch, date(2023, 6, 1 + number)) for branch in EVERY if branch != "avp"]
        customers.append(Customer(number))
    policies.append(Policy(19, "avp", date(2023, 7, 1)))
    rows = Rows(tuple(policies), tuple(customers))
    made = portfolio(rows)
    chosen = settings or Settings.model_validate({"models": {"min_events": 1}})
    return build_targets(made, build_matrix(made, [date(2023, 6, 1), X], chosen), chosen).eligible


def open_to_first(*own: Policy, customer: Customer | None = None, settings: Settings | None = None) -> set[str]:
    frame = eligible(*own, customer=customer, settings=settings).frame
    return set(frame.filter((pl.col("customer") == 0) & (pl.col("as_of") == X))["branch"])


AVP = Policy(0, "avp", LONG)


def test_a_private_person_can_take_what_is_for_private_persons_and_not_held() -> None:
    assert open_to_first(AVP) == {"auto", "motor", "inboedel", "opstal", "woonpakket", "aov"}
    everyone_else = {"auto", "aov", "bca", "cyber"}
    assert open_to_first(AVP, customer=Customer(0, "business", None)) == everyone_else
    own_account = open_to_first(AVP, customer=Customer(0, "self_employed"))
    assert own_account == {"auto", "motor", "inboedel", "opstal", "woonpakket", "aov", "cyber"}  # "bca": companies only
    assert everyone_else | {"motor"} <= open_to_first(AVP, customer=Customer(0, None, None))


@pytest.mark.parametrize(
    ("year", "branches"), [(2008, {"motor", "aov"}), (1961, {"aov"}), (1962, set()), (1900, set())]
)
def test_age_counts_where_it_is_plausible(year: int, branches: set[str]) -> None:
    """In 2024: 16, 63, 62 years, and 124, which is a mistake and leaves nobody out."""
    missing = open_to_first(AVP) - open_to_first(AVP, customer=Customer(0, birth_year=year))
    assert missing == branches | ({"auto"} if year == 2008 else set())


def test_age_says_nothing_of_a_company() -> None:
    assert "aov" in open_to_first(AVP, customer=Customer(0, "business", 1920))


def test_a_package_includes_its_parts_and_valuables_need_a_home() -> None:
    package = open_to_first(AVP, Policy(0, "woonpakket", LONG))
    assert not package & {"inboedel", "opstal", "woonpakket"} and "glas_kostbaarheden" in package
    assert "glas_kostbaarheden" in open_to_first(AVP, Policy(0, "inboedel", LONG))


def test_a_home_that_was_given_up_no_longer_counts() -> None:
    gone = Policy(0, "inboedel", LONG, date(2024, 6, 1), "preventable")
    assert "glas_kostbaarheden" not in open_to_first(AVP, gone)


def test_what_is_signed_for_is_not_offered_and_a_replay_does_not_know() -> None:
    soon = Policy(0, "auto", date(2025, 2, 1))
    assert "auto" in open_to_first(AVP)
    assert "auto" not in open_to_first(AVP, soon)
    frame = eligible(AVP, soon).frame
    before = frame.filter((pl.col("customer") == 0) & (pl.col("as_of") == date(2023, 6, 1)))
    assert "auto" in set(before["branch"])


def test_every_customer_is_counted_once_per_branch() -> None:
    found = eligible(AVP, Policy(0, "auto", date(2025, 2, 1)), Policy(0, "woonpakket", LONG))
    standing = found.standing
    assert standing is not None
    assert standing.group_by("branch").agg(pl.col("customers").sum())["customers"].unique().to_list() == [21]
    reasons = {(branch, reason): n for branch, reason, n in standing.iter_rows()}
    assert reasons["auto", "signed"] == 1 and reasons["auto", "held"] == 20
    assert reasons["inboedel", "included"] == 1 and reasons["cyber", "kind"] == 1
    now = found.frame.filter(pl.col("as_of") == X).group_by("branch").len()
    assert dict(now.iter_rows()) == {branch: n for (branch, reason), n in reasons.items() if reason == "open"}


def test_a_client_has_rules_of_his_own_and_a_typing_error_is_told() -> None:
    own = {"models": {"min_events": 1}, "branches": {"motor": {"requires": ["auto"], "age_from": 0}}}
    settings = Settings.model_validate(own)
    assert "motor" not in open_to_first(AVP, settings=settings)
    assert "motor" in open_to_first(AVP, Policy(0, "auto", LONG), settings=settings)
    wrong = replace_branches(load_settings(), {"motor": {"requires": ["aut"]}})
    with pytest.raises(AkbError, match="auto"):
        wrong.taxonomy()


def replace_branches(settings: Settings, branches: dict[str, dict[str, list[str]]]) -> Settings:
    return settings.model_copy(update={"branches": branches})
