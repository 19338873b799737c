"""Why now: one sentence per customer, made of clauses that tell of him and not of half the list.

A clause is a template of ``[why]`` among the words with two numbers, so that it takes a few bytes
and the page and the workbook say the same. No clause tells an age, and none speaks of health."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.report.portal.words import month_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from akb.report.context import Context
    from akb.report.portal.words import PortalWords

SLOTS = {
    "announced": ("month", ""), "few": ("a", "b"), "few_one": ("a", "b"),
    "lapse": ("branch", "month"),
    "ended": ("branch", "month"), "ending": ("branch", "month"), "renewal": ("branch", "month"),
    "renewals": ("a", "month"), "gap": ("branch", "b"), "discuss": ("branch", ""),
    "bought": ("branch", "month"),
    "quiet": ("a", ""), "never": ("", ""), "jubilee": ("a", "month"), "alone": ("", ""),
    "reason": ("reason", ""),
    "since": ("a", ""), "since_one": ("a", ""),
}  # fmt: skip
"""Template -> what its two numbers are."""
TEMPLATES = tuple(SLOTS)
MOST = 3
"""Most clauses of a sentence."""
HALF = 0.5
"""From this share of a list on, a clause tells nothing of a customer on it."""
_LEAST_LISTED = 8
"""On a list this short, two customers who are alike are already half of it."""
_RECENT, _SOON, _NEW, _JUBILEE_DAYS = 12, 90, 6, 90
_JUBILEE = 5
_TELLING = re.compile(
    "tenure_months|months_since_claim_.*|claims_without_contact_.*|claim_and_lapse_.*|claim_on_new_policy_.*"
    "|complaint_(?!share).*|several_lapses_.*|longest_policy_lapsed_.*|first_lapse_(many|few)_left|declines"
    "|gave_up_.*|returned_.*|called_before_renewal_.*|quote_without_policy_.*"
)
"""Features of which an adviser can use what they say, and no clause of its own says it.

No age, no payments, no ratio, nothing of whose customer it is.
"""
_YOUNG = 36
"""Months: how long somebody has been a customer is news of young relations."""
_ORDER = {
    "defend": (
        "lapse",
        "ending",
        "ended",
        "reason",
        "few",
        "few_one",
        "soon",
        "quiet",
        "never",
        "gap",
    ),
    "cross_sell": (
        "gap",
        "discuss",
        "soon",
        "bought",
        "few",
        "few_one",
        "quiet",
        "reason",
        "never",
    ),
    "care": ("gap", "quiet", "never", "few", "few_one", "soon"),
    "thank": ("jubilee", "soon", "quiet"),
    "": (
        "announced",
        "lapse",
        "ending",
        "ended",
        "reason",
        "few",
        "few_one",
        "soon",
        "quiet",
        "never",
    ),
}
"""Action -> which clauses come first: templates, ``soon`` for a renewal within `_SOON` days."""
_REST = ("later", "since")
"""What there always is to say of somebody who is to be contacted: a renewal further on, how long he
is a customer.
"""

Clause = tuple[str, int, int]


@dataclass
class Why:
    """The clauses of every customer and the dictionaries that their numbers point into.

    Parameters
    ----------
    clauses
        Customer -> clauses, what matters first.
    branches, reasons
        What the numbers of slots ``branch`` and ``reason`` stand for.
    """

    clauses: dict[int, list[Clause]] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    reasons: list[str] = field(default_factory=list)

    def sentence(self, customer: int, words: PortalWords) -> str:
        """Return the sentence of a customer."""
        parts = [
            self._part(clause, words) for clause in self.clauses.get(customer) or [("alone", 0, 0)]
        ]
        sentence = words.text("why_join.joint").join(parts)
        return f"{sentence[0].upper()}{sentence[1:]}."

    def _part(self, clause: Clause, words: PortalWords) -> str:
        name, *numbers = clause
        if name == "reason":
            return self.reasons[numbers[0]]
        shown: dict[str, object] = {}
        for slot, number in zip(SLOTS[name], numbers, strict=True):
            if slot == "branch":
                shown[slot] = words.branch_inside(self.branches[number])
            elif slot:
                shown[slot] = words.month(number) if slot == "month" else number
        return words.text(f"why.{name}", **shown)


def why_now(
    context: Context,
    words: PortalWords,
    table: pl.DataFrame,
    facts: Mapping[str, pl.DataFrame],
    actions: pl.DataFrame,
) -> Why:
    """Return why every customer in force deserves attention now.

    Parameters
    ----------
    table
        See `people.people`.
    facts
        ``renewals`` (`holdings.next_renewal`), ``held`` (`holdings.held`), ``missing``
        (`offers.missing`).
    actions
        customer, ``action``, ``branch`` (to discuss) of those who are to be contacted.
    """
    why = Why(branches=tuple(context.taxonomy))
    code = {key: place for place, key in enumerate(why.branches)}
    known = _Candidates(context, code, table, facts)
    actions_of = dict(actions.select("customer", "action").iter_rows())
    discuss = {
        row[0]: row[1] for row in actions.select("customer", "branch").iter_rows() if row[1] in code
    }
    reasons = _reasons(context, words, why)
    like = dict(table.select("customer", "like").iter_rows())
    tenths = {
        (row[0], row[1]): row[2]
        for row in facts["missing"].select("customer", "branch", "tenths").iter_rows()
    }
    first_gap: dict[int, str] = {}
    for customer, branch in tenths:
        first_gap.setdefault(customer, branch)
    found: dict[int, dict[str, list[Clause]]] = {}
    for customer, policies in table.select("customer", "policies").iter_rows():
        mine = found[customer] = known.of(customer)
        if (like[customer] or 0) > policies:
            name = "few_one" if policies == 1 else "few"
            mine[name] = [(name, policies, like[customer])]
        branch = discuss.get(customer) or (
            first_gap.get(customer) if actions_of.get(customer) != "cross_sell" else None
        )
        if branch is not None and (customer, branch) in tenths:
            mine["gap"] = [("gap", code[branch], tenths[customer, branch])]
        elif branch is not None:
            mine["discuss"] = [("discuss", code[branch], 0)]
        mine["reason"] = [("reason", place, 0) for place in reasons.get(customer, ())]
    common = _common(found, actions_of)
    for customer, mine in found.items():
        action = actions_of.get(customer, "")
        dull = common.get(action, frozenset())
        order = _ORDER.get(action, _ORDER[""])
        clauses = [clause for name in order for clause in mine.get(name, ()) if clause not in dull]
        if action and not clauses:
            clauses = [clause for name in _REST for clause in mine.get(name, ())][:1]
        why.clauses[customer] = clauses[:MOST]
    return why


def _common(
    found: Mapping[int, Mapping[str, Sequence[Clause]]], action_words: Mapping[int, str]
) -> dict[str, frozenset[Clause]]:
    """Return action -> clauses true of half of those who get it, or of half of all who are to be
    contacted, or more.
    """
    everybody = _dull(found, list(action_words))
    out = {"": frozenset[Clause]()}
    for action in set(action_words.values()):
        out[action] = everybody | _dull(
            found, [customer for customer, own in action_words.items() if own == action]
        )
    return out


def _dull(
    found: Mapping[int, Mapping[str, Sequence[Clause]]], customers: Sequence[int]
) -> frozenset[Clause]:
    if len(customers) < _LEAST_LISTED:
        return frozenset()
    counts = Counter(
        clause
        for customer in customers
        for part in found.get(customer, {}).values()
        for clause in part
    )
    return frozenset(clause for clause, count in counts.items() if count >= HALF * len(customers))


class _Candidates:
    """What can be told of every customer from the portfolio alone, as clauses by template."""

    def __init__(
        self,
        context: Context,
        code: Mapping[str, int],
        table: pl.DataFrame,
        facts: Mapping[str, pl.DataFrame],
    ) -> None:
        self._day = context.as_of
        self._code = code
        self._found: dict[int, dict[str, list[Clause]]] = {
            customer: {} for customer in table["customer"]
        }
        leaves = dict(
            table.filter(pl.col("announced").is_not_null())
            .select("customer", "announced")
            .iter_rows()
        )
        for customer, day in leaves.items():
            self._add(customer, ("announced", self._month(day), 0))
        self._lapses(context)
        held = facts["held"].filter(pl.col("ends"))
        for customer, branch, days in held.select("customer", "branch", "days").iter_rows():
            if customer not in leaves:
                self._add(
                    customer,
                    ("ending", code[branch], self._month(self._day + timedelta(days=days))),
                )
        self._renewals(facts["renewals"])
        self._bought(context)
        self._contacts(context)
        self._jubilees(context)

    def of(self, customer: int) -> dict[str, list[Clause]]:
        """Return the clauses of a customer by template."""
        return self._found[customer]

    def _add(self, customer: int, clause: Clause, name: str | None = None) -> None:
        if customer in self._found:
            self._found[customer].setdefault(name or clause[0], []).append(clause)

    def _month(self, day: date) -> int:
        return month_code(self._day, day)

    def _lapses(self, context: Context) -> None:
        """The latest policy that ended in the last year: given up by the customer, or for a reason
        nobody can help.
        """
        since = add_months(self._day, -_RECENT)
        ended = context.policies.filter(
            (pl.col("end_date") > since)
            & (pl.col("end_date") <= self._day)
            & pl.col("replaced_on").is_null()
            & (pl.col("cause").fill_null("unknown") != "technical")
        ).sort("customer", "end_date", "policy")
        last = ended.unique("customer", keep="last", maintain_order=True)
        for customer, branch, end, cause in last.select(
            "customer", "branch", "end_date", "cause"
        ).iter_rows():
            name = "lapse" if cause == "preventable" else "ended"
            self._add(customer, (name, self._code[branch], self._month(end)))

    def _renewals(self, renewals: pl.DataFrame) -> None:
        for customer, days, together, branch in renewals.select(
            "customer", "days", "together", "branch"
        ).iter_rows():
            month = self._month(self._day + timedelta(days=days))
            one = branch is not None and together == 1
            clause = (
                ("renewal", self._code[branch], month) if one else ("renewals", together, month)
            )
            self._add(customer, clause, "soon" if days <= _SOON else "later")

    def _bought(self, context: Context) -> None:
        since = add_months(self._day, -_NEW)
        first = context.policies.group_by("customer").agg(first=pl.col("start_date").min())
        new = (
            context.held.filter(
                (pl.col("start_date") > since) & ~pl.col("replaces").fill_null(value=False)
            )
            .join(first, on="customer")
            .filter(pl.col("first") <= since)
            .sort("customer", "start_date", "policy")
            .unique("customer", keep="last", maintain_order=True)
        )
        for customer, branch, start in new.select("customer", "branch", "start_date").iter_rows():
            self._add(customer, ("bought", self._code[branch], self._month(start)))

    def _contacts(self, context: Context) -> None:
        contacts = context.bundle.portfolio.contacts
        if contacts is None or contacts.is_empty():
            return
        last = dict(contacts.group_by("customer").agg(last=pl.col("date").max()).iter_rows())
        quiet = add_months(self._day, -24)
        for customer in self._found:
            day = last.get(customer)
            if day is None:
                self._add(customer, ("never", 0, 0))
            elif day < quiet:
                self._add(customer, ("quiet", day.year, 0))

    def _jubilees(self, context: Context) -> None:
        since = context.held.group_by("customer").agg(since=pl.col("start_date").min())
        for customer, start in since.iter_rows():
            whole = (self._day - start).days // 365
            self._add(customer, ("since_one" if whole <= 1 else "since", max(whole, 1), 0), "since")
            for years in range(_JUBILEE, 100, _JUBILEE):
                day = add_months(start, 12 * years)
                if self._day < day <= self._day + timedelta(days=_JUBILEE_DAYS):
                    self._add(customer, ("jubilee", years, self._month(day)))
                if day > self._day:
                    break


def _reasons(context: Context, words: PortalWords, why: Why) -> dict[int, list[int]]:
    """Return customer -> places of the words of what the model says raises the chance to leave, one
    per group.
    """
    models: Any = context.bundle.models
    group = {feature.name: feature.group for feature in context.bundle.features}
    like = {
        customer: (kind, *(["one_policy"] if policies == 1 else []))
        for customer, kind, policies in context.customers.select(
            "customer", "kind", "policies"
        ).iter_rows()
    }
    places: dict[str, int] = {}
    out: dict[int, dict[str, int]] = {}
    for reason in models.reasons if models else ():
        news = group.get(reason.feature, "")
        mine = out.setdefault(reason.customer, {})
        if (
            reason.contribution <= 0
            or news in mine
            or reason.customer not in like
            or not _telling(reason)
        ):
            continue
        if words.reasons.trivial(reason.feature, reason.value, like[reason.customer]):
            continue
        sentence = words.reasons.sentence(reason.feature, reason.value)
        if sentence:
            mine[news] = places.setdefault(sentence, len(places))
    why.reasons = list(places)
    return {customer: list(mine.values()) for customer, mine in out.items()}


def _telling(reason: Any) -> bool:
    """Whether a feature with this value is worth a sentence."""
    if not reason.value or not _TELLING.fullmatch(reason.feature):
        return False
    return bool(reason.feature != "tenure_months" or reason.value < _YOUNG)
