"""What customers bring in the years ahead, worked out by parts of the customers: a part stands by
itself, so it can be worked out elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from akb.value.lifetime.clv import FIVE_YEARS, Lifetime, earned_5y, earned_12m, lifetime_of
from akb.value.lifetime.flows import gained_months, years_of

if TYPE_CHECKING:
    from akb.value.in_force import Cents, Floats
    from akb.value.lifetime.streams import Streams
    from akb.value.lifetime.survival import Relations


@dataclass(frozen=True)
class LifetimeInputs:
    """What lifetime value is made of, of all or some customers.

    Parameters
    ----------
    paths, flows
        Survival, and what policies and relations bring and cost.
    bought, kept
        Margin of the policies bought in the years ahead, (years, n), and the share left a year
        later.
    present
        (months,): what a euro of each month is worth today.
    offered
        Chances of the branches that may be discussed, (n, places), NaN where there is none; None
        where no euro is asked.
    """

    paths: Relations
    flows: Streams
    bought: Floats
    kept: float
    present: Floats
    offered: Floats | None

    def parts(self, many: int) -> list[LifetimeInputs]:
        """Return the same in so many parts of the customers beside each other."""
        if many == 1:
            return [self]
        ends = [self.flows.n * part // many for part in range(many + 1)]
        return [
            replace(
                self,
                paths=self.paths.beside(slice(first, last)),
                flows=self.flows.of(slice(first, last)),
                bought=self.bought[:, first:last],
                offered=None if self.offered is None else self.offered[first:last],
            )
            for first, last in pairwise(ends)
        ]


@dataclass(frozen=True)
class YearsAhead:
    """What customers bring, None where nobody asked.

    Parameters
    ----------
    value, coming, five_years
        Over their lives, in the coming 12 months (commission, cost), and in five years; cents.
    paid
        (n, places): discounted years that a purchase more pays; 0 where nothing is offered.
    """

    value: Lifetime | None
    coming: tuple[Cents, Cents] | None
    five_years: Cents | None
    paid: Floats | None

    @classmethod
    def joined(cls, parts: list[YearsAhead]) -> YearsAhead:
        """Return that of all customers from that of parts of them, in order."""
        if len(parts) == 1:
            return parts[0]
        values = [part.value for part in parts if part.value is not None]
        coming = [part.coming for part in parts if part.coming is not None]
        five = [part.five_years for part in parts if part.five_years is not None]
        paid = [part.paid for part in parts if part.paid is not None]
        names = [each.name for each in fields(Lifetime)]
        return cls(
            Lifetime(
                **{name: np.concatenate([getattr(one, name) for one in values]) for name in names}
            )
            if values
            else None,
            (
                np.concatenate([commission for commission, _ in coming]),
                np.concatenate([cost for _, cost in coming]),
            )
            if coming
            else None,
            np.concatenate(five) if five else None,
            np.concatenate(paid) if paid else None,
        )


def years_ahead(inputs: LifetimeInputs, *, value: bool, coming: bool) -> YearsAhead:
    """Return what some customers bring.

    Parameters
    ----------
    value
        Whether their lifetime value is asked, and five years with `coming`.
    coming
        Whether the coming 12 months are.
    """
    paths, flows, offered = inputs.paths, inputs.flows, inputs.offered
    halfway = flows.at(0.5, FIVE_YEARS)
    found = earned = five = paid = None
    if value:
        found = lifetime_of(paths, flows, (inputs.bought, inputs.kept), inputs.present)
    if coming:
        earned = earned_12m(halfway, paths)
    if value and coming:
        five = earned_5y(halfway, paths)
    if offered is not None:
        months = gained_months(paths, inputs.kept, offered, flows.timing)
        paid = np.nan_to_num(years_of(months, inputs.present, offered.shape))
    return YearsAhead(found, earned, five, paid)
