"""CSV as offices have it: any usual encoding and separator, title rows, stray quotes, rows with
missing fields.

The file is looked at line by line first. Lines that are plain go to Polars as they are; the few
that are not (a line break or a stray quote inside a field) are read one at a time; what has too
many or too few fields is put aside with its line number. All of this happens a block of lines at a
time, and columns whose texts repeat become codes with a dictionary as soon as they are read, so
that memory grows with what the file says and not with its bytes."""

from __future__ import annotations

import codecs
import csv
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.ingest.cells.bounds import check_lines, check_preview
from akb.ingest.cells.texts import Packer, rule, shape
from akb.ingest.files.raw_table import NotATableError, RawTable, check_width, unique_headings
from akb.ingest.files.two_rows import known_together, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from akb.config import Ingest

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
MIXED = "UTF-8+cp1252"  # two programs wrote into one file
_WRAPPED = re.compile(rb'^"(.*)"[ \t]*(\r?)$', re.MULTILINE)
_UTF8_SIGN = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_SEPARATORS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe"}
_PREVIEW = 40
_HEADINGS_WITHIN = 15  # lines
_LONGEST_HEADINGS = 10  # lines
_LONGEST_RECORD = 200  # lines that one quoted field may span: a note is that long
_BLOCK = 4_000_000  # bytes that are looked at together


def open_csv(
    raw: bytes, name: str, digest: str, ingest: Ingest, known: Callable[[Sequence[str]], int]
) -> RawTable:
    """Return a CSV file as a table.

    Raises
    ------
    AkbError
        If it is no text, cannot be decoded with the encoding that the client named, has no rows,
        one column or far too many.
    """
    check_lines(raw, name)
    text, encoding, proven = _decode(raw, name, ingest.encoding)
    head = next((_lines(block).head(_PREVIEW).to_list() for block in text), [])
    check_preview(head, name)
    if not any(line.strip() for line in head):
        if all(_lines(block).str.strip_chars().str.len_chars().sum() == 0 for block in text):
            raise NotATableError(f"{name} is empty", "It holds blank lines only. Export it again.")
        raise AkbError(f"{name}: the first {_PREVIEW} lines are blank", "Remove them.")
    if _wrapped(head, ingest.separator):
        text = replace(text, convert=_unwrapping(text.convert))
        head = next((_lines(block).head(_PREVIEW).to_list() for block in text), [])
    separator, header = _layout(head, ingest.separator, known)
    headings, span = _record(head, header, separator)
    check_width(len(headings), f"{name}, line {header + 1}")
    if header:
        headings = merged(_fields(head[header - 1], separator), headings, known)
    while len(headings) > 1 and not headings[-1].strip():
        headings.pop()
    if len(headings) < 2:
        raise NotATableError(
            f"{name}, line {header + 1}: only one column found",
            "Is it a table? akb knows ; , tab and | as separators; set separator in [ingest] of "
            "akb.toml.",
        )
    first = header + span  # 0-based, of the data
    body = _Body(text, first, separator, len(headings))
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
        assumed=() if proven else ("encoding",),
    )


@dataclass(frozen=True)
class _Text:
    """The bytes of a file as UTF-8, in blocks of whole lines; a preview fits in a block, and a
    record in two.

    Parameters
    ----------
    raw
        The bytes; a line ends at a line feed.
    start
        Where the text begins.
    convert
        Bytes of whole lines to UTF-8.
    """

    raw: bytes
    start: int = 0
    convert: Callable[[bytes], bytes] = bytes

    def __iter__(self) -> Iterator[bytes]:
        at = self.start
        while at < len(self.raw):
            end = self._end(at + _BLOCK)
            while end < len(self.raw) and not self._fills_preview(at, end):
                end = self._end(end)
            yield self.convert(self.raw[at:end])
            at = end

    def _fills_preview(self, at: int, end: int) -> bool:
        for _ in range(_PREVIEW):
            at = self.raw.find(b"\n", at, end) + 1
            if not at:
                return False
        return True

    def _end(self, at: int) -> int:
        return self.raw.find(b"\n", at) + 1 or len(self.raw)


def _lines(block: bytes) -> pl.Series:
    return pl.read_lines(block).to_series()


def _decode(raw: bytes, name: str, asked: str | None) -> tuple[_Text, str, bool]:
    """Return the text as UTF-8 without BOM, the encoding, and whether anything proves that
    encoding.

    What the client says, a byte order mark, strict UTF-8; else cp1252, which any bytes could be.
    """
    if asked:
        try:
            return _whole(raw.decode(asked)), asked, True
        except LookupError:
            raise AkbError(
                f"unknown encoding '{asked}' in [ingest]", "Use utf-8, cp1252 or utf-16."
            ) from None
        except UnicodeError as error:
            line = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
            raise AkbError(
                f"{name}, line {line}: not {asked}",
                "Leave encoding out of [ingest] and akb finds it.",
            ) from None
    if raw.startswith(codecs.BOM_UTF8):
        text = _Text(_with_line_feeds(raw), len(codecs.BOM_UTF8))
        if _is_utf8(text):
            return text, "UTF-8 (BOM)", True
        return _whole(raw.decode(errors="akb_cp1252")), MIXED, False
    for bom, encoding, title in _BOMS:
        if raw.startswith(bom):
            return _whole(raw.decode(encoding, errors="replace")), title, True
    raw = raw.rstrip(b"\0")  # what an interrupted copy leaves behind a file
    sample = raw[:4096]
    zeros = sample.count(0)
    if zeros > len(sample) // 4:
        encoding = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
        return _whole(raw.decode(encoding, errors="replace")), encoding.upper(), False
    if (
        zeros > len(sample) // 50
        or sum(byte < 9 or 13 < byte < 32 for byte in sample) > len(sample) // 50
    ):
        raise NotATableError(
            f"{name} is no text but binary data", "Export it again as CSV, XLSX or Parquet."
        )
    return _unmarked(_with_line_feeds(raw.replace(b"\0", b" ") if b"\0" in raw else raw))


def _unmarked(raw: bytes) -> tuple[_Text, str, bool]:
    """Return text that nothing marks: UTF-8 if it is, both encodings if it is only in part, else
    cp1252.
    """
    if _is_utf8(_Text(raw)):
        return _Text(raw), "UTF-8", True
    if _UTF8_SIGN.search(raw):
        return (
            _Text(raw, 0, lambda block: block.decode("utf-8", errors="akb_cp1252").encode()),
            MIXED,
            False,
        )
    return (
        _Text(raw, 0, lambda block: block.decode("cp1252", errors="replace").encode()),
        "cp1252",
        False,
    )


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as cp1252: two programs wrote into one file."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("akb_cp1252", _as_cp1252)


def _whole(text: str) -> _Text:
    return _Text(_with_line_feeds(text.lstrip("\ufeff").encode(errors="replace")))


def _with_line_feeds(raw: bytes) -> bytes:
    """Return text whose lines end at a line feed: old Macintosh files have carriage returns
    only.
    """
    return raw.replace(b"\r", b"\n") if b"\n" not in raw and b"\r" in raw else raw


def _is_utf8(text: _Text) -> bool:
    try:
        for block in text:
            if not block.isascii():
                block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=False), [])
    except csv.Error:
        return line.split(separator)


def _record(head: list[str], place: int, separator: str) -> tuple[list[str], int]:
    """Return the fields of a row of headings, and how many lines it spans: Excel breaks lines
    inside headings.
    """
    for span in range(1, _LONGEST_HEADINGS + 1) if head[place].count('"') % 2 else ():
        if "\n".join(head[place : place + span]).count('"') % 2 == 0:
            with suppress(csv.Error):
                lines = [line + "\n" for line in head[place : place + span]]
                rows = list(csv.reader(lines, delimiter=separator))
                if len(rows) == 1:
                    return rows[0], span
            break
    return _fields(head[place], separator), 1


def _wrapped(head: list[str], asked: str | None) -> bool:
    """Whether every line stands between quotes as a whole, so that no separator cuts it."""
    filled = [line.strip() for line in head if line.strip()]
    separators = [asked] if asked else list(_SEPARATORS)
    return (
        len(filled) > 1
        and all(line[:1] == line[-1:] == '"' and len(line) > 1 for line in filled)
        and all(len(_fields(line, sign)) == 1 for line in filled for sign in separators)
        and any(sign in line for line in filled for sign in separators)
    )


def _unwrapping(convert: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return the conversion to UTF-8 that also takes the quotes round whole lines away."""

    def unwrapped(block: bytes) -> bytes:
        return _WRAPPED.sub(lambda line: line[1].replace(b'""', b'"') + line[2], convert(block))

    return unwrapped


def _layout(
    head: list[str], asked: str | None, known: Callable[[Sequence[str]], int]
) -> tuple[str, int]:
    """Return the separator and the (0-based) line of the headings.

    The pair under which most headings are recognised; without any, the separator that cuts most
    lines into the same number of fields."""
    skip = 1 if re.fullmatch(r'"?sep=.?"?', head[0].strip(), re.IGNORECASE) else 0
    named = head[0].strip().strip('"')[4:5] if skip else ""
    separators = [asked] if asked else [named] if named else list(_SEPARATORS)
    best: tuple[tuple[int, int, int, int], str, int] | None = None
    for rank, separator in enumerate(separators):
        counts = [len(_fields(line, separator)) for line in head[skip:] if line.strip()]
        steady = max((counts.count(n) * min(n, 50) for n in set(counts) if n > 1), default=0)
        usual = max(
            (n for n in set(counts) if n > 1), key=lambda n: (counts.count(n), n), default=1
        )
        for place, line in enumerate(head[skip:], start=skip):
            fields, _ = _record(head, place, separator)
            above = _fields(head[place - 1], separator) if place > skip else []
            near = 1 < len(fields) <= 5000 and place < skip + _HEADINGS_WITHIN
            hits = known_together(above, fields, known) if near else 0
            full = int(len(fields) >= usual > 1)
            score = (hits, full * steady, -rank, -place)
            if line.strip() and (best is None or score > best[0]):
                best = score, separator, place
    assert best is not None
    return best[1], best[2]


@dataclass(frozen=True)
class _Block:
    """What a block of lines holds.

    Parameters
    ----------
    first
        Line number of its first data line, 1-based.
    skip
        Lines before that: title and headings.
    height
        Number of data lines.
    plain
        Positions of the lines that Polars can read, u32; None for all of them.
    direct
        No line has an open or stray quote: Polars can read the block as it is.
    records
        Line number -> fields of the rows that were read one at a time.
    """

    first: int
    skip: int
    height: int
    plain: pl.Series | None
    direct: bool
    records: dict[int, list[str]]

    @property
    def rows(self) -> int:
        return (self.height if self.plain is None else self.plain.len()) + len(self.records)


class _Body:
    """The data lines of a CSV file, sorted into plain, odd and ragged."""

    def __init__(self, text: _Text, skip: int, separator: str, width: int) -> None:
        self._text, self._separator, self._width = text, separator, width
        self._blocks: list[_Block] = []
        ragged: list[pl.DataFrame] = [pl.DataFrame(schema={"line": pl.Int64, "shape": pl.String})]
        first, swallowed = skip + 1, set[int]()
        for block, following in pairwise(chain(text, [b""])):
            lines = _lines(block).slice(0 if self._blocks else skip)
            found, odd_ones, swallowed = self._sorted(lines, following, swallowed, first)
            self._blocks.append(_Block(first, 0 if self._blocks else skip, lines.len(), *found))
            ragged.append(odd_ones)
            first += lines.len()
        self.ragged = pl.concat(ragged)
        self.read = sum(block.rows for block in self._blocks) + self.ragged.height

    def _sorted(
        self, lines: pl.Series, following: bytes, swallowed: set[int], first: int
    ) -> tuple[tuple[pl.Series | None, bool, dict[int, list[str]]], pl.DataFrame, set[int]]:
        """Return what a block holds (see `_Block`), its ragged rows, and the lines of the next
        block that are read.
        """
        frame = self._classified(lines)
        odd = frame["index"].filter(frame["odd"]).to_list()
        records: list[tuple[int, list[str]]] = []
        bad: list[int] = []
        if odd:
            ahead = _lines(following).head(_LONGEST_RECORD)
            records, bad, swallowed = self._read_odd(pl.concat([lines, ahead]), odd, swallowed)
        usable = frame.filter(
            ~pl.col("odd") & ~pl.col("blank") & ~pl.col("index").is_in(list(swallowed))
        )
        plain = usable["index"].filter(usable["fits"])
        off = pl.concat(
            [usable["index"].filter(~usable["fits"]), pl.Series(bad, dtype=pl.UInt32)]
        ).sort()
        ragged = pl.DataFrame(
            {
                "line": off.cast(pl.Int64) + first,
                "shape": pl.Series([shape(line) for line in lines.gather(off)], dtype=pl.String),
            }
        )
        held = {first + index: fields for index, fields in records}
        later = {index - lines.len() for index in swallowed if index >= lines.len()}
        return (None if plain.len() == lines.len() else plain, not odd, held), ragged, later

    def _classified(self, lines: pl.Series) -> pl.DataFrame:
        s = self._separator
        bare, line = pl.col("bare"), pl.col("line")
        quoted = rf'(^|{re.escape(s)})"(?:[^"]|"")*"'
        frame = lines.alias("line").to_frame()
        has_quotes = bool(lines.str.contains('"', literal=True).any())
        bare_line = line.str.replace_all(quoted, "${1}\x01") if has_quotes else line
        odd = bare.str.contains(rf'"|\x01[^{re.escape(s)}]') if has_quotes else pl.lit(value=False)
        frame = (
            frame.lazy()
            .with_columns(bare=bare_line)
            .with_columns(count=bare.str.count_matches(s, literal=True).cast(pl.Int32))
            .with_columns(long=line.str.len_bytes() > int(rule("files", "heading_line")))
            .collect()
        )
        fits = pl.col("count") == self._width - 1
        if (frame["count"] >= self._width).any():  # seldom, and costly to ask of every line
            ends = bare.str.strip_chars_end(f"{s} ").str.count_matches(s, literal=True)
            fits |= (pl.col("count") >= self._width) & (ends < self._width)
        return (
            frame.lazy()
            .select(
                index=pl.int_range(pl.len(), dtype=pl.UInt32),
                odd=odd & ~pl.col("long"),
                blank=line.str.strip_chars(f'{s} \t\r"\u00a0') == "",
                fits=~pl.col("long") & fits,
            )
            .collect()
        )

    def _read_odd(
        self, lines: pl.Series, odd: list[int], swallowed: set[int]
    ) -> tuple[list[tuple[int, list[str]]], list[int], set[int]]:
        """Read the lines with a quote that is open or stray: records, ragged lines, lines inside a
        record.
        """
        records: list[tuple[int, list[str]]] = []
        bad: list[int] = []
        swallowed = set(swallowed)
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
                rows = list(
                    csv.reader([line + "\n" for line in lines[:count]], delimiter=self._separator)
                )
            except csv.Error:
                return None
            return (rows[0], count) if len(rows) == 1 and len(rows[0]) == self._width else None
        return None

    def load(self, positions: Sequence[int]) -> pl.DataFrame:
        """Return the columns at `positions` of all rows that fit, with their line numbers, in file
        order.
        """
        wanted = sorted(set(positions))
        packer = Packer([*(str(position) for position in wanted), "line"])
        for block, content in zip(self._blocks, self._text, strict=True):
            if block.rows:
                packer.add(self._rows(block, content, wanted))
        return packer.frame()

    def _rows(self, block: _Block, content: bytes, wanted: list[int]) -> pl.DataFrame:
        """Return the rows of one block, in file order."""
        index = (
            pl.int_range(block.height, dtype=pl.UInt32, eager=True)
            if block.plain is None
            else block.plain
        )
        table = (
            self._parse(content, wanted, block.skip, block.height)
            if block.direct and index.len()
            else None
        )
        if table is not None:
            table = table if block.plain is None else table[index]
        elif index.len():
            plain = _lines(content).slice(block.skip).gather(index)
            table = self._parse(plain.str.join("\n").item().encode(), wanted, 0, plain.len())
            if table is None:
                table = self._columns([_fields(line, self._separator) for line in plain], wanted)
        parts = (
            [] if table is None else [table.with_columns(line=index.cast(pl.Int64) + block.first)]
        )
        if block.records:
            line = pl.Series(list(block.records), dtype=pl.Int64)
            parts.append(
                self._columns(list(block.records.values()), wanted).with_columns(line=line)
            )
        rows = pl.concat(parts).sort("line") if len(parts) > 1 else parts[0]
        return rows.rename({f"c{position}": str(position) for position in wanted})

    def _columns(self, rows: list[list[str]], wanted: list[int]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                f"c{p}": pl.Series(
                    [row[p] if p < len(row) else None for row in rows], dtype=pl.String
                )
                for p in wanted
            }
        )

    def _parse(self, text: bytes, wanted: list[int], skip: int, height: int) -> pl.DataFrame | None:
        """Return `height` rows as Polars reads them; None if it reads other rows than there are
        lines.
        """
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
