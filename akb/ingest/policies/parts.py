"""Packages: several policies under one number, and a row of the package itself that holds their
sum.

A back office may give every part of a package the package's number, with or without a number of the
part, and may list the package as a row of its own. Rows of one number are versions of one policy
(`versions`) only if nothing says that they are parts: parts go on beside each other, versions
follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.phrases import Phrase
from akb.ingest.cells.texts import rule
from akb.ingest.columns.notes import texts_of
from akb.ingest.policies.versions import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.core.findings import Severity
    from akb.ingest.columns.notes import Notes, Table

SUM = "package_sum"
PARTS = ["part", "bundle", "whole"]
"""Columns of the policy rows that this module reads and nobody needs after it."""

_FAR = pl.date(9999, 1, 1)
_UNTIL = pl.col("end_date").fill_null(_FAR)
_WHOLE = r"(?i)pakket|package|totaal|\btotal|bundel|bundle"
_ANY = pl.lit(value=True)
# columns that say what a repeated number is
_ORDERED = {"version", "version_date", "changed", "coverage", "header_day"}
_ID = r"^(?:.*\d){4}"  # a bundle's own number, not a code or a discount
_CENTS = 6  # of rounding, per row: instalments times their number


def separate_packages(rows: pl.DataFrame, tables: Sequence[Table], notes: Notes) -> pl.DataFrame:
    """Return the policy rows without the rows of packages, and the parts of packages under numbers
    of their own.

    Parameters
    ----------
    rows
        Typed policy rows: `versions.KEY`, file, line, start_date, end_date, product, premium_cents
        and `PARTS`: part str? (number of the part), bundle str? (number of the package), whole bool
        (called a package or a total).
    tables
        The policies tables, by ``file``.
    notes
        Receives the rejects, AKB-D123 (sums), AKB-D124 (parts) and AKB-D125 (rows that may be
        parts).
    """
    rows = _without_sums(rows, tables, notes)
    rows = _numbered_parts(rows, notes)
    plain = [place for place, table in enumerate(tables) if not _ORDERED & set(table.headings.at)]
    twins = _twins(rows).filter(pl.col("file").is_in(plain)) if plain else rows.head(0)
    if twins.height:
        rows = _unnumbered_parts(rows, twins, notes)
        _say_collapsed(_twins(rows).filter(pl.col("file").is_in(plain)), rows.height, notes)
    return rows.drop(PARTS)


def is_whole(cells: pl.DataFrame) -> pl.Series:
    """Say which rows are called a package, a bundle or a total by their branch or product."""
    named = [_says_whole(texts_of(cells, name)) for name in ("branch", "product")]
    return named[0] | named[1]


def _says_whole(texts: pl.Series) -> pl.Series:
    if texts.null_count() == texts.len():
        return pl.Series([False]).new_from_index(0, texts.len())
    return texts.cast(pl.String).str.contains(_WHOLE).fill_null(value=False)


def _twins(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of numbers that a customer has on several rows."""
    if rows.is_empty():
        return rows
    shared = rows.filter(pl.col("number").is_duplicated())  # few, and asked in a third of the time
    return shared.filter(pl.struct("key", "number").is_duplicated())


def _without_sums(rows: pl.DataFrame, tables: Sequence[Table], notes: Notes) -> pl.DataFrame:
    """Reject the rows with the sum of the premiums of their package, if nearly all packages have
    one.
    """
    heads = _heads(rows, notes)
    if heads.is_empty():
        return rows
    for place, table in enumerate(tables):
        mine = heads.filter(pl.col("file") == place)
        if mine.height:
            lines = mine.select("line").sort("line")
            notes.reject(
                table,
                lines.join(table.cells, on="line", how="left", maintain_order="left"),
                "policy",
                SUM,
            )
            premium = int(mine["premium_cents"].sum()) // 100
            notes.find(
                "AKB-D123",
                "tip",
                mine.height,
                mine.height / rows.height,
                file=table.raw.name,
                premium=premium,
            )
    return rows.join(
        heads.select("file", "line"), on=["file", "line"], how="anti", maintain_order="left"
    )


def _heads(rows: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Return the rows of packages: by the number of the package, the policy's own number, or what
    they are called.
    """
    bundled = rows.filter(pl.col("bundle").str.contains(_ID)).select("key", "bundle").unique()
    called = rows["whole"].any()
    if bundled.is_empty() and not called and _twins(rows).is_empty():
        return rows.head(0)
    mine = rows.select(
        "file",
        "line",
        "key",
        "number",
        "branch",
        "premium_cents",
        "end_date",
        "insurer",
        "whole",
        "bundle",
    )
    ways: list[
        tuple[pl.DataFrame, pl.Expr, pl.Expr]
    ] = []  # rows with their package, which may be the whole, which is
    if bundled.height:  # the package's own row may have its number as a policy number
        named = bundled.select("key", number="bundle", package="bundle")
        packed = mine.join(named, on=["key", "number"], how="left").with_columns(
            pl.coalesce("package", "bundle")
        )
        ways.append(
            (
                packed.drop_nulls("package"),
                _ANY,
                pl.col("whole") | (pl.col("number") == pl.col("package")),
            )
        )
    ways.append((_twins(mine).with_columns(package="number"), _ANY, pl.col("whole")))
    if called:
        owners = mine.filter("whole").select("key", "insurer").unique()
        same = mine.join(owners, on=["key", "insurer"], how="semi", nulls_equal=True)
        ways.append(
            (
                same.with_columns(package=pl.col("insurer").fill_null("")),
                pl.col("whole"),
                pl.col("whole"),
            )
        )
    for packages, may_be, is_whole in ways:
        heads = _sums(packages, may_be)
        if heads.height:
            return heads
        heads, doubtful = _discounted(packages, is_whole)
        if heads.height:
            return heads
        if doubtful.height:
            premium = int(doubtful["premium_cents"].sum()) // 100
            notes.find(
                "AKB-D127", "issue", doubtful.height, doubtful.height / rows.height, premium=premium
            )
            break
    return mine.head(0)


_PACKAGE = ["file", "key", "package"]


def _sums(rows: pl.DataFrame, only: pl.Expr) -> pl.DataFrame:
    """Return the rows that hold the sum of the others of their ``package``, if most packages of
    three have one.
    """
    premium, live = (
        pl.col("premium_cents"),
        pl.col("premium_cents").filter(pl.col("end_date").is_null()),
    )
    sums = ((premium.sum(), pl.len()), (live.sum(), live.count()))
    off = [
        (total.over(_PACKAGE) - 2 * premium).abs() <= _CENTS * count.over(_PACKAGE)
        for total, count in sums
    ]
    priced = rows.filter(premium.fill_null(0) > 0).with_columns(rows=pl.len().over(_PACKAGE))
    several = priced.filter(pl.col("rows") > 2, only.any().over(_PACKAGE))
    several = several.with_columns(head=only & pl.any_horizontal(off))
    packages = several.select(_PACKAGE).unique().height
    whole = several.filter("head")
    held = whole.select(_PACKAGE).unique().height
    if held < rule("packages", "least") or held < rule("packages", "share") * packages:
        return rows.head(0)
    # of a package of one the part and the whole cost the same: the branch tells which is the whole
    branches = whole["branch"].unique()
    alone = priced.filter((pl.col("rows") == 2) & (premium.n_unique() == 1).over(_PACKAGE), only)
    alone = alone.filter(pl.col("branch").is_in(branches.implode())).filter(
        (pl.len() == 1).over(_PACKAGE)
    )
    both = pl.concat([whole.select(rows.columns), alone.select(rows.columns)])
    return both.unique(_PACKAGE, keep="first", maintain_order=True)


def _discounted(rows: pl.DataFrame, is_whole: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that are called the package and cost the same part of their parts' sum, as
    after a discount.

    And those that cost about as much as their parts, if most do, but not the same part of it: they
    may be sums."""
    live = pl.col("premium_cents").filter(pl.col("end_date").is_null())
    priced = rows.filter(pl.col("premium_cents").fill_null(0) > 0).with_columns(
        others=live.sum().over(_PACKAGE) - pl.col("premium_cents"),
        parts=live.count().over(_PACKAGE) - 1,
    )
    heads = priced.filter(is_whole, pl.col("end_date").is_null(), pl.col("others") > 0)
    heads = heads.filter((pl.len() == 1).over(_PACKAGE)).with_columns(
        part=pl.col("premium_cents") / pl.col("others")
    )
    several = heads.filter(pl.col("parts") > 1)
    if several.height < rule("packages", "least"):
        return rows.head(0), rows.head(0)
    usual = several["part"].sort()[several.height // 2]
    alike = several.filter(
        (pl.col("part") / usual - 1).abs() <= rule("packages", "discount_near")
    ).height
    near = several.filter(
        pl.col("part").is_between(rule("packages", "cheapest"), rule("packages", "dearest"))
    )
    if usual == _within(usual) and alike >= rule("packages", "share") * several.height:
        same = heads.filter((pl.col("part") / usual - 1).abs() <= rule("packages", "discount_near"))
        return same.select(rows.columns), rows.head(0)
    doubtful = near.height >= rule("packages", "doubtful_share") * several.height
    return rows.head(0), near if doubtful else near.head(0)


def _within(part: float) -> float:
    return min(max(part, rule("packages", "cheapest")), rule("packages", "dearest"))


def _numbered_parts(rows: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Give parts that have a number their own policy number, where parts go on beside each
    other.
    """
    groups = (
        rows.filter(pl.col("part").is_not_null())
        .sort("file", "key", "number", "part", "start_date", "end_date", nulls_last=True)
        .with_columns(several=(pl.col("part").n_unique() > 1).over("file", "key", "number"))
        .filter("several")
        .with_columns(
            before=pl.col("start_date").shift(1).over("file", "key", "number"),
            until_before=_UNTIL.shift(1).over("file", "key", "number"),
            part_before=pl.col("part").shift(1).over("file", "key", "number"),
        )
        .filter(pl.col("part_before") != pl.col("part"))
    )
    beside = groups.filter(
        (pl.col("start_date") <= pl.col("before")) | (pl.col("until_before") > _UNTIL)
    ).height
    after = groups.filter(
        pl.col("start_date") > pl.col("before"), pl.col("until_before") < _FAR, _follows()
    ).height
    if not beside or beside <= after:
        return rows
    key = (
        pl.when(pl.col("part").is_not_null())
        .then(pl.col("number") + "/" + pl.col("part"))
        .otherwise("number")
    )
    # parts of one branch with the same days may as well be the coverages of one policy
    alike = groups.filter(
        (pl.struct("branch", "start_date", "end_date").n_unique() == 1).over(
            "file", "key", "number"
        )
    )
    severity: Severity = "issue" if 2 * alike.height > groups.height else "tip"
    notes.find(
        "AKB-D124",
        severity,
        groups.height,
        groups.height / rows.height,
        how=Phrase("columns.parts.number"),
    )
    return rows.with_columns(number=key)


def _follows() -> pl.Expr:
    """Whether a row begins where the one before it ends."""
    return (pl.col("start_date") - pl.col("until_before")).dt.total_days().abs() <= 1


def _unnumbered_parts(rows: pl.DataFrame, twins: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Tell rows of one number apart that cannot be versions of each other, where no column tells
    versions.

    Rows of different branches under most repeated numbers make these numbers of packages: then rows
    that overlap are parts. Else rows are that begin and end together and differ in product or
    premium."""
    by = ["file", *KEY]
    groups = twins.group_by("file", "key", "number").agg(branches=pl.col("branch").n_unique())
    packages = groups.filter(pl.col("branches") > 1).height
    most = packages >= rule("packages", "branches_share") * groups.height
    together = (pl.col("start_date").n_unique() == 1) & (_UNTIL.n_unique() == 1)
    differ = pl.any_horizontal(pl.col("start_date", "premium_cents", "product").n_unique() > 1)
    several = twins.filter((pl.len() > 1).over(by), differ.over(by))
    if most and packages >= rule("packages", "least"):
        overlapping = several.filter(_overlaps().over(by))
        # a chain of renewals is one policy; where rows go on beside each other one that follows is
        # a part too
        enough = overlapping.height >= rule("packages", "beside_share") * several.height
        parts = several if enough else overlapping
    else:
        parts = several.filter(together.over(by))
    if parts.is_empty():
        return rows
    order = ["start_date", "end_date", "product", "premium_cents", "commission_cents"]
    place = pl.struct(order).rank("dense").over(by).cast(pl.String)
    own = parts.select("file", "line", own=pl.col("number") + "/" + place)
    notes.find(
        "AKB-D124",
        "tip",
        parts.height,
        parts.height / rows.height,
        how=Phrase("columns.parts.rows"),
    )
    joined = rows.join(own, on=["file", "line"], how="left", maintain_order="left")
    return joined.with_columns(number=pl.coalesce("own", "number")).drop("own")


def _overlaps() -> pl.Expr:
    """Whether any two rows of a group overlap for more than a day."""
    until = _UNTIL.sort_by("start_date", _UNTIL).cum_max().shift(1)
    return (pl.col("start_date").sort_by("start_date", _UNTIL) < until).any()


def _say_collapsed(twins: pl.DataFrame, every: int, notes: Notes) -> None:
    """Report rows of one number that run beside each other and count as one policy, with the
    premium that goes.
    """
    running = twins.filter(pl.col("end_date").is_null())
    groups = (
        running.group_by("file", *KEY)
        .agg(
            rows=pl.struct("start_date", "premium_cents", "product").n_unique(),
            premium=pl.col("premium_cents").unique().sum() - pl.col("premium_cents").max(),
        )
        .filter(pl.col("rows") > 1)
    )
    lost = int((groups["rows"] - 1).sum())
    if lost >= max(rule("packages", "lost_least"), rule("packages", "lost_share") * every):
        premium = int(groups["premium"].sum() or 0) // 100
        notes.find("AKB-D125", "issue", lost, lost / every, policies=groups.height, premium=premium)
