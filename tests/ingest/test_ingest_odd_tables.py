"""Tables that are none, reports, two rows of headings, twins, formulas without a result: read right or called so."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from ingest_exports import (
    Row,
    assert_reconciles,
    assert_same,
    codes,
    finding,
    office,
    read,
    reasons,
    text_of,
    write,
    write_excel,
    write_parquet,
)

from akb.config import Settings, load_settings
from akb.core.errors import AkbError
from akb.ingest.columns.languages import in_english
from akb.ingest.columns.matching import map_headings
from akb.ingest.files.sources import kind_of
from akb.ingest.files.two_rows import merged

GOOD = sorted(office(120), key=lambda row: row["Relatienummer"])
PERSON = ("Relatienummer", "Soort relatie", "Geboortejaar", "Postcode", "Mailing", "Kantoor")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory):
    return read(write(tmp_path_factory.mktemp("good"), GOOD))


def sheets(path: Path, *tables: list[list[object]]) -> Path:
    book = xlsxwriter.Workbook(path)
    for table in tables:
        page = book.add_worksheet()
        for place, row in enumerate(table):
            page.write_row(place, 0, row)
    book.close()
    return path


def as_cells(rows: list[Row]) -> list[list[object]]:
    return [list(rows[0]), *(list(row.values()) for row in rows)]


# --- what is no table of the export


def test_a_table_that_fits_no_role_is_left_out_and_named(tmp_path: Path, good) -> None:
    pivot = tmp_path / "draaitabel.csv"
    pivot.write_text("Branche;Aantal;Premie\r\nAVP;12;99,00\r\n")
    found = read(write(tmp_path, GOOD), pivot)
    assert_same(found, good, findings=False)
    assert_reconciles(found)
    named = finding(found, "AKB-D047")
    assert named.severity == "issue"  # the client named it: it may have been meant as something
    assert "draaitabel.csv" in named.sentence()


def test_sheets_without_a_role_are_left_out_and_named(tmp_path: Path, good) -> None:
    pivot: list[list[object]] = [["Relatienummer", "Maatschappij", "Premie"], ["000001", "De Vaart", "12,00"]]
    legend: list[list[object]] = [["Kolom", "Betekenis"], ["Termijn", "Maanden"]]
    found = read(sheets(tmp_path / "p.xlsx", pivot, as_cells(GOOD), legend))
    assert_same(found, good, findings=False)
    named = finding(found, "AKB-D047")
    assert named.severity == "tip"
    assert "Sheet1" in named.sentence()
    assert "Sheet3" in named.sentence()


@pytest.mark.parametrize("name", ["~$polissen.xlsx", ".~lock.polissen.csv#", "._polissen.csv", "Thumbs.db"])
def test_what_programs_leave_beside_a_file_stops_nothing(tmp_path: Path, good, name: str) -> None:
    lock = tmp_path / name
    lock.write_bytes(b"\x08Anna\x00\x00" + bytes(150))
    found = read(write(tmp_path, GOOD), lock)
    assert_same(found, good, findings=False)
    assert finding(found, "AKB-D047").severity == "tip"
    with pytest.raises(AkbError, match="leaves beside the others"):
        read(lock)


def test_a_file_with_a_role_or_damage_still_stops_the_run(tmp_path: Path) -> None:
    path, other = write(tmp_path, GOOD), tmp_path / "schades.csv"
    other.write_text("Branche;Aantal\r\nAVP;12\r\n")
    with pytest.raises(AkbError, match="needed column not found"):
        read(path, other, roles={"claims": other})
    broken = tmp_path / "stuk.xlsx"
    broken.write_bytes(write_excel(tmp_path, GOOD).read_bytes()[:500])
    with pytest.raises(AkbError, match=r"stuk\.xlsx"):
        read(path, broken)


def test_without_policies_the_nearest_file_says_what_it_lacks(tmp_path: Path) -> None:
    lacking = [{name: cell for name, cell in row.items() if name != "Ingangsdatum"} for row in GOOD]
    pivot = tmp_path / "a.csv"
    pivot.write_text("Branche;Aantal\r\nAVP;12\r\n")
    with pytest.raises(AkbError, match=r"polissen\.csv.*start"):
        read(pivot, write(tmp_path, lacking))


KINDS: dict[str, tuple[bytes, str]] = {
    "page": (b"<html><table>", "a web page"),
    "page with mark": (b"\xef\xbb\xbf<!DOCTYPE html><html>", "a web page"),
    "table of a page": (b"  <TABLE border=1><tr>", "a web page"),
    "page behind a remark": (b"<!-- export -->\n<table>", "a web page"),
    "page in UTF-16": ("\ufeff<html><body>".encode("utf-16-le"), "a web page"),
    "page as XML": (b'<?xml version="1.0"?><!DOCTYPE html><html xmlns="x">', "a web page"),
    "spreadsheet in XML": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        "an XML spreadsheet",
    ),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?><polissen><polis>', "an XML file"),
    "JSON": (b'[{"relatie": 1}]', "a JSON file"),
    "web archive": (b"MIME-Version: 1.0\r\nContent-Type: multipart", "a web archive"),
}


@pytest.mark.parametrize("name", KINDS)
def test_files_of_another_kind_are_called_what_they_are(tmp_path: Path, good, name: str) -> None:
    content, kind = KINDS[name]
    assert kind_of(content) == kind
    other = tmp_path / "export.xls"
    other.write_bytes(content)
    with pytest.raises(AkbError, match=kind):
        read(other)
    assert_same(read(write(tmp_path, GOOD), other), good, findings=False)


def test_an_ordinary_export_is_of_no_other_kind() -> None:
    assert kind_of(text_of(GOOD).encode()) is None
    assert kind_of(b"<5 jaar;Relatienummer;Polisnummer") is None


# --- grouped reports


def grouped(first: tuple[str, ...] = PERSON, totals: bool = True) -> list[Row]:
    rows: list[Row] = []
    for number, group in itertools.groupby(GOOD, key=lambda row: row["Relatienummer"]):
        for place, row in enumerate(group):
            rows.append({name: "" if place and name in first else cell for name, cell in row.items()})
        if totals:
            rows.append(dict.fromkeys(GOOD[0], "") | {"Relatienummer": f"Subtotaal {number}", "Termijn": "9"})
    return rows


@pytest.mark.parametrize("writer", [write, write_excel, write_parquet])
@pytest.mark.parametrize("totals", [True, False])
def test_a_grouped_report_is_filled_down(tmp_path: Path, good, writer: Callable[..., Path], totals: bool) -> None:
    rows = grouped(totals=totals)
    found = read(writer(tmp_path, rows))
    assert_reconciles(found)
    assert found.policies.equals(good.policies)
    assert found.customers.equals(good.customers)
    filled = finding(found, "AKB-D094")
    assert filled.severity == "issue"
    assert filled.count == sum(not row["Relatienummer"] for row in rows)


def test_totals_alone_show_that_it_is_a_report(tmp_path: Path, good) -> None:
    found = read(write(tmp_path, grouped(("Relatienummer",))))
    assert found.policies.equals(good.policies)
    assert "AKB-D094" not in codes(read(write(tmp_path, grouped(()))))


def test_numbers_that_are_just_missing_are_not_filled_in(tmp_path: Path) -> None:
    gaps = [row | {"Relatienummer": ""} if place % 3 == 1 else row for place, row in enumerate(GOOD)]
    found = read(write(tmp_path, gaps))
    assert "AKB-D094" not in codes(found)
    assert reasons(found)["no_customer"] == sum(not row["Relatienummer"] for row in gaps)


def test_customers_that_a_join_lost_are_not_filled_in(tmp_path: Path) -> None:
    lost = [{n: "" if place % 3 == 1 and n in PERSON else c for n, c in row.items()} for place, row in enumerate(GOOD)]
    assert "AKB-D094" not in codes(read(write(tmp_path, lost)))
    each = [row | {"Relatienummer": f"{place:06d}"} for place, row in enumerate(GOOD)]
    gaps = [row | {"Relatienummer": ""} if place % 3 == 1 else row for place, row in enumerate(each)]
    assert "AKB-D094" not in codes(read(write(tmp_path, gaps)))


def test_a_report_of_numbers_alone_is_refused_by_its_column(tmp_path: Path) -> None:
    with pytest.raises(AkbError, match="Relatienummer"):
        read(write(tmp_path, grouped(("Relatienummer",), totals=False)[1:]))


# --- headings


UPPER = ["Relatie", "", "Polis", "", "", "", "Premie", "", "Provisie"]
LOWER = ["Nummer", "Soort", "Nummer", "Branche", "Ingang", "Einde", "Per jaar", "Termijn", "Per jaar"]
TAKEN = ("Relatienummer", "Soort relatie", "Polisnummer", "Branche", "Ingangsdatum", "Einddatum", "Premie per jaar",
         "Termijn", "Provisie per jaar")  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_headings_in_two_rows_are_read_together(tmp_path: Path, kind: str) -> None:
    body = [[row[name] for name in TAKEN] for row in GOOD]
    if kind == "csv":
        path = tmp_path / "p.csv"
        path.write_text("\r\n".join(";".join(line) for line in [UPPER, LOWER, *body]), "utf-8")
    else:
        path = sheets(tmp_path / "p.xlsx", [list(UPPER), list(LOWER), *(list(line) for line in body)])
    found = read(path)
    flat = [{name: row[name] for name in TAKEN} for row in GOOD]
    (tmp_path / "flat").mkdir()
    assert_same(found, read(write(tmp_path / "flat", flat)), findings=False)


def test_a_title_above_the_headings_is_no_part_of_them() -> None:
    def known(row: object) -> int:
        return len(map_headings(list(row), "policies", {}).at)  # type: ignore[call-overload]

    assert (
        merged(["Export van het kantoor", "", ""], ["Relatienummer", "Polisnummer", "Ingang"], known)[0]
        == "Relatienummer"
    )
    assert merged(["Kantoor", "Breda", ""], ["Relatienummer", "Polisnummer", "Ingang"], known) == [
        "Relatienummer", "Polisnummer", "Ingang"
    ]  # fmt: skip


def test_twins_that_differ_are_an_issue_and_the_filled_one_is_read(tmp_path: Path, good) -> None:
    def twins(first: Callable[[Row], str], second: Callable[[Row], str], name: str) -> Path:
        head = [*GOOD[0], "Einddatum"]
        body = [[*(first(row) if n == "Einddatum" else row[n] for n in GOOD[0]), second(row)] for row in GOOD]
        path = tmp_path / name
        path.write_text("\r\n".join(";".join(line) for line in [head, *body]), "utf-8")
        return path

    def real(row: Row) -> str:
        return row["Einddatum"]

    same = read(twins(real, real, "same.csv"))
    assert "AKB-D093" not in codes(same)
    assert_same(same, good, findings=False)
    second = read(twins(lambda _: "", real, "second.csv"))
    assert "AKB-D093" not in codes(second)
    assert second.policies.equals(good.policies)
    differ = twins(real, lambda row: "" if row["Einddatum"] else "01-06-2025", "differ.csv")
    found = finding(read(differ), "AKB-D093")
    assert found.severity == "issue"
    assert "Einddatum (2)" in found.remedy()
    told = Settings(ingest={"columns": {"policies": {"end": "Einddatum (2)"}}})
    assert "AKB-D093" not in codes(read(differ, settings=told))


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("EnrollDate", "start"),
        ("CancelDate", "end"),
        ("end_reason", "reason"),
        ("CommencementDate", "start"),
        ("Einde", "end"),
    ],
)
def test_headings_of_programs_are_known(heading: str, column: str) -> None:
    assert map_headings(["CustomerId", "PolicyNumber", heading], "policies", {}).named[heading] == column


def test_all_missing_columns_stand_in_one_message_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("Kleur;Branche;Maatschappij;Premie per jaar\r\nrood;AVP;De Vaart;12,00\r\n" * 2)
    with pytest.raises(AkbError) as refused:
        read(path)
    lines = refused.value.hint.splitlines()
    assert [line.strip().split(" = ")[0] for line in lines if " = " in line] == ["customer", "policy", "start"]


def test_a_heading_is_proposed_only_where_its_cells_hold(tmp_path: Path) -> None:
    def lacking(cells: Callable[[Row], str]) -> str:
        rows = [{("Datm ingang" if n == "Ingangsdatum" else n): c for n, c in row.items()} for row in GOOD]
        path = write(tmp_path, [row | {"Datm ingang": cells(old)} for row, old in zip(rows, GOOD, strict=True)])
        with pytest.raises(AkbError) as refused:
            read(path)
        return refused.value.hint

    assert 'start = "Datm ingang"' in lacking(lambda row: row["Ingangsdatum"])
    assert 'start = "heading in your file"' in lacking(lambda _: "bij ons bekend")


# --- how the file was written


def test_formulas_that_were_never_computed_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet("Polissen & meer")
    for place, row in enumerate(as_cells(GOOD)):
        page.write_row(place + 2, 1, row)  # not in the first column, under two empty rows
    at = list(GOOD[0]).index("Premie per jaar") + 1
    for place, row in enumerate(GOOD):
        page.write_formula(place + 3, at, f"=ROUND({row['Premie per jaar'].replace(',', '.')},2)", None, 12.5)
    book.close()
    computed = read(path)
    assert computed.policies["premium_cents"].unique().to_list() == [1250]

    def without(content: bytes, value: bytes) -> bytes:
        return re.sub(rb"</f><v>12.5</v>", b"</f>" + value, content)

    for value in (b"", b"<v></v>", b"<v />"):
        raw = rewritten(path, lambda content, value=value: without(content, value))
        other = tmp_path / "nooit.xlsx"
        other.write_bytes(raw)
        with pytest.raises(AkbError, match=f"'Premie per jaar' \\({len(GOOD)}\\)"):
            read(other)
        found = read(other, go_on=True)
        assert finding(found, "AKB-D091").count == len(GOOD)
        assert_reconciles(found)


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.startswith("xl/worksheets/sheet") else content)
    return target.getvalue()


@pytest.mark.parametrize("separator", [";", ","])
def test_lines_that_are_quoted_as_a_whole_are_unwrapped(tmp_path: Path, good, separator: str) -> None:
    lines = text_of(GOOD, separator=separator).splitlines()
    path = tmp_path / "p.csv"
    path.write_text("\r\n".join('"' + line.replace('"', '""') + '"' for line in lines), "utf-8")
    assert_same(read(path), good, findings=False)


def test_two_encodings_in_one_file_are_both_read_and_called_so(tmp_path: Path) -> None:
    rows = [row | {"Adviseur": "René"} for row in GOOD]
    lines = text_of(rows).splitlines()
    half = len(lines) // 2
    path = tmp_path / "p.csv"
    path.write_bytes("\r\n".join(lines[:half]).encode() + b"\r\n" + "\r\n".join(lines[half:]).encode("cp1252"))
    found = read(path)
    assert found.policies["adviser"].unique().to_list() == ["René"]
    assert "UTF-8 en cp1252" in finding(found, "AKB-D023").sentence()


@pytest.mark.parametrize("lines", [25, 150])
def test_a_long_note_is_one_cell(tmp_path: Path, good, lines: int) -> None:
    note = "\n".join(f"regel {n}" for n in range(lines))
    found = read(write(tmp_path, [row | {"Memo": note if n == 7 else ""} for n, row in enumerate(GOOD)]))
    assert found.rows.rejected == 0
    assert_same(found, good, findings=False)


# --- what words mean where


ENGLISH = ("CustomerNumber", "PolicyNumber", "LineOfBusiness", "StartDate", "EndDate", "AnnualPremium")
DUTCH = ("Relatienummer", "Polisnummer", "Branche", "Ingangsdatum", "Einddatum", "Premie per jaar")


def branches(folder: Path, texts: list[str], headings: tuple[str, ...], **options: object) -> set[str]:
    rows = [
        dict(zip(headings, (row["Relatienummer"], row["Polisnummer"], texts[n % len(texts)], row["Ingangsdatum"],
                            row["Einddatum"], row["Premie per jaar"]), strict=True))
        for n, row in enumerate(GOOD)
    ]  # fmt: skip
    found = read(write(folder, rows), **options)  # type: ignore[arg-type]
    return set(found.policies["branch"])


def test_motor_is_a_car_in_an_english_export(tmp_path: Path) -> None:
    assert branches(tmp_path, ["Motor", "Home"], ENGLISH) & {"auto", "motor"} == {"auto"}
    assert branches(tmp_path, ["Private Motor", "Motorcycle"], ENGLISH) == {"auto", "motor"}
    assert branches(tmp_path, ["Motor", "Car"], ENGLISH) == {"auto", "motor"}  # a car stands beside it
    assert branches(tmp_path, ["Motor", "Inboedel"], DUTCH) & {"auto", "motor"} == {"motor"}
    own = Settings(ingest={"branches": {"Motor": "motor"}})
    assert branches(tmp_path, ["Motor", "Home"], ENGLISH, settings=own) & {"auto", "motor"} == {"motor"}


def test_english_is_told_from_dutch_by_the_headings() -> None:
    assert in_english(ENGLISH)
    assert not in_english(DUTCH)
    assert not in_english(["Klant", "Polis", "Status", "Start"])


def test_a_list_of_recoveries_is_left_out_and_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    row = {"Relatienummer": GOOD[0]["Relatienummer"], "Schadedatum": "01-02-2024", "Bedrag": "90,00"}
    other = write(tmp_path, [row], "regres 2024.csv")
    found = read(path, other)
    assert found.claims is None
    assert "recoveries are no claims" in finding(found, "AKB-D047").sentence()
    assert read(path, other, roles={"claims": other}).claims.height == 1


def test_a_byte_order_mark_in_the_settings_is_read(tmp_path: Path) -> None:
    path = tmp_path / "akb.toml"
    path.write_bytes(b"\xef\xbb\xbf[ingest]\nempty = ['geen idee']\n")
    assert load_settings(path).ingest.empty == ("geen idee",)
