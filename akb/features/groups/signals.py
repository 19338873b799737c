"""Combinations that the field names: one sign says little, two together do.

Brockett et al. (2008): a first cancelled policy is a strong signal, and with three or more policies
left even stronger; Guillén et al. (2012): it is strongest in the months right after. Business
contracts often run for three years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.cut import MONTH
from akb.features.groups.lifestage import age_in_years
from akb.features.registry import Group, months, share, within, yes

if TYPE_CHECKING:
    from akb.features.registry import World

_CONTRACT = 36 * MONTH
_NEAR = 6 * MONTH


def build(world: World) -> Group:
    """Return combinations of holdings, renewals, lapses, claims and contacts."""
    group = Group("signals")
    _people(group)
    if "ends" in world.records:
        _after_lapse(group)
        _kind_of_lapse(group)
    if "contacts" in world.records:
        _with_contacts(group, world)
    if "claims" in world.records and "ends" in world.records:
        _after_claim(group)
    return group


def _people(group: Group) -> None:
    policies, age, company = pl.col("_policies"), age_in_years(), yes(pl.col("kind") != "private")
    left = _CONTRACT - (pl.col("age") % _CONTRACT)
    expiring = group.count("_expiring", "held", (left <= _NEAR) & (pl.col("age") > 0))
    soon = group.count("_due_3", "held", pl.col("due_month") <= 3)
    group.add(
        "young_one_policy", "under 30 with one policy", "yes/no", (age < 30) & (policies == 1)
    )
    group.add(
        "one_policy_renews_3m",
        "one policy, and it renews within 3 months",
        "yes/no",
        (policies == 1) & (soon == 1),
    )
    group.add(
        "all_renew_3m",
        "two or more policies that all renew within 3 months",
        "yes/no",
        (policies > 1) & (soon == policies),
    )
    group.add(
        "contracts_expiring_6m",
        "policies that reach a multiple of three years within 6 months",
        "policies",
        expiring,
    )
    group.add(
        "share_expiring_6m",
        "share of the policies that reach a multiple of three years within 6 months",
        "share",
        share(expiring, policies),
    )
    group.add(
        "business_contract_expiring",
        "not private, and a policy reaches a multiple of three years within 6 months",
        "yes/no",
        company & (expiring > 0),
    )
    group.add(
        "new_one_policy",
        "a customer for less than two years with one policy",
        "yes/no",
        (pl.col("_oldest") <= 730) & (policies == 1),
    )


def _after_lapse(group: Group) -> None:
    """How recent the last lapse is, together with what is left."""
    policies = pl.col("_policies")
    lapsed = pl.col("lapsed")
    count = {w: group.count(f"_lapses_{w}", "gone", lapsed & within("end", w)) for w in (3, 12, 36)}
    soon = group.count("_due_3", "held", pl.col("due_month") <= 3)
    first = (count[12] > 0) & (count[36] == count[12])
    earliest = group.most("_since_first_lapse", "gone", pl.when(lapsed).then(pl.col("since")))
    latest = group.least("_since_lapse", "gone", pl.when(lapsed).then(pl.col("since")))
    group.add(
        "first_lapse_few_left",
        "first lapse in 36 months fell in the last 12; one or two policies left",
        "yes/no",
        first & (policies <= 2),
        back=36,
    )
    group.add(
        "first_lapse_left_policies",
        "policies left after a first lapse in 36 months; 0 without one",
        "policies",
        pl.when(count[36] == 1).then(policies).otherwise(0),
        back=36,
    )
    group.add(
        "lapse_and_renewal_3m",
        "lapsed in the last 12 months, and another policy renews within 3 months",
        "yes/no",
        (count[12] > 0) & (soon > 0),
        back=12,
    )
    group.add(
        "one_left_after_lapse_12m",
        "lapsed in the last 12 months and has one policy left",
        "yes/no",
        (count[12] > 0) & (policies == 1),
        back=12,
    )
    group.add(
        "several_lapses_3m",
        "two or more lapses in the last 3 months",
        "yes/no",
        count[3] >= 2,
        back=3,
    )
    group.add(
        "months_between_lapses_36m",
        "mean months between the lapses of 36 months; null with fewer than two",
        "months",
        pl.when(count[36] > 1).then(months(earliest - latest) / (count[36] - 1)),
        back=36,
    )
    group.add(
        "lapse_strength",
        "lapses of 36 months, each counting half after every 6 months",
        "policies",
        group.sum("_faded", "gone", _faded()) / 1_000_000,
        back=36,
    )


def _faded() -> pl.Expr:
    """A lapse's weight in whole millionths, so that sums are the same in any order."""
    weight = (-pl.col("since") / (6 * MONTH) * pl.lit(2.0).log()).exp()
    return pl.when(pl.col("lapsed") & within("end", 36)).then((weight * 1_000_000).round())


def _kind_of_lapse(group: Group) -> None:
    """What was cancelled: the longest running policy, or one in the middle of its year."""
    lapsed = pl.col("lapsed") & within("end", 12)
    longest = group.most(
        "_longest_lapsed", "gone", pl.when(lapsed).then(pl.col("day") - pl.col("start"))
    )
    year = 365.25
    turn = pl.col("lasted") % year
    midway = lapsed & (pl.col("lasted") > year) & (turn > 31) & (turn < year - 31)
    ran = group.sum(
        "_ran", "gone", pl.when(pl.col("lapsed") & within("end", 36)).then(pl.col("lasted"))
    )
    count = group.count("_lapses_36", "gone", pl.col("lapsed") & within("end", 36))
    group.add(
        "longest_policy_lapsed_12m",
        "the longest running policy lapsed in the last 12 months",
        "yes/no",
        yes(longest > pl.col("_oldest")),
        back=12,
    )
    group.add(
        "lapses_midway_12m",
        "policies lapsed in the last 12 months more than a month away from their anniversary",
        "policies",
        group.count("_midway", "gone", midway),
        back=12,
    )
    group.add(
        "mean_months_lapsed_36m",
        "mean age that the policies lapsed in 36 months reached; null without one",
        "months",
        months(share(ran, count)),
        back=36,
    )


def _with_contacts(group: Group, world: World) -> None:
    topic, inbound = pl.col("topic"), yes(pl.col("inbound"))
    recent = group.count("_contacts_inbound_3", "contacts", within("date", 3) & inbound)
    soon = group.count("_due_3", "held", pl.col("due_month") <= 3)
    any_12 = group.count("_contacts_12", "contacts", within("date", 12))
    group.add(
        "called_before_renewal_3m",
        "got in touch in the last 3 months, and a policy renews within 3",
        "yes/no",
        (recent > 0) & (soon > 0),
        back=3,
        record="contacts",
    )
    group.add(
        "silent_long_customer_12m",
        "a customer for over 5 years without any contact in 12 months",
        "yes/no",
        (any_12 == 0) & (pl.col("_oldest") > 1826),
        back=12,
        record="contacts",
    )
    if "quote" in world.topics:
        asked = group.least(
            "_since_quote", "contacts", pl.when(yes(topic == "quote")).then(pl.col("since"))
        )
        group.add(
            "quote_without_policy_6m",
            "asked for a quote in the last 6 months and no policy started since",
            "yes/no",
            yes((asked <= 6 * MONTH) & (pl.col("_youngest") > asked)),
            back=6,
            record="contacts",
        )
    if "complaint" in world.topics:
        upset = group.count(
            "_contacts_complaints_12", "contacts", within("date", 12) & yes(topic == "complaint")
        )
        group.add(
            "complaint_and_renewal_3m",
            "complained in the last 12 months, and a policy renews within 3 months",
            "yes/no",
            (upset > 0) & (soon > 0),
            back=12,
            record="contacts",
        )
        if "ends" in world.records:
            lapses = group.count("_lapses_12", "gone", pl.col("lapsed") & within("end", 12))
            group.add(
                "complaint_and_lapse_12m",
                "complained and lapsed a policy in the last 12 months",
                "yes/no",
                (upset > 0) & (lapses > 0),
                back=12,
                record=("contacts", "ends"),
            )


def _after_claim(group: Group) -> None:
    claims = group.count("_claims_12", "claims", within("date", 12))
    lapses = group.count("_lapses_12", "gone", pl.col("lapsed") & within("end", 12))
    started = group.count("_started_12", "held", within("start", 12))
    group.add(
        "claim_and_lapse_12m",
        "claimed and lapsed a policy in the last 12 months",
        "yes/no",
        (claims > 0) & (lapses > 0),
        back=12,
        record=("claims", "ends"),
    )
    group.add(
        "claim_on_new_policy_12m",
        "claimed in the last 12 months and took a policy in that time",
        "yes/no",
        (claims > 0) & (started > 0),
        back=12,
        record="claims",
    )
