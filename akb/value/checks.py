"""What the value room noticed: findings AKB-V001 to AKB-V018."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.findings import Finding
from akb.core.wording.phrases import Listed, Rounded
from akb.value.in_force import ANY_LAPSE, EURO_GATES
from akb.value.predictions import missing_events, word
from akb.value.targeting.lists.withheld import TOP_DEFEND, withheld_lists

if TYPE_CHECKING:
    import polars as pl

    from akb.value.in_force import InForce
    from akb.value.revenue.cost import ServiceCost
    from akb.value.targeting.eligibility import Eligibility
    from akb.value.valuation import Valuation

LAPSES_OFF = 0.10
SINGLE = 0.95  # share of customers with one policy from which a book is one of single policies


def findings(valued: Valuation, defend: pl.DataFrame, lapses: float | None) -> tuple[Finding, ...]:
    """Return what is worth telling, in the order of the codes.

    Parameters
    ----------
    defend
        The list ``top_defend``.
    lapses
        Policies expected to lapse under the survivals that the lifetime value uses.
    """
    in_force, survival, value = valued.in_force, valued.survival, valued.value
    found = [
        *_missing(in_force),
        *_gates(in_force),
        *_estimates(in_force, valued.cost, valued.eligibility),
    ]
    withheld = withheld_lists(in_force)
    if withheld:
        names = Listed(tuple(word(f"list_{name}") for name in withheld))
        reasons = " ".join(dict.fromkeys(withheld.values()))
        found.append(
            Finding(
                "AKB-V015", "issue", count=len(withheld), params={"names": names, "why": reasons}
            )
        )
    if survival is not None and not survival.split:
        found.append(
            Finding("AKB-V003", "issue", share=in_force.value("retention.preventable_share"))
        )
    found += _single_policies(in_force)
    found += _accounts(in_force, valued.cost)
    predicted = in_force.score("policies_lost_12m")
    if lapses is not None and predicted is not None:
        total = float(np.nansum(predicted))
        off = abs(lapses / total - 1) if total > 0 else 0.0
        if off > LAPSES_OFF:
            found.append(Finding("AKB-V008", "tip", count=round(lapses), share=off))
    if value is not None:
        if not valued.eligibility.callable.any():
            found.append(Finding("AKB-V014", "issue"))
        elif defend.is_empty() and TOP_DEFEND not in withheld:
            found.append(Finding("AKB-V010", "tip"))
        negative = int((value.clv < 0).sum())
        if negative >= in_force.settings.report.suppress_below:
            found.append(Finding("AKB-V011", "tip", count=negative, share=negative / in_force.n))
    return tuple(sorted(found, key=lambda finding: finding.code))


def _single_policies(base: InForce) -> list[Finding]:
    """With one policy each, leaving and lapsing are nearly one thing: where they differ, the reader
    is told why.
    """
    churn, lapse = base.score("churn_12m"), base.score(ANY_LAPSE)
    if churn is None or lapse is None or float((base.policies_per_customer == 1).mean()) < SINGLE:
        return []
    leavers, lapses = float(np.nansum(churn)), float(np.nansum(lapse))
    if leavers <= 0 or lapses / leavers - 1 <= LAPSES_OFF:
        return []
    words = {"lapses": round(lapses), "leavers": round(leavers)}
    params = {**words, "gap": base.settings.time.gap_days}
    return [
        Finding(
            "AKB-V016",
            "tip",
            count=round(lapses - leavers),
            share=lapses / leavers - 1,
            params=params,
        )
    ]


def _accounts(base: InForce, cost: ServiceCost) -> list[Finding]:
    """Lines of the annual accounts that lie far from the file or the model, or that the file has
    nothing for.
    """
    found = []
    for key, line in {**(base.portfolio.accounts or {}), **cost.accounts}.items():
        name = word(f"account_{key}")
        if line.factor is None:
            found.append(Finding("AKB-V018", "issue", params={"line": name}))
        elif line.far:
            factor = Rounded(line.factor, 2)
            found.append(Finding("AKB-V017", "issue", params={"line": name, "factor": factor}))
    return found


def _missing(base: InForce) -> list[Finding]:
    found = []
    if not base.has_commission:
        found.append(Finding("AKB-V001", "issue"))
    else:
        unknown = base.held["revenue_cents"].null_count()
        if unknown:
            found.append(
                Finding("AKB-V012", "tip", count=unknown, share=unknown / base.held.height)
            )
    if not base.has_ended:
        found.append(Finding("AKB-V002", "issue"))
    return found


def _gates(base: InForce) -> list[Finding]:
    if not base.has_commission:
        return []
    found = []
    language = base.settings.report.language
    if base.has_ended and not base.churn_in_euros:
        found.append(
            Finding(
                "AKB-V004",
                "issue",
                params={"gate": base.churn_gate, "proof": base.churn_shown.order_words(language)},
            )
        )
    failed = base.failed_lapse if base.has_ended else ()
    if failed:
        found.append(Finding("AKB-V013", "tip", count=len(failed)))
    sold = {branch: gate for branch, gate in base.branch_gates.items() if not base.banned(branch)}
    unproven = [branch for branch, gate in sold.items() if gate not in EURO_GATES]
    if unproven:
        found.append(
            Finding("AKB-V005", "tip", count=len(unproven), share=len(unproven) / len(sold))
        )
    provisional = [base.churn_gate, *sold.values()].count("provisional")
    if provisional:
        found.append(Finding("AKB-V006", "tip", count=provisional))
    return found


def _estimates(base: InForce, cost: ServiceCost, eligible: Eligibility) -> list[Finding]:
    found = []
    if set(cost.estimated) & {"claims", "contacts"}:
        found.append(Finding("AKB-V007", "tip", params={"missing": missing_events(cost)}))
    if not eligible.advisers_counted:
        found.append(Finding("AKB-V009", "tip", count=eligible.advisers))
    return found
