"""What a customer says in a call, as a corrected copy of what the export knows of him."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from akb.ingest.types import Portfolio

KINDS = ("private", "business", "self_employed")
SETTABLE = ("age", "birth_year", "kind", "postcode")
CLAIM = "claim"


@dataclass(frozen=True)
class Corrections:
    """What was heard: fields of the customer, policies that he has taken, a claim reported now."""

    fields: Mapping[str, int | str]
    branches: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        """Whether nothing was corrected."""
        return not (self.fields or self.branches or self.claims)


def corrections(
    portfolio: Portfolio,
    branches: Mapping[str, str],
    sets: Sequence[str] = (),
    adds: Sequence[str] = (),
) -> Corrections:
    """Return what ``--set NAME=VALUE`` and ``--add BRANCH`` (or ``claim:BRANCH``) mean.

    Parameters
    ----------
    branches
        Key -> name of every branch of the run; either may be given.

    Raises
    ------
    AkbError
        If a name is unknown here, or a value is none of its kind.
    """
    fields: dict[str, int | str] = {}
    for each in sets:
        name, equals, value = each.partition("=")
        if not equals or not value:
            raise AkbError(f"--set {each}: there is no value", "Write it as --set age=41.")
        if name not in SETTABLE:
            raise AkbError(
                f"--set {name}: this export does not tell it{did_you_mean(name, SETTABLE)}",
                f"What can be set is {', '.join(SETTABLE)}.",
            )
        fields |= _field(portfolio, name, value.strip())
    taken: list[str] = []
    claims: list[str] = []
    by_name = {name.lower(): key for key, name in branches.items()} | {key: key for key in branches}
    for each in adds:
        kind, colon, name = each.partition(":")
        claimed = kind == CLAIM
        branch = name if claimed else each
        if claimed and portfolio.claims is None:
            raise AkbError(f"--add {each}: this export holds no claims")
        if branch.lower() not in by_name:
            what = "names no branch" if claimed and not colon else "no branch of this run"
            raise AkbError(
                f"--add {each}: {what}{did_you_mean(branch, by_name) if branch else ''}",
                f"Branches are {', '.join(branches)}; a claim reported now is --add claim:BRANCH.",
            )
        (claims if claimed else taken).append(by_name[branch.lower()])
    return Corrections(fields, tuple(taken), tuple(claims))


def _field(portfolio: Portfolio, name: str, value: str) -> dict[str, int | str]:
    if name in ("age", "birth_year"):
        year = portfolio.as_of.year
        born = (year - int(value) if name == "age" else int(value)) if value.isdigit() else 0
        if not 0 <= year - born <= 115:
            raise AkbError(f"--set {name}: is no {name.replace('_', ' ')} such as 41 or 1985")
        return {"birth_year": born}
    if name == "kind":
        if value not in KINDS:
            raise AkbError(f"--set kind: is none of {', '.join(KINDS)}{did_you_mean(value, KINDS)}")
        return {"kind": value}
    if not (len(value) == 4 and value.isdigit()):
        raise AkbError("--set postcode: is no four digits such as 6811")
    return {"postcode4": value}


def corrected(portfolio: Portfolio, customer: int, heard: Corrections) -> Portfolio:
    """Return what the export knows of one customer and of nobody else, as he is after the
    corrections.
    """

    def own(frame: pl.DataFrame | None) -> pl.DataFrame | None:
        if frame is None or "customer" not in frame.columns:
            return frame
        return frame.filter(pl.col("customer") == customer)

    policies, customers, claims = (
        own(frame) for frame in (portfolio.policies, portfolio.customers, portfolio.claims)
    )
    assert policies is not None and customers is not None
    customers = customers.with_columns(
        pl.lit(value).cast(customers.schema[name]).alias(name)
        for name, value in heard.fields.items()
    )
    if heard.branches:
        number = int(portfolio.policies["policy"].max()) + 1  # type: ignore[arg-type]
        taken = [
            _taken(portfolio, customers, branch, number + place)
            for place, branch in enumerate(heard.branches)
        ]
        policies = pl.concat([policies, *taken], how="diagonal")
    if heard.claims and claims is not None:
        rows = {
            "customer": [customer] * len(heard.claims),
            "branch": heard.claims,
            "date": [portfolio.as_of] * len(heard.claims),
        }
        claim = pl.DataFrame(rows, schema={name: claims.schema[name] for name in rows})
        claims = pl.concat([claims, claim], how="diagonal")
    premiums = portfolio.premiums
    if premiums is not None:
        premiums = premiums.filter(pl.col("policy").is_in(policies["policy"].implode()))
    keys = ["customer", "branch", "start_date"]
    return replace(
        portfolio,
        policies=policies.sort(keys, maintain_order=True),
        customers=customers,
        claims=claims,
        contacts=own(portfolio.contacts),
        payments=own(portfolio.payments),
        premiums=premiums,
    )


def _taken(portfolio: Portfolio, customers: pl.DataFrame, branch: str, policy: int) -> pl.DataFrame:
    """A policy that begins today; what nobody has said of it is unknown."""
    who = customers.row(0, named=True)
    row = {
        "policy": policy,
        "customer": who["customer"],
        "branch": branch,
        "start_date": portfolio.as_of,
        "adviser": who.get("adviser"),
        "office": who.get("office"),
        "replaces": False,
    }
    schema = portfolio.policies.schema
    known = {name: [value] for name, value in row.items() if name in schema}
    return pl.DataFrame(known, schema={name: schema[name] for name in known})
