"""Everything that the portal and the advisers' sheets tell, worked out once for both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from akb.report.portal import holdings, offers, work
from akb.report.portal.people import people
from akb.report.portal.why import Why, why_now
from akb.report.portal.words import PortalWords

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import polars as pl

    from akb.report.bundle import RunBundle
    from akb.report.context import Context

_PERSON = b"akb.portal"


@dataclass(frozen=True)
class PortalFacts:
    """A run as an adviser works with it, in one language."""

    context: Context
    language: str

    @cached_property
    def words(self) -> PortalWords:
        """The texts."""
        return PortalWords(self.context, self.language)

    @cached_property
    def people(self) -> pl.DataFrame:
        """See `people.people`, with ``stop`` of `work.stops` and the action of `work.actions_of`
        joined.
        """
        table = people(self.context)
        for more in (work.stops(self.context, table), self.actions, self.deadlines):
            table = table.join(more, on="customer", how="left", maintain_order="left")
        return table

    @cached_property
    def actions(self) -> pl.DataFrame:
        """See `work.actions_of`."""
        return work.actions_of(self.context)

    @cached_property
    def deadlines(self) -> pl.DataFrame:
        """See `work.deadlines`."""
        begun = self.actions.join(
            self.lists[work.CALLING], on="customer", how="anti", maintain_order="left"
        )
        return work.deadlines(begun, self.renewals)

    @cached_property
    def lists(self) -> dict[str, pl.DataFrame]:
        """See `work.lists_of`."""
        return work.lists_of(self.context)

    @cached_property
    def held(self) -> pl.DataFrame:
        """See `holdings.held`."""
        return holdings.held(self.context)

    @cached_property
    def renewals(self) -> pl.DataFrame:
        """See `holdings.next_renewal`."""
        return holdings.next_renewal(self.held)

    @cached_property
    def missing(self) -> pl.DataFrame:
        """See `offers.missing`."""
        return offers.missing(self.context)

    @cached_property
    def offers(self) -> pl.DataFrame:
        """See `offers.best_offers`."""
        return offers.best_offers(self.context)

    @cached_property
    def why(self) -> Why:
        """See `why.why_now`."""
        facts = {"renewals": self.renewals, "held": self.held, "missing": self.missing}
        return why_now(self.context, self.words, self.people, facts, self.actions)

    @cached_property
    def run(self) -> str:
        """Name of the run, under which a browser keeps its status and feedback: see `run_name`."""
        return run_name(self.context.bundle)


def run_name(bundle: RunBundle) -> str:
    """Return the name of a run: another export, key, day or way to show customers is another run.

    The same input gives the same name, and nobody learns a customer from it.
    """
    portfolio = bundle.portfolio
    names = portfolio.customers["pseudonym"].sort()
    shown = "relation" if bundle.no_pseudonyms else "pseudonym"
    return run_name_of(portfolio.as_of, shown, portfolio.rows.used, names)


def run_name_of(as_of: date, shown: str, used: int, pseudonyms: Iterable[str]) -> str:
    """Return the name of a run of which only this is known.

    Parameters
    ----------
    shown
        By what its files call customers: ``pseudonym`` or ``relation``.
    used
        Rows of the export that were used.
    """
    digest = blake2b(digest_size=6, person=_PERSON)
    digest.update(f"{as_of.isoformat()} {shown} {used}".encode())
    digest.update("".join(sorted(pseudonyms)).encode())
    return f"R-{digest.hexdigest()}"
