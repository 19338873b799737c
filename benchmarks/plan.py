"""What the plan of contacts brings in simulated offices where the effect of every contact is known.

    python -m benchmarks.plan [--offices 10] [--customers 5000] [--futures 150]

Every office is read as an export, so the plan knows what akb knows. Its effects are then let loose in the simulator:
pairs of futures with the same chance, with and without the contacts, over five years. Only commission counts (what
serving costs is set to nothing), indexed and discounted by the register.

What an effect on purchases is, is the register's: log-odds are shifted so that the mean over who can buy rises by its
points, counted over the likeliest branches, here by their true chances; what is discussed is what akb would discuss.

Printed: claimed over true benefit per line and together, with its standard error; the true net of the plan at a
quarter, once and four times the hours, as a share of the net of a plan from true chances and values (ranked by the
simulator's own hazards, judged on other futures as all plans are), beside plans that rank by commission, churn,
lifetime value x churn, or at random with the same number of contacts of every type; and the advice with register and
simulator at the low and the high end.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.pipeline import predict
from akb.sample import simulate, write_sample
from akb.sample.contact import LINES, ContactEffect, PlannedContacts
from akb.sample.records import relation_numbers
from akb.value.case.case import business_case, open_lines
from akb.value.targeting.planning.benefits import PLACE, shift_of
from akb.value.targeting.planning.plan import contact_plan
from akb.value.targeting.planning.planner import NONE
from akb.value.valuation import valuation
from benchmarks.quiet import Quiet
from benchmarks.stakes import stakes

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.sample.book import Book
    from akb.sample.paired import FuturePolicies
    from akb.value.targeting.planning.prospects import Prospects
    from akb.value.valuation import Valuation

YEARS = 5
PART = 0.25  # of the ends that are undone where the truth is looked for
HOURS = (0.25, 1.0, 4.0)
RIVALS = ("commission", "churn", "clv_x_churn", "random")
NO_COST = (
    "cost.minutes_renewal", "cost.minutes_mutation", "cost.minutes_contact", "cost.minutes_claim",
    "cost.minutes_collection", "cost.minutes_talk", "cost.fixed",
)  # fmt: skip


def bench_settings(**assumptions: float) -> Settings:
    """Return settings in which only commission counts, without contacts that wait for the customer."""
    given = dict.fromkeys(NO_COST, 0.0) | {"value.horizon_years": YEARS, "experiment.control_share": 0.0}
    given |= {name.replace("__", "."): value for name, value in assumptions.items()}
    off = {key: {"enabled": False} for key in ("inbound", "inbound_else_call")}
    return load_settings().model_copy(update={"assumptions": given, "contacts": off})


@dataclass
class Office:
    """One office: its book, what akb knows of it, and the place in the book of every customer in force."""

    book: Book
    valued: Valuation
    place: np.ndarray

    @property
    def growth(self) -> float:
        value = self.valued.in_force.value
        return (1 + value("value.indexation")) / (1 + value("value.discount"))

    def amounts(self, policies: FuturePolicies) -> np.ndarray:
        """Return what each policy brings in five years, cents."""
        return policies.cents * policies.years(YEARS, self.growth)


def office(seed: int, customers: int, settings: Settings) -> tuple[Office, Any, Any]:
    """Return an office, its portfolio and its models."""
    book = simulate(customers, seed=seed)
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-")) / "office"
    write_sample(book, folder)
    files = [folder / name for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    portfolio = read_portfolio(Sources(files, bytes(32)), settings)
    models = predict(portfolio, load_settings(), Quiet()).models
    return placed(book, portfolio, models, settings), portfolio, models


def placed(book: Book, portfolio: Any, models: Any, settings: Settings) -> Office:
    """Return the office as akb values it under these settings."""
    valued = valuation(portfolio, models, settings, say=lambda _: None, earned=False)
    number = pl.DataFrame({"relation": relation_numbers(book.people.number[book.in_force])}).with_row_index("place")
    who = valued.in_force.customers.select("row", "relation").join(number, on="relation", maintain_order="left")
    return Office(book, valued, who["place"].to_numpy().astype(np.int64))


def simulated_plan(one: Office, option: np.ndarray, lines: tuple[str, ...] = LINES) -> PlannedContacts:
    """Return akb's plan in the simulator's words: effects, purposes and branches discussed."""
    plan = one.valued.plan
    keys = list(plan.planning.ladder)
    n, branches = len(one.place), list(one.book.p.branches)
    kind = np.full(n, -1, dtype=np.int64)
    primary, discussed = np.ones((n, len(LINES)), np.bool_), np.zeros((n, len(branches)))
    names = list(one.valued.in_force.taxonomy)
    for row in np.flatnonzero(option != NONE).tolist():
        at, chosen = one.place[row], option[row]
        for number, place in enumerate(plan.menu.discussed[plan.menu.options[chosen]][row].tolist()):
            branch = int(plan.prospects.branch[row, place])
            if branch >= 0 and plan.prospects.worth[row, place] > 0:
                discussed[at, branches.index(names[branch])] = PLACE**number
        kind[at] = keys.index(plan.menu.options[chosen].key)
        first = plan.menu.keeps_first[row, chosen]
        primary[at] = (first, first, not first)
    true = with_true_chances(one)
    effects = tuple(
        ContactEffect(
            relation=contact.relation.base * ("relation" in lines),
            policy=contact.policy.base * ("policy" in lines),
            log_odds=shift_of(true, contact, contact.purchase.base) if "purchase" in lines else 0.0,
            secondary_share=plan.planning.secondary_share,
        )
        for contact in plan.planning.ladder.values()
    )
    return PlannedContacts(kind, effects, primary=primary, discussed=discussed)


def with_true_chances(one: Office) -> Prospects:
    """Return akb's prospects with the true chances to buy."""
    known = one.valued.plan.prospects.branch
    names, branches = list(one.valued.in_force.taxonomy), list(one.book.p.branches)
    column = np.array([branches.index(name) if name in branches else -1 for name in names])
    chance = np.where(known >= 0, one.book.purchase_chances[one.place[:, None], column[np.maximum(known, 0)]], 0.0)
    return replace(one.valued.plan.prospects, chance=chance, likely=-np.sort(-chance, axis=1))


def claims(one: Office, futures: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Return line -> (claimed, true, variance of the true mean), cents of one office.

    A line without an open gate claims nothing and is left out, also of ``all``, the lines that are given together;
    ``all lines`` has the truth of all of them.
    """
    plan = one.valued.plan
    given = tuple(line for line in LINES if line in open_lines(one.valued))
    worked = {**{line: (line,) for line in given}, "all": given, "all lines": LINES}
    plans = [simulated_plan(one, plan.option, lines) for lines in worked.values()]
    gains = np.zeros((futures, len(plans)))
    for number, pair in enumerate(one.book.paired(plans, futures, seed, 12 * YEARS, everybody=False)):
        for place in range(len(plans)):
            gains[number, place] = pair.gain(place, one.amounts).sum()
    lines, rows = plan.menu.base, np.flatnonzero(plan.planned)
    column = plan.option[rows]
    selling = np.array([plan.planning.ladder[plan.menu.options[c].key].sale_minutes for c in column])
    rate = np.array([plan.planning.rates[plan.menu.options[c].pool] for c in column])
    claimed = {
        "relation": lines.relation[rows, column].sum(),
        "policy": lines.policy[rows, column].sum(),
        # the minutes of a sale are a cost, and the futures know none
        "purchase": (lines.purchase[rows, column] + lines.sales[rows, column] * selling * rate).sum(),
    }
    return {
        name: (
            float(sum(claimed[line] for line in lines)),
            float(gains[:, place].mean()),
            float(gains[:, place].var() / futures),
        )
        for place, (name, lines) in enumerate(worked.items())
    }


def truths(one: Office, futures: int, seed: int) -> tuple[Prospects, Prospects]:
    """Return akb's prospects with what is truly at stake: by the hazards, to plan with, and by futures, to judge.

    The hazards know nothing of what follows from an end for other policies; their level is that of the futures. Those
    undo a part of the ends, as contacts do: who is kept once and would leave again is not kept for certain.
    """
    n, eligible = len(one.place), one.valued.plan.prospects.eligible
    plans = [PlannedContacts.everybody(ContactEffect(**{line: PART}), n) for line in ("relation", "policy")]
    happened = [np.zeros(n), np.zeros(n)]
    for pair in one.book.paired(plans, futures, seed + 1, 12 * YEARS, everybody=False):
        for place in range(2):
            happened[place] += pair.gain(place, one.amounts)[one.place] / (PART * futures)
    expected = [each[one.place] for each in stakes(one.book, futures // 2, seed + 2, YEARS, one.growth)]
    chances = with_true_chances(one)

    def prospects(relation: np.ndarray, policy: np.ndarray) -> Prospects:
        at = {"relation": relation, "policy": policy}
        return replace(chances, **{line: np.where(eligible, cents, 0.0) for line, cents in at.items()})

    scaled = [each * (level.sum() / each.sum()) for each, level in zip(expected, happened, strict=True)]
    return prospects(*scaled), prospects(*happened)


def nets(one: Office, truth: tuple[Prospects, Prospects], seed: int) -> dict[float, dict[str, float]]:
    """Return hours -> plan -> true net, cents."""
    plan = one.valued.plan
    ranked, judged = truth
    out = {}
    for share in HOURS:
        hours = {pool: share * minutes for pool, minutes in one.valued.eligibility.minutes.items()}
        ours = contact_plan(plan.prospects, plan.planning, hours)
        best = contact_plan(ranked, plan.planning, hours)
        real = contact_plan(judged, plan.planning, hours, whole=False).menu
        true = real.base.total - real.cost
        rows = np.arange(len(one.place))

        def value(option: np.ndarray, true: np.ndarray = true, rows: np.ndarray = rows) -> float:
            return float(np.where(option != NONE, true[rows, np.maximum(option, 0)], 0.0).sum())

        out[share] = {
            "akb": value(ours.option),
            "true": value(best.option),
            **{rival: value(rival_option(one, ours, rival, seed)) for rival in RIVALS},
        }
    return out


def rival_option(one: Office, ours: Any, rival: str, seed: int) -> np.ndarray:
    """Return a simpler rule's plan: as many contacts of every type as akb's, the dearest type first in its order."""
    valued = one.valued
    churn = valued.survival.churn_12m
    order = {
        "commission": valued.in_force.commission_customer.astype(float),
        "churn": churn,
        "clv_x_churn": valued.value.clv * churn,
        "random": np.random.default_rng(seed).random(len(churn)),
    }[rival]
    allowed = ours.menu.allowed.any(axis=1)
    rows = np.flatnonzero(allowed)
    rows = rows[np.argsort(-order[rows], kind="stable")]
    option = np.full(len(churn), NONE, dtype=np.int64)
    counts = np.bincount(ours.option[ours.option != NONE], minlength=len(ours.menu.options))
    dearest = np.argsort(-ours.menu.cost.mean(axis=0), kind="stable")
    place = 0
    for column in dearest.tolist():
        option[rows[place : place + counts[column]]] = column
        place += counts[column]
    return option


def advice_at(portfolio: Any, models: Any, end: str) -> tuple[str, float, int]:
    """Return (advice, P(net > 0), net) where every effect is known to lie at the low or high end of its range."""
    register = load_settings().assumed()
    known = {}
    for key in load_settings().ladder():
        values = {line: getattr(register[f"contacts.{key}.effect_{line}"], end) for line in LINES}
        known[key] = {line: {"low": value, "base": value, "high": value} for line, value in values.items()}
    settings = load_settings().model_copy(update={"contacts": known})
    case = business_case(valuation(portfolio, models, settings, say=lambda _: None, earned=False))
    assert case is not None
    return case.advice.key, case.advice.probability, case.cohort.net.base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--futures", type=int, default=150)
    given = parser.parse_args()
    settings = bench_settings()
    by_line: dict[str, list[tuple[float, float, float]]] = {}
    total: dict[float, dict[str, float]] = {share: {} for share in HOURS}
    for seed in range(given.first, given.first + given.offices):
        one, portfolio, models = office(seed, given.customers, settings)
        for line, row in claims(one, given.futures, seed + 30_000).items():
            by_line.setdefault(line, []).append(row)
        for share, row in nets(one, truths(one, given.futures, seed + 40_000), seed).items():
            for name, cents in row.items():
                total[share][name] = total[share].get(name, 0.0) + cents
        ends = {end: advice_at(portfolio, models, end) for end in ("low", "high")}
        print(f"office {seed}: {int(one.valued.plan.planned.sum())} contacts; advice {ends}", flush=True)
    print("line        claimed      true   ratio    s.e.   offices that claim it")
    for line, rows in by_line.items():
        claimed, true, variance = (sum(row[place] for row in rows) for place in range(3))
        error = np.sqrt(variance) / true if true else np.nan
        amounts = f"{claimed / 100:10,.0f} {true / 100:9,.0f}"
        print(f"{line:9} {amounts}   {claimed / true:5.3f}   {error:5.3f}   {len(rows)}")
    for share, row in total.items():
        parts = "  ".join(f"{name} {cents / row['true']:.3f}" for name, cents in row.items() if name != "true")
        print(f"hours x {share}: of the true plan's € {row['true'] / 100:,.0f}: {parts}")


if __name__ == "__main__":
    main()
