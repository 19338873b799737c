"""Who a pseudonym is: ``private/customers.csv`` of a run, for those who hold it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.store.folders import PRIVATE

if TYPE_CHECKING:
    from pathlib import Path


def relations_of(folder: Path) -> dict[str, list[str]]:
    """Return pseudonym -> relation numbers; a household has more than one.

    Raises
    ------
    AkbError
        If the file is not there, or not as akb wrote it.
    """
    found: dict[str, list[str]] = {}
    try:
        with (folder / PRIVATE).open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                found.setdefault(row["customer"], []).append(row["relation"])
    except FileNotFoundError:
        raise AkbError(
            f"{folder} holds no {PRIVATE}, so nobody's relation number is known",
            "Name the run that has it.",
        ) from None
    except OSError as error:
        raise AkbError(f"cannot read {folder / PRIVATE}: {error.strerror}") from error
    except (KeyError, UnicodeDecodeError, csv.Error):
        raise AkbError(
            f"{folder / PRIVATE} is not as akb wrote it",
            "Name another run, or run akb eda again.",
        ) from None
    return found
