"""CSV as offices have it: any usual encoding and separator, title rows, stray quotes, rows with missing fields.

The file is looked at line by line first. Lines that are plain go to Polars as they are; the few that are not (a
line break or a stray quote inside a field) are read one at a time; what has too many or too few fields is put
aside with its line number.
"""

from __future__ import annotations

import codecs
import csv
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.ingest.cells import shape
from akb.ingest.sources import RawTable, check_width, unique_headings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from akb.config import Ingest

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (BOM)"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SEPARATORS = {";": "puntkomma", ",": "komma", "\t": "tab", "|": "streep"}
_PREVIEW = 40
_HEADINGS_WITHIN = 15  # lines
_LONGEST_HEADINGS = 10  # lines
_LONGEST_RECORD = 20  # lines that one quoted field may span


def open_csv(raw: bytes, name: str, digest: str, ingest: Ingest, known: Callable[[Sequence[str]], int]) -> RawTable:
    """Return a CSV file as a table.

    Raises
    ------
    AkbError
        If it is no text, cannot be decoded with the encoding that the client named, has no rows, one column or
        far too many.
    """
    text, encoding = _decode(raw, name, ingest.encoding)
    if b"\n" not in text and b"\r" in text:
        text = text.replace(b"\r", b"\n")
    lines = pl.read_lines(text).to_series()
    head = lines.head(_PREVIEW).to_list()
    if not any(line.strip() for line in head):
        if lines.str.strip_chars().str.len_chars().sum() == 0:
            raise AkbError(f"{name} is empty", "It holds blank lines only. Export it again.")
        raise AkbError(f"{name}: the first {_PREVIEW} lines are blank", "Remove them.")
    separator, header = _layout(head, ingest.separator, known)
    headings, span = _record(head, header, separator)
    check_width(len(headings), f"{name}, line {header + 1}")
    while len(headings) > 1 and not headings[-1].strip():
        headings.pop()
    if len(headings) < 2:
        raise AkbError(
            f"{name}, line {header + 1}: only one column found",
            "Is it a table? akb knows ; , tab and | as separators; set separator in [ingest] of akb.toml.",
        )
    first = header + span  # 0-based, of the data
    body = _Body(text, lines.slice(first), first + 1, separator, len(headings))
    return RawTable(
        name=name,
        sha256=digest,
        dialect={
            "format": "CSV",
            "encoding": encoding,
            "separator": _SEPARATORS.get(separator, separator),
            "header_line": str(header + 1),
        },
        headings=unique_headings(headings),
        header_line=header + 1,
        read=body.read,
        ragged=body.ragged,
        load=body.load,
    )


def _decode(raw: bytes, name: str, asked: str | None) -> tuple[bytes, str]:
    """Return the text as UTF-8 without BOM, and the encoding: what the client says, BOM, strict UTF-8, cp1252."""
    if asked:
        try:
            return raw.decode(asked).lstrip("\ufeff").encode(errors="replace"), asked
        except LookupError:
            raise AkbError(f"unknown encoding '{asked}' in [ingest]", "Use utf-8, cp1252 or utf-16.") from None
        except UnicodeError as error:
            line = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
            raise AkbError(
                f"{name}, line {line}: not {asked}", "Leave encoding out of [ingest] and akb finds it."
            ) from None
    for bom, encoding, title in _BOMS:
        if raw.startswith(bom):
            return raw.decode(encoding, errors="replace").lstrip("\ufeff").encode(), title
    raw = raw.rstrip(b"\0")  # what an interrupted copy leaves behind a file
    sample = raw[:4096]
    zeros = sample.count(0)
    if zeros > len(sample) // 4:
        encoding = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
        return raw.decode(encoding, errors="replace").encode(), f"{encoding.upper()} (aangenomen)"
    if zeros > len(sample) // 50 or sum(byte < 9 or 13 < byte < 32 for byte in sample) > len(sample) // 50:
        raise AkbError(f"{name} is no text but binary data", "Export it again as CSV, XLSX or Parquet.")
    raw = raw.replace(b"\0", b" ") if b"\0" in raw else raw
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace").encode(), "cp1252 (aangenomen)"
    return raw, "UTF-8"


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=False), [])
    except csv.Error:
        return line.split(separator)


def _record(head: list[str], place: int, separator: str) -> tuple[list[str], int]:
    """Return the fields of a row of headings, and how many lines it spans: Excel breaks lines inside headings."""
    for span in range(1, _LONGEST_HEADINGS + 1) if head[place].count('"') % 2 else ():
        if "\n".join(head[place : place + span]).count('"') % 2 == 0:
            with suppress(csv.Error):
                lines = [line + "\n" for line in head[place : place + span]]
                rows = list(csv.reader(lines, delimiter=separator))
                if len(rows) == 1:
                    return rows[0], span
            break
    return _fields(head[place], separator), 1


def _layout(head: list[str], asked: str | None, known: Callable[[Sequence[str]], int]) -> tuple[str, int]:
    """Return the separator and the (0-based) line of the headings.

    The pair under which most headings are recognised; without any, the separator that cuts most lines into the
    same number of fields.
    """
    skip = 1 if re.fullmatch(r'"?sep=.?"?', head[0].strip(), re.IGNORECASE) else 0
    named = head[0].strip().strip('"')[4:5] if skip else ""
    separators = [asked] if asked else [named] if named else list(_SEPARATORS)
    best: tuple[tuple[int, int, int, int], str, int] | None = None
    for rank, separator in enumerate(separators):
        counts = [len(_fields(line, separator)) for line in head[skip:] if line.strip()]
        steady = max((counts.count(n) * min(n, 50) for n in set(counts) if n > 1), default=0)
        usual = max((n for n in set(counts) if n > 1), key=lambda n: (counts.count(n), n), default=1)
        for place, line in enumerate(head[skip:], start=skip):
            fields, _ = _record(head, place, separator)
            hits = known(fields) if 1 < len(fields) <= 5000 and place < skip + _HEADINGS_WITHIN else 0
            full = int(len(fields) >= usual > 1)
            score = (hits, full * steady, -rank, -place)
            if line.strip() and (best is None or score > best[0]):
                best = score, separator, place
    assert best is not None
    return best[1], best[2]


class _Body:
    """The data lines of a CSV file, sorted into plain, odd and ragged."""

    def __init__(self, text: bytes, lines: pl.Series, first_line: int, separator: str, width: int) -> None:
        self._text, self._first, self._separator, self._width = text, first_line, separator, width
        frame = self._classified(lines)
        odd = frame.filter("odd")
        self._records, bad, swallowed = self._read_odd(frame, odd["index"].to_list()) if odd.height else ([], [], set())
        plain_ok = ~pl.col("odd") & ~pl.col("blank") & ~pl.col("index").is_in(list(swallowed))
        self._plain = frame.filter(plain_ok & pl.col("fits"))
        ragged = pl.concat([frame.filter(plain_ok & ~pl.col("fits")), frame.filter(pl.col("index").is_in(bad))])
        self._direct = odd.is_empty()
        self._height = lines.len()
        self.read = self._plain.height + len(self._records) + ragged.height
        self.ragged = ragged.sort("index").select(
            line=(pl.col("index") + first_line).cast(pl.Int64),
            shape=pl.Series([shape(line) for line in ragged.sort("index")["line"]], dtype=pl.String),
        )
        if self._direct:
            self._plain = self._plain.drop("line")

    def _classified(self, lines: pl.Series) -> pl.DataFrame:
        s = self._separator
        bare, line = pl.col("bare"), pl.col("line")
        quoted = rf'(^|{re.escape(s)})"(?:[^"]|"")*"'
        frame = lines.alias("line").to_frame()
        has_quotes = bool(lines.str.contains('"', literal=True).any())
        bare_line = line.str.replace_all(quoted, "${1}\x01") if has_quotes else line
        odd = bare.str.contains(rf'"|\x01[^{re.escape(s)}]') if has_quotes else pl.lit(value=False)
        return (
            frame.lazy()
            .with_columns(bare=bare_line)
            .with_columns(count=bare.str.count_matches(s, literal=True).cast(pl.Int32))
            .select(
                "line",
                index=pl.int_range(pl.len(), dtype=pl.Int64),
                odd=odd,
                blank=line.str.strip_chars(f'{s} \t\r"\u00a0') == "",
                fits=(pl.col("count") == self._width - 1)
                | (
                    (pl.col("count") >= self._width)
                    & (bare.str.strip_chars_end(f"{s} ").str.count_matches(s, literal=True) < self._width)
                ),
            )
            .collect()
        )

    def _read_odd(self, frame: pl.DataFrame, odd: list[int]) -> tuple[list[tuple[int, list[str]]], list[int], set[int]]:
        """Read the lines with a quote that is open or stray: records, ragged lines, lines inside a record."""
        lines = frame["line"]
        records: list[tuple[int, list[str]]] = []
        bad: list[int] = []
        swallowed: set[int] = set()
        for index in odd:
            if index in swallowed:
                continue
            spanned = self._spanned(lines.slice(index, _LONGEST_RECORD).to_list())
            if spanned is not None:
                fields, count = spanned
                records.append((index, fields))
                swallowed.update(range(index + 1, index + count))
                continue
            fields = _fields(lines[index], self._separator)
            if len(fields) != self._width:
                fields = lines[index].split(self._separator)
            while len(fields) > self._width and not fields[-1].strip():
                fields.pop()
            if len(fields) == self._width:
                records.append((index, fields))
            else:
                bad.append(index)
        return records, bad, swallowed

    def _spanned(self, lines: list[str]) -> tuple[list[str], int] | None:
        """Return the fields of a record that spans lines, and how many, if the lines make one."""
        if lines[0].count('"') % 2 == 0:
            return None
        for count in range(2, len(lines) + 1):
            if lines[count - 1].count('"') % 2 == 0:
                continue
            try:
                rows = list(csv.reader([line + "\n" for line in lines[:count]], delimiter=self._separator))
            except csv.Error:
                return None
            return (rows[0], count) if len(rows) == 1 and len(rows[0]) == self._width else None
        return None

    def load(self, positions: Sequence[int]) -> pl.DataFrame:
        """Return the columns at `positions` of all rows that fit, with their line numbers, in file order."""
        wanted = sorted(set(positions))
        names = {f"c{position}": str(position) for position in wanted}
        if self._direct and self._height:
            table = self._parse(self._text, wanted, self._first - 1, self._height)
            if table is not None:
                if self._plain.height < self._height:
                    table = table[self._plain["index"].to_numpy()]
                return table.rename(names).with_columns(line=self._plain["index"] + self._first)
            lines = pl.read_lines(self._text).to_series().slice(self._first - 1)
            self._plain = self._plain.with_columns(line=lines[self._plain["index"].to_numpy()])
        parts = []
        if self._plain.height:
            joined = self._plain["line"].str.join("\n").item().encode()
            table = self._parse(joined, wanted, 0, self._plain.height)
            if table is None:
                table = self._columns([_fields(line, self._separator) for line in self._plain["line"]], wanted)
            parts.append(table.with_columns(line=self._plain["index"] + self._first))
        if self._records:
            index = pl.Series([index + self._first for index, _ in self._records], dtype=pl.Int64)
            parts.append(self._columns([row for _, row in self._records], wanted).with_columns(line=index))
        if not parts:
            return pl.DataFrame(schema={**dict.fromkeys(names.values(), pl.String), "line": pl.Int64})
        return pl.concat(parts).sort("line").rename(names) if len(parts) > 1 else parts[0].rename(names)

    def _columns(self, rows: list[list[str]], wanted: list[int]) -> pl.DataFrame:
        return pl.DataFrame(
            {f"c{p}": pl.Series([row[p] if p < len(row) else None for row in rows], dtype=pl.String) for p in wanted}
        )

    def _parse(self, text: bytes, wanted: list[int], skip: int, height: int) -> pl.DataFrame | None:
        """Return `height` rows as Polars reads them; None if it reads other rows than there are lines."""
        try:
            table = pl.read_csv(
                text,
                has_header=False,
                skip_lines=skip,
                separator=self._separator,
                schema={f"c{position}": pl.String for position in range(self._width)},
                columns=wanted,
                truncate_ragged_lines=True,
                missing_columns="insert",
                extra_columns="ignore",
            )
        except pl.exceptions.PolarsError:
            return None
        return table if table.height == height else None
