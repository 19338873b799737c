"""Small bases of the business case, made by hand."""

from __future__ import annotations

import numpy as np
import value_fixtures as f

from akb.value.case.basis import CERTAIN, CaseBasis, Cohort, Exploration, Span, Trialled
from akb.value.targeting.planning.benefits import SIDES
from akb.value.targeting.planning.plan import OptionSums

REGISTER = f.SETTINGS.assumed()


def sums(relation: float, *, policy: float = 0.0, purchase: float = 0.0, cost: float = 1000.0) -> OptionSums:
    """Calls to 100 customers whose lines are linear in the register's effects of a call; cents."""

    def line(base: float, name: str) -> dict[str, float]:
        entry = REGISTER[f"contacts.call.{name}"]
        return dict(
            zip(SIDES, (base * each / entry.value for each in (entry.low, entry.value, entry.high)), strict=True)
        )

    none = dict.fromkeys(SIDES, 0.0)
    return OptionSums(
        "call", "inside", 100.0, 100.0, line(relation, "effect_relation"), line(policy, "effect_policy"),
        line(purchase, "effect_purchase"), none, none, none, {"inside": 1500.0, "adviser": 0.0}, cost,
    )  # type: ignore[arg-type]  # fmt: skip


def cohort(relation: float, months: int = 36, **others: float) -> Cohort:
    """Its benefit comes in evenly over so many months."""
    one = sums(relation, **others)
    amounts = {"relation": relation, "policy": one.policy["base"], "purchase": one.purchase["base"]}
    return Cohort((one,), {line: np.full(months, cents / months) for line, cents in amounts.items()})


def basis_of(first: Cohort, later: tuple[Cohort, Cohort] | None = None, **assumptions: float) -> CaseBasis:
    register = dict(REGISTER)
    for name, value in assumptions.items():
        key = name.replace("__", ".")
        register[key] = register[key].replaced(value)
    return CaseBasis(
        customers=100,
        cohort=first,
        later=later or (first, first),
        levels=dict.fromkeys(("relation", "policy", "purchase"), CERTAIN),
        exploration=Exploration(0, 0.0, 0.0, Span(0.0, 0.0, 0.0)),
        trialled=Trialled(1000, (0.09, 0.08), (0.3, 0.4), (900.0, 4e6), 15.0, 1500.0, 800.0),
        without=0.0,
        plan={"hour_price": {}, "gap": 0.0, "available": {}},
        facts={"turnover": 1e7},
        ladder=f.SETTINGS.ladder(),
        register=register,
    )
