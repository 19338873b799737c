"""Small portfolios for tests: made from plain rows, drawn by hypothesis, cut off or changed after a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import strategies as st

from akb.ingest.types import History, Portfolio, RowCount
from tests.tables import CUSTOMER_SCHEMA, POLICY_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = 31
X = date(2024, 12, 31)
RECORDED_FROM = date(2020, 6, 1)
BRANCHES = ("auto", "avp", "zorg", "avb", "reis")
CAUSES = ("natural", "insurer", "preventable", "unknown", "technical")

CLAIM_SCHEMA = {
    "customer": pl.UInt32,
    "policy": pl.UInt32,
    "branch": pl.String,
    "date": pl.Date,
    "amount_cents": pl.Int64,
    "at_fault": pl.Boolean,
}
CONTACT_SCHEMA = {
    "customer": pl.UInt32,
    "date": pl.Date,
    "channel": pl.String,
    "inbound": pl.Boolean,
    "subject": pl.String,
}
PAYMENT_SCHEMA = {
    "customer": pl.UInt32,
    "policy": pl.UInt32,
    "date": pl.Date,
    "kind": pl.String,
    "amount_cents": pl.Int64,
}


@dataclass(frozen=True)
class Policy:
    """One policy."""

    customer: int
    branch: str
    start: date
    end: date | None = None
    cause: str | None = None
    insurer: str | None = "M1"
    payment_months: int | None = 12
    renewal: date | None = None
    reason: str | None = None

    def in_force(self, day: date) -> bool:
        return self.start <= day and (self.end is None or self.end > day)


@dataclass(frozen=True)
class Customer:
    number: int
    kind: str | None = "private"
    birth_year: int | None = 1980
    postcode4: str | None = "3511"
    adviser: str | None = "A1"
    office: str | None = "K1"
    no_marketing: bool = False
    deceased: bool = False


@dataclass(frozen=True)
class Rows:
    """A portfolio as plain rows; claims (customer, branch, date, cents, at fault), contacts (customer, date, channel,
    inbound, subject), payments (customer, date, kind)."""

    policies: tuple[Policy, ...]
    customers: tuple[Customer, ...]
    claims: tuple[tuple[int, str | None, date, int, bool | None], ...] | None = None
    contacts: tuple[tuple[int, date, str, bool | None, str], ...] | None = None
    payments: tuple[tuple[int, date, str], ...] | None = None


def in_order(rows: Rows) -> list[Policy]:
    """The policies in the order of their numbers."""
    return sorted(rows.policies, key=lambda p: (p.customer, p.branch, p.start, p.insurer or "", str(p.end), str(p)))


def continuation(policies: Sequence[Policy], which: Policy) -> Policy | None:
    """The policy that continues `which`, with hindsight: same customer and branch, the start nearest to the end."""
    if which.end is None:
        return None
    later = [
        other
        for other in policies
        if (other.customer, other.branch) == (which.customer, which.branch)
        and other.start > which.start
        and abs((other.start - which.end).days) <= GAP
    ]
    return min(later, key=lambda other: (abs((other.start - which.end).days), -other.start.toordinal()), default=None)


def portfolio(
    rows: Rows, as_of: date = X, export_day: date | None = None, recorded: date | None = RECORDED_FROM
) -> Portfolio:
    """Return rows as they would leave ingest."""
    policies = in_order(rows)
    continued = {id(p): continuation(policies, p) for p in policies}
    starts = {(p.customer, p.branch, p.start) for p in continued.values() if p is not None}
    table = pl.DataFrame(
        [
            {
                "policy": number,
                "customer": p.customer,
                "branch": p.branch,
                "insurer": p.insurer,
                "start_date": p.start,
                "end_date": p.end,
                "reason": p.reason if p.end else None,
                "cause": (p.cause or "unknown") if p.end else None,
                "replaced_on": successor.start if (successor := continued[id(p)]) else None,
                "replaces": (p.customer, p.branch, p.start) in starts,
                "premium_cents": 10_000 + number,
                "commission_cents": 2_000 + number,
                "commission_source": "given",
                "payment_months": p.payment_months,
                "collection": "own" if p.payment_months == 1 else "insurer",
                "renewal_date": p.renewal,
            }
            for number, p in enumerate(policies)
        ],
        schema=POLICY_SCHEMA,
    )
    customers = pl.DataFrame(
        [
            {
                "customer": c.number,
                "relation": f"R{c.number}",
                "pseudonym": f"p{c.number}",
                "kind": c.kind,
                "birth_year": c.birth_year,
                "postcode4": c.postcode4,
                "adviser": c.adviser,
                "office": c.office,
                "no_marketing": c.no_marketing,
                "deceased": c.deceased,
            }
            for c in sorted(rows.customers, key=lambda c: c.number)
        ],
        schema=CUSTOMER_SCHEMA,
    )
    claims = (
        None
        if rows.claims is None
        else _frame([(c, None, b, d, cents, fault) for c, b, d, cents, fault in rows.claims], CLAIM_SCHEMA)
    )
    contacts = None if rows.contacts is None else _frame(rows.contacts, CONTACT_SCHEMA)
    payments = (
        None
        if rows.payments is None
        else _frame([(c, None, d, kind, None) for c, d, kind in rows.payments], PAYMENT_SCHEMA)
    )
    months = 0 if recorded is None else (as_of.year - recorded.year) * 12 + as_of.month - recorded.month
    return Portfolio(
        as_of=as_of,
        export_day=export_day or as_of,
        policies=table,
        customers=customers,
        claims=claims,
        contacts=contacts,
        payments=payments,
        rejects=pl.DataFrame(),
        rows=RowCount(table.height, table.height, 0),
        history=History(recorded, months, True, "given"),
        findings=(),
        sources=(),
    )


def _frame(rows: Iterable[tuple[object, ...]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame([list(row) for row in rows], schema=schema, orient="row")


def known_on(rows: Rows, day: date) -> Rows:
    """Return the rows as they stood on `day`: what is dated later is taken away."""
    policies = tuple(
        replace(p, end=None, cause=None) if p.end is not None and p.end > day else p
        for p in rows.policies
        if p.start <= day
    )
    present = {p.customer for p in policies}
    return Rows(
        policies=policies,
        customers=tuple(c for c in rows.customers if c.number in present),
        claims=None if rows.claims is None else tuple(c for c in rows.claims if c[2] <= day),
        contacts=None if rows.contacts is None else tuple(c for c in rows.contacts if c[1] <= day),
        payments=None if rows.payments is None else tuple(c for c in rows.payments if c[1] <= day),
    )


_FIRST = date(2017, 1, 1)
ANCHORS = (date(2022, 12, 31), date(2023, 10, 31), X)
"""Days around which much happens, so that what falls just before and just after an as-of date is tried."""


@st.composite
def days(draw: st.DrawFn, after: date = _FIRST, until: date = X, near: Sequence[date] = ANCHORS) -> date:
    """Draw a day, often within G days of an anchor or of another event."""
    if near and draw(st.booleans()):
        day = draw(st.sampled_from(near)) + timedelta(days=draw(st.sampled_from([-32, -31, -20, -1, 0, 1, 20, 31, 32])))
    else:
        day = draw(st.dates(after, until))
    return min(max(day, after), until)


@st.composite
def policies_of(
    draw: st.DrawFn, customer: int, after: date = _FIRST, until: date = X, *, stays: bool = True
) -> list[Policy]:
    """Draw a customer's policies; many start or end close to the start or end of another.

    With `stays` half of the customers have a policy that never ends, so that they are there at most T; without it most
    relations end.
    """
    drawn: list[Policy] = [Policy(customer, "avp", after)] if stays and draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 5))):
        near = [*ANCHORS, *(day for p in drawn for day in (p.start, p.end) if day)]
        start = draw(days(after, until - timedelta(days=1), near))
        ends = days(start + timedelta(days=1), until, near)
        end = draw(st.one_of(st.none(), ends) if stays else ends)
        branch = drawn[-1].branch if drawn and draw(st.booleans()) else draw(st.sampled_from(BRANCHES))
        drawn.append(
            Policy(
                customer,
                branch,
                start,
                end,
                draw(st.sampled_from(CAUSES)) if end else None,
                draw(st.sampled_from(["M1", "M2", "M3", None])),
                draw(st.sampled_from([1, 3, 12, None])),
                draw(st.one_of(st.none(), st.dates(date(2019, 1, 1), date(2026, 12, 31)))),
            )
        )
    return drawn


@st.composite
def rows_drawn(draw: st.DrawFn, most: int = 4, *, stays: bool = True) -> Rows:
    """Draw a portfolio of a few customers with claims, contacts and payments."""
    numbers = range(draw(st.integers(1, most)))
    policies = [p for number in numbers for p in draw(policies_of(number, stays=stays))]
    customers = tuple(
        Customer(
            number,
            draw(st.sampled_from(["private", "business", "self_employed", None])),
            draw(st.sampled_from([1950, 1985, 2001, 1900, None])),
            draw(st.sampled_from(["3511", "1011", "35", None])),
            draw(st.sampled_from(["A1", "A2", None])),
            draw(st.sampled_from(["K1", "K2", None])),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for number in numbers
    )
    when = days()
    who = st.sampled_from(list(numbers))
    branch, perhaps = st.sampled_from([*BRANCHES, None]), st.sampled_from([True, False, None])
    return Rows(
        tuple(policies),
        customers,
        tuple(draw(st.lists(st.tuples(who, branch, when, st.integers(0, 10**6), perhaps), max_size=6))),
        tuple(
            draw(
                st.lists(
                    st.tuples(
                        who,
                        when,
                        st.sampled_from(["phone", "email", "visit"]),
                        perhaps,
                        st.sampled_from(["klacht", "vraag", "offerte", "opzegging"]),
                    ),
                    max_size=8,
                )
            )
        ),
        tuple(draw(st.lists(st.tuples(who, when, st.sampled_from(["reminder", "reversal", "paid"])), max_size=4))),
    )
