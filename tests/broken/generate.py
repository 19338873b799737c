"""A corpus of broken and odd exports, each with a name and what ``akb check`` must make of it.

``python -m tests.broken.generate DIR`` writes them all, to look at or to try another program on.
"""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

import io
import os
import random
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

HEAD = "Relatienummer;Polisnummer;Branche;Maatschappij;Ingangsdatum;Einddatum;Royementsreden;Premie per jaar;Provisie per jaar"
CLAIM_HEAD = "Relatienummer;Polisnummer;Meldingsdatum;Schadebedrag"
CONTACT_HEAD = "Relatienummer;Contactdatum;Kanaal;Onderwerp"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """One broken or odd input.

    Parameters
    ----------
    name
        Unique name.
    files
        File name -> content.
    refused
        Words of the sentence with which it is refused (exit 2); empty: it is read.
    finding
        A finding that must be counted.
    rejected
        A reason for which rows must be put aside.
    arguments
        What to run ``akb check`` with, ``{}`` standing for the folder; by default all files.
    make
        What bytes cannot express: a pipe, a folder, a dead link.
    sound
        It says the same as the sound export in another way: the same day, rows and history come out.
    """

    name: str
    files: Files
    refused: str = ""
    finding: str = ""
    rejected: str = ""
    arguments: tuple[str, ...] = ()
    make: Callable[[Path], None] | None = None
    sound: bool = False

    def write(self, folder: Path) -> list[str]:
        """Write the files; return the arguments of the command."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        if self.make:
            self.make(folder)
        return [part.replace("{}", str(folder)) for part in self.arguments] or [str(folder / n) for n in self.files]


def nl(day: date) -> str:
    return day.strftime("%d-%m-%Y")


def rows(count: int = 60) -> list[list[str]]:
    """Sound policies: five branches, a third of them ended, each of its own customer or two."""
    draw, made = random.Random(7), []
    branches = ("AVP", "Inboedel", "Opstal", "Auto", "Doorlopende reis")
    for number in range(count):
        start = date(2012, 1, 1) + timedelta(days=draw.randrange(4000))
        end = nl(start + timedelta(days=draw.randrange(60, 900))) if number % 3 == 0 else ""
        premium = f"{draw.randrange(40, 900)},{draw.randrange(100):02d}"
        made.append([
            f"{1000 + number // 2}", f"P{number:05d}", branches[number % 5], "De Vaart", nl(start), end,
            "Opzegging klant" if end else "", premium, f"{draw.randrange(5, 90)},50",
        ])  # fmt: skip
    return made


def lines(table: list[list[str]], head: str = HEAD, separator: str = ";", end: str = "\r\n") -> str:
    return end.join([head.replace(";", separator), *(separator.join(row) for row in table)]) + end


GOOD = lines(rows())
BODY = GOOD.split("\r\n", 1)[1]


def where(column: int, value: str | Callable[[int, str], str], every: int = 1) -> bytes:
    """The sound export with something else in a column of every n-th row."""
    table = rows()
    for number, row in enumerate(table):
        if number % every == 0:
            row[column] = value if isinstance(value, str) else value(number, row[column])
    return lines(table).encode()


def without(*headings: str) -> bytes:
    names = HEAD.split(";")
    kept = [place for place, name in enumerate(names) if name not in headings]
    return lines([[row[place] for place in kept] for row in rows()], ";".join(names[place] for place in kept)).encode()


def renamed(old: str, new: str) -> bytes:
    return GOOD.replace(old, new, 1).encode()


def workbook(*sheets: list[list[object]], **options: object) -> bytes:
    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "nan_inf_to_errors": True, **options})
    for sheet in sheets:
        page = book.add_worksheet()
        for place, row in enumerate(sheet):
            page.write_row(place, 0, row)
    book.close()
    return target.getvalue()


def sheet_rows() -> list[list[object]]:
    return [list(HEAD.split(";")), *(list(row) for row in rows())]


def archive(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return target.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    target = io.BytesIO()
    frame.write_parquet(target)
    return target.getvalue()


def table_of(count: int = 60) -> pl.DataFrame:
    return pl.DataFrame(rows(count), schema=HEAD.split(";"), orient="row")


def one(content: bytes, name: str = "polissen.csv") -> Files:
    return {name: content}


def with_claims(claims: str, head: str = CLAIM_HEAD) -> Files:
    return {"polissen.csv": GOOD.encode(), "schades.csv": f"{head}\r\n{claims}".encode()}


def no_tables() -> list[Case]:
    """Files that are no table at all, and tables without anything in them."""
    png, jpg = b"\x89PNG\r\n\x1a\n" + bytes(200), b"\xff\xd8\xff\xe0" + bytes(200)
    noise = random.Random(1).randbytes(5000)
    return [
        Case("empty file", one(b""), "empty"),
        Case("blank lines", one(b"\r\n\r\n \r\n"), "empty"),
        Case("a byte order mark and nothing else", one(b"\xef\xbb\xbf"), "empty"),
        Case("separators only", one(b";;;;\r\n;;;;\r\n"), "polissen.csv"),
        Case("headings only", one(f"{HEAD}\r\n".encode()), "no rows"),
        Case("headings and blank lines", one(f"{HEAD}\r\n\r\n;;;;;;;;\r\n\r\n".encode()), "no rows"),
        Case("fifty blank lines first", one(b"\r\n" * 50 + GOOD.encode()), "blank"),
        Case("pdf named csv", one(b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n"), "PDF"),
        Case("png named csv", one(png), "picture"),
        Case("jpg named csv", one(jpg), "picture"),
        Case("gzip", one(b"\x1f\x8b\x08\x00" + noise), "gzip"),
        Case("7z", one(b"7z\xbc\xaf\x27\x1c" + noise), "7z"),
        Case("rar", one(b"Rar!\x1a\x07\x00" + noise), "RAR"),
        Case("sqlite", one(b"SQLite format 3\x00" + noise), "database"),
        Case("html named xls", one(b"<html><table><tr><td>Relatienummer</td></tr></table>", "p.xls"), "web page"),
        Case("doctype page", one(b"<!DOCTYPE html>\n<html></html>"), "web page"),
        Case("rtf", one(b"{\\rtf1\\ansi Relatienummer}"), "text document"),
        Case("random bytes", one(noise), "binary"),
        Case("zero bytes", one(bytes(4096)), "polissen.csv"),
        Case("json", one(b'[{"relatienummer": 1, "polisnummer": 2}]'), "polissen.csv"),
        Case("xml", one(b"<?xml version='1.0'?><polis><nr>1</nr></polis>"), "polissen.csv"),
        Case("prose", one(b"Beste Jan,\r\nHierbij de export.\r\nGroet, Piet\r\n"), "polissen.csv"),
        Case("one column", one(b"Relatienummer\r\n1\r\n2\r\n"), "one column"),
        Case("carets as separator", one(lines(rows(), separator="^").encode()), "headings"),
        Case("one endless line", one(b"a" * 3_000_000), "one column"),
        Case("endless line of separators", one(b";" * 3_000_000), "columns"),
        Case("five thousand columns", one(b";".join(b"c%d" % n for n in range(5000)) + b"\r\n1;2\r\n"), "columns"),
        Case("somebody else's table", one(b"a;b;c\r\n1;2;3\r\n"), "customer"),
    ]


def headings() -> list[Case]:
    """Headings that are missing, doubled, odd or not there."""
    return [
        Case("no headings", one(BODY.encode()), "headings"),
        Case("no customer", one(without("Relatienummer")), "customer"),
        Case("no policy", one(without("Polisnummer")), "policy"),
        Case("no start", one(without("Ingangsdatum")), "start"),
        Case("a typing error", one(renamed("Ingangsdatum", "Ingangdatm")), "Ingangdatm"),
        Case("doubled heading", one(renamed("Maatschappij", "Relatienummer")), finding="AKB-D039"),
        Case("empty heading", one(renamed("Maatschappij", "")), finding="AKB-D039"),
        Case("heading with a line break", one(renamed("Maatschappij", '"Maat\nschappij"'))),
        Case("shouting with spaces", one(renamed("Polisnummer", "  POLIS NUMMER  "))),
        Case("quoted headings", one(GOOD.replace(HEAD, ";".join(f'"{h}"' for h in HEAD.split(";")), 1).encode())),
        Case("heading of emoji", one(renamed("Maatschappij", "🏠🏠")), finding="AKB-D039"),
        Case("html in a heading", one(renamed("Maatschappij", "<script>alert(1)</script>")), finding="AKB-D039"),
        Case("formula in a heading", one(renamed("Maatschappij", "=1+1")), finding="AKB-D039"),
        Case("title rows above", one(f"Kantoor De Brug\r\nExport\r\n\r\n{GOOD}".encode())),
        Case("sep= line", one(f"sep=;\r\n{GOOD}".encode())),
        Case("total line below", one(f"{GOOD}Totaal;;;;;;;12345,00;\r\n".encode()), rejected="no_policy"),
        Case("headings repeated half way", one((GOOD + GOOD).encode()), finding="AKB-D002"),
        Case("no branch", one(without("Branche")), finding="AKB-D010"),
        Case("no money", one(without("Premie per jaar", "Provisie per jaar")), finding="AKB-D012"),
        Case("no ends", one(without("Einddatum", "Royementsreden")), finding="AKB-D036"),
        Case("no reasons", one(without("Royementsreden")), finding="AKB-D037"),
    ]


def layouts() -> list[Case]:
    """Encodings, separators, line ends and quotes."""
    odd_half = GOOD.replace("De Vaart", "Kröller & Zn €", 5)
    quoted = lines([[f'"{cell}"' for cell in row] for row in rows()], separator=",")
    half = GOOD.encode("utf-16-le")
    return [
        Case("utf-16 with mark", one(GOOD.encode("utf-16"))),
        Case("utf-16 without mark", one(half), finding="AKB-D023"),
        Case("utf-16 big endian", one(b"\xfe\xff" + GOOD.encode("utf-16-be"))),
        Case("utf-16 cut in a character", one(GOOD.encode("utf-16")[:-1])),
        Case("utf-32", one(GOOD.encode("utf-32"))),
        Case("cp1252", one(odd_half.encode("cp1252")), finding="AKB-D023"),
        Case("one byte wrong", one(GOOD.encode().replace(b"De Vaart", b"De V\xe9rt", 1)), finding="AKB-D023"),
        Case(
            "two encodings", one(odd_half.encode() + odd_half.split("\r\n", 1)[1].encode("cp1252")), finding="AKB-D002"
        ),
        Case("mark in the middle", one(GOOD.replace("De Vaart", "\ufeffDe Vaart", 3).encode())),
        Case("tabs", one(lines(rows(), separator="\t").encode())),
        Case("pipes", one(lines(rows(), separator="|").encode())),
        Case("commas and quotes", one(quoted.encode())),
        Case("old Mac line ends", one(lines(rows(), end="\r").encode())),
        Case("mixed line ends", one(GOOD.replace("\r\n", "\n", 20).encode())),
        Case("line ends doubled", one(GOOD.replace("\r\n", "\r\r\n").encode())),
        Case("blank lines between", one(GOOD.replace("\r\n", "\r\n\r\n").encode())),
        Case("no line end at the end", one(GOOD.rstrip().encode())),
        Case("cut off in the last line", one(GOOD.rstrip()[:-30].encode()), rejected="ragged"),
        Case("DOS end of file", one(GOOD.encode() + b"\x1a"), rejected="ragged"),
        Case("zero bytes at the end", one(GOOD.encode() + bytes(512))),
        Case("separators at the end", one(GOOD.replace("\r\n", ";;\r\n").encode())),
        Case("some rows short", one(GOOD.replace(";De Vaart", "", 4).encode()), finding="AKB-D030"),
        Case("some rows long", one(GOOD.replace("De Vaart", "De;Vaart", 4).encode()), finding="AKB-D030"),
        Case("all rows short", one(f"{HEAD}\r\n1;2;3\r\n4;5;6\r\n".encode()), "no usable row"),
        Case("quote never closed", one(GOOD.replace("De Vaart", '"De Vaart', 1).encode())),
        Case("stray quotes", one(GOOD.replace("De Vaart", 'De "grote" Vaart', 9).encode())),
        Case("line break in a field", one(GOOD.replace("De Vaart", '"De\r\nVaart"', 5).encode())),
        Case("only quotes", one(b'"' * 999), "polissen.csv"),
        Case("field of a megabyte", one(GOOD.replace("De Vaart", "x" * 1_000_000, 1).encode())),
        Case("control characters", one(GOOD.replace("De Vaart", "De\x01\x02Vaart", 9).encode())),
        Case("zero byte in a field", one(GOOD.replace("De Vaart", "De\x00Vaart", 1).encode())),
    ]


def values() -> list[Case]:
    """Cells that are no date, no amount, no number, or not what they seem."""
    start, end, premium = 4, 5, 7
    return [
        Case("no date at all", one(where(start, "binnenkort")), "Ingangsdatum"),
        Case("some dates are none", one(where(start, "31-02-2020", 10)), finding="AKB-D007"),
        Case("American dates", one(where(start, lambda n, _: f"{n % 12 + 1:02d}/{n % 28 + 1:02d}/2019"))),
        Case("two ways of dates", one(where(start, lambda n, d: "-".join(reversed(d.split("-"))), 2))),
        Case("two-digit years", one(where(start, lambda n, d: d[:6] + d[8:]))),
        Case("Excel's day numbers", one(where(start, lambda n, _: f"{41000 + n}"))),
        Case("moments with a zone", one(where(start, lambda n, _: f"2019-03-{n % 28 + 1:02d}T12:30:00+02:00"))),
        Case("year 1", one(where(start, "01-01-0001", 10)), rejected="no_start"),
        Case("year 9999", one(where(end, "31-12-9999"))),
        Case("year 12345", one(where(start, "01-01-12345", 10)), finding="AKB-D007"),
        Case("ends before it starts", one(where(end, "01-01-1999", 10)), finding="AKB-D008"),
        Case(
            "ends as it starts", one(lines([[*r[:5], r[4], *r[6:]] for r in rows()]).encode()), "60 of 60 rows the date"
        ),
        Case("starts in the future", one(where(start, "01-01-2090", 10))),
        Case("all in the future", one(where(start, "01-01-2090")), "start after"),
        Case("no customers", one(where(0, "")), "Relatienummer"),
        Case("some without customer", one(where(0, "", 9)), finding="AKB-D020"),
        Case("some without policy", one(where(1, "-", 9)), finding="AKB-D020"),
        Case("everybody twice", one((GOOD + BODY).encode()), finding="AKB-D002"),
        Case("one policy number for all", one(where(1, "1"))),
        Case("one customer for all", one(where(0, "1"))),
        Case("numbers through a spreadsheet", one(where(0, lambda n, v: f"{v}.0"))),
        Case("numbers as text formulas", one(where(0, lambda n, v: f'="{v}"'))),
        Case("mutilated policy numbers", one(where(1, "1,23E+12", 20)), finding="AKB-D046"),
        Case("customers in Arabic and emoji", one(where(0, lambda n, v: f"عميل🙂{v}"))),
        Case("invisible signs", one(where(0, lambda n, v: f"\u200b{v}\u00a0"))),
        Case("customer of ten thousand signs", one(where(0, "9" * 10_000, 10))),
        Case("premium in words", one(where(premium, "honderd", 10)), finding="AKB-D026"),
        Case("premium nan", one(where(premium, "NaN"))),
        Case("premium without end", one(where(premium, "inf", 10)), finding="AKB-D026"),
        Case("premium of 1e308", one(where(premium, "1e308", 10)), finding="AKB-D026"),
        Case("premium that is an account number", one(where(premium, "251554879", 10)), finding="AKB-D026"),
        Case("negative premiums", one(where(premium, "-120,00", 3))),
        Case("minus behind", one(where(premium, "120,00-", 3))),
        Case("undecided thousands", one(where(premium, "1.234"))),
        Case("euro signs", one(where(premium, "€ 1.234,56"))),
        Case("unknown branches", one(where(2, "Ruimtereis")), finding="AKB-D009"),
        Case("formulas everywhere", one(where(3, '=HYPERLINK("http://x")'.replace('"', "'")))),
        Case("html everywhere", one(where(3, "<img src=x onerror=alert(1)>"))),
        Case("braces", one(where(3, "{0.__class__} %s ${x} {{7*7}}"))),
        Case("an e-mail address as insurer", one(where(3, "piet@example.nl", 3)), finding="AKB-P002"),
        Case("one row", one(lines(rows(2)[1:]).encode())),
        Case("all ended", one(where(end, lambda n, v: v or "01-06-2024"))),
        Case("none ended", one(where(end, "")), finding="AKB-D005"),
    ]


def losses() -> list[Case]:
    """Most of a portfolio would be lost: refused with the word that did it, read with its line or with --go-on."""
    policy, start, end = 1, 4, 5

    def never(word: str) -> bytes:
        return where(end, lambda _, day: day or word)

    mapped = one(never("loopt nog")) | {"akb.toml": b"\xef\xbb\xbf[ingest]\nempty = ['Loopt nog']\n"}
    status = lines(
        [[*row[:5], "Q" if row[5] else "W", *row[6:]] for row in rows()], HEAD.replace("Einddatum", "Status")
    )
    unquoted = lines(rows(), separator=",").encode()
    return [
        Case("a look-up without answer for never", one(never("#N/B")), 'empty = ["#N/B"]'),
        Case("a broken reference for never", one(never("#VERW!")), "'#VERW!' stands there 40 times"),
        Case("own words for never", one(never("loopt nog")), "'loopt nog' stands there 40 times"),
        Case("a day that is none for never", one(never("99-99-9999")), "'99-99-9999'"),
        Case("a day before the start for never", one(never("01-01-1981")), "'01-01-1981' stands there 40 times"),
        Case(
            "the start for never",
            one(lines([[*r[:5], r[5] or r[4], *r[6:]] for r in rows()]).encode()),
            "40 of 60 rows the date",
        ),
        Case("own words for never, mapped", mapped, arguments=("{}/polissen.csv", "--config", "{}/akb.toml")),
        Case(
            "own words for never, gone on",
            one(never("loopt nog")),
            finding="AKB-D091",
            rejected="bad_date",
            arguments=("{}/polissen.csv", "--go-on"),
        ),
        Case("quarters for days", one(where(start, lambda n, _: f"kwartaal {n % 4 + 1}")), "Ingangsdatum"),
        Case("most policies without number", one(where(policy, lambda n, v: v if n % 3 == 0 else "")), "Polisnummer"),
        Case("a status in a language of its own", one(status.encode()), "'W' stands there 40 times"),
        Case("decimal commas between commas", one(unquoted), "comma separates the fields"),
    ]


def odd_tables() -> list[Case]:
    """Tables that are none, reports, headings in two rows or twice, formulas, mixed encodings: read or called so."""
    good = GOOD.encode()
    pivot = b"Branche;Aantal\r\nAVP;12\r\n"
    report, last = [], ""
    for row in rows():
        report.append(["" if row[0] == last else row[0], *row[1:]])
        last = row[0]
        report.append([f"Subtotaal {last}", *[""] * 6, "9,00", ""])
    above = "Relatie;Polis;;;;;;Premie;Provisie"
    below = "Nummer;Nummer;Branche;Maatschappij;Ingang;Einde;Reden;Per jaar;Per jaar"
    twins = [[*row, "" if row[5] else "01-01-2022"] for row in rows()]
    note = '"' + "\n".join(f"regel {n}" for n in range(60)) + '"'
    mixed = GOOD.replace("De Vaart", "De Väart").split("\r\n", 30)
    both = "\r\n".join(mixed[:30]).encode() + b"\r\n" + mixed[30].encode("cp1252")
    quoted = "\r\n".join('"' + line + '"' for line in GOOD.splitlines()).encode()
    legend: list[list[object]] = [["Kolom", "Betekenis"], ["Termijn", "Maanden"]]
    xml = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    return [
        Case("a pivot beside the export", one(good) | {"draai.csv": pivot}, finding="AKB-D047"),
        Case("a legend in the workbook", one(workbook(sheet_rows(), legend), "p.xlsx"), finding="AKB-D047"),
        Case(
            "a lock file beside the export",
            one(good) | {"~$polissen.xlsx": b"\x04Anna" + bytes(99)},
            finding="AKB-D047",
        ),
        Case("a lock file alone", one(b"\x04Anna" + bytes(99), "~$polissen.xlsx"), "leaves beside"),
        Case("a web page beside the export", one(good) | {"p.html": b"<html><p>Polissen</p>"}, finding="AKB-D047"),
        Case("a table of a web page", one(b"\xef\xbb\xbf<table><tr><td>Relatienummer</td></tr>", "p.xls"), "web page"),
        Case("a spreadsheet in XML", one(xml, "p.xls"), "XML spreadsheet"),
        Case("a grouped report", one(lines(report).encode()), finding="AKB-D094", rejected="no_policy"),
        Case("headings in two rows", one(f"{above}\r\n{lines(rows(), below)}".encode())),
        Case("twins among the headings", one(lines(twins, f"{HEAD};Einddatum").encode()), finding="AKB-D093"),
        Case("headings of programs", one(renamed("Ingangsdatum;Einddatum", "EnrollDate;CancelDate"))),
        Case("formulas never computed", one(formulas(), "p.xlsx"), "never computed"),
        Case(
            "a long note",
            one(lines([[*r, note if n == 3 else ""] for n, r in enumerate(rows())], f"{HEAD};Memo").encode()),
        ),
        Case("both encodings", one(both), finding="AKB-D023"),
        Case("lines quoted as a whole", one(quoted)),
    ]


def formulas() -> bytes:
    """A workbook of a program: the premium is a formula, and nobody computed it."""
    table = [[*row[:7], "", *row[8:]] for row in sheet_rows()[1:]]
    raw, target = workbook([sheet_rows()[0], *table]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                for row in range(2, len(table) + 2):
                    begin, cell = f'<c r="I{row}"'.encode(), f'<c r="H{row}"><f>12*{row}</f></c>'.encode()
                    content = content.replace(begin, cell + begin)
            new.writestr(name, content)
    return target.getvalue()


def export_days() -> list[Case]:
    """Books of which the day of the export is hard to see: right or an issue."""
    start, end = 4, 5

    def first(_: int, day: str) -> str:
        return "01" + day[2:] if day else day

    stopped = [[*row[:end], nl(date(2022, 1, 1) + timedelta(days=n * 20)), *row[6:]] for n, row in enumerate(rows())]
    stated = [[*row, "31-12-2018"] for row in rows(200) if int(row[start][-4:]) < 2019] + [
        [*row, "31-12-2018"] for row in rows(200) if int(row[start][-4:]) == 2019
    ][:15]
    late = [[*row, "31-12-2018"] for row in rows(200)]
    return [
        Case("all on the first of a month", one(where(start, first))),
        Case("a book that no longer sells", one(lines(stopped).encode())),
        Case("starts only", one(without("Einddatum", "Royementsreden"))),
        Case("some starts after a stated day", one(lines(stated, f"{HEAD};Peildatum").encode()), finding="AKB-D090"),
        Case("a third of the starts after a stated day", one(lines(late, f"{HEAD};Peildatum").encode()), "start after"),
    ]


def after(change: Callable[[int, list[str]], list[str]], head: str = HEAD, count: int = 120) -> bytes:
    """A larger sound export with every row changed."""
    return lines([change(number, row) for number, row in enumerate(rows(count))], head).encode()


def put(column: int, value: Callable[[int, str], str]) -> Callable[[int, list[str]], list[str]]:
    return lambda number, row: [*row[:column], value(number, row[column]), *row[column + 1 :]]


def euros(text: str) -> float:
    return float(text.replace(",", "."))


def units() -> list[Case]:
    """Amounts and terms in other units than the heading says, or in another writing."""
    premium, dear = 7, {"AVP": 50, "Inboedel": 130, "Opstal": 300, "Auto": 600, "Doorlopende reis": 85}

    def usual(times: int, form: str) -> bytes:
        return after(
            lambda n, row: [*row[:7], form.format(dear[row[2]] * times * (80 + n % 40) / 100).replace(".", ","), row[8]]
        )

    def term(*words: str) -> bytes:
        head = HEAD.replace("Premie per jaar", "Premie per termijn") + ";Termijn"
        return after(lambda n, row: [*row, words[n % len(words)]], head)

    def amount(form: str) -> bytes:
        return after(put(premium, lambda n, v: form.format(euros(v))))

    return [
        Case("premiums in cents", one(usual(100, "{:.0f}")), finding="AKB-D115"),
        Case("premiums twelve times too high", one(usual(12, "{:.2f}")), finding="AKB-D116"),
        Case(
            "premiums twelve times too low",
            one(after(lambda n, r: [*r[:7], f"{dear[r[2]] / 12:.2f}", r[8]])),
            finding="AKB-D116",
        ),
        Case("premiums in whole euros", one(usual(1, "{:.0f}"))),
        Case("scientific amounts", one(amount("{:.4E}")), finding="AKB-D113"),
        Case("scientific amounts of one digit", one(amount("{:.0E}")), finding="AKB-D113"),
        Case("pounds", one(amount("£ {:.2f}")), finding="AKB-D112"),
        Case("guilders", one(amount("fl. {:.2f}")), finding="AKB-D112"),
        Case("debit on all amounts", one(amount("{:.2f} D"))),
        Case("debit and credit", one(after(put(premium, lambda n, v: f"{v} {'DC'[n % 9 == 0]}"))), finding="AKB-D114"),
        Case("apostrophes between thousands", one(amount("1’{:07.2f}"))),
        Case("times a year in words", one(term("12x per jaar", "4x per jaar", "1x per jaar"))),
        Case("times a year in numbers", one(term("12", "4", "2", "1")), finding="AKB-D110"),
        Case("months in words", one(term("per: 1 maand(en)", "per: 3 maand(en)", "per: 12 maand(en)"))),
        Case("months or times a year", one(term("1", "12")), finding="AKB-D111"),
        Case("two, three, four and six", one(term("2", "3", "4", "6")), finding="AKB-D111"),
        Case("terms of weeks", one(term("4 weken", "13 weken")), finding="AKB-D058"),
    ]


def identity() -> list[Case]:
    """Numbers that a spreadsheet or a back office spoiled, lists beside the list, packages."""
    relation, policy = 0, 1
    lost, head = "1,00001E+11", f"{HEAD};Geboortejaar;Pakketnummer;Volgnummer"
    top = lines(
        [[row[0], row[1], row[4], row[7]] for row in rows()[:30]],
        "Relatienummer;Polisnummer;Ingangsdatum;Premie per jaar",
    )
    ends = lines(
        [[row[0], row[1], row[4], row[5]] for row in rows() if row[5]],
        "Relatienummer;Polisnummer;Ingangsdatum;Einddatum",
    )

    def nobody(number: str) -> bytes:
        return after(
            lambda n, row: [number if n % 3 == 0 else row[0], *row[1:], str(1940 + n % 60)], f"{HEAD};Geboortejaar"
        )

    def packages(*, whole: bool = False, part: bool = True) -> bytes:
        made = []
        for number in range(0, 120, 4):
            mine = [
                [f"{1000 + number}", f"PK{number:05d}", *row[2:], "", "", ""] for row in rows(120)[number : number + 4]
            ]
            mine = [[*row[:2], "Auto", *row[3:5], "", "", *row[7:]] for row in mine]
            if part:
                mine = [[*row[:-1], str(place)] for place, row in enumerate(mine)]
            made += mine
            if whole:
                total = f"{sum(euros(row[7]) for row in mine):.2f}"
                made.append([*mine[0][:2], "Pakket", *mine[0][3:7], total, "", "", "", ""])
        return lines(made, head).encode()

    return [
        Case("relations without their digits", one(where(relation, lost)), "scientific notation"),
        Case(
            "some relations without their digits",
            one(where(relation, lost, 9)),
            finding="AKB-D119",
            rejected="damaged_number",
        ),
        Case(
            "relations that kept their digits",
            one(where(relation, lambda n, v: f"{v[0]},{v[1:]}E+03")),
            finding="AKB-D117",
        ),
        Case("policies without their digits", one(where(policy, "2,1E+11")), finding="AKB-D046"),
        Case(
            "a decimal beside a letter",
            one(where(relation, lambda n, v: "K12" if n == 5 else f"{v}.0")),
            finding="AKB-D117",
        ),
        Case("points that matter", one(where(relation, lambda n, v: ("1001.1", "100.11")[n % 2])), finding="AKB-D118"),
        Case("capitals that matter", one(where(relation, lambda n, v: ("aB", "Ab")[n % 2] + v)), finding="AKB-D118"),
        Case("no relation: 0", one(nobody("0")), finding="AKB-D120", rejected="no_relation"),
        Case("no relation: 999999", one(nobody("999999")), finding="AKB-D120", rejected="no_relation"),
        Case("no relation: many people", one(nobody("4711")), finding="AKB-D120", rejected="no_relation"),
        Case("zeros for all relations", one(where(relation, "0000")), "no relation number"),
        Case("one large relation", one(where(relation, "4711", 2)), finding="AKB-D121"),
        Case(
            "a top thirty beside",
            {"a.csv": top.encode(), "polissen.csv": GOOD.encode()},
            finding="AKB-D122",
            rejected="second_list",
        ),
        Case(
            "ends in a list of their own",
            {"polissen.csv": without("Einddatum", "Royementsreden"), "royementen.csv": ends.encode()},
            finding="AKB-D122",
        ),
        Case("parts under one number", one(packages()), finding="AKB-D124"),
        Case("parts without a number", one(packages(part=False)), finding="AKB-D125"),
        Case("packages with their sum", one(packages(whole=True)), finding="AKB-D123", rejected="package_sum"),
        Case(
            "recoveries among claims",
            with_claims("1000;P00000;01-01-2020;5\r\n1000;P00000;02-01-2020;-5\r\n"),
            finding="AKB-D126",
            rejected="recovery",
        ),
    ]


def dated(form: Callable[[date], str]) -> Files:
    """The sound export with its dates in another form."""
    table = rows()
    for row in table:
        for place in (4, 5):
            if row[place]:
                row[place] = form(date(int(row[place][6:]), int(row[place][3:5]), int(row[place][:2])))
    return one(lines(table).encode())


def evening(day: date) -> datetime:
    """Midnight in the Netherlands, in universal time."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Amsterdam")).astimezone(UTC)


def halves(day: date) -> str:
    """What an American Excel makes of a Dutch date."""
    return f"{day.year}-{day.day:02d}-{day.month:02d} 00:00:00" if day.day <= 12 else nl(day)


def days() -> list[Case]:
    """Days as databases and office programs write them."""
    english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    weekday = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
    month = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
    forms: dict[str, Callable[[date], str]] = {
        "days of SQL Server": lambda d: f"{english[d.month - 1]} {d.day:2d} {d.year} 12:00AM",
        "days of Reporting Services": lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM",
        "days of Access": lambda d: f"{weekday[d.weekday()]} {d.day} {month[d.month - 1]}. {d.year}",
        "days of Java": lambda d: f"Wed {english[d.month - 1]} {d.day:02d} 00:00:00 CET {d.year}",
        "days of SAS": lambda d: f"{d.day:02d}{english[d.month - 1].upper()}{d.year}:00:00:00",
        "days that lost their zero": lambda d: f"{d.day}{d.month:02d}{d.year}",
        "days of six digits that lost their zero": lambda d: f"{d.day}{d.month:02d}{d.year % 100:02d}",
        "seconds since 1970": lambda d: str((d - date(1970, 1, 1)).days * 86_400),
        "milliseconds since 1970": lambda d: str((d - date(1970, 1, 1)).days * 86_400_000),
        "universal midnights": lambda d: evening(d).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "universal midnights in Dutch": lambda d: evening(d).strftime("%d-%m-%Y %H:%M:%S"),
        "an apostrophe for a century": lambda d: f"{d.day} {month[d.month - 1]} '{d.year % 100:02d}",
    }
    found = [Case(name, dated(form), sound=True) for name, form in forms.items()]
    short = where(5, lambda n, d: "01-01-45" if n == 1 else d)
    parts = {"polissen_2019_01.csv": lines(rows()[:30]).encode(), "polissen_2019_02.csv": lines(rows()[30:]).encode()}
    return [
        *found,
        Case("halves that Excel swapped", dated(halves), finding="AKB-D056", sound=True),
        Case("an end in 45", one(short), finding="AKB-D057"),
        Case("parts with a number after a year", parts, sound=True),
    ]


def beside(
    heading: str, cell: Callable[[list[str]], str], table: list[list[str]] | None = None, head: str = HEAD
) -> Files:
    """The sound export with a column more."""
    return one(lines([[*row, cell(row)] for row in table or rows()], f"{head};{heading}").encode())


def boxed(heading: str, gone: str, there: str) -> Files:
    """The sound export without ends, with a box and the date of the last change instead."""
    head = HEAD.replace("Einddatum", "Wijzigingsdatum")
    table = [[*row[:5], row[5] or row[4], *row[6:]] for row in rows()]
    ended = {row[1] for row in rows() if row[5]}
    return beside(heading, lambda row: gone if row[1] in ended else there, table, head)


def words() -> list[Case]:
    """Words that deny, words that nobody knows, marks and boxes."""

    def third(one: str, other: str) -> Callable[[list[str]], str]:
        return lambda row: one if int(row[0]) % 3 == 0 else other

    config = ("{}/polissen.csv", "--config", "{}/akb.toml")
    branch = "[branches.raket]\nname_nl = 'Ruimtereis'\n"
    return [
        Case("a kind that denies", beside("Soort relatie", third("Niet-natuurlijk persoon", "Natuurlijk persoon")), sound=True),
        Case("a kind that nobody knows", beside("Soort relatie", third("Coöperatie", "P")), finding="AKB-D058"),
        Case("a status that denies", beside("Status", lambda row: "niet actief" if row[5] else "niet geroyeerd"), sound=True),
        Case("a status that nobody knows", beside("Status", third("Slapend", "Actief")), finding="AKB-D058"),
        Case("a term that nobody knows", beside("Termijn", third("per seizoen", "12")), finding="AKB-D058"),
        Case("a collector that nobody knows", beside("Incassowijze", third("via Brussel", "M")), finding="AKB-D058"),
        Case("reasons that nobody knows", one(where(6, lambda n, r: "zomaar" if r else "")), finding="AKB-D027"),
        Case("a box for a status", boxed("Geroyeerd", "Ja", "Nee"), finding="AKB-D038"),
        Case("a ticked box for a status", boxed("Historisch", "☑", "☐"), finding="AKB-D038"),
        Case("a box that says it runs", boxed("Actief", "0,0", "1,0"), finding="AKB-D038"),
        Case("a box with words around it", boxed("Is vervallen", "✔", ""), finding="AKB-D038"),
        Case("a box that says it still runs", boxed("Loopt nog (J/N)", "nee", "ja"), finding="AKB-D038"),
        Case("a box that denies", boxed("Niet meer actief", "1", "0"), finding="AKB-D038"),
        Case("a box and no date", beside("Beëindigd", third("x", ""), [[*r[:5], "", *r[6:]] for r in rows()]), finding="AKB-D034"),
        Case("days in a box", one(GOOD.replace("Einddatum", "Geroyeerd", 1).encode()), sound=True),
        Case("marks under objection", beside("Bezwaar marketing", third("✓", "")), sound=True),
        Case("codes under permission", beside("Mailing", third("A2", "B1")), finding="AKB-P006"),
        Case("ticks and nothing under permission", beside("Mailing", third("✓", "")), finding="AKB-P007"),
        Case("an objection under another heading", beside("HasOptedOutOfEmail", third("true", "false")), sound=True),
        Case("an objection in words of one's own", beside("Niet bellen", third("zie dossier", "N")), finding="AKB-P008"),
        Case("an objection under AVG", beside("AVG", third("Bezwaar", "Akkoord")), finding="AKB-P009", sound=True),
        Case("permission by telephone", beside("Mag gebeld worden", third("bij twijfel", "ja")), finding="AKB-P005"),
        Case("products for branches", one(GOOD.replace("Branche", "Product", 1).encode()), sound=True),
        Case("a product with digits", one(where(2, "Kosmos 2000", 2)), finding="AKB-D009"),
        Case(
            "a branch of one's own", {"polissen.csv": where(2, "Ruimtereis", 2), "akb.toml": branch.encode()}, arguments=config
        ),
        Case(
            "a branch without a name", {"polissen.csv": GOOD.encode(), "akb.toml": b"[branches.raket]\npremium = 5\n"},
            "raket", arguments=config,
        ),
        Case(
            "a word with a meaning that is none",
            {"polissen.csv": GOOD.encode(), "akb.toml": b"[ingest.statuses]\n'weg' = 'endet'\n"},
            "did you mean 'ended'", arguments=config,
        ),
    ]  # fmt: skip


def sums_and_strangers() -> list[Case]:
    """Sums below the list, files beside it that are no tables, forms of files that are none."""
    sums = [
        "Subtotaal Auto;Totaal;Auto;Ster;01-01-2020;;;100,00;5,00",
        "Eindtotaal;60;;;01-01-2020;;;1,00;",
    ]
    far = lines(where_cells(5, lambda row: row[5] or "01-01-2099"))
    inclusive = lines(where_cells(5, lambda row: f"{day_before(row[5])} 23:59:59" if row[5] else ""))
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    odd = {
        "JSON over lines": (b'[\n  {\n    "Relatienummer": 1\n  }\n]', "JSON"),
        "JSON of lists": (b'[["a", "b"], ["c", "d"]]', "JSON"),
        "XML without a declaration": (b"<Polissen><Polis><Nr>1</Nr></Polis></Polissen>", "XML"),
        "a script for a database": (b"INSERT INTO polis VALUES (1, 2);\n", "script"),
        "a mail": (b"From: a\nSubject: export\n\nBijgaand.\n", "e-mail"),
        "an Access database": (b"\0\1\0\0Standard ACE DB\0" + bytes(64), "Access"),
        "an Arrow file": (b"ARROW1\0\0" + bytes(64), "Arrow"),
        "a bzip2 archive": (b"BZh91AY&SY" + bytes(64), "bzip2"),
        "a workbook with a password": (compound + "EncryptedPackage".encode("utf-16-le") + bytes(512), "password"),
        "a Word document": (compound + "WordDocument".encode("utf-16-le") + bytes(512), "Word"),
    }
    beside_it = {"empty": b"", "letter": b"Beste klant,\nHierbij.\n", "meta": b'{\n "a": 1}', "picture": b"\x89PNG"}
    return [
        *(Case(name, one(content), refused) for name, (content, refused) in odd.items()),
        *(Case(f"beside the export: {name}", {"polissen.csv": GOOD.encode(), "x.txt": content}, finding="AKB-D047")
          for name, content in beside_it.items()),
        *(Case(f"a sum below the list {n}", one(f"{GOOD}{row}\r\n".encode()), rejected="no_customer") for n, row in enumerate(sums)),
        Case("a far day for never", one(far.encode()), finding="AKB-D133", sound=True),
        Case("the last second of a day", one(inclusive.encode()), sound=True),
        Case("errors for an adviser", beside("Adviseur", lambda row: "#REF!" if int(row[0]) % 2 else "Ad"), finding="AKB-D132"),
        Case("a premium under an unknown heading", one(GOOD.replace("Premie per jaar", "Brutopremie", 1).encode()), finding="AKB-D130"),
        Case(
            "numbers in two ways in two lists",
            {"a.csv": GOOD.encode(), "b.csv": lines(where_cells(1, lambda row: f"{row[1][:1]}-{row[1][1:]}")[:40]).encode()},
            finding="AKB-D131",
        ),
    ]  # fmt: skip


def where_cells(column: int, cell: Callable[[list[str]], str]) -> list[list[str]]:
    """The sound rows with another cell in a column."""
    return [[*row[:column], cell(row), *row[column + 1 :]] for row in rows()]


def day_before(day: str) -> str:
    return nl(datetime.strptime(day, "%d-%m-%Y").replace(tzinfo=UTC).date() - timedelta(days=1))


def several() -> list[Case]:
    """More files, roles, days and settings."""
    good, all_of = GOOD.encode(), "{}/polissen.csv"
    config = ("{}/polissen.csv", "--config", "{}/akb.toml")

    def told(settings: str) -> Files:
        return {"polissen.csv": good, "akb.toml": settings.encode()}

    contacts = f"{CONTACT_HEAD}\r\n1000;01-02-2020;telefoon;vraag\r\n".encode()
    return [
        Case("no such file", {}, "there is no file", arguments=("{}/polisen.csv",)),
        Case("a folder", one(good), "folder", arguments=("{}",)),
        Case(
            "a dead link",
            {},
            "a link to a file that is not",
            arguments=("{}/l.csv",),
            make=lambda f: (f / "l.csv").symlink_to("x"),
        ),
        Case("a pipe", {}, "ordinary file", arguments=("{}/pipe",), make=lambda f: os.mkfifo(f / "pipe")),
        Case("the same file twice", one(good), "twice", arguments=(all_of, all_of)),
        Case("the same rows in two files", {"a.csv": good, "b.csv": good}, finding="AKB-D002"),
        Case(
            "claims without policies",
            {"schades.csv": with_claims("1000;P00001;01-01-2020;5\r\n")["schades.csv"]},
            "policies",
        ),
        Case("contacts without policies", {"contacten.csv": contacts}, "policies"),
        Case("policies called claims", one(good), "claims", arguments=("claims={}/polissen.csv",)),
        Case("claims of nobody", with_claims("9;P9;01-01-2020;5\r\n"), finding="AKB-D031"),
        Case("claims of tomorrow", with_claims("1000;P00000;01-01-2091;5\r\n"), finding="AKB-D032"),
        Case("claims without a day", with_claims("1000;P00000;;5\r\n"), rejected="no_date"),
        Case("claims of the 35th", with_claims("1000;P00000;35-01-2020;5\r\n"), rejected="bad_date"),
        Case("headings of claims only", with_claims("")),
        Case("twice the same claim", with_claims("1000;P00000;01-01-2020;5\r\n" * 2), finding="AKB-D002"),
        Case(
            "customers without policies",
            {"p.csv": good, "k.csv": b"Relatienummer;Geboortejaar\r\n77;1970\r\n"},
            rejected="no_policies",
        ),
        Case("as of long ago", one(good), "before the first policy", arguments=(all_of, "--as-of", "1990-01-01")),
        Case("as of tomorrow", one(good), "future", arguments=(all_of, "--as-of", "2999-01-01")),
        Case("as of long after", one(good), finding="AKB-D045", arguments=(all_of, "--as-of", "2024-06-01")),
        Case("settings that are none", told("[ingest\n"), "akb.toml", arguments=config),
        Case("unknown setting", told("[ingest]\nseperator = ';'\n"), "did you mean 'separator'", arguments=config),
        Case("unknown encoding", told("[ingest]\nencoding = 'klingon'\n"), "klingon", arguments=config),
        Case("wrong encoding", told("[ingest]\nencoding = 'utf-16'\n"), "polissen.csv", arguments=config),
        Case("separator of two signs", told("[ingest]\nseparator = ';;'\n"), "separator", arguments=config),
        Case("empty separator", told("[ingest]\nseparator = ''\n"), "separator", arguments=config),
        Case("date format that is none", told("[ingest]\ndate_format = '%Q'\n"), "date", arguments=config),
        Case(
            "column that akb lacks",
            told("[ingest.columns.policies]\nstrat = 'Ingangsdatum'\n"),
            "did you mean 'start'",
            arguments=config,
        ),
        Case(
            "heading that is not there", told("[ingest.columns.policies]\nstart = 'Begin'\n"), "Begin", arguments=config
        ),
        Case(
            "role that is none",
            told("[ingest.columns.polis]\nstart = 'Ingangsdatum'\n"),
            "unknown role",
            arguments=config,
        ),
        Case(
            "branch that is none", told("[ingest.branches]\n'AVP' = 'avpp'\n"), "did you mean 'avp'", arguments=config
        ),
        Case("reason that is none", told("[ingest.reasons]\n'x' = 'overleden'\n"), "overl", arguments=config),
        Case("schema of later", told("schema = 99\n"), "99", arguments=config),
    ]


def workbooks() -> list[Case]:
    """Excel and Parquet."""
    good, table = workbook(sheet_rows()), table_of()
    nested = table.with_columns(Lijst=pl.Series([[1]] * table.height), Dag=pl.lit(date(2020, 1, 1)))
    bomb = archive({"xl/workbook.xml": bytes(80_000_000), "[Content_Types].xml": b""})
    page = parquet(table)
    return [
        Case("workbook", one(good, "p.xlsx")),
        Case("workbook named csv", one(good)),
        Case("workbook with a title", one(workbook([["Kantoor"], [], *sheet_rows()]), "p.xlsx")),
        Case("workbook cut off", one(good[: len(good) // 2], "p.xlsx"), "damaged"),
        Case("workbook of ten bytes", one(good[:10], "p.xlsx"), "p.xlsx"),
        Case("empty workbook", one(workbook([]), "p.xlsx"), "empty"),
        Case("workbook with headings only", one(workbook(sheet_rows()[:1]), "p.xlsx"), "no rows"),
        Case("workbook with an empty second sheet", one(workbook(sheet_rows(), []), "p.xlsx")),
        Case(
            "workbook with errors",
            one(workbook([*sheet_rows(), ["#N/A", float("nan"), "AVP", float("inf")]]), "p.xlsx"),
            rejected="no_customer",
        ),
        Case(
            "workbook of numbers",
            one(
                workbook(
                    [
                        sheet_rows()[0],
                        *([int(str(r[0])), *r[1:4], 43000 + n, *r[5:]] for n, r in enumerate(sheet_rows()[1:])),
                    ]
                ),
                "p.xlsx",
            ),
        ),
        Case("protected workbook", one(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), "p.xlsx"), "p.xlsx"),
        Case("workbook that grows", one(bomb, "p.xlsx"), "unpacks"),
        Case("zip of pictures", one(archive({"a.png": b"\x89PNG"}), "p.zip"), "no table"),
        Case("zip of an export", one(archive({"map/polissen.csv": GOOD.encode()}), "p.zip")),
        Case("zip of nothing", one(archive({}), "p.zip"), "p.zip"),
        Case("zip that grows", one(archive({"polissen.csv": GOOD.encode() + b"0" * 80_000_000}), "p.zip"), "p.zip"),
        Case("zip on a path outside", one(archive({"../../polissen.csv": GOOD.encode()}), "p.zip"), "p.zip"),
        Case("zip cut off", one(archive({"polissen.csv": GOOD.encode()})[:-40], "p.zip"), "p.zip"),
        Case("parquet", one(page, "p.parquet")),
        Case("parquet cut off", one(page[:-20], "p.parquet"), "Parquet"),
        Case("parquet of four bytes", one(b"PAR1", "p.parquet"), "Parquet"),
        Case("parquet with noise inside", one(page[:50] + bytes(40) + page[90:], "p.parquet"), "Parquet"),
        Case("parquet with lists", one(parquet(nested), "p.parquet")),
        Case("parquet without rows", one(parquet(table.head(0)), "p.parquet"), "no rows"),
        Case("parquet without columns", one(parquet(pl.DataFrame()), "p.parquet"), "p.parquet"),
        Case(
            "parquet of nulls",
            one(parquet(table.select(pl.lit(None).alias(c) for c in table.columns)), "p.parquet"),
            "no readable date",
        ),
    ]


@cache
def cases() -> list[Case]:
    """All of them, made once: nobody changes them."""
    return [
        *no_tables(),
        *headings(),
        *layouts(),
        *values(),
        *losses(),
        *odd_tables(),
        *export_days(),
        *units(),
        *identity(),
        *days(),
        *words(),
        *sums_and_strangers(),
        *several(),
        *workbooks(),
    ]


if __name__ == "__main__":
    for case in cases():
        case.write(Path(sys.argv[1]) / case.name.replace(" ", "_"))
    print(len(cases()), "inputs written")
