"""The portfolio at the amounts of the annual accounts, and cost to serve beside the payroll."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from akb.core.accounts import AccountLine, brought_to_accounts, in_file, times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.value.in_force import Cents
    from akb.value.types import Past

FIXED = ("fixed",)
"""Kinds of service cost that the accounts have under other cost; the others are time."""


def totals(settings: Settings) -> dict[str, int]:
    """Return the lines of income that the client gave, in cents."""
    client = settings.client
    given = {"commission": client.commission_total, "fee": client.fee_total}
    return {name: round(100 * euros) for name, euros in given.items() if euros is not None}


def at_accounts(
    portfolio: Portfolio, past: Past | None, settings: Settings
) -> tuple[Portfolio, Past | None]:
    """Return the portfolio, and that of three years ago, with amounts at the level of the accounts.

    What was known three years ago is multiplied with today's factor, for nobody gave the accounts
    of then."""
    policies, lines = brought_to_accounts(portfolio.policies, portfolio.as_of, totals(settings))
    if past is not None and lines:
        then = past.portfolio
        past = replace(past, portfolio=replace(then, policies=times(then.policies, lines)))
    return replace(portfolio, policies=policies, accounts=lines), past


def as_in_file(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio with the amounts of the file: what a run keeps."""
    return replace(portfolio, policies=in_file(portfolio.policies), accounts=None)


def cost_lines(settings: Settings, parts: Mapping[str, Cents]) -> dict[str, AccountLine]:
    """Return payroll and other cost beside the time and the fixed cost that akb works out."""
    client = settings.client
    fixed = sum(int(parts[kind].sum()) for kind in FIXED)
    time = sum(int(cents.sum()) for kind, cents in parts.items() if kind not in FIXED)
    given = {"payroll": (client.payroll, time), "other_cost": (client.other_cost, fixed)}
    return {
        name: AccountLine(round(100 * euros), counted)
        for name, (euros, counted) in given.items()
        if euros is not None
    }


def spread(amounts: list[Cents], line: AccountLine) -> list[Cents]:
    """Return amounts times the factor of a line, together the accounts' to the cent."""
    if line.factor is None:
        return amounts
    flat = np.concatenate(amounts)
    running = np.rint(flat.cumsum() * line.factor).astype(np.int64)
    scaled = np.diff(running, prepend=0)
    ends = np.cumsum([len(part) for part in amounts])[:-1]
    return [np.asarray(part, dtype=np.int64) for part in np.split(scaled, ends)]
