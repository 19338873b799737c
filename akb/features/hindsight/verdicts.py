"""What the features may see of the columns that a back office overwrites: tested once, told in
findings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.findings import Finding, in_order
from akb.core.privacy.identifiers import may_be_shown
from akb.core.wording.phrases import Listed, Phrase
from akb.features.hindsight.columns import (
    ROLES,
    number_codes,
    role_codes,
    role_texts,
    tested_days,
    tested_rows,
)
from akb.features.hindsight.survival import FollowedPolicies, trace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.config import Settings
    from akb.features.hindsight.survival import Found
    from akb.ingest.types import OwnColumn, Portfolio

_OF_POLICIES = {
    "insurer": "insurer",
    "term": "payment_months",
    "collection": "collection",
    "renewal": "renewal_date",
}
_OF_CUSTOMERS = {
    "adviser": "adviser",
    "office": "office",
    "region": "region",
    "postcode": "postcode4",
    "kind": "kind",
    "birth_year": "birth_year",
}
_TELLABLE = ("adviser", "office", "region", "postcode", "insurer")
"""Columns that hold what the export says, not a code of akb's own."""
_NEEDED_BY_TARGETS = ("kind", "birth_year")
"""Who may be asked for a branch follows from these: that is eligibility, no feature."""


def without_hindsight(portfolio: Portfolio, settings: Settings) -> Portfolio:
    """Return the portfolio with the columns that features must not see, and the findings that say
    so.

    Columns that ``[features] without`` names are not seen either; what ``extra`` names is not
    tested, by the client's word that it is never overwritten. A portfolio that was tested stays as
    it is."""
    if portfolio.hidden is not None:
        return portfolio
    rows = tested_rows(portfolio)
    followed = FollowedPolicies.over(tested_days(portfolio), rows)
    extra, without = (set(names) for names in (settings.features.extra, settings.features.without))
    hidden, findings = [], []
    for name, codings in role_codes(portfolio, rows).items():
        if name in without:
            hidden.append(name)
            continue
        found = None if name in extra else _trace(followed, codings)
        if found is not None:
            hidden.append(name)
            findings.append(_finding(portfolio, rows, name, found, settings))
    own = tuple(_judged(each, portfolio, rows, followed, extra) for each in portfolio.own)
    findings += _findings_of_own(own)
    return replace(
        portfolio,
        hidden=tuple(hidden),
        own=own,
        findings=tuple(in_order((*portfolio.findings, *findings))),
    )


def seen_by_features(
    portfolio: Portfolio, settings: Settings, *, targets: bool = False
) -> Portfolio:
    """Return the portfolio without what features must not see; `targets` keeps what eligibility is
    made of.
    """
    portfolio = without_hindsight(portfolio, settings)
    hidden = set(portfolio.hidden or ()) - set(_NEEDED_BY_TARGETS if targets else ())
    return replace(
        portfolio,
        policies=_emptied(portfolio.policies, _OF_POLICIES, hidden),
        customers=_emptied(portfolio.customers, _OF_CUSTOMERS, hidden),
    )


def _emptied(frame: pl.DataFrame, columns: dict[str, str], hidden: set[str]) -> pl.DataFrame:
    names = [
        column for name, column in columns.items() if name in hidden and column in frame.columns
    ]
    return frame.with_columns(pl.lit(None, dtype=frame.schema[name]).alias(name) for name in names)


def _trace(followed: FollowedPolicies, codings: Sequence[pl.Series]) -> Found | None:
    return next(
        (found for codes in codings if (found := trace_of(followed, codes)) is not None), None
    )


def _judged(
    column: OwnColumn,
    portfolio: Portfolio,
    rows: pl.DataFrame,
    followed: FollowedPolicies,
    extra: set[str],
) -> OwnColumn:
    """Refuse an own column that shows who has ended."""
    if column.refused or column.heading in extra or portfolio.own_values is None:
        return column
    values = rows.select("policy").join(
        portfolio.own_values.select("policy", column.key),
        on="policy",
        how="left",
        maintain_order="left",
    )[column.key]
    codings = number_codes(values, rows["stratum"]) if column.form == "number" else [values]
    found = _trace(followed, codings)
    return column if found is None else replace(column, refused=found.trace)


def _finding(
    portfolio: Portfolio, rows: pl.DataFrame, name: str, found: Found, settings: Settings
) -> Finding:
    """AKB-T001: the column, and the value that shows it if it may be told."""
    texts, last = role_texts(portfolio, rows), pl.lit(portfolio.as_of).to_physical()
    ended = (pl.col("end") <= last).fill_null(value=False)
    table = rows.select("customer", ended=ended)
    if found.value is None or name not in _TELLABLE:
        count, value = table.height, None
    else:
        codes = texts[name].rank("dense").cast(pl.Int64).fill_null(-1)
        carried = table.filter(codes == found.value)
        count, value = carried.height, texts[name].filter(codes == found.value)[0]
        shown = value is None or may_be_shown(
            value, carried["customer"].n_unique(), settings.report.suppress_below
        )
        value = Phrase("columns.hindsight.empty") if value is None else value if shown else None
    inside = Listed((" (", value, ")"), between="") if value else ""
    params = {
        "column": Phrase(f"columns.columns.{name}"),
        "how": Phrase(f"columns.hindsight.{found.trace}", {"value": inside}),
    }
    return Finding("AKB-T001", "issue", count, count / max(table.height, 1), params)


def _findings_of_own(own: Sequence[OwnColumn]) -> list[Finding]:
    """AKB-T002: own columns that are used; AKB-T003: those that show who has ended."""
    used = [each.heading for each in own if not each.refused]
    traced = [
        each.heading for each in own if each.refused in ("ended", "running", "fades", "too_good")
    ]
    found = []
    for code, severity, names in (("AKB-T002", "tip", used), ("AKB-T003", "issue", traced)):
        if names:
            shown = "; ".join(name[:40] for name in names[:10])
            found.append(Finding(code, severity, len(names), params={"columns": shown}))  # type: ignore[arg-type]
    return found


__all__ = ["ROLES", "seen_by_features", "without_hindsight"]
