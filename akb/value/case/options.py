"""What can be bought: the lists once, akb run by the office itself, or the service; each over three
years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.value.case.basis import LINES, Span, benefit, contacts
from akb.value.targeting.planning.benefits import SIDES
from akb.value.types import CaseOption

if TYPE_CHECKING:
    from akb.value.case.basis import CaseBasis, Cohort

YEARS = 3
KEYS = ("once", "self", "service")


def gained(basis: CaseBasis, cohort: Cohort, share: float = 1.0) -> Span:
    """Return benefit less contacts of one year's contacts, low to high; `share` of the benefit is
    left.
    """
    lines = [benefit(cohort, basis, line) for line in LINES]
    spent = contacts(cohort, basis)
    return Span(
        *(share * sum(each.side(side) for each in lines) - spent.side(side) for side in SIDES)
    )


def options(basis: CaseBasis) -> tuple[CaseOption, ...]:
    """Return the lifetime value of the contacts of three years, cents.

    ``once``: these lists, used over one year while they age. ``self``: lists made anew every week
    by the office, in hours of its own. ``service``: the same at the price per customer. All three
    pay the analysis."""
    years = [gained(basis, basis.year(place)) for place in range(YEARS)]
    aged = gained(basis, basis.cohort, basis.value("lists.ageing"))
    analysis = 100 * basis.value("price.eda")
    every = {side: sum(each.side(side) for each in years) for side in SIDES}
    hours, rate = basis.register["price.self_hours"], 100 * basis.value("cost.rate_office")
    own = Span(*(rate * each for each in (hours.high, hours.value, hours.low)))
    price = basis.price()
    nets = {
        "once": {side: aged.side(side) - analysis for side in SIDES},
        "self": {side: every[side] - YEARS * own.side(side) - analysis for side in SIDES},
        "service": {side: every[side] - YEARS * price.side(side) - analysis for side in SIDES},
    }
    return tuple(
        CaseOption(key, YEARS, Span(*(nets[key][side] for side in SIDES)).cents()) for key in KEYS
    )
