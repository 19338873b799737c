"""What the value room says about its own predictions: status, evidence, gate, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from akb.core.wording.phrases import Listed, Phrase
from akb.core.wording.reasons import Reason
from akb.models.types import Evidence, Prediction
from akb.value.in_force import EURO_GATES
from akb.value.revenue.cost_proof import cost_replay

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from akb.catalogue.entries import Entry
    from akb.models.types import Gate, Grade
    from akb.value.in_force import InForce
    from akb.value.lifetime.backtest import BacktestResult
    from akb.value.revenue.commission import Replay
    from akb.value.revenue.cost import ServiceCost
    from akb.value.segments.segments import Segments

USABLE_EVENTS = 100
TABLE = "why_value"


@dataclass(frozen=True)
class Work:
    """What the steps did, as far as the predictions have to tell."""

    base: InForce
    cost: ServiceCost
    replay: Replay | None
    segments: Segments | None = None
    backwards: BacktestResult | None = None


@dataclass(frozen=True)
class ValueResult:
    """What a step says of its result; `absent` where no customer has one."""

    why: Reason
    gate: Gate = "none"
    grade: Grade = "none"
    evidence: Evidence | None = None
    limits: tuple[str, ...] = ()
    absent: Reason | None = None


def predictions(work: Work, scores: pl.DataFrame) -> tuple[Prediction, ...]:
    """Return one prediction per catalogue entry of this room, in catalogue order."""
    return tuple(
        _prediction(work, entry, scores) for entry in work.base.entries if entry.room == "value"
    )


def why(key: str, **values: object) -> Reason:
    """Return a reason with its sentence in ``configs/text/<language>/why_value.toml``."""
    return Reason(key, values, table=TABLE)


def word(key: str) -> Phrase:
    """Return a word of the same file, to be filled into a sentence."""
    return Phrase(f"why.{TABLE}.{key}")


def missing_need(base: InForce, entry: Entry) -> str | None:
    """Return the first thing that this entry needs and the export does not have."""
    have = {"ended": base.has_ended, "commission": base.has_commission}
    return next((need for need in entry.needs if not have.get(need, True)), None)


def case_missing(base: InForce) -> str:
    """Return why there is no business case, as a sentence in the language of the report."""
    code = "case_no_lines" if base.has_ended else "needs_ended"
    found = why(code if base.has_commission else "needs_commission")
    return found.sentence(base.settings.report.language)


def _prediction(work: Work, entry: Entry, scores: pl.DataFrame) -> Prediction:
    need = missing_need(work.base, entry)
    population = scores.height - scores[entry.key].null_count()
    if need is not None:
        return Prediction(entry.key, "unavailable", why(f"needs_{need}"), entry.horizon_months)
    result = METHODS[entry.method](work)
    return Prediction(
        key=entry.key,
        status="derived" if population else "unavailable",
        why=result.why if population else result.absent or result.why,
        horizon_months=entry.horizon_months,
        population=population,
        evidence=result.evidence,
        gate=result.gate,
        grade=result.grade,
        limits=tuple(why(f"limit_{name}") for name in result.limits),
    )


def _commission(work: Work) -> ValueResult:
    if work.replay is None:
        time = work.base.settings.time
        months = 24 + -(-(time.gap_days + time.registration_lag_days) // 31)
        return ValueResult(why("commission_no_replay", months=str(months)), limits=("frozen",))
    found = work.replay
    day = found.evidence.test_date
    sentence = why(
        "commission_replay_own" if found.own else "commission_replay",
        date=day or "",
        expected=found.expected / 100,
        realised=found.realised / 100,
        stay=found.all_stay / 100,
    )
    grade: Grade = (
        "usable" if found.gate in EURO_GATES and found.evidence.positives >= 100 else "indicative"
    )
    return ValueResult(sentence, found.gate, grade, found.evidence, ("frozen",))


def _commission_5y(work: Work) -> ValueResult:
    """Five years cannot be looked back on; the same sum over three can, see `_clv_whole`."""
    gate, found = work.base.churn_gate, work.backwards
    if not work.base.churn_in_euros:
        return ValueResult(_rank_only(work, "clv_rank_only"), gate)
    if found is None or found.evidence is None or found is None:
        return ValueResult(why("commission_5y"), gate, limits=("frozen",))
    past = why("commission_5y_past", date=found.evidence.test_date)
    both = why("joint", first=why("commission_5y"), second=past)
    return ValueResult(both, gate, evidence=found.evidence, limits=("frozen",))


def _handling_cost(work: Work) -> ValueResult:
    lacking = work.cost.estimated
    made = (
        why("cost_estimated", missing=missing_events(work.cost)) if lacking else why("cost_counted")
    )
    found = None if {"contacts", "claims"} & set(lacking) else cost_replay(work.base)
    if found is None:
        return ValueResult(made, limits=("cost_assumed",))
    day, events = found.evidence.test_date, found.evidence.positives
    amounts = {"expected": found.expected / 100, "realised": found.realised / 100}
    sentence = why("cost_replay", date=day or "", **amounts)
    usable = found.gate in EURO_GATES and events >= USABLE_EVENTS
    return ValueResult(
        why("joint", first=made, second=sentence),
        found.gate,
        "usable" if usable else "indicative",
        found.evidence,
        ("cost_assumed",),
    )


def missing_events(cost: ServiceCost) -> Listed:
    """Return the kinds of event that the export lacks, to be worded."""
    words = [word(name) for name in cost.estimated]
    if len(words) < 2:
        return Listed(tuple(words))
    return Listed((Listed(tuple(words[:-1])), word("and"), words[-1]), between="")


def _clv(work: Work) -> ValueResult:
    made = why("clv") if work.base.churn_in_euros else _rank_only(work, "clv_rank_only")
    return ValueResult(made, work.base.churn_gate)


def _rank_only(work: Work, key: str) -> Reason:
    """Return why there are no euros, with what was shown of the order."""
    return why(key, proof=work.base.churn_shown)


def _value_at_stake(work: Work) -> ValueResult:
    return replace(_clv(work), limits=("two_futures",))


def _clv_whole(work: Work) -> ValueResult:
    """Lifetime value itself is proven backwards, on commission: who won, and whether it beat
    "everything stays".
    """
    plain, found = _clv(work), work.backwards
    if found is None or found.evidence is None or found.evidence.test_date is None:
        return plain
    past = found.figures
    assert past is not None
    stay = next(row for row in past.models if row.key == "all_stay")
    assert stay.gain is not None
    assert stay.gain_ci is not None
    low, high = stay.gain_ci
    sentence = why(
        "clv_backwards",
        date=found.evidence.test_date,
        winner=why(f"clv_winner_{past.winner}"),
        better=why("clv_better" if past.beats_all_stay else "clv_not_better"),
        gain=stay.gain / 100,
        low=low / 100,
        high=high / 100,
    )
    both = why("joint", first=plain.why, second=sentence)
    return ValueResult(both, plain.gate, plain.grade, found.evidence)


def _top_defend(work: Work) -> ValueResult:
    made = (
        why("top_defend")
        if work.base.retention_in_euros
        else _rank_only(work, "top_defend_rank_only")
    )
    return ValueResult(made, work.base.churn_gate, limits=("two_futures",))


def _next_best(work: Work) -> ValueResult:
    made = why("next_best" if work.base.has_commission else "next_best_chance")
    return ValueResult(made, absent=why("next_best_none"))


def _action(work: Work) -> ValueResult:
    proven = work.base.churn_in_euros and work.base.has_commission
    made = why("next_best_action" if proven else "next_best_action_order")
    return ValueResult(made, work.base.churn_gate, absent=why("next_best_action_none"))


def _best_contact(work: Work) -> ValueResult:
    return ValueResult(why("best_contact"), work.base.churn_gate, absent=why("best_contact_none"))


def _contact_value(work: Work) -> ValueResult:
    result = ValueResult(
        why("contact_value"), work.base.churn_gate, absent=why("best_contact_none")
    )
    return replace(result, limits=("two_futures",))


def _optimal_contacts(work: Work) -> ValueResult:
    made = ValueResult(
        why("optimal_contacts"), work.base.churn_gate, absent=why("best_contact_none")
    )
    return replace(made, limits=("two_futures",))


def _cross_sell(work: Work) -> ValueResult:
    passed = [gate for gate in work.base.branch_gates.values() if gate in EURO_GATES]
    if not passed:
        return ValueResult(why("cross_sell_withheld"), limits=("cross_sell",))
    level: Gate = "pass" if all(gate == "pass" for gate in passed) else "provisional"
    return ValueResult(why("cross_sell"), level, limits=("cross_sell",))


def _segment(work: Work) -> ValueResult:
    made = work.segments
    return ValueResult(why(f"segment_{made.potential_by}" if made else "segment_no_potential"))


def _moment(work: Work) -> ValueResult:
    return ValueResult(why("moment"))


def _contact_month(work: Work) -> ValueResult:
    return ValueResult(why("contact_month" if work.base.has_ended else "contact_month_renewal"))


METHODS: dict[str, Callable[[Work], ValueResult]] = {
    "commission": _commission,
    "commission_5y": _commission_5y,
    "handling_cost": _handling_cost,
    "clv": _clv,
    "clv_whole": _clv_whole,
    "value_at_stake": _value_at_stake,
    "top_defend": _top_defend,
    "next_best_policy": _next_best,
    "cross_sell_commission": _cross_sell,
    "best_contact": _best_contact,
    "contact_value": _contact_value,
    "optimal_contacts": _optimal_contacts,
    "next_best_action": _action,
    "growth_segment": _segment,
    "position_segment": _segment,
    "moment": _moment,
    "contact_month": _contact_month,
}
"""Method named in the catalogue -> what answers for it."""
