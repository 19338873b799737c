"""How akb understands an export: the same for the tables of ``akb check``, its JSON and the file of
``akb init``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rich.table import Table

    from akb.ingest import ExportPreview, TextMeanings
    from akb.ingest.types import Portfolio

NEEDS = {
    "ended": "ended policies with their end dates",
    "reasons": "reasons of the ends",
    "commission": "commission or premium",
    "claims": "a file of claims",
    "contacts": "a file of contacts",
    "premiums": "premiums with the date from which they hold",
}
_LEGEND = (
    "sure: given = by your settings; certain = a known heading; likely = known but for words "
    "around it; guess = look "
    "at it, and name the right heading in [ingest.columns] of akb.toml (akb init writes one)"
)
_WORDS = {
    "branches": "Texts of branches",
    "reasons": "Texts of reasons (they count where a policy has ended)",
    "statuses": "Words of a status",
    "kinds": "Words of the kind of customer",
    "terms": "Words of the payment term (months of an instalment)",
    "collections": "Words of who collects",
    "channels": "Words of the channel of a contact",
    "permissions": "Words under a permission to write (what is unknown counts as an objection)",
}
_SHAPES = 2  # in a table; the JSON has more
_SILENT = (
    "format",
    "header_line",
)  # of the dialect, where it is a CSV with its headings on the first line


def as_document(portfolio: Portfolio, view: ExportPreview) -> dict[str, Any]:
    """Return an export as akb understands it: one JSON document, described in docs/exports.md."""
    from akb.core.findings import in_order
    from akb.ingest import safe_heading

    history, own = portfolio.history, {column.heading for column in portfolio.own}
    return {
        "schema": "akb.check/1",
        "as_of": portfolio.as_of.isoformat(),
        "export_day": portfolio.export_day.isoformat(),
        "rows": _rows(portfolio.rows),
        "files": [
            {
                "name": source.name,
                "role": source.role,
                "rows": _rows(source.rows),
                "dialect": source.dialect,
                "assumed": list(source.assumed),
                "columns": {
                    safe_heading(heading): column for heading, column in source.columns.items()
                },
                "dropped": list(source.dropped),
            }
            for source in portfolio.sources
        ],
        "mapping": {
            preview.role: {
                "columns": [_column(column) for column in preview.columns],
                "differing": list(preview.differing),
                "unused": [
                    name for heading in preview.unused if (name := safe_heading(heading)) not in own
                ],
                "proposals": preview.proposals,
            }
            for preview in view.roles
        },
        "features": [*_own(portfolio), *_left_out(portfolio)],
        "branches": _texts(view.branches),
        "reasons": _texts(view.reasons),
        **{table: _texts(words) for table, words in view.words.items()},
        "history": {
            "recorded_from": history.recorded_from and history.recorded_from.isoformat(),
            "months": history.months,
            "reasons": history.reasons,
            "commission": history.commission,
        },
        "missing": missing(portfolio),
        "rejected_by_reason": dict(
            portfolio.rejects.group_by("reason").len().sort("reason").iter_rows()
        ),
        "findings": [finding.as_json() for finding in in_order(portfolio.findings)],
    }


def _rows(count: Any) -> dict[str, int]:
    return {"read": count.read, "used": count.used, "rejected": count.rejected}


def _column(column: Any) -> dict[str, Any]:
    from akb.ingest import label, safe_heading

    return {
        "column": column.column,
        "label": label(column.column).words(),
        "heading": safe_heading(column.heading),
        "confidence": column.sure,
        "filled": round(column.filled, 4),
        "legible": None if column.legible is None else round(column.legible, 4),
        "shapes": list(column.shapes),
    }


def _own(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return of each column without a role whether features use it, and why not."""
    from akb.core.wording.text import text

    return [
        {
            "column": column.heading,
            "used": not column.refused,
            "holds": column.form or None,
            "why": text("columns", "nl", "own", column.refused) if column.refused else "",
        }
        for column in portfolio.own
    ]


def _left_out(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return the columns with a role that features do not see; the finding AKB-T001 says how that
    was noticed.
    """
    from akb.core.wording.text import text

    return [
        {
            "column": name,
            "used": False,
            "holds": None,
            "why": text("columns", "nl", "own", "hidden"),
        }
        for name in portfolio.hidden or ()
    ]


def _texts(words: TextMeanings) -> dict[str, Any]:
    from akb.ingest import unknown_texts

    strange = {word.text for word in unknown_texts(words)}
    return {
        "texts": [
            {
                "text": word.text,
                "rows": word.rows,
                "key": None if word.text in strange else word.key,
            }
            for word in words.shown
        ],
        "too_few_customers": {"texts": words.hidden_texts, "rows": words.hidden_rows},
    }


def missing(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return what the export lacks, and which predictions that costs."""
    from akb.catalogue.entries import templates
    from akb.commands.predictions import available

    has = available(portfolio)
    return [
        {
            "need": need,
            "name": name,
            "predictions": [entry.key for entry in templates() if need in entry.needs],
        }
        for need, name in NEEDS.items()
        if need not in has
    ]


def missing_lines(lacking: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing that an export lacks."""
    return [
        f"Missing: {entry['name']}; "
        + (
            f"costs {len(entry['predictions'])} predictions: {', '.join(entry['predictions'])}"
            if entry["predictions"]
            else "predictions would be sharper with it"
        )
        for entry in lacking
    ]


def form_of(dialect: Mapping[str, str], assumed: Collection[str]) -> str:
    """Return how a file was read, for a person."""
    lines = [
        f"{name.replace('_', ' ')} {value}{' (assumed)' if name in assumed else ''}"
        for name, value in dialect.items()
        if value and name not in _SILENT
    ]
    if dialect.get("header_line", "1") not in ("", "1"):
        lines.append(f"headings on line {dialect['header_line']}")
    return "; ".join([dialect.get("format", ""), *lines])


def tables(document: Mapping[str, Any]) -> Iterator[Table | str]:
    """Return the document as tables and lines, for a terminal."""
    yield _files(document)
    history = document["history"]
    since = history["recorded_from"] or "none in the file"
    yield (
        f"as of {document['as_of']}; ended policies recorded since {since} ({history['months']} "
        f"months); "
        f"commission {history['commission']}; reasons {'yes' if history['reasons'] else 'no'}"
    )
    for role, mapping in document["mapping"].items():
        yield _columns(role, mapping)
        if mapping["differing"]:
            yield f"The files have different headings for: {', '.join(mapping['differing'])}"
        if mapping["unused"]:
            yield f"Not used: {'; '.join(mapping['unused'])}"
        if mapping["proposals"]:
            names = ", ".join(
                f'{column} = "{heading}"' for column, heading in mapping["proposals"].items()
            )
            yield f"Perhaps, under [ingest.columns.{role}] of akb.toml: {names}"
    yield _LEGEND
    if document["features"]:
        yield _features(document["features"])
    for name, title in _WORDS.items():
        if name in document and (
            document[name]["texts"] or document[name]["too_few_customers"]["texts"]
        ):
            yield _words(title, document[name])
    if document["missing"]:
        yield "\n".join(missing_lines(document["missing"]))
    yield _findings(document["findings"])


def _table(title: str | None, *headings: str) -> Table:
    from rich.table import Table

    return Table(
        *headings,
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        header_style="dim",
    )


def _files(document: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table("Files", "file", "role", "read", "used", "rejected", "form")
    for file in document["files"]:
        counts = [f"{file['rows'][part]:,}" for part in ("read", "used", "rejected")]
        table.add_row(
            Text(file["name"]),
            file["role"],
            *counts,
            Text(form_of(file["dialect"], file["assumed"])),
        )
    return table


def _columns(role: str, mapping: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table(
        f"Columns of {role}",
        "column",
        "in Dutch",
        "heading in the file",
        "sure",
        "filled",
        "looks like",
    )
    for place, width in ((1, 13), (2, 22)):
        table.columns[place].overflow, table.columns[place].min_width = "fold", width
    for column in mapping["columns"]:
        looks = Text(" | ".join(column["shapes"][:_SHAPES]))
        if column["legible"] is not None and column["legible"] < 1:
            looks.append(f" ({1 - column['legible']:.0%} unreadable)")
        table.add_row(
            column["column"],
            column["label"],
            Text(column["heading"]),
            column["confidence"],
            f"{column['filled']:.0%}",
            looks,
        )
    return table


def _features(columns: list[dict[str, Any]]) -> Table:
    from rich.text import Text

    table = _table("Columns as features", "column", "used", "holds", "why not")
    for column in columns:
        table.add_row(
            Text(column["column"]),
            "yes" if column["used"] else "no",
            column["holds"] or "",
            column["why"],
        )
    return table


def _words(title: str, words: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table(title, "text in the file", "rows", "read as")
    for word in words["texts"]:
        table.add_row(Text(word["text"]), f"{word['rows']:,}", word["key"] or "unknown")
    few = words["too_few_customers"]
    if few["texts"]:
        table.add_row(
            Text(f"{few['texts']} more, with too few customers each to name them"),
            f"{few['rows']:,}",
            "",
        )
    return table


def _findings(findings: list[dict[str, Any]]) -> Table:
    from rich.text import Text

    table = _table("Findings", "code", "", "count", "finding")
    for finding in findings:
        count = "" if finding["count"] is None else f"{finding['count']:,}"
        table.add_row(
            finding["code"],
            finding["severity"],
            count,
            Text(f"{finding['sentence']}\n{finding['remedy']}"),
        )
    return table
