"""Take one customer out of a finished run: scores, lists, the rows that the report shows, and the
relation number.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError
from akb.store.carried import MANIFEST, foreign_files, hashes_of, own_files
from akb.store.columns import page_without
from akb.store.folders import CUSTOMER_HEADINGS, KEPT, PRIVATE, check_run, rewrite_run
from akb.store.packed import emptied, renamed
from akb.store.workbooks import workbook_without

if TYPE_CHECKING:
    from pathlib import Path

_PSEUDONYM = re.compile(r"K-[0-9A-F]{16}")
_SHORT = 6  # the report shows the first signs of a pseudonym only
_READABLE = {".csv", ".parquet", ".json", ".html", ".txt"}
_WORKBOOKS = {"actions.xlsx", "recognition.xlsx"}


def forget_customer(
    folder: Path, customer: str, *, kept_as: str | None = None, dry_run: bool = False
) -> dict[str, int]:
    """Remove a customer from a finished run; an error leaves it as it was, what a kill stopped a
    second call finishes.

    Parameters
    ----------
    folder
        A run folder.
    customer
        Pseudonym or relation number (case, spaces and dots in it mean nothing). One relation of a
        household takes the whole household out: its figures are about all of them together.
    kept_as
        What stands in his place in what the run kept to score with, which then goes on working;
        None: that is emptied.
    dry_run
        Say what would be removed, and write nothing.

    Returns
    -------
    File inside the folder -> rows removed, of the files that held the customer.

    Raises
    ------
    AkbError
        If `folder` is no run, or holds no such customer; the message repeats neither name.
    RefusedError
        If the folder holds a file of a kind that cannot be searched.
    """
    check_run(folder)
    for path in sorted(folder.rglob("*")):
        if (
            path.is_file()
            and path.suffix not in _READABLE
            and not _is_workbook(path)
            and path != folder / KEPT
        ):
            raise RefusedError(
                f"{path} is no file of akb, so it can't be searched", "Move it out of the folder."
            )
    names = names_of(folder, customer)
    if not names:
        # Any other text is nobody: an office or a branch also stands in cells, and an empty text in
        # most rows.
        raise AkbError(*_nobody(folder))
    removed: dict[str, int] = {}

    def change(copy: Path) -> bytes | None:
        for path in sorted(path for path in copy.rglob("*") if path.is_file()):
            rows = _forget_in(path, names, kept_as)
            if rows:
                removed[path.relative_to(copy).as_posix()] = rows
        private = folder / PRIVATE
        content, rows = (
            _csv_without(private.read_bytes(), names, "customer")
            if private.is_file()
            else (None, 0)
        )
        if rows:
            removed[PRIVATE.as_posix()] = rows
        if not removed:
            raise AkbError(*_nobody(folder))
        _check_notes(folder, copy, names)
        if dry_run:
            raise _LookedAtError
        _update_manifest(copy, folder, content)
        return content

    with suppress(_LookedAtError):
        rewrite_run(folder, change)
    return removed


class _LookedAtError(Exception):
    """Ends a dry run before anything is written."""


def _nobody(folder: Path) -> tuple[str, str]:
    return (
        f"no such customer in {folder}",
        "Give a pseudonym (K-…) or a relation number of this run.",
    )


def names_of(folder: Path, customer: str) -> frozenset[str]:
    """Return pseudonym and relation numbers of a customer, as far as the run knows them: a
    household has several. None where it knows no such customer.
    """
    wanted = _plain(customer)
    if (folder / PRIVATE).is_file():
        with (folder / PRIVATE).open(encoding="utf-8", newline="") as source:
            rows = [(row["customer"], row["relation"]) for row in csv.DictReader(source)]
        found = {
            name for name, relation in rows if wanted and wanted in (_plain(name), _plain(relation))
        }
        if found:
            return frozenset(found | {relation for name, relation in rows if name in found})
    if _PSEUDONYM.fullmatch(wanted) or customer.strip() in _scored(folder):
        return frozenset({wanted if _PSEUDONYM.fullmatch(wanted) else customer.strip()})
    return frozenset()


def _scored(folder: Path) -> frozenset[str]:
    """Return the customers of a run as its scores name them: the relation numbers of a run without
    pseudonyms.
    """
    import polars as pl

    found: set[str] = set()
    for path in (folder / "scores.parquet", folder / "winback.parquet"):
        if path.is_file() and "customer" in pl.read_parquet_schema(path):
            found |= set(
                pl.read_parquet(path, columns=["customer"])["customer"].cast(pl.String).drop_nulls()
            )
    return frozenset(found)


def _plain(name: str) -> str:
    return re.sub(r"[\s.]", "", name.removeprefix("'")).upper()


def _forget_in(path: Path, names: frozenset[str], kept_as: str | None = None) -> int:
    """Rewrite one file without the customer; return how many rows went."""
    if path.name == MANIFEST or path.parent.name == "models":
        return 0
    if path.name == PurePath(KEPT).name:
        # no part of it can do without one customer
        content = None if kept_as is None else renamed(path.read_bytes(), names, kept_as)
        path.write_bytes(emptied() if content is None else content)
        return 0
    if path.suffix == ".parquet":
        return _forget_in_parquet(path, names)
    if path.suffix == ".csv":
        content, rows = _csv_without(path.read_bytes(), names, *CUSTOMER_HEADINGS)
    elif path.name in ("summary.json",):
        document = json.loads(path.read_text("utf-8"))
        rows = _forget_in_json(document, _shortened(names))
        content = (
            json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        ).encode()
    elif _is_workbook(path):
        content, rows = workbook_without(path.read_bytes(), names)
    elif path.suffix == ".html":
        page, listed = page_without(path.read_text("utf-8"), names)
        content, rows = (
            (page.encode(), listed) if listed else _html_without(page, _shortened(names))
        )
    else:
        return 0
    if rows:
        path.write_bytes(content)
    return rows


def _is_workbook(path: Path) -> bool:
    return path.parent.name == "actions" and path.name in _WORKBOOKS


def _shortened(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name[:_SHORT] for name in names if name.startswith("K-"))


def _forget_in_parquet(path: Path, names: frozenset[str]) -> int:
    import polars as pl

    table = pl.read_parquet(path)
    column = next((name for name in CUSTOMER_HEADINGS if name in table.columns), None)
    if column is None:
        return 0
    kept = table.filter(~pl.col(column).is_in(list(names)))
    if kept.height < table.height:
        words = pl.read_parquet_metadata(path)
        words.pop("ARROW:schema", None)
        kept.write_parquet(
            path,
            compression="zstd",
            compression_level=3,
            statistics=True,
            row_group_size=100_000,
            metadata=words,
        )
    return table.height - kept.height


def _csv_without(content: bytes, names: frozenset[str], *headings: str) -> tuple[bytes, int]:
    """Return a CSV without the customer's rows, all other bytes as they were, and how many rows
    went.
    """
    lines = content.decode("utf-8").split("\n")
    lines = [line + "\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]
    head = lines[0].lstrip("\ufeff") if lines else ""
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator)
    kept, removed, column, begin = [], 0, None, 0
    for place, row in enumerate(reader):
        if place == 0:
            cells = [cell.lstrip("\ufeff") for cell in row]
            column = next((cells.index(name) for name in headings if name in cells), None)
        gone = (
            place > 0
            and column is not None
            and column < len(row)
            and row[column].removeprefix("'") in names
        )
        removed += gone
        if not gone:
            kept += lines[begin : reader.line_num]
        begin = reader.line_num
    return "".join(kept).encode(), removed


def _forget_in_json(node: Any, short: frozenset[str]) -> int:
    """Remove the rows of the customer from every list inside a document, in place."""
    if isinstance(node, dict):
        return sum(_forget_in_json(value, short) for value in node.values())
    if not isinstance(node, list):
        return 0
    gone = [row for row in node if isinstance(row, dict) and row.get("customer") in short]
    node[:] = [row for row in node if not (isinstance(row, dict) and row.get("customer") in short)]
    return len(gone) + sum(_forget_in_json(value, short) for value in node)


def _html_without(page: str, short: frozenset[str]) -> tuple[bytes, int]:
    """Return the report without the table rows that show the customer."""
    removed = 0
    for name in sorted(short):
        shown = re.escape(html.escape(name))
        page, rows = re.subn(
            rf"<tr\b[^>]*>(?:(?!</tr>).)*?\b{shown}\b(?:(?!</tr>).)*</tr>",
            "",
            page,
            flags=re.DOTALL,
        )
        page = re.sub(rf"\b{shown}\b", "…", page)
        removed += rows
    return page.encode(), removed


def _check_notes(folder: Path, copy: Path, names: frozenset[str]) -> None:
    """Refuse if somebody's notes name the customer: nobody but their writer can take him out of
    them.
    """
    words = re.compile(
        "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names)).encode()
    )
    for name in foreign_files(folder):
        path = copy / name if (copy / name).is_file() else folder / name
        if path.suffix == ".txt" and path.is_file() and words.search(path.read_bytes()):
            raise RefusedError(
                f"{folder / name} is not akb's and names the customer",
                "Take him out of it, and forget him again.",
            )


def _update_manifest(copy: Path, folder: Path, private: bytes | None) -> None:
    """Count the customer in the manifest, and name the new content of the files that were akb's
    own.
    """
    document = json.loads((copy / MANIFEST).read_text("utf-8"))
    document["forgotten"] = document.get("forgotten", 0) + 1
    named = own_files(folder)
    if named is not None:
        later = {} if private is None else {PRIVATE.as_posix(): private}
        before, after = hashes_of(folder), hashes_of(copy, later)
        document["outputs"] = {
            name: after.get(name, digest) if before.get(name) == digest else digest
            for name, digest in named.items()
        }
    (copy / MANIFEST).write_text(
        json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8"
    )
