"""What advisers work with: ``portal.html`` and their sheets of ``actions.xlsx``, from one set of
facts per customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.portal.desk import Desk, run_name

if TYPE_CHECKING:
    from akb.report.context import Context

__all__ = ["Desk", "actions_workbook", "desk_of", "portal_files", "run_name"]


def desk_of(context: Context) -> Desk:
    """Return the facts of a run in the language of its report."""
    return Desk(context, context.bundle.settings.report.language)


def actions_workbook(desk: Desk) -> bytes:
    """Return the workbook of the advisers; see `akb.report.portal.book`."""
    from akb.report.portal.book import actions_workbook as workbook

    return workbook(desk)


def portal_files(desk: Desk) -> dict[str, bytes]:
    """Return path inside the run folder -> page; see `akb.report.portal.page`."""
    from akb.report.portal.page import portal_files as files

    return files(desk)
