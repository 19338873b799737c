"""Annex A: what the export is like. Counts and shapes only, never a value of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from akb.core.findings import in_order
from akb.core.typed import made
from akb.core.wording.text import texts
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.core.findings import Finding
    from akb.ingest.types import SourceFile
    from akb.report.context import Context, Row

POLICY_COLUMNS = (
    "branch",
    "insurer",
    "product",
    "adviser",
    "office",
    "start_date",
    "premium_cents",
    "commission_cents",
    "fee_cents",
    "signing_cents",
    "profit_cents",
    "one_off_cents",
    "payment_months",
    "collection",
    "renewal_date",
)
# most exports have none, and that is no lack
SELDOM = ("fee_cents", "signing_cents", "profit_cents", "one_off_cents")
_WORDED = {"encoding", "separator", "dates"}  # of how a file was read: what has words of a language
CUSTOMER_COLUMNS = ("kind", "birth_year", "postcode4", "adviser", "office")


@dataclass(frozen=True)
class RowCounts:
    """Rows read, used and rejected."""

    read: int
    used: int
    rejected: int


@dataclass(frozen=True)
class FindingRow:
    """Something that was noticed."""

    code: str
    severity: str
    sentence: str
    count: int | None
    share: float | None
    remedy: str


@dataclass(frozen=True)
class UsedColumn:
    """A heading and the column that it is."""

    heading: str
    column: str


@dataclass(frozen=True)
class FileRow:
    """A file and how it was read."""

    name: str
    role: str
    rows: RowCounts
    dialect: Mapping[str, str]
    columns: tuple[UsedColumn, ...]
    ignored: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """How full a column is."""

    table: str
    column: str
    filled: float
    rows: int


@dataclass(frozen=True)
class RejectRow:
    """Rejected rows by reason."""

    file: str
    reason: str
    rows: int


@dataclass(frozen=True)
class QualityFacts(Facts):
    """What the export is like."""

    KEY: ClassVar[str] = "quality"

    rows: RowCounts
    findings: tuple[FindingRow, ...]
    files: tuple[FileRow, ...]
    completeness: tuple[Filled, ...]
    rejects: tuple[RejectRow, ...]
    complete_share: float
    replay: bool
    export_day: date | None


def facts(context: Context) -> QualityFacts:
    """Return findings, the files and how they were read, completeness, rejects by reason and the
    row reconciliation.
    """
    portfolio = context.bundle.portfolio
    language = context.bundle.settings.report.language
    given = {
        "rows": {
            "read": portfolio.rows.read,
            "used": portfolio.rows.used,
            "rejected": portfolio.rows.rejected,
        },
        "findings": [
            _finding(context, finding, language) for finding in in_order(context.bundle.findings)
        ],
        "files": [
            {
                "name": source.name,
                "role": source.role,
                "rows": {
                    "read": source.rows.read,
                    "used": source.rows.used,
                    "rejected": source.rows.rejected,
                },
                "dialect": _dialect(source, language),
                "columns": [
                    {"heading": h, "column": c}
                    for h, c in sorted(source.columns.items())
                    if c is not None
                ],
                "ignored": sorted(
                    h for h, c in source.columns.items() if c is None and h not in source.dropped
                ),
                "dropped": sorted(source.dropped),
            }
            for source in portfolio.sources
        ],
        "completeness": _completeness(context),
        "rejects": _rejects(portfolio.rejects),
        "complete_share": context.bundle.settings.ingest.complete_share,
        "replay": portfolio.replay,
        "export_day": portfolio.export_day,
    }
    return made(QualityFacts, given)


def _dialect(source: SourceFile, language: str) -> dict[str, str]:
    """Return how a file was read, in words where the report has words for it, with what nothing in
    it proves.
    """
    named = texts("report_names", language)["dialect_value"]
    said = dict(sorted(source.dialect.items()))
    for key in _WORDED & said.keys():
        said[key] = ", ".join(named.get(part, part) for part in said[key].split(", "))
    return said | {key: named["assumed"].format(value=said[key]) for key in source.assumed}


def _finding(context: Context, finding: Finding, language: str) -> Row:
    """Return a finding as JSON; those of the value room speak of revenue, those of the data of
    commission itself.
    """
    row = finding.as_json(language)
    if finding.code.startswith("AKB-V"):
        row |= {part: context.words.reworded(row[part]) for part in ("sentence", "remedy")}
    return row


def _completeness(context: Context) -> list[Row]:
    """Return how full each column is, over policies in force and customers in force."""
    held = context.held
    people = context.bundle.portfolio.customers.join(
        context.customers.select("customer"), on="customer", how="semi"
    )
    rows: list[Row] = []
    for table, frame, names in (
        ("policies", held, POLICY_COLUMNS),
        ("customers", people, CUSTOMER_COLUMNS),
    ):
        for name in names:
            if (
                name in frame.columns
                and frame.height
                and (name not in SELDOM or frame[name].count())
            ):
                filled = 1 - frame[name].null_count() / frame.height
                rows.append(
                    {"table": table, "column": name, "filled": filled, "rows": frame.height}
                )
    ended = context.bundle.portfolio.policies.filter(
        pl.col("end_date").is_not_null() & (pl.col("cause") != "technical")
    )
    if ended.height:
        known = ended.filter(pl.col("cause") != "unknown").height / ended.height
        rows.append({"table": "ended", "column": "reason", "filled": known, "rows": ended.height})
    return rows


def _rejects(rejects: pl.DataFrame) -> list[Row]:
    if rejects.is_empty():
        return []
    return (
        rejects.group_by("file", "reason")
        .agg(rows=pl.len())
        .sort("rows", "file", "reason", descending=[True, False, False])
        .to_dicts()
    )


FACTS = (facts,)
