"""What is no table of the export, and therefore left out and named: lock files, pivots, legends,
web pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.ingest.cells.texts import plain
from akb.ingest.columns.matching import NoRoleError

if TYPE_CHECKING:
    from pathlib import Path

    from akb.ingest.columns.notes import Notes, Table

_RECOVERIES = re.compile(
    r"\b(?:regres\w*|verhaal|verhaald\w*|verhaals\w*|recover(?:y|ies|ed)\w*|subrogation\w*)\b"
)
_LOCKS = ("~$", ".~lock.", "._", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass
class LeftOut:
    """Collects what is left out.

    Parameters
    ----------
    inside
        Names of sheets of workbooks, and of files in archives, that are no tables of the export.
    named
        Name -> why, of the files that were named themselves.
    errors
        Why those inside were left out, where their headings say so.
    """

    inside: list[str] = field(default_factory=list)
    named: dict[str, AkbError] = field(default_factory=dict)
    errors: list[AkbError] = field(default_factory=list)

    def find(self, notes: Notes) -> None:
        """Report them (AKB-D047): an issue where a file was named itself."""
        names = [*(f"{name} ({_why(error)})" for name, error in self.named.items()), *self.inside]
        if names:
            severity = "issue" if any(not is_lock(name) for name in self.named) else "tip"
            notes.find("AKB-D047", severity, len(names), files=", ".join(names[:5]))  # type: ignore[arg-type]

    def nearest(self) -> AkbError | None:
        """Return why the file that comes nearest to policies was left out; the first one where none
        does.
        """
        errors = [
            *self.named.values(),
            *(each for each in self.errors if isinstance(each, NoRoleError) and each.columns),
        ]
        near = [
            error for error in errors if isinstance(error, NoRoleError) and error.role == "policies"
        ]
        return max(near, key=lambda error: error.columns) if near else next(iter(errors), None)


def is_list_of_recoveries(table: Table) -> AkbError | None:
    """Return why a table of claims is none: its name, or the heading of its amounts, speaks of what
    came back.
    """
    if table.headings.role != "claims":
        return None
    amount = table.headings.heading("amount") or ""
    if _RECOVERIES.search(plain(table.raw.name)) or _RECOVERIES.search(plain(amount)):
        return AkbError(
            f"{table.raw.name}: recoveries are no claims", "Give it a role to read it: claims=FILE."
        )
    return None


def is_lock(name: str) -> bool:
    """Whether a name is of a file that programs leave beside a file that is open, or that a system
    keeps.
    """
    return name.startswith(_LOCKS)


def lock_error(path: Path) -> AkbError:
    """Return why such a file is not read."""
    return AkbError(
        f"{path.name} is no table but a file that a program or system leaves beside the others",
        "Name the export itself; close it in the program that has it open.",
    )


def _why(error: AkbError) -> str:
    """Return the reason in few words, without the name that stands before it."""
    return error.message.split(": ", 1)[-1].removeprefix("needed column not found: ")[:80]
