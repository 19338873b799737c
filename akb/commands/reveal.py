"""``akb reveal``: join relation numbers back, for those who hold ``private/customers.csv``."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from akb.commands.streams import write_out
from akb.core.errors import AkbError


def reveal(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A list, workbook or scores.csv with pseudonyms.")
    ],
    run: Annotated[
        Path | None,
        typer.Option("--run", help="The run it belongs to (default: the folder it lies in)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write here, readable by you alone (default: stdout)."),
    ] = None,
) -> None:
    """Put the relation number in front of every line of a list; all of them where the customer is a
    household.

    Example: akb reveal out/eda/actions/top_defend.csv --out bellijst.csv
    """
    relations = _relations(_run_of(file, run))
    if file.suffix == ".xlsx":
        _write_workbook(file, relations, out)
        return
    text = revealed(file, relations)
    if out is None:
        write_out(text)
        return
    _write_private(out, text.encode())


def _write_workbook(file: Path, relations: dict[str, str], out: Path | None) -> None:
    """Write a workbook of akb with relation numbers in the place of pseudonyms."""
    from akb.store.workbooks import workbook_renamed

    if out is None:
        raise AkbError("a workbook cannot be shown on the screen", "Name a file with --out.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AkbError(f"cannot read {file}: {error.strerror}") from error
    _write_private(out, workbook_renamed(content, relations))


def _write_private(out: Path, content: bytes) -> None:
    """Write relation numbers where their owner alone can read them: beside, and then in the place
    of what was there.

    A link is replaced, and what it points at stays: whoever made it has no say in where relation
    numbers go. A device or a pipe is written to."""
    try:
        if out.exists() and not out.is_file():
            with out.open("wb") as target:
                target.write(content)
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name[:32]}-", dir=out.parent)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(content)
            Path(name).replace(out)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise AkbError(f"cannot write {out}: {error.strerror}") from error


def revealed(file: Path, relations: dict[str, str]) -> str:
    """Return the file's text with the column ``relatienummer`` in front; separator and BOM stay as
    they are.

    Raises
    ------
    AkbError
        If the file cannot be read, has no pseudonym column, or holds a pseudonym that the run does
        not know.
    """
    from akb.store.folders import CUSTOMER_HEADINGS

    try:
        raw = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise AkbError(f"there is no file {file}") from None
    except (OSError, UnicodeDecodeError):
        raise AkbError(f"{file} cannot be read as a CSV that akb wrote") from None
    mark, body = ("\ufeff", raw[1:]) if raw.startswith("\ufeff") else ("", raw)
    separator = (
        ";" if body.partition("\n")[0].count(";") > body.partition("\n")[0].count(",") else ","
    )
    rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=separator))
    heading = rows[0] if rows else []
    column = next((heading.index(name) for name in CUSTOMER_HEADINGS if name in heading), None)
    if column is None:
        raise AkbError(
            f"{file} has no column {' or '.join(CUSTOMER_HEADINGS)}", "Give a list of a run."
        )
    target = io.StringIO(newline="")
    writer = csv.writer(
        target, delimiter=separator, lineterminator="\r\n" if "\r\n" in body else "\n"
    )
    writer.writerow(["relatienummer", *heading])
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) <= column:
            raise AkbError(f"{file}, line {line}: too few fields", "Give the list as akb wrote it.")
        if row[column] not in relations:
            raise AkbError(
                f"{file}, line {line}: this customer is not in the run's private/customers.csv",
                "Is it that run?",
            )
        writer.writerow([relations[row[column]], *row])
    return mark + target.getvalue()


def _run_of(file: Path, run: Path | None) -> Path:
    from akb.store.folders import PRIVATE

    candidates = [run] if run else [*file.resolve().parents][:3]
    for folder in candidates:
        if (folder / PRIVATE).is_file():
            return folder
    raise AkbError(f"no private/customers.csv beside {file}", "Name the run's folder with --run.")


def _relations(run: Path) -> dict[str, str]:
    """Return pseudonym -> relation number; those of a household with ``+`` between them."""
    from akb.store.private import relations_of

    return {customer: " + ".join(numbers) for customer, numbers in relations_of(run).items()}
