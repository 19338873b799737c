"""Everything a client reads, written into a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.report import assemble, formats
from akb.report.context import Context
from akb.report.dictionary import metadata, score_columns, winback_columns
from akb.report.files import scores
from akb.report.files.actuarial import actuarial_files
from akb.report.files.lists import action_lists, list_tables
from akb.report.files.recognition import recognition_files
from akb.report.files.summary import as_bytes, summary
from akb.report.page import html
from akb.report.portal import actions_workbook, portal_facts, portal_files, tasks_csv
from akb.store.folders import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from akb.report.bundle import RunBundle


def report_files(bundle: RunBundle) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return path inside the run folder -> content, and the summary, in the language of the report;
    the same bundle gives the same bytes.
    """
    with formats.speaking(bundle.settings.report.language):
        return _files(bundle)


def _files(bundle: RunBundle) -> tuple[dict[str, bytes], dict[str, Any]]:
    context = Context(bundle)
    facts = assemble.build(bundle, context)
    document = summary(facts)
    table = scores.score_table(context)
    lists = list_tables(context)
    portal = context.once(portal_facts)
    files = {
        "report.html": html.render(facts, context.words).encode(),
        **portal_files(portal),
        "summary.json": as_bytes(document),
        "scores.parquet": scores.scores_parquet(table, metadata(score_columns(bundle.entries))),
        "scores.csv": scores.scores_csv(table),
        "winback.parquet": scores.scores_parquet(
            scores.former_table(context), metadata(winback_columns(bundle.entries))
        ),
        "rejects.csv": scores.rejects_csv(context),
        **{f"actions/{name}": content for name, content in action_lists(context, lists).items()},
        "actions/actions.xlsx": actions_workbook(portal),
        "actions/tasks.csv": tasks_csv(portal),
        **recognition_files(context),
        **actuarial_files(context),
    }
    return files, document


def write_report(folder: Path, bundle: RunBundle) -> dict[str, Any]:
    """Write what a client reads into an existing folder: report, portal, data, actions/; return the
    summary.
    """
    files, document = report_files(bundle)
    write_files(folder, files)
    return document
