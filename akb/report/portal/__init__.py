"""What advisers work with: ``portal.html`` and their sheets of ``actions.xlsx``, from one set of
facts per customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report.portal.facts import PortalFacts, run_name, run_name_of

if TYPE_CHECKING:
    from akb.report.context import Context

__all__ = [
    "PortalFacts",
    "actions_workbook",
    "portal_facts",
    "portal_files",
    "run_name",
    "run_name_of",
    "served_page",
    "tasks_csv",
]


def portal_facts(context: Context) -> PortalFacts:
    """Return the facts of a run in the language of its report."""
    return PortalFacts(context, context.bundle.settings.report.language)


def actions_workbook(facts: PortalFacts) -> bytes:
    """Return the workbook of the advisers; see `akb.report.portal.book`."""
    from akb.report.portal.book import actions_workbook as workbook

    return workbook(facts)


def portal_files(facts: PortalFacts) -> dict[str, bytes]:
    """Return path inside the run folder -> page; see `akb.report.portal.page`."""
    from akb.report.portal.page import portal_files as files

    return files(facts)


def served_page(language: str) -> tuple[bytes, str]:
    """Return the page of ``akb serve`` and its policy; see `akb.report.portal.shared`."""
    from akb.report.portal.shared import served_page as page

    return page(language)


def tasks_csv(facts: PortalFacts) -> bytes:
    """Return the tasks of the run; see `akb.report.portal.tasks`."""
    from akb.report.portal.tasks import tasks_csv as tasks

    return tasks(facts)
