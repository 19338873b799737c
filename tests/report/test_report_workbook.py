"""The workbooks: every list on a sheet, text is text, the same bytes, and a blind test that stays blind."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastexcel
import polars as pl
import pytest

from akb.cli import run
from akb.report.context import Context
from akb.report.lists import ALWAYS, list_tables
from akb.report.recognition import WORKBOOK, recognition_files
from akb.report.workbook import lists_workbook, sheet_name
from akb.report.write import report_files, write_report
from akb.store.folders import RECOGNITION_KEY as KEY
from akb.store.workbooks import texts_of
from akb.value.targeting.recognition import SCHEMA

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

BOOK = "actions/actions.xlsx"
SHEETS = {
    "next_best_action": "Acties", "top_defend": "Top Defend", "next_best_policy": "Volgende beste polis",
    "care_gaps": "Hiaten", "announced": "Al opgezegd", "winback": "Terugwinnen", "bleeders": "Bleeders",
    "feeders": "Feeders",
}  # fmt: skip


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def sheet(content: bytes, name: str) -> list[dict[str, Any]]:
    """A sheet as a reader sees it, every cell as text."""
    read = fastexcel.read_excel(content).load_sheet(name, header_row=0, dtypes="string").to_polars()
    return read.to_dicts()


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def with_test(bundle: RunBundle, adviser: str = "Adviseur 1") -> RunBundle:
    """`bundle` with a recognition test of one adviser: every third customer is of the list."""
    who = bundle.models.scores["customer"].head(12).to_list()
    test = pl.DataFrame(
        {
            "adviser": [adviser] * 12,
            "number": list(range(1, 13)),
            "customer": who,
            "listed": [n % 3 == 0 for n in range(12)],
        },
        schema=SCHEMA,
    )
    return replace(bundle, value=replace(bundle.value, recognition=test))


def test_there_is_a_sheet_for_every_list_behind_a_guide(files: dict[str, bytes]) -> None:
    names = fastexcel.read_excel(files[BOOK]).sheet_names
    assert names == ["Leeswijzer", *SHEETS.values()]
    assert set(SHEETS) == set(ALWAYS)


def test_poor_exports_have_every_sheet_with_headings(poor: dict[str, dict[str, bytes]]) -> None:
    for name, made in poor.items():
        book = fastexcel.read_excel(made[BOOK])
        assert book.sheet_names[1:] == list(SHEETS.values()), name
        for key, title in SHEETS.items():
            headings = csv.reader(io.StringIO(made[f"actions/{key}.csv"].decode("utf-8-sig")), delimiter=";")
            shown = book.load_sheet(title, header_row=None, n_rows=1).to_polars().row(0)
            assert list(shown) == next(headings), (name, key)


def test_a_sheet_says_what_the_csv_says(files: dict[str, bytes]) -> None:
    for key in ("top_defend", "next_best_policy"):
        rows, lines = sheet(files[BOOK], SHEETS[key]), csv_rows(files[f"actions/{key}.csv"])
        assert [row["klant"] for row in rows] == [line["klant"] for line in lines]
        for row, line in zip(rows, lines, strict=True):
            for name, told in line.items():
                seen = row[name] or ""
                if re.fullmatch(r"-?\d+(,\d+)?", told):
                    assert float(seen) == pytest.approx(float(told.replace(",", ".")), abs=0.006), name
                else:
                    assert seen == told, name


def test_nothing_in_a_workbook_is_a_formula(full: RunBundle) -> None:
    assert full.value is not None
    bad = ["=1+1", "+31", "-x", "@cmd", '=HYPERLINK("http://x")']
    listed = full.value.lists["top_defend"]
    named = listed.with_columns(branches=pl.Series([bad[n % len(bad)] for n in range(listed.height)]))
    value = replace(full.value, lists={**full.value.lists, "top_defend": named})
    made = report_files(with_test(replace(full, value=value), adviser="=cmd|x"))[0]
    for name in (BOOK, WORKBOOK):
        for part, xml in parts(made[name]).items():
            if part.startswith("xl/worksheets/sheet"):
                assert "<f>" not in xml, part
                assert "<hyperlink" not in xml, part
        assert not [text for text in texts_of(made[name]) if text.startswith(("=", "+", "-", "@"))], name
    assert "'=1+1" in texts_of(made[BOOK])


def test_filters_frozen_heads_and_bands(files: dict[str, bytes]) -> None:
    made = parts(files[BOOK])
    for number in range(2, 2 + len(SHEETS)):
        xml = made[f"xl/worksheets/sheet{number}.xml"]
        assert "<autoFilter" in xml
        assert 'state="frozen"' in xml
    defend = made["xl/worksheets/sheet3.xml"]
    assert defend.count("<cfRule") == 3  # control group, and two bands of leaving
    assert "[$€-413]" in made["xl/styles.xml"]


def formats_of(book: dict[str, str], title: str, listed: list[str]) -> dict[str, set[str]]:
    """Heading -> the number formats of the numbers below it, on one sheet of a workbook."""
    place = listed.index(title) + 1
    codes = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]*)"', book["xl/styles.xml"])) | {
        "0": "",
        "1": "0",
    }
    styles = re.findall(r'<xf numFmtId="(\d+)"', book["xl/styles.xml"].split("<cellXfs")[1])
    heads = sheet_heads(book, place)
    found: dict[str, set[str]] = {}
    for column, style in re.findall(r'<c r="([A-Z]+)\d+" s="(\d+)"><v>', book[f"xl/worksheets/sheet{place}.xml"]):
        found.setdefault(heads[column], set()).add(codes.get(styles[int(style)], styles[int(style)]))
    return found


def sheet_heads(book: dict[str, str], place: int) -> dict[str, str]:
    """Column letter -> heading."""
    texts = re.findall(r"<si>(.*?)</si>", book["xl/sharedStrings.xml"], re.DOTALL)
    cells = re.findall(r'<c r="([A-Z]+)1" s="\d+" t="s"><v>(\d+)</v>', book[f"xl/worksheets/sheet{place}.xml"])
    return {column: re.sub(r"<[^>]+>", "", texts[int(number)]) for column, number in cells}


def test_percentage_points_are_no_chance_and_chances_are(full: RunBundle) -> None:
    """Two points less leaving is -2,0: shown as a chance it would be -200 %."""
    assert full.value is not None
    offers = full.value.lists["next_best_policy"]
    offers = offers.with_columns(churn_effect=pl.Series([-2.0, 1.5] * offers.height).head(offers.height))
    value = replace(full.value, lists={**full.value.lists, "next_best_policy": offers})
    made = report_files(replace(full, value=value))[0]
    shown = formats_of(parts(made[BOOK]), SHEETS["next_best_policy"], fastexcel.read_excel(made[BOOK]).sheet_names)
    points = [name for name in shown if "procentpunten" in name]
    assert len(points) == 1
    assert shown[points[0]] == {"0.0"}
    assert [code for name, code in shown.items() if name.startswith("kans")] == [{"0.0%"}]
    column = [row[points[0]] for row in csv_rows(made["actions/next_best_policy.csv"])]
    assert column[:2] == ["-2,00", "1,50"]


def test_the_same_lists_give_the_same_bytes_dated_on_the_as_of_date(full: RunBundle, files: dict[str, bytes]) -> None:
    context = Context(full)
    assert lists_workbook(context, list_tables(context)) == files[BOOK]
    assert recognition_files(context)[WORKBOOK] == files[WORKBOOK]
    assert "2025-12-31T00:00:00Z" in parts(files[BOOK])["docProps/core.xml"]


def test_a_name_that_few_share_is_not_in_the_workbook(full: RunBundle) -> None:
    assert full.value is not None
    rare = full.value.lists["top_defend"].with_columns(adviser=pl.lit("J. Zeldzaam"))
    made = report_files(replace(full, value=replace(full.value, lists={"top_defend": rare})))[0]
    assert not [text for text in texts_of(made[BOOK]) if "Zeldzaam" in text]


@pytest.mark.parametrize("name", ["a" * 40, "Wonen/werk: [x]*?\\", "'", ""])
def test_sheet_names_are_legal(name: str) -> None:
    made = sheet_name(name)
    assert 1 <= len(made) <= 31
    assert not set(made) & set("[]:*?/\\")


# The recognition test


def test_the_blind_test_shows_customers_and_nothing_else(full: RunBundle) -> None:
    made = recognition_files(Context(with_test(full)))
    read = fastexcel.read_excel(made[WORKBOOK])
    assert read.sheet_names == ["Leeswijzer", "Adviseur 1"]
    cards = read.load_sheet("Adviseur 1", header_row=1, dtypes="string").to_polars()
    assert cards.columns == ["nr", "klant", "Nu bellen om te behouden?", "Toelichting (mag leeg)"]
    key = csv_rows(made[KEY])
    assert cards["klant"].to_list() == [row["klant"] for row in key]
    assert [row["van de lijst"] for row in key] == ["ja" if n % 3 == 0 else "nee" for n in range(12)]
    styles = re.findall(r'<c r="B(\d+)" s="(\d+)"', parts(made[WORKBOOK])["xl/worksheets/sheet2.xml"])
    assert len({style for row, style in styles if int(row) > 2}) == 1  # no format gives it away
    assert Path(KEY).parent != Path(WORKBOOK).parent


def test_without_a_test_the_files_are_there(poor: dict[str, dict[str, bytes]]) -> None:
    for made in poor.values():
        assert fastexcel.read_excel(made[WORKBOOK]).sheet_names == ["Leeswijzer"]
        assert csv_rows(made[KEY]) == []


# Forget and reveal


@pytest.fixture
def folder(full: RunBundle, tmp_path: Path) -> Path:
    bundle = with_test(full)
    target = tmp_path / "run"
    target.mkdir()
    write_report(target, bundle)
    (target / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    people = bundle.portfolio.customers.select(customer="pseudonym", relation="relation")
    (target / "private" / "customers.csv").write_text(people.write_csv())
    return target


def test_a_forgotten_customer_is_in_no_workbook(folder: Path) -> None:
    key = csv_rows((folder / KEY).read_bytes())
    gone = key[3]["klant"]
    before = sheet((folder / BOOK).read_bytes(), "Top Defend")
    listed = [row["klant"] for row in before]
    if gone not in listed:
        gone_too = listed[2]
        assert run(["forget", str(folder), gone_too]) == 0
        after = (folder / BOOK).read_bytes()
        assert gone_too not in texts_of(after)
        kept = [row for row in before if row["klant"] != gone_too]
        assert sheet(after, "Top Defend") == kept  # the rows below moved up, whole
    assert run(["forget", str(folder), gone]) == 0
    for name in (BOOK, WORKBOOK):
        assert gone not in "".join(parts((folder / name).read_bytes()).values())
    assert gone not in (folder / KEY).read_text("utf-8-sig")
    cards = fastexcel.read_excel((folder / WORKBOOK).read_bytes()).load_sheet("Adviseur 1", header_row=1).to_polars()
    assert cards["klant"].to_list() == [row["klant"] for row in key if row["klant"] != gone]


def test_reveal_puts_relation_numbers_into_a_workbook(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "bellijst.xlsx"
    assert run(["reveal", str(folder / BOOK), "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    relations = dict(
        pl.read_csv(folder / "private" / "customers.csv", infer_schema=False).select("customer", "relation").iter_rows()
    )
    before, after = (sheet(content, "Top Defend") for content in ((folder / BOOK).read_bytes(), out.read_bytes()))
    assert [row["klant"] for row in after] == [relations[row["klant"]] for row in before]
    assert not [text for text in texts_of(out.read_bytes()) if text.startswith("K-")]
    assert run(["reveal", str(folder / BOOK)]) == 2
    assert "--out" in capsys.readouterr().err
