"""Tasks written in a form: every cell text, none of them a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from akb.report.files.tables import BOM, neutral

if TYPE_CHECKING:
    from collections.abc import Iterable

    from akb.live.handover.form import CrmColumn, CrmForm
    from akb.live.handover.tasks import Task

_LINE_ENDS = str.maketrans({"\r": " ", "\n": " "})


def written(tasks: Iterable[Task], form: CrmForm) -> bytes:
    """Return the file: a heading per column, a row per task."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=form.separator, lineterminator="\r\n")
    writer.writerow([each.name for each in form.column])
    writer.writerows([_cell(task, each, form) for each in form.column] for task in tasks)
    return ((BOM if form.bom else "") + target.getvalue()).encode()


def _cell(task: Task, column: CrmColumn, form: CrmForm) -> str:
    if column.value is not None:
        return neutral(column.value)
    text = _text(task, str(column.field), form)
    text = column.words.get(text, text if column.otherwise is None else column.otherwise)
    text = neutral(text.translate(_LINE_ENDS))
    if column.longest is not None and len(text) > column.longest:
        text = text[: column.longest - 1] + "…"
    return text


def _text(task: Task, field: str, form: CrmForm) -> str:
    if field == "as_of":
        return task.as_of.strftime(form.dates)
    if field == "before":
        return task.before.strftime(form.dates) if task.before else ""
    return task.cells[field]
