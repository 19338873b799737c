"""What the read portfolio itself tells: completeness, history, money, reasons, announcements."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.core.privacy.identifiers import shared
from akb.core.relations import covers, in_force
from akb.core.wording.phrases import Listed, Phrase
from akb.ingest.as_of.snapshots import day_in_name
from akb.ingest.cells.texts import known, rule
from akb.ingest.cells.words import LISTED, OWN
from akb.ingest.checks.doubted_day import find_doubts
from akb.ingest.columns.notes import label
from akb.ingest.policies.linking import INTERMEDIARY
from akb.ingest.policies.own_branches import branch_texts, names_of
from akb.ingest.repairs.numbers import DAMAGED, STAND_IN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table
    from akb.ingest.types import History, RowCount

# canonical column -> (table, column of the portfolio) whose completeness is looked at
_LOOKED_AT = {
    "branch": ("policies", "branch"),
    "insurer": ("policies", "insurer"),
    "premium": ("policies", "premium_cents"),
    "term": ("policies", "payment_months"),
    "collection": ("policies", "collection"),
    "renewal": ("policies", "renewal_date"),
    "adviser": ("customers", "adviser"),
    "office": ("customers", "office"),
    "birth_year": ("customers", "birth_year"),
    "postcode": ("customers", "postcode4"),
}
_STAND_INS = {
    "branch": ("branch", "branch_code"),
    "premium": ("premium", "premium_gross", "premium_term", "premium_term_gross"),
    "commission": ("commission", "commission_term", "commission_rate"),
    "birth_year": ("birth_year", "birth_date"),
    "mailing": ("mailing", "no_marketing"),
}
_WANTED = (
    "insurer",
    "premium",
    "commission",
    "term",
    "renewal",
    "adviser",
    "office",
    "kind",
    "birth_year",
    "postcode",
    "mailing",
)
_SILENT = {
    "after_as_of",
    DAMAGED,
    STAND_IN,
}  # rows after X may tell nothing; the others have findings of their own
_AMOUNTS = ("premium", "commission")
_UNREADABLE = 0.02  # of the policies whose amount cannot be read
_OWN_CODES = {
    "duplicate": ("AKB-D002", "issue"),
    "bad_date": ("AKB-D007", "issue"),
    "ended_before_started": ("AKB-D008", "issue"),
    "version": ("AKB-D025", "tip"),
    "unknown_customer": ("AKB-D031", "tip"),
    "in_future": ("AKB-D032", "issue"),
    "unknown_policy": ("AKB-D062", "tip"),
    "ragged": ("AKB-D030", "issue"),
    "ended_no_date": ("AKB-D034", "issue"),
}
_NO_POLICY = ("offer", "never_started")


def present(
    tables: Sequence[Table], column: str, roles: tuple[str, ...] = ("policies", "customers")
) -> bool:
    """Say whether a file has a column, or one that stands in for it."""
    names = _STAND_INS.get(column, (column,))
    return any(
        name in table.headings.at
        for table in tables
        if table.headings.role in roles
        for name in names
    )


def find_rejected(notes: Notes, read: RowCount) -> None:
    """Report rejected rows by reason, and all of them together; rows after X are not told of."""
    rejects = notes.all_rejects().filter(~pl.col("reason").is_in(list(_SILENT)))
    counts = dict(rejects.group_by("reason").len().iter_rows())
    total = max(read.used + rejects.height, 1)
    for reason, (code, severity) in _OWN_CODES.items():
        if counts.get(reason):
            notes.find(code, severity, counts[reason], counts[reason] / total)  # type: ignore[arg-type]
    nothing = sum(counts.get(reason, 0) for reason in _NO_POLICY)
    if nothing:
        notes.find("AKB-D033", "tip", nothing, nothing / total)
    without = sum(
        counts.get(reason, 0) for reason in ("no_customer", "no_policy", "no_start", "no_date")
    )
    if without:
        notes.find("AKB-D020", "issue", without, without / total)


def find_completeness(
    tables: Sequence[Table],
    policies: pl.DataFrame,
    customers: pl.DataFrame,
    settings: Settings,
    notes: Notes,
) -> None:
    """Report columns that are filled for too few rows, unreadable cells, and columns that the
    export lacks.
    """
    frames = {"policies": covers(policies), "customers": customers}
    for column, (table, name) in _LOOKED_AT.items():
        frame = frames[table]
        if not present(tables, column):
            continue
        if name == "birth_year":
            frame = frame.filter(pl.col("kind").fill_null("private") != "business")
        empty = (
            int((frame[name] == "overig").sum()) if name == "branch" else frame[name].null_count()
        )
        if name == "branch" or not frame.height:
            continue  # unknown branches have their own finding
        if empty / frame.height > 1 - settings.ingest.complete_share:
            notes.find(
                "AKB-D001",
                "issue",
                empty,
                empty / frame.height,
                column=label(column),
                of=_of(table),
            )
    for column, count in sorted(notes.unreadable.items()):
        many = (
            column in _AMOUNTS and count > _UNREADABLE * policies.height
        )  # and not by chance: the high ones
        notes.find("AKB-D026", "issue" if many else "tip", count, column=label(column))
    lacking = [label(column) for column in _WANTED if not present(tables, column)]
    if lacking:
        notes.find("AKB-D039", "tip", len(lacking), columns=Listed(tuple(lacking)))


def _of(table: str) -> Phrase:
    return Phrase(f"columns.roles.{table}")


def find_branches(
    tables: Sequence[Table],
    policies: pl.DataFrame,
    own: Mapping[str, Mapping[str, Any]],
    settings: Settings,
    notes: Notes,
) -> None:
    """Report texts that no branch knows, or that there is no column of branches nor of products."""
    if not present(tables, "branch", ("policies",)) and not present(
        tables, "product", ("policies",)
    ):
        notes.find("AKB-D010", "issue", policies.height, 1.0)
        return
    other = policies.filter(pl.col("branch") == "overig").height
    apart = policies.filter(pl.col("branch").is_in(list(own))).height
    if other or apart:
        tellable = _tellable(tables, settings.report.suppress_below)
        rest = sorted(notes.unknown, key=lambda text: (-notes.unknown[text], text))
        shown = [*names_of(own), *(name for name in rest if name in tellable)]
        notes.find(
            "AKB-D009",
            "issue",
            other + apart,
            (other + apart) / policies.height,
            branches=len(own),
            other=other,
            names=", ".join(f"'{name[:30]}'" for name in shown[:8]) or "–",
        )


def _tellable(tables: Sequence[Table], limit: int) -> frozenset[str]:
    """Return the texts of the branch columns that enough customers share; fewer might be somebody's
    name.
    """
    policies = [table for table in tables if table.headings.role == "policies"]
    texts = pl.concat([branch_texts(table).cast(pl.String).alias("branch") for table in policies])
    customers = pl.concat(
        [table.texts("customer").cast(pl.String).alias("customer") for table in policies]
    )
    return shared(known(texts), customers, limit)


def find_words(tables: Sequence[Table], settings: Settings, notes: Notes) -> None:
    """Report the words of status, kind, term, collection and channel that mean nothing to akb, a
    column at a time.
    """
    for column, roles in LISTED.items():
        unknown = notes.unknown_words.get(column, {})
        if not unknown:
            continue
        mine = [
            table
            for table in tables
            if column in table.headings.at and table.headings.role in roles
        ]
        texts, customers = (
            pl.concat([table.texts(name).cast(pl.String).alias("text") for table in mine])
            for name in (column, "customer")
        )
        tellable = shared(known(texts), customers, settings.report.suppress_below)
        names = sorted(
            (text for text in unknown if text in tellable), key=lambda text: (-unknown[text], text)
        )
        count = sum(unknown.values())
        notes.find(
            "AKB-D058",
            "issue",
            count,
            count / max(texts.len(), 1),
            column=label(column),
            names=", ".join(f"'{name[:30]}'" for name in names[:5]) or "–",
            table=OWN[column],
        )


def find_money(
    tables: Sequence[Table], policies: pl.DataFrame, history: History, notes: Notes
) -> None:
    """Report derived commission, or that there is nothing to derive it from."""
    if history.commission == "none":
        notes.find("AKB-D012", "issue", policies.height, 1.0)
        return
    derived = policies.filter(pl.col("commission_source") == "derived").height
    if derived:
        notes.find(
            "AKB-D011",
            "issue" if history.commission == "derived" else "tip",
            derived,
            derived / policies.height,
        )


def find_ends(
    tables: Sequence[Table], policies: pl.DataFrame, history: History, clock: Clock, notes: Notes
) -> None:
    """Report what the ends teach: their presence, since when, their reasons, what is announced."""
    ended = policies.filter(pl.col("end_date") <= clock.as_of)
    if ended.is_empty():
        code = (
            "AKB-D005"
            if any(
                present(tables, column, ("policies",))
                for column in ("end", "status", "includes_ended")
            )
            else "AKB-D036"
        )
        notes.find(code, "issue", 0)
        if present(tables, "expiry", ("policies",)) and code == "AKB-D036":
            notes.find("AKB-D035", "tip")
        return
    wanted = int(rule("history", "wanted_months"))
    if history.months < wanted:
        notes.find("AKB-D003", "issue", history.months, months=history.months, wanted=wanted)
    notes.find(_allowed(history.months), "tip", history.months, months=history.months)
    since = history.recorded_from
    before = policies.filter(pl.col("start_date") < since).height if since else 0
    if since and before > 0.01 * policies.height:
        notes.find("AKB-D006", "tip", before, before / policies.height, since=since)
    lapses = ended.filter(pl.col("cause") != "technical", pl.col("replaced_on").is_null())
    unknown = lapses.filter(pl.col("cause") == "unknown").height
    if lapses.height and not present(tables, "reason", ("policies",)):
        notes.find("AKB-D037", "issue", unknown, 1.0)
    elif lapses.height and unknown / lapses.height > 1 - 0.5:
        notes.find("AKB-D013", "issue", unknown, unknown / lapses.height)
    if notes.unknown_reasons:
        notes.find("AKB-D027", "issue", notes.unknown_reasons, notes.unknown_reasons / ended.height)


def find_intermediary(
    policies: pl.DataFrame, clock: Clock, settings: Settings, notes: Notes
) -> None:
    """Report how many customers left through another intermediary in the last closed year, if
    enough did to tell.
    """
    last = clock.as_of - timedelta(
        days=settings.time.gap_days + settings.time.registration_lag_days
    )
    first = add_months(last, -12)
    moved = policies.filter(
        pl.col("reason") == INTERMEDIARY,
        pl.col("cause") != "technical",
        pl.col("replaced_on").is_null(),
        pl.col("end_date") > first,
        pl.col("end_date") <= last,
    )
    customers = moved["customer"].unique()
    held = in_force(policies, clock.as_of)["customer"].unique()
    left = customers.len() - customers.is_in(held.implode()).sum()
    limit = settings.report.suppress_below
    if customers.len() < limit:
        return
    there = in_force(policies, first)["customer"].n_unique()
    share = "all" if left == customers.len() else "some" if left >= limit else "few"
    notes.find(
        "AKB-D074",
        "tip",
        customers.len(),
        customers.len() / max(there, 1),
        policies=moved.height,
        left=Phrase(f"columns.left.{share}", {"left": left}),
        first=first,
        last=last,
    )


def _allowed(months: int) -> str:
    """Return the code of what so many months of ends allow (docs/architecture.md, Time 5)."""
    steps = ((48, "AKB-D043"), (36, "AKB-D042"), (24, "AKB-D041"), (0, "AKB-D040"))
    return next(code for least, code in steps if months >= least)


def find_ahead(policies: pl.DataFrame, clock: Clock, notes: Notes) -> None:
    """Report announced ends and signed starts; in a replay, that what was announced then is not
    known.
    """
    if clock.replay:
        notes.find("AKB-D044", "tip", day=clock.as_of)
        return
    announced = policies.filter(
        pl.col("end_date") > clock.as_of, pl.col("start_date") <= clock.as_of
    ).height
    if announced:
        notes.find("AKB-D016", "tip", announced, announced / policies.height, day=clock.as_of)
    signed = policies.filter(pl.col("start_date") > clock.as_of).height
    if signed:
        notes.find("AKB-D017", "tip", signed, signed / policies.height, day=clock.as_of)


def find_clock_doubts(tables: Sequence[Table], clock: Clock, notes: Notes) -> None:
    """Report how X was found, an X far after the last recorded day, and a file that is named after
    another day.

    A name decides nothing: files are renamed, and the same rows under another name must give the
    same figures. (Only several deliveries of one book are told apart by their names.)"""
    find_doubts(tables, clock, notes)
    if clock.how != "option":
        notes.find("AKB-D028", "tip", day=clock.as_of, how=Phrase(f"columns.how.{clock.how}"))
        days = {
            day_in_name(table.raw.name) for table in tables if table.headings.role == "policies"
        } - {None}
        named = max((day for day in days if day), default=clock.as_of)
        if clock.how != "header" and abs((named - clock.as_of).days) > rule("as_of", "late_days"):
            notes.find("AKB-D055", "issue", day=clock.as_of, named=named)
    elif clock.late > rule("as_of", "late_days"):
        notes.find("AKB-D045", "issue", clock.late, day=clock.as_of, days=clock.late)


def find_dropped(tables: Sequence[Table], notes: Notes) -> None:
    """Report the columns with direct identifiers that were left at the door."""
    dropped = [heading for table in tables for heading in (*table.headings.dropped, *table.dropped)]
    if dropped:
        notes.find(
            "AKB-P001",
            "tip",
            len(dropped),
            columns=", ".join(heading[:40] for heading in dropped[:10]),
        )


def find_leaking(tables: Sequence[Table], notes: Notes) -> None:
    """Report columns that hold values of the day of the export on old rows, and are never read for
    that.
    """
    leaking = [heading for table in tables for heading in table.headings.leaking]
    if leaking:
        notes.find(
            "AKB-D049",
            "tip",
            len(leaking),
            columns=", ".join(heading[:40] for heading in leaking[:10]),
        )


def find_damage(policies: pl.DataFrame, notes: Notes) -> None:
    """Report policy numbers that a spreadsheet turned into 1,23E+12."""
    damaged = policies.filter(pl.col("number").str.contains(r"^\d(,\d+|\d*)E\+?\d+(#.*)?$")).height
    if damaged:
        notes.find("AKB-D046", "issue", damaged, damaged / policies.height)
