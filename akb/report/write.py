"""Everything a client reads, written into a run folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from akb.core.garbage import give_back
from akb.report import assemble, formats
from akb.report.context import Context
from akb.report.dictionary import metadata, score_columns, winback_columns
from akb.report.files import scores
from akb.report.files.actuarial import actuarial_files
from akb.report.files.lists import action_lists
from akb.report.files.recognition import recognition_files
from akb.report.files.summary import as_bytes, summary
from akb.report.page import html
from akb.report.portal import actions_workbook, portal_facts, portal_files, tasks_csv
from akb.store.folders import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from akb.report.bundle import RunBundle
    from akb.report.model import ReportModel


def report_files(bundle: RunBundle) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return path inside the run folder -> content, and the summary, in the language of the report;
    the same bundle gives the same bytes.
    """
    with formats.speaking(bundle.settings.report.language):
        context = Context(bundle)
        facts = assemble.build(bundle, context)
        document = summary(facts)
        return dict(_files(facts, document, context)), document


def _files(
    facts: ReportModel, document: dict[str, Any], context: Context
) -> Iterator[tuple[str, bytes]]:
    """The files one by one: with millions of customers one of them is hundreds of megabytes.

    The page is worded beside the tables, of which Polars makes most."""
    with ThreadPoolExecutor(1) as beside:
        page = beside.submit(copy_context().run, html.render, facts, context.words)
        yield "summary.json", as_bytes(document)
        yield from _tables(context)
        yield "report.html", page.result().encode()


def _tables(context: Context) -> Iterator[tuple[str, bytes]]:
    entries = context.bundle.entries
    table = scores.score_table(context)
    yield "scores.parquet", scores.scores_parquet(table, metadata(score_columns(entries)))
    yield "scores.csv", scores.scores_csv(table)
    del table
    former = scores.former_table(context)
    words = metadata(winback_columns(entries))
    yield "winback.parquet", scores.scores_parquet(former, words)
    yield "rejects.csv", scores.rejects_csv(context)
    for name, content in action_lists(context):
        yield f"actions/{name}", content
    yield from recognition_files(context).items()
    yield from actuarial_files(context).items()
    portal = context.once(portal_facts)
    yield from portal_files(portal).items()
    yield "actions/actions.xlsx", actions_workbook(portal)
    yield "actions/tasks.csv", tasks_csv(portal)


def write_report(folder: Path, bundle: RunBundle) -> dict[str, Any]:
    """Write what a client reads into an existing folder: report, portal, data, actions/; return the
    summary.
    """
    with formats.speaking(bundle.settings.report.language):
        context = Context(bundle)
        facts = assemble.build(bundle, context)
        document = summary(facts)
        for name, content in _files(facts, document, context):
            write_files(folder, {name: content})
            give_back()
        return document
