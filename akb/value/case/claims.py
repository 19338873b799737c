"""What vendors claim and the sources' rule of thumb promises, beside the case: on the same scope,
and why they differ.

A claim is a share of the policies that lapse, wherever they lapse; the case counts relations that
empty and policies of those who stay, as two lines. So the claim is set against both together, and
against each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.value.case.basis import LINES
from akb.value.formulas import cross_sell_rule, saving_share
from akb.value.types import Claim, RuleOfThumb, RuleStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Assumption
    from akb.value.case.basis import CaseBasis

CLAIMS = ("claim.low", "claim.mid", "claim.high")


def rule_of_thumb(
    customers: int, turnover: float, register: Mapping[str, Assumption]
) -> RuleOfThumb:
    """Return what the sources' rule would promise for this portfolio, cents a year (D1 and D4)."""
    value = {name: entry.value for name, entry in register.items() if name.startswith("rule.")}
    share = saving_share(value["rule.lapse"], value["rule.natural"], value["rule.rescue"])
    retention = round(share * turnover)
    sold = cross_sell_rule(
        customers, value["rule.buys"], value["rule.branch_share"], 100 * value["rule.commission"]
    )
    return RuleOfThumb(retention, round(sold), retention + round(sold))


def claims(basis: CaseBasis) -> tuple[Claim, ...]:
    """Return every claim in cents a year of recurring commission.

    ``promised``: the share of all commission that leaves in a year, announced ends and those of
    single policies included; ``relations``: the part of it that leaves with relations that empty,
    which is all that a count of customers sees; ``kept``: the commission that the plan's contacts
    keep; ``needed``: by what the effects would have to be multiplied to keep what is promised with
    these contacts (None where they keep nothing)."""
    lost, relations = (
        basis.facts["commission_lost_12m"],
        basis.facts["commission_lost_relations_12m"],
    )
    kept = basis.facts["commission_kept_12m"]
    rows = []
    for name in CLAIMS:
        share = basis.value(name)
        promised = share * lost
        rows.append(
            Claim(
                key=name,
                share=share,
                promised=round(promised),
                relations=round(share * relations),
                kept=round(kept),
                needed=promised / kept if kept > 0 else None,
            )
        )
    return tuple(rows)


def why_different(basis: CaseBasis) -> tuple[RuleStep, ...]:
    """Return the steps from the rule's promise to the case: what each leaves of a year's saving.

    ``promised`` (the rule on turnover), ``leaving`` (its rescue chance on the commission that does
    leave, by the predictions), ``preventable`` (only what attention can change), ``unannounced``
    (announced ends cannot be kept), ``reached`` (only customers with a contact), ``effect`` (the
    effects of the register instead)."""
    rule = rule_of_thumb(basis.customers, basis.facts["turnover"], basis.register).retention
    rescue = basis.value("rule.rescue")
    steps = {
        "promised": float(rule),
        "leaving": rescue * basis.facts["commission_lost_12m"],
        "unannounced": rescue * basis.facts["commission_lost_open_12m"],
        "preventable": rescue * basis.facts["commission_lost_preventable_12m"],
        "reached": rescue * basis.facts["commission_reached_12m"],
        "effect": basis.facts["commission_kept_12m"],
    }
    return tuple(RuleStep(key, round(cents)) for key, cents in steps.items())


def sold_and_kept(basis: CaseBasis) -> dict[str, float]:
    """Return how many relations and policies the plan keeps and how many it sells, at the base."""
    names = {"relation": "leavers", "policy": "policies", "purchase": "sales"}
    return {
        line: sum(getattr(each, names[line])["base"] for each in basis.cohort.sums)
        for line in LINES
    }
