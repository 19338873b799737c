"""Files that somebody made to do harm: a sentence within seconds and within 2 GB; nothing of them steers a screen."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import polars as pl
import pytest
from ingest_exports import X, office, read, text_of, write_excel

from akb.core.errors import AkbError
from akb.core.privacy.identifiers import KINDS, identifier_in, redacted
from akb.ingest.cells.bounds import bounded, check_lines
from akb.ingest.files import apart, zipped
from akb.ingest.files.apart import is_small_workbook, read_apart
from akb.ingest.files.raw_table import unique_headings

ROWS = office(60)
SIGNS = 20_000


# Patterns


@pytest.mark.parametrize(
    "text",
    [
        *("A" * SIGNS, "a@" * SIGNS, "@" * SIGNS, "a." * SIGNS + "@", "x" * SIGNS + "@" + "y" * SIGNS + "."),
        *("0" + " " * SIGNS, "+31" + " " * SIGNS, "06 " * SIGNS, "(0" * SIGNS, "kvk" * SIGNS, " \t" * SIGNS),
        *("straat" * SIGNS, "aastraat" + " " * SIGNS, "a" * SIGNS + "straat", "str." * SIGNS + " 1", "1234AB " * SIGNS),
        *("NL91 " * SIGNS, "1" * SIGNS, "12345678" * SIGNS, "123 " * SIGNS, "1 " * SIGNS),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_time_grows_no_faster_than_the_text(text: str) -> None:
    """Four times the text may take about four times as long; a quadratic pattern takes sixteen."""

    def seconds(length: int) -> float:
        began = time.process_time()
        identifier_in(text[:length])
        redacted(text[:length])
        return time.process_time() - began

    short, long = min(seconds(5_000) for _ in range(3)), min(seconds(20_000) for _ in range(2))
    assert long < 1
    assert long < 9 * short + 0.05


def test_a_street_is_taken_out_from_its_first_letter_however_long_it_is() -> None:
    assert redacted("wonen in Kerkstraat 12 b te Y") == "wonen in … te Y"
    assert redacted("x" * 500 + "straat 1") == "…"
    assert redacted("Kerkstraat 1, Dorpsweg 22, 1234 AB 5") == "…, …, …"
    assert identifier_in("de straat 1 heet zo") is None
    assert "address" in KINDS


# What is shown


@pytest.mark.parametrize("column", ["Maatschappij", "Adviseur", "Kantoor", "Branche", "Product"])
def test_a_name_without_end_is_cut_and_costs_no_time(column: str, tmp_path: Path) -> None:
    rows = [{**row, column: "A" * 40_000} for row in ROWS]
    path = tmp_path / "polissen.csv"
    path.write_text(text_of(rows), "utf-8", newline="")
    began = time.process_time()
    result = read(path, as_of=X)
    assert time.process_time() - began < 10
    texts = result.policies.select(pl.col(pl.String)).unpivot()["value"].drop_nulls()
    assert texts.str.len_chars().max() <= 200
    assert result.rows.used == len(rows)


def test_a_heading_without_end_is_cut_and_twins_stay_apart() -> None:
    began = time.process_time()
    headings = unique_headings(["a@" * 50_000, "a@" * 50_000 + "b", "Adviseur\x1b[2J\u202e"])
    assert time.process_time() - began < 1
    assert max(len(heading) for heading in headings) < 220
    assert len(set(headings)) == 3
    assert headings[2] == "Adviseur"


def test_signs_that_nobody_sees_go_and_what_is_seen_stays() -> None:
    hidden = "\x1b[31m\u200b\u202e\u2066\ufeff\u00ad\x07\U000e0041"
    cells = pl.DataFrame({"adviser": [f"Jan{hidden} Smit", "Ann\u00a0é", None], "customer": ["K\u200b12", "K12", "13"]})
    result = bounded(cells)
    assert result["adviser"].to_list() == ["Jan Smit", "Ann\u00a0é", None]
    assert result["customer"].to_list() == ["K12", "K12", "13"]
    coded = bounded(cells.cast(pl.Categorical(pl.Categories.random())))
    assert coded["adviser"].cast(pl.String).to_list() == result["adviser"].to_list()


def test_what_names_a_customer_is_cut_without_making_two_into_one() -> None:
    long = ["K" * 5000 + "1", "K" * 5000 + "2", "K" * 5001 + "1"]
    result = bounded(pl.DataFrame({"customer": long, "insurer": long}))
    assert result["customer"].n_unique() == 3
    assert result["insurer"].n_unique() == 1
    assert result["customer"].str.len_chars().max() <= 200


def test_texts_are_cut_before_they_are_looked_at() -> None:
    """A Parquet file holds one text of a megabyte for a million rows in next to no bytes."""
    one = pl.Series("adviser", ["x" * 1_000_000])
    many = pl.DataFrame({"adviser": one.gather(pl.repeat(0, 20_000, eager=True))})
    began = time.process_time()
    assert bounded(many)["adviser"].str.len_chars().max() == 200
    assert time.process_time() - began < 2


# Lines


def test_a_line_without_end_is_no_table(tmp_path: Path) -> None:
    check_lines(b"x" * 15_999_999 + b"\n" + b"y" * 15_999_999, "a.csv")
    with pytest.raises(AkbError, match="line 2: a line of more than 16 MB"):
        check_lines(b"a;b\n" + b"x" * 17_000_000 + b"\nc;d\n", "a.csv")
    path = tmp_path / "a.csv"
    path.write_bytes(b";" * 20_000_000)
    with pytest.raises(AkbError, match="16 MB"):
        read(path)


# Archives


def falsified(content: bytes, packed: bytes, claim: int, method: int = 8) -> bytes:
    """Return a ZIP of one file that says it unpacks to `claim` bytes."""
    name = b"polissen.csv"
    sizes = (zlib.crc32(content[:claim]), len(packed), claim, len(name))
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, method, 0, 0, *sizes, 0) + name
    central = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, method, 0, 0, *sizes, 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local) + len(packed), 0)
    return local + packed + central + end


def deflated_zeros(megabytes: int) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(press.compress(bytes(1_000_000)) for _ in range(megabytes)), press.flush()])


def test_an_archive_with_a_false_size_is_unpacked_no_further_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(falsified(b"", deflated_zeros(400), 30_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AkbError, match=r"damaged|holds no table"):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_unpacks_as_a_whole_is_refused(method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("polissen.csv", text_of(ROWS))
    with pytest.raises(AkbError, match="does not unpack"):
        read(path)


# Workbooks and Parquet

_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006"


def workbook(cells: str, strings: str = "") -> bytes:
    """Return a workbook of one sheet."""
    link = '<Relationship Id="{}" Type="{}/{}" Target="{}"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}/content-types"><Default Extension="xml" ContentType='
        f'"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_MAIN}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_TYPES}/relationships">'
        f"{link.format('r1', _LINK, 'officeDocument', 'xl/workbook.xml')}</Relationships>",
        "xl/workbook.xml": f'<workbook {_NS} xmlns:r="{_LINK}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_TYPES}/relationships">'
        f"{link.format('r1', _LINK, 'worksheet', 'worksheets/sheet1.xml')}"
        f"{link.format('r2', _LINK, 'sharedStrings', 'sharedStrings.xml')}</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {_NS}><sheetData>{cells}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {_NS}><si><t>{strings}</t></si></sst>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return target.getvalue()


def cell(column: str, row: int) -> str:
    return f'<row r="{row}"><c r="{column}{row}" t="inlineStr"><is><t>x</t></is></c></row>'


def shared(rows: int) -> str:
    """Return cells of twenty columns that all hold the one shared string."""
    letters = "ABCDEFGHIJKLMNOPQRST"
    return "".join(
        f'<row r="{row}">' + "".join(f'<c r="{letter}{row}" t="s"><v>0</v></c>' for letter in letters) + "</row>"
        for row in range(1, rows + 1)
    )


def test_cells_that_lie_absurdly_far_apart_are_refused(tmp_path: Path) -> None:
    raw = workbook(cell("A", 1) + cell("XFD", 1_048_576))
    assert len(raw) < 3000
    path = tmp_path / "far.xlsx"
    path.write_bytes(raw)
    with pytest.raises(AkbError, match="17,179,869,184 cells apart"):
        read(path)


def test_a_workbook_that_is_small_by_its_own_account_is_read_here() -> None:
    assert is_small_workbook(workbook(cell("A", 1) + cell("Z", 1000)), "a.xlsx")
    assert is_small_workbook(workbook(shared(50), "Duinrand"), "a.xlsx")
    assert not is_small_workbook(workbook(cell("A", 1) + cell("Z", 1_000_000)), "a.xlsx")
    assert not is_small_workbook(workbook(shared(500), "x" * 30_000), "a.xlsx")
    assert not is_small_workbook(b"\xd0\xcf\x11\xe0", "a.xls")


def test_a_cell_is_counted_wherever_a_piece_of_the_sheet_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = workbook(cell("A", 1) + cell("XFD", 1_048_576))
    for size in range(100, 160):
        monkeypatch.setattr(zipped, "_PIECE", size)
        with pytest.raises(AkbError, match="cells apart"):
            is_small_workbook(raw, "a.xlsx")


def test_the_end_of_the_process_that_reads_is_a_sentence(tmp_path: Path) -> None:
    for raw in (workbook(shared(4000), "x" * 30_000), workbook(cell("A", 1) + cell("BD", 1_048_576))):
        path = tmp_path / "large.xlsx"
        path.write_bytes(raw)
        with pytest.raises(AkbError, match="cannot be read within 1,200 MB"):
            read(path)


def test_a_parquet_file_of_nothing_but_repetition_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    same = pl.repeat("01-01-2020", 10_000_000, dtype=pl.String, eager=True)
    names = ("Relatienummer", "Polisnummer", "Ingangsdatum", "Einddatum", "Branche", "Maatschappij", "Adviseur")
    pl.DataFrame(dict.fromkeys(names, same)).write_parquet(path)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(AkbError, match="cannot be read within 1,200 MB"):
        read(path)


def test_what_is_read_apart_is_what_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_excel(tmp_path, ROWS)
    here = read(path, as_of=X)
    monkeypatch.setattr(apart, "_SMALL_XML", 0)
    there = read(path, as_of=X)
    assert there.policies.equals(here.policies)
    assert there.customers.equals(here.customers)


def test_a_refusal_of_the_process_that_reads_is_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(AkbError, match="cannot be opened") as error:
        read_apart("workbook", b"PK no workbook", "a.xlsx")
    assert error.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="the cap is Linux's")
def test_two_gigabytes_are_enough(tmp_path: Path) -> None:
    """With less memory than the file claims, the command still ends with a sentence and exit 2."""
    path = tmp_path / "large.xlsx"
    path.write_bytes(workbook(shared(4000), "x" * 30_000))
    command = [sys.executable, "-m", "akb", "check", str(path)]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited, env=environment, check=False)
    assert done.returncode == 2
    assert "memory" in done.stderr
    assert "Traceback" not in done.stderr
