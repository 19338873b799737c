"""Write the tables of a book in the form of a dialect: text, workbook or archive."""

from __future__ import annotations

import codecs
import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from akb.sample.dialects import Dialect, DialectFile

_SAME_MOMENT = (2026, 1, 1, 0, 0, 0)  # the same book gives the same bytes


def write_files(
    dialect: Dialect, tables: Mapping[str, pl.DataFrame], folder: Path, *, optional: bool = False
) -> list[Path]:
    """Write the files of a dialect and return them in the order of the dialect.

    Parameters
    ----------
    dialect
        How to write.
    tables
        See `akb.sample.dialects.tables_of`.
    folder
        Exists.
    optional
        The files that are written only if asked for too.
    """
    files = [file for file in dialect.files if optional or not file.optional]
    made = {file.name: _bytes_of(dialect, file, tables[file.table]) for file in files}
    if dialect.archive:
        made = {dialect.archive: _archive(made)}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in made]


def _bytes_of(dialect: Dialect, file: DialectFile, table: pl.DataFrame) -> bytes:
    headings = [heading[: dialect.heading_limit] for heading, _ in file.columns]
    if dialect.format == "xlsx":
        return _workbook(dialect, headings, _cells(dialect, file, table, typed=True))
    return _text(dialect, file, headings, _cells(dialect, file, table, typed=False))


def _cells(
    dialect: Dialect, file: DialectFile, table: pl.DataFrame, *, typed: bool
) -> pl.DataFrame:
    """Return the cells: text, or where `typed` dates and numbers as such."""
    import polars as pl

    cells = []
    for position, (_, column) in enumerate(file.columns):
        if column.startswith("="):
            cell = pl.lit(column[1:])
        elif column not in table.columns:
            raise AkbError(
                f"dialect: {file.name} asks for '{column}', which {file.table} does not have"
            )
        else:
            cell = _cell(dialect, column, table.schema[column], typed=typed)
        cells.append(cell.alias(str(position)))
    return table.select(cells)


def _cell(dialect: Dialect, column: str, dtype: pl.DataType, *, typed: bool) -> pl.Expr:
    import polars as pl

    cell = pl.col(column)
    if dtype == pl.Date:
        return cell if typed else _day(dialect, cell)
    if column.endswith("_cents"):
        return cell / 100 if typed else _euros(dialect, cell)
    words = dialect.words.get(column)
    if words is None:
        return cell if typed else cell.cast(pl.String)
    named = {value: word for value, word in words.items() if value != "*"}
    text = cell.cast(pl.String)
    other = pl.when(text.is_not_null()).then(pl.lit(words["*"])) if "*" in words else text
    return text.replace_strict(named, default=other, return_dtype=pl.String)


def _day(dialect: Dialect, cell: pl.Expr) -> pl.Expr:
    import polars as pl

    if not dialect.months:
        return cell.dt.strftime(dialect.day)
    before, after = dialect.day.split("%b")
    names = dict(enumerate(dialect.months, start=1))
    month = cell.dt.month().replace_strict(names, return_dtype=pl.String)
    return cell.dt.strftime(before) + month + cell.dt.strftime(after)


def _euros(dialect: Dialect, cell: pl.Expr) -> pl.Expr:
    """Return cents as text, exactly."""
    import polars as pl

    whole = (cell // 100).cast(pl.String)
    if dialect.thousands:
        whole = whole.str.replace(r"^(\d+)(\d{3})$", "${1}" + dialect.thousands + "${2}")
    return whole + dialect.decimal + (cell % 100).cast(pl.String).str.zfill(2)


def _text(dialect: Dialect, file: DialectFile, headings: list[str], cells: pl.DataFrame) -> bytes:
    import polars as pl

    separator = file.separator or dialect.separator
    top = pl.DataFrame(
        [[heading] for heading in headings], schema=[str(i) for i in range(len(headings))]
    )
    form = {
        "separator": separator,
        "line_terminator": "\r\n",
        "quote_style": dialect.quotes,
        "include_header": False,
    }
    text: str = "".join(f"{title}\r\n" for title in dialect.title_rows)
    text += top.write_csv(**form) + cells.write_csv(**form)  # type: ignore[call-overload]
    if dialect.encoding == "utf-16":
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    return text.encode(dialect.encoding)


def _workbook(dialect: Dialect, headings: list[str], cells: pl.DataFrame) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": datetime(*_SAME_MOMENT)})
    sheet, form = book.add_worksheet("Export"), book.add_format({"num_format": "dd-mm-yyyy"})
    for place, title in enumerate(dialect.title_rows):
        sheet.write_string(place, 0, title)
    top = len(dialect.title_rows)
    sheet.write_row(top, 0, headings)
    for position, column in enumerate(cells.iter_columns()):
        dates = column.dtype.is_temporal()
        for place, value in enumerate(column.to_list(), start=top + 1):
            if value is None:
                continue
            if dates:
                sheet.write_datetime(
                    place, position, datetime(value.year, value.month, value.day), form
                )
            elif isinstance(value, str):
                sheet.write_string(place, position, value)
            else:
                sheet.write_number(place, position, value)
    book.close()
    return out.getvalue()


def _archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _SAME_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()
