"""Whether a column of today's values knows who has ended: its relation with survival, value by
value and over time.

Everything is compared within strata of policies of one branch that started in one year, so that a
new product or an adviser who came last year is no trace. There are three kinds of traces:

- a value that nearly all ended and hardly any running policies carry, or the reverse, as no honest
  difference in lapse rate would leave it;
- a relation that is stronger the nearer T lies to the day of the export. A value that is written
  over at the end parts those who are still there on that day from all others, whenever they left:
  at an old T it cannot tell who of them goes first. What was so from the start ranks as well at
  every T;
- a relation too strong to be honest at the latest T.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Trace = Literal["ended", "running", "fades", "too_good"]

ALPHA = 0.005
"""Chance of the strongest honest difference to be taken for a trace, all values together; others
are far from it.
"""
HIGH, LOW, NONE = 4.0, 3.0, 2.0
"""So many times the lapse rate of its strata, or such a part of it, is honest at most; `NONE` where
not one is left (or lapsed).
"""
HARDLY = 0.1
"""A value is hardly carried by running policies with so much of the share that its strata would
have.
"""
COVER_ENDED, COVER_RUNNING = 0.02, 0.03
"""Values that so few ended (running) policies carry cannot lift a rank: the column stays."""
FEWEST = 5
LEFT_LATE, AT_RISK_LATE = 0.75, 3
"""So many of those who still had the value at the latest T have left since: with a value of the
ended all have.
"""
EXODUS_EVENTS, EXODUS = 5.0, (1 / 3, 1.5)
"""Where the years before the last knew so many expected ends and a usual rate, all left in the
last: an exodus.
"""
TOO_GOOD, TOO_GOOD_EVENTS = 0.85, 10
FADES_Z, FADES_SHARE, FADES_AUC = 3.3, 0.5, 0.03
SMOOTH = 10.0


@dataclass(frozen=True)
class Found:
    """A trace: its kind, the value that shows it (None: no single one), and the AUC of the column
    alone if known.
    """

    trace: Trace
    value: int | None = None
    auc: float | None = None


@dataclass(frozen=True)
class FollowedPolicies:
    """Policies and how they went on, worked out once for all columns that are tested on them.

    known
        Those that run on the day of the export or lapsed: ``place`` among the policies, customer,
        stratum, runs bool, share (of the stratum that runs).
    seen
        `windows`, with the ``place`` of each.
    """

    known: pl.DataFrame
    seen: pl.DataFrame

    @classmethod
    def over(cls, days: Sequence[int], rows: pl.DataFrame) -> FollowedPolicies:
        """Follow policies over days.

        Parameters
        ----------
        days
            As-of days, descending; the first is the day of the export, the others open the windows.
        rows
            policy rows: customer, stratum, start, end i32 (null: open), lost bool (the end is a
            lapse).
        """
        table = rows.select(
            "customer", "stratum", "start", "end", "lost", place=pl.int_range(pl.len())
        )
        runs = pl.col("end").is_null() | (pl.col("end") > days[0])
        known = table.filter(runs | pl.col("lost")).select(
            "place", "customer", "stratum", runs=runs, share=runs.mean().over("stratum")
        )
        return cls(known, windows(table, days))


def trace_of(followed: FollowedPolicies, codes: pl.Series) -> Found | None:
    """Return the trace of the outcome in one column, None without.

    Parameters
    ----------
    codes
        The value per policy as a code; null is a value too.
    """
    code = codes.cast(pl.Int64).fill_null(-1)
    if code.n_unique() < 2:
        return None
    known, seen = (
        table.with_columns(code=code.gather(table["place"]))
        for table in (followed.known, followed.seen)
    )
    counted = _by_value(known, seen)
    if counted.is_empty():  # nothing runs, and what ended is no lapse
        return None
    left_together = [row["code"] for row in counted.iter_rows(named=True) if _is_exodus(row)]
    others = seen.filter(~pl.col("code").is_in(left_together))
    return _ended_only(counted) or _running_only(counted) or _over_time(known, others)


def windows(table: pl.DataFrame, days: Sequence[int]) -> pl.DataFrame:
    """Return the policies in force on each day but the first, and whether they lapsed by the day
    after it in time.

    Adds window u8 (1 is the latest), left bool, gone bool (not in force on the first day), expected
    (the share of the stratum that left). What ended in the window and is no lapse cannot be
    followed and is left out."""
    parts = []
    for window, (until, day) in enumerate(pairwise(days), start=1):
        ended = (pl.col("end") <= until).fill_null(value=False)
        held = table.filter(
            pl.col("start") <= day,
            pl.col("end").is_null() | (pl.col("end") > day),
            ~ended | pl.col("lost"),
        )
        parts.append(
            held.with_columns(
                window=pl.lit(window, pl.UInt8),
                left=ended,
                gone=(pl.col("end") <= days[0]).fill_null(value=False),
            )
        )
    if not parts:
        return table.head(0).with_columns(
            window=pl.lit(0, pl.UInt8),
            left=pl.lit(value=False),
            gone=pl.lit(value=False),
            expected=pl.lit(0.0),
        )
    return pl.concat(parts).with_columns(expected=pl.col("left").mean().over("window", "stratum"))


def _by_value(known: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Per value: how many run and would run, how many ended, and lapses against those of the
    strata, early and late.
    """
    static = known.group_by("code").agg(
        policies=pl.len(),
        customers=pl.col("customer").n_unique(),
        running=pl.col("runs").sum(),
        ended=(~pl.col("runs")).sum(),
        usual=pl.col("share").sum(),
        usual_high=(pl.col("share") ** HIGH).sum(),
        usual_none=(pl.col("share") ** NONE).sum(),
    )
    early, late = pl.col("window") > 1, pl.col("window") == 1
    dated = seen.group_by("code").agg(
        held_late=late.sum(),
        lapses_late=(pl.col("left") & late).sum(),
        lapses=pl.col("left").sum(),
        due=pl.col("expected").sum(),
        lapses_early=(pl.col("left") & early).sum(),
        due_early=pl.col("expected").filter(early).sum(),
    )
    return static.join(dated, on="code", how="left").fill_null(0).sort("code")


def _ended_only(counted: pl.DataFrame) -> Found | None:
    """A value of ended policies: of those with it hardly any runs, though of their strata many
    do.
    """
    alpha = ALPHA / counted.height
    found: list[tuple[int, int]] = []
    for row in counted.iter_rows(named=True):
        each = (
            row["customers"] / row["policies"]
        )  # policies of one customer end together: they count as one
        usual = row["usual_none"] if not row["running"] else row["usual_high"]
        few = row["running"] <= HARDLY * row["usual"] and row["ended"] * each >= FEWEST
        stays = (
            row["held_late"] >= AT_RISK_LATE and row["lapses_late"] < LEFT_LATE * row["held_late"]
        )
        if (
            few
            and not stays
            and not _is_exodus(row)
            and poisson_at_most(row["running"] * each, usual * each) < alpha
        ):
            found.append((row["ended"], row["code"]))
    if sum(ended for ended, _ in found) < COVER_ENDED * int(counted["ended"].sum()) or not found:
        return None
    return Found("ended", max(found, key=lambda each: (each[0], -each[1]))[1])


def _is_exodus(row: dict[str, Any]) -> bool:
    """Whether those with a value lapsed as others in the years before the last, and nearly all have
    left in the last.

    A value of the ended would have been that of leavers in the years before too.
    """
    due = row["due_early"] * row["customers"] / row["policies"]
    usual = (
        due >= EXODUS_EVENTS and EXODUS[0] <= row["lapses_early"] / row["due_early"] <= EXODUS[1]
    )
    return bool(usual and row["lapses_late"] >= LEFT_LATE * row["held_late"])


def _running_only(counted: pl.DataFrame) -> Found | None:
    """A value of running policies: those with it hardly ever lapsed, though many were due to."""
    alpha = ALPHA / counted.height
    found: list[tuple[int, int]] = []
    for row in counted.iter_rows(named=True):
        each = row["customers"] / row["policies"]
        least = LOW if row["lapses"] else NONE
        if (
            row["due"] > 0
            and poisson_at_most(row["lapses"] * each, row["due"] * each / least) < alpha
        ):
            found.append((row["running"], row["code"]))
    if (
        sum(running for running, _ in found) < COVER_RUNNING * int(counted["running"].sum())
        or not found
    ):
        return None
    return Found("running", max(found, key=lambda each: (each[0], -each[1]))[1])


def poisson_at_most(count: float, mean: float) -> float:
    """Return the chance of at most `count` events where `mean` are expected."""
    if mean <= 0:
        return 1.0
    number = np.arange(int(count + 1e-9) + 1, dtype=np.float64)
    logs = number * math.log(mean) - mean - np.cumsum(np.log(np.maximum(number, 1)))
    most = float(logs.max())
    return min(math.exp(most) * float(np.exp(logs - most).sum()), 1.0)


def _over_time(known: pl.DataFrame, seen: pl.DataFrame) -> Found | None:
    """A relation that fades with the distance from the export's day, or is too strong at the latest
    T.
    """
    if seen.is_empty():
        return None
    scored = _centred(seen, _scores(known))
    score, left = scored["score"].to_numpy(), scored["left"].to_numpy()
    window, customer = scored["window"].to_numpy(), scored["customer"].to_numpy()
    residual = (left - scored["expected"].to_numpy()) * score
    effects, errors, faded = [], [], []
    for each in np.unique(window):
        at = window == each
        events = int(left[at].sum())
        if events < TOO_GOOD_EVENTS or events == at.sum():
            continue
        effects.append(residual[at].sum() / events)
        errors.append(math.sqrt(float((_sums(residual[at], customer[at]) ** 2).sum())) / events)
        stayed = at & ~left
        faded.append(float(scored["gone"].to_numpy()[stayed].mean()))
        if each == 1 and (auc := rank_auc(left[at], score[at])) >= TOO_GOOD:
            return Found("too_good", auc=auc)
    first = window == 1
    auc = (
        rank_auc(left[first], score[first]) if left[first].any() and not left[first].all() else 0.5
    )
    if auc - 0.5 >= FADES_AUC and _fades(np.array(effects), np.array(errors), np.array(faded)):
        return Found("fades", auc=auc)
    return None


def _fades(
    effects: NDArray[np.float64], errors: NDArray[np.float64], faded: NDArray[np.float64]
) -> bool:
    """Return whether effects fall with the share of those who stayed that left later, as
    overwritten values would.
    """
    if len(effects) < 3 or not (errors > 0).all() or np.ptp(faded) < 0.05:
        return False
    weight = errors**-2
    middle = (weight @ faded) / weight.sum()
    spread = float(weight @ (faded - middle) ** 2)
    slope = float(weight @ ((faded - middle) * effects)) / spread
    fresh = float((weight @ effects) / weight.sum() - slope * middle)
    return fresh > 0 and slope < -FADES_SHARE * fresh and slope < -FADES_Z * spread**-0.5


def _scores(known: pl.DataFrame) -> pl.DataFrame:
    """Per half of the customers and value: the log-odds to have ended, as the other half shows
    them.
    """
    counts = known.group_by("code", half=pl.col("customer") % 2).agg(
        ended=(~pl.col("runs")).sum(), running=pl.col("runs").sum()
    )
    every = counts["code"].unique().sort()
    parts = []
    for half in (0, 1):
        other = pl.DataFrame({"code": every}).join(
            counts.filter(pl.col("half") != half).drop("half"),
            on="code",
            how="left",
            maintain_order="left",
        )
        other = other.fill_null(0)
        size = (pl.col("ended") + pl.col("running")) / max(
            int(other["ended"].sum()) + int(other["running"].sum()), 1
        )
        ended, running = (
            (pl.col(name) + SMOOTH * size) / (max(int(other[name].sum()), 1) + SMOOTH)
            for name in ("ended", "running")
        )
        score = pl.when(size > 0).then((ended / running).log()).otherwise(0.0)
        parts.append(other.select("code", half=pl.lit(half, pl.UInt32), score=score))
    return pl.concat(parts)


def _centred(seen: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Give each policy in a window its score, less the mean of its stratum."""
    halves = seen.with_columns(half=(pl.col("customer") % 2).cast(pl.UInt32))
    joined = halves.join(scores, on=["half", "code"], how="left", maintain_order="left")
    filled = joined.with_columns(pl.col("score").fill_null(0.0))
    return filled.with_columns(
        score=pl.col("score") - pl.col("score").mean().over("window", "stratum")
    )


def _sums(values: NDArray[np.float64], cluster: NDArray[np.uint32]) -> NDArray[np.float64]:
    _, position = np.unique(cluster, return_inverse=True)
    return np.bincount(position, weights=values).astype(np.float64)


def rank_auc(happened: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the one to whom it happened has the higher score; ties
    count for half.
    """
    _, position, size = np.unique(np.round(score, 9), return_inverse=True, return_counts=True)
    upto = np.cumsum(size)
    ranks = (upto - (size - 1) / 2)[position]
    events = int(happened.sum())
    others = len(happened) - events
    return float((ranks[happened].sum() - events * (events + 1) / 2) / (events * others))
