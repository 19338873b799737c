"""Every code: a case that fires, one that must not, one where it does not apply."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import polars as pl
import pytest
import value_fixtures as f

from akb.core.accounts import AccountLine
from akb.core.wording.text import texts
from akb.value import run_value


def _codes(made, run=None, **assumptions) -> set[str]:
    result = run_value(made, run or f.models(made), f.settings(**assumptions))
    for finding in result.findings:
        assert finding.sentence()
        assert finding.remedy()
        assert "{" not in finding.sentence()
    return {finding.code for finding in result.findings}


@cache
def _book(**how):
    made = f.portfolio(120, **how)
    return made, f.models(made)


def _lost(factor: float):
    made, run = _book()
    per_customer = run.branch_lapse.group_by("customer").agg(pl.col("probability").sum() * factor).sort("customer")
    lost = per_customer["probability"].cast(pl.Float32).alias("policies_lost_12m")
    return made, replace(run, scores=run.scores.with_columns(lost))


def _gated(gate: str, *prefixes: str, **how):
    made, run = _book(**how)
    return made, f.with_gate(run, gate, *prefixes)


def _lapse_gate(gate: str, **how):
    made, run = _book(**how)
    told = replace(run.predictions[0], key="lapse_auto_12m", gate=gate)
    return made, replace(run, predictions=(*run.predictions, told))


def _nobody_to_call(**how):
    made = f.portfolio(120, **how)
    made = replace(made, customers=made.customers.with_columns(no_marketing=pl.lit(value=True)))
    return made, f.models(made)


def _single(factor: float, branches=("auto",)):
    """A book of one policy each, in which so many times as many lapse as leave."""
    made, run = _book(branches=branches)
    lapse = (pl.col("churn_12m") * factor).alias("policy_lapse_any_12m")
    return made, replace(run, scores=run.scores.with_columns(lapse))


def _ranked_by_chance(**how):
    """Churn whose AUC has an interval that includes .5."""
    made, run = _book(**how)
    chance = replace(f.PROVEN, auc=0.52, auc_ci=(0.48, 0.56))
    told = (replace(each, evidence=chance) if each.key.startswith("churn") else each for each in run.predictions)
    return made, replace(run, predictions=tuple(told))


def _half_commission(**how):
    made, run = _book(**how)
    cents = pl.when(pl.col("policy") % 2 == 0).then(pl.col("commission_cents"))
    return replace(made, policies=made.policies.with_columns(commission_cents=cents)), run


def _one_event_file():
    made = f.portfolio(120, events=True)
    return replace(made, contacts=None), f.models(made)


def _told_by_accounts(factor: float, counted: int = 100_000):
    made, run = _book()
    return replace(made, accounts={"commission": AccountLine(round(100_000 * factor), counted)}), run


NO_EURO, NO_END = {"commission": "none"}, {"ended": False}
FREE = {
    f"cost__{name}": 0.0
    for name in ("fixed", "talks_business", "talks_self_employed", "talks_private", "minutes_claim", "minutes_contact")
}
DEAR = {"cost__fixed": 500.0}
LONG = {f"contacts__{key}__minutes": 6000.0 for key in ("inbound", "inbound_else_call", "call", "review")}
LONG["contacts__mail__cost"] = 6000.0
SHORT = {"contacts__call__minutes": 1.0}

# code -> (fires, must not fire, does not apply); each a book, or a book and assumptions
CASES = {
    "AKB-V001": (_book(**NO_EURO), _book(), _book(**NO_END)),
    "AKB-V002": (_book(**NO_END), _book(), _book(**NO_EURO)),
    "AKB-V003": (_book(reasons=False), _book(), _book(**NO_END)),
    "AKB-V004": (_gated("fail", "churn"), _book(), _gated("fail", "churn", **NO_EURO)),
    "AKB-V005": (_gated("none", "next_policy_auto"), _book(), _gated("fail", "next", **NO_EURO)),
    "AKB-V006": (_gated("provisional", "churn"), _book(), _gated("provisional", "churn", **NO_EURO)),
    "AKB-V007": (_one_event_file(), _book(events=True), _book(events=True, **NO_END)),
    "AKB-V008": (_lost(1.5), _lost(1.0), _book()),
    "AKB-V009": (_book(advisers=0), _book(), _book(**NO_EURO)),
    "AKB-V010": ((*_book(), LONG), (*_book(), SHORT), (*_book(**NO_EURO), LONG)),
    "AKB-V011": ((*_book(), DEAR), (*_book(), FREE), (*_book(**NO_EURO), DEAR)),
    "AKB-V012": (_half_commission(), _book(), _book(**NO_EURO)),
    "AKB-V013": (_lapse_gate("fail"), _lapse_gate("provisional"), _lapse_gate("fail", **NO_EURO)),
    "AKB-V014": (_nobody_to_call(), _book(), _nobody_to_call(**NO_EURO)),
    "AKB-V016": (_single(1.3), _single(1.05), _single(1.3, branches=f.BRANCHES)),
    "AKB-V017": (_told_by_accounts(1.5), _told_by_accounts(1.2), _book()),
    "AKB-V018": (_told_by_accounts(1.2, counted=0), _told_by_accounts(1.2), _book()),
    "AKB-V015": (_ranked_by_chance(), _book(), _ranked_by_chance(**NO_END)),
}


FOUND: dict[tuple[int, ...], set[str]] = {}
"""The codes of the cases that were worked out."""


@pytest.mark.parametrize("code", CASES)
@pytest.mark.parametrize(("place", "fires"), [(0, True), (1, False), (2, False)], ids=["fires", "not", "inapplicable"])
def test_finding(code: str, place: int, fires: bool) -> None:
    case = CASES[code][place]
    key = tuple(map(id, case))  # CASES keeps them; many are one and the same book
    if key not in FOUND:
        FOUND[key] = _codes(*case[:2], **(case[2] if len(case) > 2 else {}))
    assert (code in FOUND[key]) is fires


def test_where_nobody_may_be_called_the_price_of_a_call_is_not_what_empties_the_list() -> None:
    assert "AKB-V010" not in _codes(*_nobody_to_call())


def test_every_code_with_words_is_tested() -> None:
    assert {code for code in texts("findings") if code.startswith("AKB-V")} == set(CASES)
