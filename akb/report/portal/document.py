"""What stands in the page's JSON blocks: columns of numbers, and every word once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.report.portal import holdings, work
from akb.report.portal.people import UNITS
from akb.report.portal.why import SLOTS, TEMPLATES
from akb.report.portal.words import MONTH_ZERO
from akb.store import columns, feedback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.report.portal.facts import PortalFacts

SCHEMA = "akb.portal/1"
KINDS = ("private", "business", "self_employed")
ACTIONS = ("defend", "cross_sell", "care", "thank")
LEVELS = ("inside", "adviser")
CLASSES = ("A", "B", "C", "D")
_POLICIES = 80
"""Most entries of what a customer holds; the card says how many more there are."""
WORDS = (
    "status", "mode", "type", "kind", "action", "level", "list", "list_text", "stop", "stop_short",
    "band", "months",
    "why", "why_join", "unit", "page", "filter", "head", "dash", "card", "problem",
)  # fmt: skip


def document(
    facts: PortalFacts, people: pl.DataFrame, scope: str = ""
) -> dict[str, dict[str, Any]]:
    """Return block -> content.

    Parameters
    ----------
    people
        The customers of this page, rows of `PortalFacts.people`.
    scope
        The office that the page is of; empty: all.
    """
    names = _Dictionaries(facts, people)
    made = _columns(facts, people, names)
    words = {name: facts.words.tree[name] for name in WORDS}
    context = facts.context
    run = {
        "schema": SCHEMA,
        "run": facts.run,
        "as_of": context.as_of.isoformat(),
        "language": facts.language,
        "client": context.bundle.settings.client.name,
        "scope": scope,
        "named": context.bundle.no_pseudonyms,
        "store": "browser",
        "lists": list(work.LISTS),
        "withheld": _withheld(facts),
        "names": names.lists,
        "slots": [list(SLOTS[name]) for name in TEMPLATES],
        "templates": list(TEMPLATES),
        "month_zero": MONTH_ZERO,
        "unknown": holdings.UNKNOWN,
        "past": holdings.PAST,
        "feedback": {
            "schema": feedback.SCHEMA,
            "columns": list(feedback.COLUMNS),
            "note": feedback.NOTE,
            "by": feedback.NAME,
            "statuses": list(feedback.STATUSES),
            "modes": list(feedback.MODES),
            "types": list(feedback.KINDS),
        },
    }
    return {"akb-run": run, "akb-words": words, "akb-columns": made}


def _withheld(facts: PortalFacts) -> dict[str, str]:
    """Return list -> why it is not delivered."""
    return dict(work.withheld(facts.context))


class _Dictionaries:
    """What the codes of a page stand for; code 0 is nothing."""

    def __init__(self, facts: PortalFacts, people: pl.DataFrame) -> None:
        words = facts.words
        self.branches = {key: place for place, key in enumerate(facts.context.taxonomy, start=1)}
        self.keys: dict[str, list[str]] = {
            "kind": list(KINDS),
            "action": list(ACTIONS),
            "level": list(LEVELS),
            "segment": list(CLASSES),
            "stop": list(work.STOPS),
        }
        for name in (*UNITS, "service", "contact", "done_by"):
            self.keys[name] = people[name].drop_nulls().unique().sort().to_list()
        self.reasons: list[str] = []
        shown = {
            "contact": [words.contact(key) for key in self.keys["contact"]],
            "done_by": [worker(facts, key) for key in self.keys["done_by"]],
            "service": [words.tree["service"].get(key, key) for key in self.keys["service"]],
        }
        self.lists: dict[str, list[str]] = {
            **self.keys,
            **shown,
            "branch": [words.branch(key) for key in facts.context.taxonomy],
            "branch_inside": [words.branch_inside(key) for key in facts.context.taxonomy],
            "reason": self.reasons,
        }

    def code(self, name: str, values: pl.Series) -> np.ndarray[Any, Any]:
        """Return the codes of a column."""
        places = {key: place for place, key in enumerate(self.keys[name], start=1)}
        return (
            values.replace_strict(places, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()
        )


def worker(facts: PortalFacts, name: str | None) -> str:
    """Return who does it: a name that may be shown, or the number of a place in the team."""
    if name is None:
        return ""
    if name.startswith("#"):
        return facts.words.text("page.worker", number=name[1:])
    return name if name in facts.context.shared["adviser"] else ""


def _columns(facts: PortalFacts, people: pl.DataFrame, names: _Dictionaries) -> dict[str, Any]:
    coded = ("kind", *UNITS, "segment", "service", "action", "contact", "done_by", "stop")
    out: dict[str, Any] = {"customer": columns.text(people["shown"].to_list())}
    out |= {name: columns.fixed(names.code(name, people[name])) for name in coded}
    out["level"] = columns.fixed(names.code("level", people["done_level"]))
    for name in ("clv", "churn", "policies"):
        out[name] = columns.fixed(people[name].fill_null(0).to_numpy())
    out["branch"] = columns.fixed(
        people["branch"]
        .replace_strict(names.branches, default=0, return_dtype=pl.Int64)
        .fill_null(0)
        .to_numpy()
    )
    out["before"] = columns.fixed(people["before"].fill_null(0).to_numpy())
    ends = (people["announced"] - facts.context.as_of).dt.total_days().fill_null(0).clip(0, 65_000)
    out["announced"] = columns.fixed(ends.to_numpy())
    for name, listed in facts.lists.items():
        ranked = people.select("customer").join(
            listed, on="customer", how="left", maintain_order="left"
        )
        out[f"rank_{name}"] = columns.fixed(ranked["rank"].fill_null(0).to_numpy())
    out |= _held(facts, people, names)
    out["missing"] = _ragged(people, _coded(facts.missing, names), ("branch", "tenths"))
    best = _coded(facts.offers, names).with_columns(
        pl.col("effect").fill_null(0),
        # a commission ban shows as one, never as an amount
        amount=pl.when(pl.col("ban")).then(holdings.UNKNOWN - 1).otherwise(_amounts(facts.offers)),
    )
    out["nbp"] = _ragged(people, best, ("branch", "chance", "effect"))
    out["nbp_euro"] = _ragged(people, best, ("amount",), "u16")
    out["why"] = _ragged(
        people, _whys(facts, people, names), ("template", "first", "second"), "u16"
    )
    out["worth"] = columns.fixed(
        holdings.worth(facts.context, people).ravel(), holdings.PAST + 1 + holdings.AHEAD, "u16"
    )
    return out


def _amounts(offers: pl.DataFrame) -> pl.Series:
    cents = 100 * offers["euros"].fill_null(float("nan")).to_numpy()
    return pl.Series(holdings.amount_codes(cents), dtype=pl.Int64)


def _held(facts: PortalFacts, people: pl.DataFrame, names: _Dictionaries) -> dict[str, Any]:
    rows = _coded(facts.held, names).with_columns(
        count=pl.col("count").clip(1, 255),
        year=(pl.col("since") - 1900).clip(0, 255),
        # the day and whether the policy ends then, or is renewed
        when=2 * pl.col("days").fill_null(0).clip(0, 30_000) + pl.col("ends").cast(pl.Int64),
    )
    rows = rows.with_columns(place=pl.int_range(pl.len()).over("customer")).filter(
        pl.col("place") < _POLICIES
    )
    return {
        "held": _ragged(people, rows, ("branch", "count", "year")),
        "held_day": _ragged(people, rows, ("when",), "u16"),
    }


def _coded(table: pl.DataFrame, names: _Dictionaries) -> pl.DataFrame:
    return table.with_columns(
        pl.col("branch").replace_strict(names.branches, default=0, return_dtype=pl.Int64)
    )


def _ragged(
    people: pl.DataFrame, table: pl.DataFrame, wanted: Sequence[str], least: str = "u8"
) -> dict[str, Any]:
    """Return per customer the values of the rows that are his, one row after the other."""
    places = people.select("customer").with_row_index("place")
    his = (
        table.select("customer", *wanted)
        .join(places, on="customer", maintain_order="left")
        .sort("place", maintain_order=True)
    )
    rows = np.bincount(his["place"].to_numpy(), minlength=people.height)
    values = np.column_stack([his[name].to_numpy() for name in wanted])
    return columns.ragged(rows * len(wanted), values.ravel(), least)


def _whys(facts: PortalFacts, people: pl.DataFrame, names: _Dictionaries) -> pl.DataFrame:
    """Return the clauses of these customers in the order of the page, with the reasons of this page
    alone.
    """
    mine = people.select("customer").join(
        facts.why.clauses, on="customer", maintain_order="left_right"
    )
    is_reason = pl.col("template") == "reason"
    own = mine.filter(is_reason)["first"].unique(maintain_order=True)
    names.reasons += [facts.why.reasons[place] for place in own]
    places = pl.col("first").replace(own, pl.int_range(len(own), dtype=pl.Int32, eager=True))
    return mine.with_columns(
        template=pl.col("template").to_physical(),
        first=pl.when(is_reason).then(places).otherwise("first"),
    )
