"""Why now: one sentence per customer, made of clauses that tell of him and not of half the list.

A clause is a template of ``[why]`` among the words with two numbers, so that it takes a few bytes
and the page and the workbook say the same. No clause tells an age, and none speaks of health."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.report.portal.words import MONTH_ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_JUBILEE, _LONGEST = 5, 100
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

_GROUPS = (*TEMPLATES, "soon", "later")
_ROW = {
    "customer": pl.UInt32(),
    "group": pl.Enum(_GROUPS),
    "template": pl.Enum(TEMPLATES),
    "first": pl.Int32(),
    "second": pl.Int32(),
}
"""Whose, under what an order names it, the template and its two numbers."""
_CLAUSE = ["template", "first", "second"]
_ALONE = ("alone", 0, 0)
"""What is said of whom there is nothing to say."""


@dataclass
class Why:
    """The clauses of every customer and the dictionaries that their numbers point into.

    Parameters
    ----------
    clauses
        customer, ``template``, ``first`` and ``second``: customer by customer, what matters first.
    branches, reasons
        What the numbers of slots ``branch`` and ``reason`` stand for.
    """

    clauses: pl.DataFrame
    branches: tuple[str, ...] = ()
    reasons: list[str] = field(default_factory=list)

    def sentences(self, customers: pl.Series, words: PortalWords) -> pl.Series:
        """Return the sentence of every customer; each clause is worded once."""
        asked = customers.alias("customer").to_frame()
        mine = self.clauses.join(asked, on="customer", how="semi", maintain_order="left")
        different = mine.select(_CLAUSE).unique()
        parts = [self._part(clause, words) for clause in different.iter_rows()]
        worded = different.with_columns(
            part=pl.Series(parts, dtype=pl.String),
            opening=pl.Series([_capital(part) for part in parts], dtype=pl.String),
        )
        first = (pl.col("customer") != pl.col("customer").shift()).fill_null(value=True)
        said = (
            mine.join(worded, on=_CLAUSE, how="left", maintain_order="left")
            .select("customer", part=pl.when(first).then("opening").otherwise("part"))
            .group_by("customer")
            .agg("part")
            .select("customer", said=pl.col("part").list.join(words.text("why_join.joint")) + ".")
        )
        alone = f"{_capital(self._part(_ALONE, words))}."
        return asked.join(said, on="customer", how="left", maintain_order="left")["said"].fill_null(
            alone
        )

    def _part(self, clause: Sequence[Any], words: PortalWords) -> str:
        name, *numbers = clause
        if name == "reason":
            return self.reasons[int(numbers[0])]
        shown: dict[str, object] = {}
        for slot, number in zip(SLOTS[name], numbers, strict=True):
            if slot == "branch":
                shown[slot] = words.branch_inside(self.branches[number])
            elif slot:
                shown[slot] = words.month(number) if slot == "month" else number
        return words.text(f"why.{name}", **shown)


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


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
    branches = tuple(context.taxonomy)
    whose = _whose(table, facts["missing"], actions)
    reasons, texts = _reasons(context, words)
    candidates = _Candidates(context, branches, whose)
    found = pl.concat(
        [
            *candidates.leaving(facts["held"]),
            *candidates.renewals(facts["renewals"]),
            candidates.bought(),
            *candidates.contacts(),
            *candidates.jubilees(),
            *candidates.beside_others(facts["missing"]),
            _clauses(reasons, "reason", pl.col("place")),
        ]
    )
    return Why(_chosen(_with_common(found, whose, actions)), branches, texts)


def _whose(table: pl.DataFrame, missing: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """Return the customers of `table` with their ``place`` in it, ``listed`` (who is to be
    contacted) with ``action`` and branch to ``discuss``, and the first cover that is ``lacking``.
    """
    acts = actions.select("customer", "action", discuss="branch", listed=pl.lit(value=True))
    gaps = missing.select("customer", lacking="branch")
    gaps = gaps.unique("customer", keep="first", maintain_order=True)
    return (
        table.select("customer", "policies", "like", "announced")
        .with_row_index("place")
        .join(acts.unique("customer", keep="last"), on="customer", how="left")
        .join(gaps, on="customer", how="left")
        .with_columns(pl.col("listed").fill_null(value=False))
    )


def _clauses(
    rows: pl.DataFrame,
    template: str | pl.Expr,
    first: pl.Expr | int = 0,
    second: pl.Expr | int = 0,
    group: str | pl.Expr | None = None,
) -> pl.DataFrame:
    """Return a clause per row; without a group of its own it stands under its template's."""
    named = pl.lit(template) if isinstance(template, str) else template
    under = pl.lit(group) if isinstance(group, str) else named if group is None else group
    numbers = {"first": first, "second": second}
    return rows.select(
        "customer",
        group=under,
        template=named,
        **{
            name: pl.lit(number) if isinstance(number, int) else number
            for name, number in numbers.items()
        },
    ).cast(_ROW)  # type: ignore[arg-type]


def _with_common(found: pl.DataFrame, whose: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """Return clauses with whose they are and ``common``: true of half of those who get the same
    action, or of half of all who are to be contacted, or more.
    """
    rows = found.join(
        whose.select("customer", "place", "listed", "action"), on="customer", maintain_order="left"
    )
    planned = actions.select("customer", "action").unique("customer", keep="last")
    listed = rows.filter("listed")
    everybody = listed.group_by(_CLAUSE).len().filter(_half(planned.height))
    own = (
        listed.group_by("action", *_CLAUSE)
        .len()
        .join(planned.group_by("action").agg(all=pl.len()), on="action", nulls_equal=True)
        .filter(_half(pl.col("all")))
    )
    common = pl.lit(value=True)
    return (
        rows.join(
            everybody.select(*_CLAUSE, everybody=common),
            on=_CLAUSE,
            how="left",
            maintain_order="left",
        )
        .join(
            own.select("action", *_CLAUSE, own=common),
            on=["action", *_CLAUSE],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .with_columns(
            common=pl.col("listed") & (pl.col("everybody") | pl.col("own")).fill_null(value=False)
        )
    )


def _half(of: pl.Expr | int) -> pl.Expr:
    of = pl.lit(of) if isinstance(of, int) else of
    return (of >= _LEAST_LISTED) & (pl.col("len") >= HALF * of)


def _chosen(found: pl.DataFrame) -> pl.DataFrame:
    """Return the first clauses of every customer, in the order of his action."""
    order = pl.DataFrame(
        [
            (action, group, place)
            for action, groups in _ORDER.items()
            for place, group in enumerate((*groups, *(_REST if action else ())))
        ],
        schema={"ordered": pl.String, "group": pl.Enum(_GROUPS), "priority": pl.Int64},
        orient="row",
    )
    known = pl.col("action").is_in([action for action in _ORDER if action])
    rest = pl.col("group").is_in(_REST)
    nth = pl.int_range(pl.len()).over("place")
    return (
        found.with_columns(ordered=pl.when(known).then("action").otherwise(pl.lit("")))
        .join(order, on=["ordered", "group"], maintain_order="left")
        .filter(rest | ~pl.col("common"))
        .sort("place", "priority", maintain_order=True)
        .with_columns(nth=nth)
        .filter((pl.col("nth") < MOST) & (~rest | (pl.col("nth") == 0)))
        .select("customer", *_CLAUSE)
    )


class _Candidates:
    """What can be told of customers (`_whose`) from the portfolio alone."""

    def __init__(self, context: Context, branches: Sequence[str], whose: pl.DataFrame) -> None:
        self._context = context
        self._day = context.as_of
        self._whose = whose
        self._codes = {key: place for place, key in enumerate(branches)}
        self._code = pl.col("branch").replace_strict(self._codes, return_dtype=pl.Int32)

    def _month(self, day: pl.Expr) -> pl.Expr:
        """See `month_code`."""
        years = day.dt.year().cast(pl.Int32) - self._day.year
        return MONTH_ZERO + 12 * years + day.dt.month().cast(pl.Int32) - self._day.month

    def _after(self, days: pl.Expr) -> pl.Expr:
        """Return the month of the day so many days after X."""
        return self._month(pl.lit(self._day) + pl.duration(days=days))

    def leaving(self, held: pl.DataFrame) -> list[pl.DataFrame]:
        """Relations and policies that end, and the latest policy that ended in the last year: given
        up by the customer, or for a reason nobody can help.
        """
        leaves = self._whose.filter(pl.col("announced").is_not_null())
        since = add_months(self._day, -_RECENT)
        ended = self._context.policies.filter(
            (pl.col("end_date") > since)
            & (pl.col("end_date") <= self._day)
            & pl.col("replaced_on").is_null()
            & (pl.col("cause").fill_null("unknown") != "technical")
        ).sort("customer", "end_date", "policy")
        last = ended.unique("customer", keep="last", maintain_order=True)
        given_up = (pl.col("cause") == "preventable").fill_null(value=False)
        ending = held.filter("ends").join(leaves, on="customer", how="anti", maintain_order="left")
        return [
            _clauses(leaves, "announced", self._month(pl.col("announced"))),
            _clauses(
                last,
                pl.when(given_up).then(pl.lit("lapse")).otherwise(pl.lit("ended")),
                self._code,
                self._month(pl.col("end_date")),
            ),
            _clauses(ending, "ending", self._code, self._after(pl.col("days"))),
        ]

    def renewals(self, renewals: pl.DataFrame) -> list[pl.DataFrame]:
        """The next renewal, of one policy or of several together."""
        one = pl.col("branch").is_not_null() & (pl.col("together") == 1)
        month = self._after(pl.col("days"))
        soon = pl.when(pl.col("days") <= _SOON).then(pl.lit("soon")).otherwise(pl.lit("later"))
        return [
            _clauses(renewals.filter(one), "renewal", self._code, month, soon),
            _clauses(renewals.filter(~one), "renewals", pl.col("together"), month, soon),
        ]

    def bought(self) -> pl.DataFrame:
        """What was bought lately by who is no new customer."""
        since = add_months(self._day, -_NEW)
        first = self._context.policies.group_by("customer").agg(first=pl.col("start_date").min())
        new = (
            self._context.held.filter(
                (pl.col("start_date") > since) & ~pl.col("replaces").fill_null(value=False)
            )
            .join(first, on="customer")
            .filter(pl.col("first") <= since)
            .sort("customer", "start_date", "policy")
            .unique("customer", keep="last", maintain_order=True)
        )
        return _clauses(new, "bought", self._code, self._month(pl.col("start_date")))

    def contacts(self) -> list[pl.DataFrame]:
        """Who was never spoken to, or not for two years; nobody where no contacts are known."""
        contacts = self._context.bundle.portfolio.contacts
        if contacts is None or contacts.is_empty():
            return []
        last = contacts.group_by("customer").agg(last=pl.col("date").max())
        known = self._whose.select("customer").join(last, on="customer", how="left")
        quiet = known.filter(pl.col("last") < add_months(self._day, -24))
        return [
            _clauses(known.filter(pl.col("last").is_null()), "never"),
            _clauses(quiet, "quiet", pl.col("last").dt.year()),
        ]

    def jubilees(self) -> list[pl.DataFrame]:
        """How many years somebody is a customer, and who soon is for so many that it is told."""
        since = self._context.held.group_by("customer").agg(since=pl.col("start_date").min())
        start = pl.col("since")
        whole = (pl.lit(self._day) - start).dt.total_days() // 365
        name = pl.when(whole <= 1).then(pl.lit("since_one")).otherwise(pl.lit("since"))
        made = [_clauses(since, name, pl.max_horizontal(whole, 1), group="since")]
        last = self._day + timedelta(days=_JUBILEE_DAYS)
        for year in sorted({self._day.year, last.year}):
            years = year - start.dt.year().cast(pl.Int32)
            coming = since.with_columns(years=years, day=_anniversary(start, year)).filter(
                (pl.col("years") > 0)
                & (pl.col("years") < _LONGEST)
                & (pl.col("years") % _JUBILEE == 0)
                & (pl.col("day") > self._day)
                & (pl.col("day") <= last)
            )
            month = self._month(pl.col("day"))
            made.append(_clauses(coming, "jubilee", pl.col("years"), month))
        return made

    def beside_others(self, missing: pl.DataFrame) -> list[pl.DataFrame]:
        """Who holds fewer policies than comparable customers, and the cover to discuss."""
        fewer = self._whose.filter(pl.col("like").fill_null(0) > pl.col("policies"))
        few = pl.when(pl.col("policies") == 1).then(pl.lit("few_one")).otherwise(pl.lit("few"))
        own = pl.col("discuss").is_in(list(self._codes))
        others = pl.col("action").ne_missing(pl.lit("cross_sell"))
        branch = pl.when(own).then("discuss").when(others).then("lacking")
        tenths = missing.select("customer", "branch", "tenths")
        covers = (
            self._whose.select("customer", branch=branch)
            .filter(pl.col("branch").is_not_null())
            .join(tenths, on=["customer", "branch"], how="left")
        )
        gap = pl.col("tenths").is_not_null()
        return [
            _clauses(fewer, few, pl.col("policies"), pl.col("like")),
            _clauses(covers.filter(gap), "gap", self._code, pl.col("tenths")),
            _clauses(covers.filter(~gap), "discuss", self._code),
        ]


def _anniversary(start: pl.Expr, year: int) -> pl.Expr:
    """Return `add_months` of a column of days by whole years, so that they fall in a year."""
    end = pl.date(year, start.dt.month(), 1).dt.month_end()
    same = pl.date(year, start.dt.month(), 1) + pl.duration(days=start.dt.day() - 1)
    is_month_end = start == start.dt.month_end()
    return pl.when(is_month_end).then(end).otherwise(pl.min_horizontal(same, end))


def _reasons(context: Context, words: PortalWords) -> tuple[pl.DataFrame, list[str]]:
    """Return customer and ``place`` of the words of what the model says raises the chance to leave,
    one per group, and those words.
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
    found: dict[tuple[int, str], int] = {}
    for reason in models.reasons if models else ():
        news = reason.customer, group.get(reason.feature, "")
        if (
            reason.contribution <= 0
            or news in found
            or reason.customer not in like
            or not _telling(reason)
        ):
            continue
        if words.reasons.trivial(reason.feature, reason.value, like[reason.customer]):
            continue
        sentence = words.reasons.sentence(reason.feature, reason.value)
        if sentence:
            found[news] = places.setdefault(sentence, len(places))
    made = {"customer": [customer for customer, _ in found], "place": list(found.values())}
    return pl.DataFrame(made, schema={"customer": pl.UInt32, "place": pl.Int32}), list(places)


def _telling(reason: Any) -> bool:
    """Whether a feature with this value is worth a sentence."""
    if not reason.value or not _TELLING.fullmatch(reason.feature):
        return False
    return bool(reason.feature != "tenure_months" or reason.value < _YOUNG)
