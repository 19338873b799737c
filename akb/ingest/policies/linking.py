"""Policies that continue other policies, and days on which a whole book was moved: no lapses, no
purchases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes


SWITCH = "overstap"
INTERMEDIARY = "overgang_tussenpersoon"


def link(policies: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Find the policy that continues each ended one.

    Same customer and branch, starting at most `gap_days` before or after the end; nearest first (on
    equal distance the later start), one successor per predecessor and one predecessor per
    successor. A policy that lived no longer than `gap_days` is only continued by one that starts on
    or after its end, so that none continues itself.

    Parameters
    ----------
    policies
        With ``customer``, ``branch``, ``start_date``, ``end_date``, in their final order.
    gap_days
        G of docs/architecture.md.

    Returns
    -------
    The same with ``replaced_on`` Date? and ``replaces`` bool.
    """
    rows = policies.with_row_index("row")
    several = rows.filter(pl.len().over("customer", "branch") > 1)
    ended = several.filter(pl.col("end_date").is_not_null()).select(
        "row",
        "customer",
        "branch",
        day="end_date",
        short=(pl.col("end_date") - pl.col("start_date")).dt.total_days() <= gap_days,
    )
    started = several.select("row", "customer", "branch", day="start_date")
    ended = _near_a_start(ended, started, gap_days)
    started = started.join(ended, on=["customer", "branch"], how="semi")
    links = []
    reach = _in_reach(ended, started, gap_days)
    for distance in [0, *(sign * step for step in range(1, gap_days + 1) for sign in (1, -1))]:
        days = reach.get((distance,))
        if days is None:
            continue
        wanted = ended if distance >= 0 else ended.filter(~pl.col("short"))
        ends = _numbered(wanted.join(days, on=_LINKED))
        starts = _numbered(started.join(days, left_on=_LINKED, right_on=_NEXT, how="semi"))
        pairs = ends.join(starts, left_on=[*_NEXT, "place"], right_on=[*_LINKED, "place"])
        if pairs.height:
            links.append(pairs.select("row", row_next="row_right", day="next"))
            ended = ended.join(pairs.select("row"), on="row", how="anti")
            started = started.join(pairs.select(row="row_right"), on="row", how="anti")
    if not links:
        return policies.with_columns(
            replaced_on=pl.lit(None, dtype=pl.Date), replaces=pl.lit(value=False)
        )
    found = pl.concat(links)
    return (
        rows.join(
            found.select("row", replaced_on="day"), on="row", how="left", maintain_order="left"
        )
        .with_columns(replaces=pl.col("row").is_in(found["row_next"].implode()))
        .drop("row")
    )


def settle_switches(policies: pl.DataFrame) -> pl.DataFrame:
    """Make a switch technical where this office wrote the policy that continues it: it moved, the
    customer did not.
    """
    inside = pl.col("reason").is_in([SWITCH, INTERMEDIARY]) & pl.col("replaced_on").is_not_null()
    return policies.with_columns(cause=pl.when(inside).then(pl.lit("technical")).otherwise("cause"))


def _near_a_start(ended: pl.DataFrame, started: pl.DataFrame, gap_days: int) -> pl.DataFrame:
    """Return the ends with a start in reach; most have none, and the exact search is for the
    few.
    """
    reach = pl.when("short").then("day").otherwise(pl.col("day").dt.offset_by(f"-{gap_days}d"))
    return (
        ended.with_columns(reach=reach)
        .sort("reach", "row")
        .join_asof(
            started.select("customer", "branch", found="day").sort("found"),
            left_on="reach",
            right_on="found",
            by=["customer", "branch"],
            strategy="forward",
            check_sortedness=False,
        )
        .filter(pl.col("found") <= pl.col("day").dt.offset_by(f"{gap_days}d"))
        .select(ended.columns)
        .sort("row")
    )


_LINKED = ["customer", "branch", "day"]
_NEXT = ["customer", "branch", "next"]


def _in_reach(
    ended: pl.DataFrame, started: pl.DataFrame, gap_days: int
) -> dict[tuple[object, ...], pl.DataFrame]:
    """Return distance -> the days on which a customer's policies of a branch end, and the days so
    far off on which others start; most distances have few.
    """
    period = pl.col("day").to_physical() // (gap_days + 1)  # a day in reach is in it or beside it
    ends = ended.select(_LINKED).unique().with_columns(period=period)
    starts = started.select(_LINKED).unique().with_columns(period=period)
    beside = pl.concat(ends.with_columns(pl.col("period") + step) for step in (-1, 0, 1))
    pairs = beside.join(
        starts.rename({"day": "next"}), on=["customer", "branch", "period"]
    ).with_columns(distance=(pl.col("next") - pl.col("day")).dt.total_days())
    near = pairs.filter(pl.col("distance").abs() <= gap_days).drop("period")
    return near.partition_by("distance", as_dict=True, include_key=False)


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the rows of one customer, branch and day, so that the k-th end meets the k-th
    start.
    """
    return rows.sort("row").with_columns(
        place=pl.int_range(pl.len()).over("customer", "branch", "day")
    )


_LOOSE = pl.col("cause").is_in(["technical", "unknown"]) | pl.col("replaced_on").is_not_null()
_MOVED = (pl.col("cause") == "technical") | pl.col("replaced_on").is_not_null()


def mass_days(policies: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Return the policies that ended on a day on which a book was moved.

    Four rules, thresholds in ``[rules.mass]``; all ask for at least 30 ends of at least 20
    customers.

    - The whole office: 80 % of the day's ends are technical, unknown or continued, and they are 5 %
      or more of all policies in force (15 % on 1 January) and three times what the same day saw in
      other years.
    - One insurer: the same 80 %, and they are half of the insurer's policies or more.
    - Sold: ends by a change of intermediary, if they are 5 % or more (15 % on 1 January) of the
      policies in force of one office, one adviser or the whole book, and three times what the same
      day saw in other years.
    - Linked: the ends that are technical or continued, if there are five times as many as on a busy
      other day.

    Returns
    -------
    policy u32, day Date; sorted by policy.
    """
    ended = policies.filter(pl.col("end_date") <= clock.as_of).with_columns(
        loose=_LOOSE, day=pl.col("end_date")
    )
    days = [day for day, _ in _unusual(ended.select("customer", "day", "loose"), policies)]
    office = ended.filter(pl.col("day").is_in(days)) if days else ended.head(0)
    found = [
        office,
        _insurer_moves(ended, policies),
        _sold_books(ended, policies),
        _linked_moves(ended),
    ]
    return pl.concat([frame.select("policy", "day") for frame in found]).unique().sort("policy")


def _many(days: pl.DataFrame) -> pl.DataFrame:
    return days.filter(
        pl.col("ends") >= rule("mass", "minimum"), pl.col("customers") >= rule("mass", "customers")
    )


def _insurer_moves(ended: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Return the ends on days on which an insurer lost half of its policies or more for no told
    reason.
    """
    days = (
        ended.filter(pl.col("insurer").is_not_null())
        .group_by("day", "insurer")
        .agg(ends=pl.len(), customers=pl.col("customer").n_unique(), loose=pl.col("loose").mean())
    )
    days = (
        _many(days)
        .filter(pl.col("loose") >= rule("mass", "technical_share"))
        .sort("day", "insurer")
    )
    gone = []
    for (insurer,), found in days.group_by("insurer", maintain_order=True):
        own = policies.filter(pl.col("insurer") == insurer)
        begun, over = own["start_date"].sort(), own["end_date"].drop_nulls().sort()
        at = found[
            "day"
            # every policy starts before it ends, so these are the ones held at the end of the day
            # before
        ]
        held = begun.search_sorted(at, "left").cast(pl.Int64) - over.search_sorted(at, "left").cast(
            pl.Int64
        )
        moved = found.filter(found["ends"] >= rule("mass", "insurer_share") * held)
        gone.append(ended.join(moved.select("day", "insurer"), on=["day", "insurer"], how="semi"))
    return pl.concat(gone) if gone else ended.head(0)


def _sold_books(ended: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Return the ends by which a book, or that of one office or adviser, went to another
    intermediary in one day.
    """
    sold = ended.filter(pl.col("reason") == INTERMEDIARY)
    if sold.height < rule("mass", "minimum"):
        return ended.head(0)
    gone = [_sold(sold, policies)]
    for role in ("office", "adviser"):
        many = (
            sold[role]
            .value_counts()
            .filter(pl.col("count") >= rule("mass", "minimum"))[role]
            .drop_nulls()
            .sort()
        )
        gone += [
            _sold(sold.filter(pl.col(role) == name), policies.filter(pl.col(role) == name))
            for name in many
        ]
    return pl.concat(gone)


def _sold(ended: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    days = [
        day
        for day, _ in _unusual(ended.select("customer", "day", loose=pl.lit(value=True)), policies)
    ]
    return ended.filter(pl.col("day").is_in(days)) if days else ended.head(0)


def _linked_moves(ended: pl.DataFrame) -> pl.DataFrame:
    """Return the technical and continued ends of days with far more of them than a busy day has."""
    moved = ended.filter(_MOVED)
    days = moved.group_by("day").agg(ends=pl.len(), customers=pl.col("customer").n_unique())
    busy = days["ends"].quantile(0.95, "lower") or 0
    rival = days.filter(pl.col("ends") <= busy)["ends"].max() or 0
    chosen = _many(days).filter(pl.col("ends") >= rule("mass", "linked_factor") * pl.lit(rival))
    return moved.join(chosen.select("day"), on="day", how="semi")


def mass_starts(policies: pl.DataFrame, clock: Clock) -> list[tuple[date, int]]:
    """Return days on which a book seems to have been bought: the same rule for starts that continue
    nothing.
    """
    started = policies.filter(pl.col("start_date") <= clock.as_of, ~pl.col("replaces"))
    return _unusual(
        started.select("customer", day="start_date", loose=pl.lit(value=True)), policies
    )


def _unusual(moved: pl.DataFrame, policies: pl.DataFrame) -> list[tuple[date, int]]:
    """Return the days (with their count) on which an unusual share of the book moved; never the
    very first day.
    """
    days = (
        moved.group_by("day")
        .agg(count=pl.len(), customers=pl.col("customer").n_unique(), loose=pl.col("loose").mean())
        .sort("day")
        .with_columns(new_year=(pl.col("day").dt.month() == 1) & (pl.col("day").dt.day() == 1))
    )
    begun = policies["start_date"].sort()
    over = policies["end_date"].drop_nulls().sort()
    at = days["day"]
    in_force = begun.search_sorted(at, "left").cast(pl.Int64) - over.search_sorted(at, "left").cast(
        pl.Int64
    )
    share = (
        pl.when("new_year")
        .then(rule("mass", "new_year_share"))
        .otherwise(rule("mass", "in_force_share"))
    )
    calendar_day = pl.col("day").dt.strftime("%m-%d")
    # the most that this calendar day saw in another year
    top = pl.col("count").top_k(2).over(calendar_day, mapping_strategy="join")
    rival = (
        pl.when(pl.col("count") == top.list.get(0))
        .then(top.list.get(1, null_on_oob=True))
        .otherwise(top.list.get(0))
    )
    found = days.with_columns(in_force=in_force, rival=rival).filter(
        pl.col("count") >= rule("mass", "minimum"),
        pl.col("customers") >= rule("mass", "customers"),
        pl.col("loose") >= rule("mass", "technical_share"),
        pl.col("in_force") > 0,
        pl.col("count") >= share * pl.col("in_force"),
        pl.col("count") >= rule("mass", "same_day_factor") * pl.col("rival").fill_null(0),
    )
    return list(found.select("day", "count").iter_rows())


def without_mass_days(policies: pl.DataFrame, clock: Clock, notes: Notes) -> pl.DataFrame:
    """Make ends on mass days technical and report them, and report days of mass starts."""
    moved = mass_days(policies, clock)
    for day, ends in moved.group_by("day").len().sort("day").iter_rows():
        notes.find("AKB-D014", "issue", ends, ends / policies.height, day=day)
    for day, starts in mass_starts(policies, clock):
        notes.find("AKB-D015", "tip", starts, starts / policies.height, day=day)
    technical = pl.col("policy").is_in(moved["policy"].implode())
    return policies.with_columns(
        cause=pl.when(technical).then(pl.lit("technical")).otherwise(pl.col("cause"))
    )
