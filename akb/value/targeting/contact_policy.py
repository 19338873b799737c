"""The contact policy of today in hours: whom the office means to see how often, and whether that
fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.typed import made
from akb.value.targeting.eligibility import advisers_of
from akb.value.types import ContactPolicy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.value.in_force import InForce

GROUPS = ("business", "self_employed", "private_better", "private_other")
_INTERVALS = {
    "business": "contact_policy.years_business",
    "self_employed": "contact_policy.years_self_employed",
    "private_better": "contact_policy.years_private",
}


def contact_policy(base: InForce) -> ContactPolicy:
    """Return the hours that the contact policy asks of the advisers beside those that they have.

    Returns
    -------
    ContactPolicy
        ``rows`` {key (of `GROUPS`), customers, years (between two talks; None: none planned),
        talks, hours (a year), seen (share of them with a contact in the last so many years; None
        without contacts, or where these do not go back that far)}, ``hours``, ``available``,
        ``advisers``, ``advisers_counted``, ``load`` (hours / available), ``customers_per_adviser``.
        Rows over too few customers have no numbers.
    """
    group = groups(base)
    last = _last_contact(base)
    limit = base.settings.report.suppress_below
    rows, hours = [], 0.0
    for place, key in enumerate(GROUPS):
        inside = group == place
        count = int(inside.sum())
        years = base.value(_INTERVALS[key]) if key in _INTERVALS else None
        talks = count / years if years else 0.0
        taken = talks * base.value("cost.minutes_talk") / 60
        hours += taken
        if not count:
            continue
        row: dict[str, Any] = {
            "key": key,
            "customers": count,
            "years": years,
            "talks": talks,
            "hours": taken,
        }
        row["seen"] = _seen(base, last, inside, years) if years and last is not None else None
        rows.append(
            {
                name: None if count < limit and name != "key" else value
                for name, value in row.items()
            }
        )
    advisers, counted = advisers_of(base)
    available = advisers * base.value("contact_policy.hours_per_adviser")
    return made(
        ContactPolicy,
        {
            "rows": rows,
            "hours": hours,
            "available": available,
            "advisers": advisers,
            "advisers_counted": counted,
            "load": hours / available if available else None,
            "customers_per_adviser": base.n / advisers,
        },
    )


def groups(base: InForce) -> NDArray[np.int64]:
    """Return the position in `GROUPS` of every customer; an unknown kind is treated as private."""
    kind = base.customers["kind"].fill_null("private").to_numpy()
    private = np.flatnonzero(~np.isin(kind, GROUPS[:2]))
    worth = base.commission_customer if base.has_commission else base.policies_per_customer
    better = private[np.lexsort((private, -worth[private]))][
        : round(base.value("contact_policy.better_share") * len(private))
    ]
    out = np.full(base.n, GROUPS.index("private_other"), dtype=np.int64)
    for place in (0, 1):
        out[kind == GROUPS[place]] = place
    out[better] = GROUPS.index("private_better")
    return out


def _last_contact(base: InForce) -> pl.Series | None:
    """The last contact per customer, from either side; None without contacts."""
    if base.portfolio.contacts is None:
        return None
    known = base.portfolio.contacts.filter(pl.col("date") <= base.as_of)
    if known.is_empty():
        return None
    last = known.group_by("customer").agg(pl.col("date").max())
    return base.customers.select("customer").join(
        last, on="customer", how="left", maintain_order="left"
    )["date"]


def _seen(base: InForce, last: pl.Series, inside: NDArray[np.bool_], years: float) -> float | None:
    since = add_months(base.as_of, -round(12 * years))
    assert base.portfolio.contacts is not None
    if base.portfolio.contacts["date"].min() > since:  # type: ignore[operator]
        return None
    return float((last > since).fill_null(value=False).to_numpy()[inside].mean())
