"""What happened after each T: the end of the relation, lapses, purchases, and the same per branch.

Targets look at the whole portfolio as it was known at X; features never do. Lapses belong to what
was in force at T: if a policy is replaced (renumbered, converted), its line goes on in the
successor and lapses when that one does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.features.branch_rows.rows import BranchInputs
from akb.features.cut import KEY
from akb.features.definitions import definition_labels, relation_ends
from akb.features.facts import CAUSES, FOREVER, lines, policy_facts
from akb.features.former import former_rows
from akb.features.grid import AHEAD, date_table, to_day
from akb.features.hindsight.verdicts import seen_by_features
from akb.features.matrix import portfolio_branches, with_insurer_codes
from akb.features.premiums import premium_records
from akb.features.questions import channel_rows, topic_rows
from akb.features.targets.events import event_targets
from akb.features.targets.money import money_targets
from akb.features.types import BranchRows, Targets

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from akb.config import Settings
    from akb.features.types import Matrix, TaughtBranches
    from akb.ingest.types import Portfolio

TECHNICAL = CAUSES.index("technical")
_AHEAD = tuple(f"ahead_{months}" for months in AHEAD)


def build_targets(
    portfolio: Portfolio,
    matrix: Matrix,
    settings: Settings,
    taught: TaughtBranches | None = None,
    *,
    lifetime: bool = False,
    executor: Executor | None = None,
) -> Targets:
    """Return what happened after T for every row of `matrix`, and per branch.

    Parameters
    ----------
    taught
        The branches that have rows, where stored models say so, and nothing is fitted; None: those
        with enough events.
    lifetime
        Whether only what lifetime value is made of is worked out: how long relations and policies
        last.
    executor
        What works out the labels, maybe elsewhere; None: two threads here.

    Notes
    -----
    A relation whose last policies all ended technically (transferred elsewhere, converted without a
    successor in the file) was not lost and cannot be followed: ``end_date`` and ``cause`` are null
    and ``censored_on`` holds the day. A relation that ends for another reason has lost at least one
    policy on that day, so ``first_lapse <= end_date``. What counts as the end of a relation is
    ``settings.churn.definition``, see `definitions`."""
    portfolio = seen_by_features(portfolio, settings, targets=True)
    gap, as_of = settings.time.gap_days, to_day(portfolio.as_of)
    branches = portfolio_branches(portfolio, settings)
    dates = date_table(matrix.dates)
    rows, whole, facts, purchases = _rows_and_facts(portfolio, matrix, dates, settings)
    names, definition = list(branches), settings.churn.definition
    ends = relation_ends(rows, whole, definition, names, settings)
    relation = _relation(ends, as_of)
    # who left one branch still earns and costs: money and who stays are of the whole relation,
    # whatever churn means
    entire_ends = (
        ends if definition == "all" else relation_ends(rows, whole, "all", names, settings)
    )
    entire = relation if definition == "all" else _relation(entire_ends, as_of)
    asked: pl.DataFrame | None = None
    made_of = portfolio if executor is None else _nameless(portfolio)
    # each leaves a core idle for much of its time; the longest goes first
    with nullcontext(executor) if executor else ThreadPoolExecutor(2) as pool:
        per_branch = BranchInputs(made_of, facts, purchases, rows, settings, taught)
        others: dict[str, Future[Any]] = {}
        if not lifetime:
            margin = settings.assumed()["upsell.margin"].value
            others["eligible"] = pool.submit(BranchInputs.eligible, per_branch)
        others["held"] = pool.submit(BranchInputs.held, per_branch)
        if not lifetime:
            others |= {
                "former": pool.submit(former_rows, made_of, whole, matrix.dates, settings),
                "counts": pool.submit(_counts, rows, entire, facts, purchases),
            }
            if taught is None:  # definitions are compared where models are fitted
                others["definitions"] = pool.submit(
                    definition_labels, rows, whole, names, as_of, settings
                )
            records = premium_records(portfolio)
            others["money"] = pool.submit(
                money_targets, entire, facts, records, branches, margin=margin
            )
            asked, events = event_targets(portfolio, entire, dates, settings)
            contacts = events.get("contacts")
            others |= {
                "topics": pool.submit(topic_rows, entire, contacts, dates),
                "channels": pool.submit(channel_rows, entire, contacts, dates),
            }
    found = {name: each.result() for name, each in others.items()}
    counts = rows.select("as_of", "customer")
    if asked is not None:
        counts = found.pop("counts").hstack(found.pop("money")).hstack(asked)
    else:
        held: BranchRows = found["held"]
        found["eligible"] = BranchRows(held.frame.clear().drop(held.names), ())
    # whom an adviser worked on is followed until then, so that nobody learns the office's own work
    relation, entire = (_until_worked_on(each, portfolio.recorded) for each in (relation, entire))
    return Targets(
        relation=_delivered(relation),
        whole=None if definition == "all" else _delivered(entire),
        counts=counts,
        announced=_announced(ends.filter((pl.col("day") == as_of) & (not portfolio.replay))),
        leaving=_announced(entire_ends.filter((pl.col("day") == as_of) & (not portfolio.replay))),
        announced_lapses=_announced_lapses(portfolio, whole, names, as_of),
        gap_days=gap,
        lag_days=settings.time.registration_lag_days,
        **found,
    )


def _until_worked_on(relation: pl.DataFrame, recorded: pl.DataFrame | None) -> pl.DataFrame:
    """Return the ends of relations as far as nobody of the office worked on the customer between T
    and then.
    """
    if recorded is None or recorded["date"].null_count() == recorded.height:
        return relation
    talks = recorded.select("customer", talk=pl.col("date").to_physical()).drop_nulls()
    first = (
        relation.select(*KEY, "day")
        .join(talks, on="customer")
        .filter(pl.col("talk") > pl.col("day"))
        .group_by(KEY)
        .agg(pl.col("talk").min())
    )
    met = pl.col("talk").is_not_null() & ~(pl.col("end_date") < pl.col("talk")).fill_null(
        value=False
    )
    return (
        relation.join(first, on=KEY, how="left", maintain_order="left")
        .with_columns(
            end_date=pl.when(~met).then("end_date"),
            cause=pl.when(~met).then("cause"),
            censored_on=pl.when(met)
            .then(pl.min_horizontal("censored_on", "talk"))
            .otherwise("censored_on"),
        )
        .drop("talk")
    )


def _rows_and_facts(
    portfolio: Portfolio, matrix: Matrix, dates: pl.DataFrame, settings: Settings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The rows of the matrix with their days; the policies with their lapses, the same as known at
    X, and the purchases among them.
    """
    gap, as_of = settings.time.gap_days, to_day(portfolio.as_of)
    branches = portfolio_branches(portfolio, settings)
    facts = with_insurer_codes(policy_facts(portfolio, list(branches), gap))
    rows = matrix.rows.join(
        dates.select("as_of", "t", "day", *_AHEAD), on="as_of", how="left", maintain_order="left"
    )
    return rows, *with_lines(facts, as_of)


def with_lines(facts: pl.DataFrame, as_of: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the policies with their lapses, the same as known at X, and the purchases among
    them.
    """
    whole = facts.join(lines(facts), on="policy", how="left", maintain_order="left")
    seen = [
        pl.when(pl.col(name) <= as_of).then(name).alias(name) for name in ("lapse", "lapse_unpaid")
    ]
    facts = whole.with_columns(seen)
    return whole, facts, facts.filter(pl.col("taken") & (pl.col("start") <= as_of))


def _delivered(relation: pl.DataFrame) -> pl.DataFrame:
    return relation.select("as_of", "customer", _date("end_date"), _cause(), _date("censored_on"))


def _nameless(portfolio: Portfolio) -> Portfolio:
    """Return what labels are made of, without relation numbers, pseudonyms and what was said of the
    files.
    """
    return replace(
        portfolio,
        customers=portfolio.customers.drop("relation", "pseudonym"),
        relations=None,
        rejects=portfolio.rejects.clear(),
        findings=(),
        sources=(),
    )


def _relation(ends: pl.DataFrame, as_of: int) -> pl.DataFrame:
    """Per row the end of the relation that T falls in, if it was recorded by X."""
    ended, lost = pl.col("end") <= as_of, pl.col("cause") != TECHNICAL
    return ends.with_columns(
        end_date=pl.when(ended & lost).then(pl.col("end")),
        censored_on=pl.when(ended & ~lost).then(pl.col("end")),
        cause=pl.when(ended & lost).then(pl.col("cause")),
    )


def _counts(
    rows: pl.DataFrame, relation: pl.DataFrame, facts: pl.DataFrame, purchases: pl.DataFrame
) -> pl.DataFrame:
    """First lapse, first one for non-payment, lapses within 1 to 12 months and first purchase per
    row.
    """
    held = _in_force(
        rows, facts.lazy().select("customer", "start", "end", "last", "lapse", "lapse_unpaid")
    )
    lost = (
        held.filter(pl.col("lapse").is_not_null())
        .unique([*KEY, "last"])
        .group_by(KEY)
        .agg(
            first_lapse=pl.col("lapse").min(),
            first_nonpayment=pl.col("lapse_unpaid").min(),
            **{
                f"lapses_{months}m": (pl.col("lapse") <= pl.col(f"ahead_{months}")).sum()
                for months in AHEAD
            },
        )
    )
    whole = relation.select(*KEY, "end_date", *_AHEAD)

    def lapses(months: int) -> pl.Expr:
        """Return the lapses of who keeps something, at least one of who left."""
        left = (
            (pl.col("end_date") <= pl.col(f"ahead_{months}")).fill_null(value=False).cast(pl.UInt32)
        )
        return pl.max_horizontal(pl.col(f"lapses_{months}m").fill_null(0), left).cast(pl.Float32)

    return (
        rows.lazy()
        .select("as_of", *KEY)
        .join(whole.lazy(), on=KEY, how="left", maintain_order="left")
        .join(lost, on=KEY, how="left", maintain_order="left")
        .join(_first_purchase(rows, facts, purchases), on=KEY, how="left", maintain_order="left")
        .with_columns(
            first_lapse=pl.min_horizontal("first_lapse", "end_date"),
            **{f"lapses_{months}m": lapses(months) for months in AHEAD},
        )
        .select(
            "as_of",
            "customer",
            _date("first_lapse"),
            "lapses_12m",
            _date("first_purchase"),
            _date("first_nonpayment"),
            *(f"lapses_{months}m" for months in AHEAD[:-1]),
        )
        .collect()
    )


def _first_purchase(
    rows: pl.DataFrame, facts: pl.DataFrame, purchases: pl.DataFrame
) -> pl.LazyFrame:
    """The first purchase after T in a branch that was not held at T."""
    later = (
        rows.lazy()
        .join(purchases.lazy().select("customer", "branch", "start"), on="customer")
        .filter(pl.col("start") > pl.col("day"))
    )
    held = _in_force(rows, facts.lazy().select("customer", "start", "end", "branch"))
    return (
        later.join(held, on=[*KEY, "branch"], how="anti")
        .group_by(KEY)
        .agg(first_purchase=pl.col("start").min())
    )


def _in_force(rows: pl.DataFrame, policies: pl.LazyFrame) -> pl.LazyFrame:
    """Policies in force at T of the rows' customers."""
    return (
        rows.lazy()
        .select(*KEY, "day", *_AHEAD)
        .join(policies, on="customer")
        .filter(
            (pl.col("start") <= pl.col("day"))
            & (pl.col("end").is_null() | (pl.col("end") > pl.col("day")))
        )
    )


def _announced(now: pl.DataFrame) -> pl.DataFrame:
    """Relations at X of which the end is known; in a replay of an earlier X nothing is
    announced.
    """
    ends = now.filter((pl.col("end") < FOREVER) & (pl.col("cause") != TECHNICAL))
    return ends.select("customer", _date("end").alias("end_date"), _cause()).sort("customer")


def _announced_lapses(
    portfolio: Portfolio, facts: pl.DataFrame, branches: list[str], as_of: int
) -> pl.DataFrame:
    """Policies in force at X whose lapse is known, once per line."""
    known = (pl.col("start") <= as_of) & (pl.col("end") > as_of) & (pl.col("lapse") > as_of)
    name = pl.col("branch").replace_strict(range(len(branches)), branches, return_dtype=pl.String)
    return (
        facts.filter(known & (not portfolio.replay))
        .unique("last", keep="first", maintain_order=True)
        .select(
            "customer",
            name,
            _date("lapse").alias("end_date"),
            nonpayment=pl.col("lapse_unpaid").is_not_null(),
        )
        .sort("customer", "branch", "end_date")
    )


def _date(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Date)


def _cause() -> pl.Expr:
    return pl.col("cause").replace_strict(range(len(CAUSES)), CAUSES, return_dtype=pl.String)
