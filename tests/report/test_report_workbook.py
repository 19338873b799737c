"""The workbooks: a sheet per adviser, text is text, the same bytes, and a blind test that stays blind."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastexcel
import polars as pl
import pytest

from akb.cli import run
from akb.core.errors import AkbError
from akb.report.context import Context
from akb.report.files.recognition import WORKBOOK, recognition_files
from akb.report.files.workbook import sheet_name
from akb.report.portal import actions_workbook, portal_facts, run_name
from akb.report.write import report_files
from akb.store.feedback import read_workbook
from akb.store.folders import RECOGNITION_KEY as KEY
from akb.store.workbooks import texts_of
from akb.value.targeting.lists.recognition import SCHEMA
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

BOOK = "actions/actions.xlsx"
GUIDE, CONSULTANT = "Leeswijzer", "Voor de consultant"
TOGETHER = ["Als de klant belt", "Bericht"]


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


@pytest.fixture(scope="module")
def worked(full: RunBundle) -> RunBundle:
    """A run with a plan: three customers in four are to be contacted, every tenth of them is of the control group."""
    return fixtures.with_plan(full)


@pytest.fixture(scope="module")
def book(worked: RunBundle) -> bytes:
    return actions_workbook(portal_facts(Context(worked)))


def sheets_of(content: bytes) -> list[str]:
    """The sheets of advisers."""
    return [name for name in fastexcel.read_excel(content).sheet_names if name not in (GUIDE, *TOGETHER, CONSULTANT)]


def test_a_sheet_per_adviser_between_a_guide_and_the_consultants(worked: RunBundle, book: bytes) -> None:
    names = fastexcel.read_excel(book).sheet_names
    assert names[0] == GUIDE
    assert names[-3:] == [*TOGETHER, CONSULTANT]
    listed = worked.value.lists["next_best_action"].filter(~pl.col("control"))
    kinds = pl.col("contact").fill_null("")
    todo = listed.filter(~kinds.is_in(["mail", "inbound"]))
    assert 0 < todo.height < listed.height
    advisers = worked.portfolio.customers.join(todo.select("customer"), on="customer")["adviser"].unique()
    assert len(sheets_of(book)) == len(advisers)
    assert sum(len(sheet(book, name)) for name in sheets_of(book)) == todo.height
    for name, contact in zip(TOGETHER, ("inbound", "mail"), strict=True):
        assert len(sheet(book, name)) == listed.filter(kinds == contact).height > 0


def test_an_advisers_sheet_has_twelve_columns_and_a_dropdown(book: bytes) -> None:
    xml = parts(book)["xl/worksheets/sheet2.xml"]
    assert list(sheet(book, sheets_of(book)[0])[0]) == [
        "klant", "soort", "wat te doen", "waarom nu", "polissen", "volgende verlenging", "CLV", "kans op vertrek",
        "wie", "vóór", "status", "resultaat",
    ]  # fmt: skip
    assert "Open,Gepland,Niet bereikt,Gesproken,Afspraak,Offerte,Blijft,Verkocht,Geen interesse,Vervallen" in xml
    assert 'type="textLength"' in xml


def test_the_control_group_is_on_the_consultants_sheet_alone(worked: RunBundle, book: bytes) -> None:
    known = dict(worked.portfolio.customers.select("customer", "pseudonym").iter_rows())
    drawn = worked.value.lists["next_best_action"].filter(pl.col("control"))["customer"].to_list()
    names = {known[customer] for customer in drawn}
    assert len(names) > 10
    side = {row["klant"]: row["waarom niet benaderen"] for row in sheet(book, CONSULTANT)}
    assert {side[name] for name in names} == {"meetgroep"}
    for title in sheets_of(book):
        assert not names & {row["klant"] for row in sheet(book, title)}, title


def test_reasons_tell_of_this_customer(worked: RunBundle, book: bytes) -> None:
    told = [row["waarom nu"] for name in sheets_of(book) for row in sheet(book, name)]
    clauses = Counter(part.strip(" .").lower() for sentence in told for part in sentence.split(";"))
    assert clauses
    assert max(clauses.values()) < len(told) / 2  # true of half the list is true of nobody
    assert not [sentence for sentence in told if re.search(r"leeftijd|jaar oud|tot en met \d+ jaar", sentence)]
    assert len(set(told)) > 20


def test_poor_exports_have_a_workbook_with_headings(poor: dict[str, dict[str, bytes]]) -> None:
    for name, made in poor.items():
        book = fastexcel.read_excel(made[BOOK])
        assert book.sheet_names == [GUIDE, "Te doen", *TOGETHER, CONSULTANT], name
        heads = book.load_sheet("Te doen", header_row=None, n_rows=1).to_polars().row(0)
        assert (heads[0], heads[-1]) == ("klant", "resultaat")


def test_nothing_in_a_workbook_is_a_formula(full: RunBundle) -> None:
    assert full.value is not None
    bad = ["=1+1", "+31", "-x", "@cmd", '=HYPERLINK("http://x")']
    people = full.portfolio.customers
    named = people.with_columns(adviser=pl.Series([bad[n % len(bad)] for n in range(people.height)]))
    hostile = replace(full, portfolio=replace(full.portfolio, customers=named))
    made = report_files(with_test(fixtures.with_plan(hostile), adviser="=cmd|x"))[0]
    for name in (BOOK, WORKBOOK):
        for part, xml in parts(made[name]).items():
            if part.startswith("xl/worksheets/sheet"):
                assert "<f>" not in xml, part
                assert "<hyperlink" not in xml, part
        assert not [text for text in texts_of(made[name]) if text.startswith(("=", "+", "-", "@"))], name
    assert "'=1+1" in [text.partition(",")[0] for text in texts_of(made[BOOK])]


def test_filters_and_frozen_heads(book: bytes) -> None:
    made = parts(book)
    for number in range(2, 3 + len(sheets_of(book))):
        xml = made[f"xl/worksheets/sheet{number}.xml"]
        assert "<autoFilter" in xml
        assert 'state="frozen"' in xml


def test_percentage_points_are_no_chance_and_chances_are(full: RunBundle) -> None:
    """Two points less leaving is -2,00: as a chance it would have four decimals, and be -200 %."""
    assert full.value is not None
    offers = full.value.lists["next_best_policy"]
    offers = offers.with_columns(churn_effect=pl.Series([-2.0, 1.5] * offers.height).head(offers.height))
    value = replace(full.value, lists={**full.value.lists, "next_best_policy": offers})
    rows = csv_rows(report_files(replace(full, value=value))[0]["actions/next_best_policy.csv"])
    points = [name for name in rows[0] if "procentpunten" in name]
    assert len(points) == 1
    assert {row[points[0]] for row in rows} == {"-2,00", "1,50"}
    chances = [name for name in rows[0] if name.startswith("kans")]
    assert chances
    assert all(len(row[name].partition(",")[2]) == 4 for row in rows for name in chances)


def test_the_same_run_gives_the_same_bytes_dated_on_the_as_of_date(worked: RunBundle, book: bytes) -> None:
    context = Context(worked)
    assert actions_workbook(portal_facts(context)) == book
    assert recognition_files(context)[WORKBOOK] == report_files(worked)[0][WORKBOOK]
    assert "2025-12-31T00:00:00Z" in parts(book)["docProps/core.xml"]


def test_a_name_that_few_share_is_not_in_the_workbook(worked: RunBundle) -> None:
    people = worked.portfolio.customers
    listed = worked.value.lists["next_best_action"]["customer"][0]
    rare = pl.when(pl.col("customer") == listed).then(pl.lit("J. Zeldzaam")).otherwise("adviser")
    book = replace(worked.portfolio, customers=people.with_columns(adviser=rare))
    made = actions_workbook(portal_facts(Context(replace(worked, portfolio=book))))
    assert not [text for text in texts_of(made) if "Zeldzaam" in text]
    assert "Zeldzaam" not in "".join(fastexcel.read_excel(made).sheet_names)


def test_what_is_filled_in_is_read_as_feedback(worked: RunBundle, book: bytes, tmp_path: Path) -> None:
    path = filled_in(book, tmp_path / "actions.xlsx", {2: ("Afspraak", "=belt dinsdag"), 4: ("Verkocht", "")})
    name = run_name(worked)
    events = read_workbook(path, datetime(2026, 1, 5, 9, 30), run=name)
    rows = sheet(book, sheets_of(book)[0])
    assert [(e.customer, e.status, e.note) for e in events] == [
        (rows[0]["klant"], "appointment", "=belt dinsdag"),
        (rows[2]["klant"], "sold", ""),
    ]
    assert {e.run for e in events} == {name}
    assert read_workbook(filled_in(book, tmp_path / "none.xlsx", {}), datetime(2026, 1, 5)) == []


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("Gebeld", ""), "row 3, column status: is none of open, planned"),
        (("", "al gebeld"), "row 3, column status: is empty beside a result"),
        (("Open", "x" * 226), "row 3, column note: has more than 225 characters"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(book: bytes, tmp_path: Path, cells: tuple[str, str], words: str) -> None:
    path = filled_in(book, tmp_path / "actions.xlsx", {3: cells})
    with pytest.raises(AkbError) as refused:
        read_workbook(path, datetime(2026, 1, 5))
    assert words in refused.value.message
    assert sheets_of(book)[0] in refused.value.message


def filled_in(content: bytes, path: Path, cells: dict[int, tuple[str, str]]) -> Path:
    """Write the workbook with status and result in some rows of the first adviser's sheet, as Excel would."""
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            xml = old.read(entry)
            if entry.filename == "xl/worksheets/sheet2.xml":
                for number, pair in cells.items():
                    made = "".join(
                        f'<c r="{letter}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
                        for letter, text in zip("KL", pair, strict=True)
                        if text
                    )
                    row = re.compile(rf'(<row r="{number}".*?)(</row>)'.encode(), re.DOTALL)
                    xml = row.sub(lambda found, made=made: found[1] + made.encode() + found[2], xml, count=1)
            new.writestr(entry, xml)
    return path


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
    return fixtures.written_run(with_test(fixtures.with_plan(full)), tmp_path / "run")


def test_a_forgotten_customer_is_in_no_workbook(folder: Path) -> None:
    key = csv_rows((folder / KEY).read_bytes())
    gone = key[3]["klant"]
    title = sheets_of((folder / BOOK).read_bytes())[0]
    before = sheet((folder / BOOK).read_bytes(), title)
    listed = [row["klant"] for row in before]
    if gone not in listed:
        gone_too = listed[2]
        assert run(["forget", str(folder), gone_too]) == 0
        after = (folder / BOOK).read_bytes()
        assert gone_too not in texts_of(after)
        kept = [row for row in before if row["klant"] != gone_too]
        assert sheet(after, title) == kept  # the rows below moved up, whole
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
    title = sheets_of(out.read_bytes())[0]
    before, after = (sheet(content, title) for content in ((folder / BOOK).read_bytes(), out.read_bytes()))
    assert [row["klant"] for row in after] == [relations[row["klant"]] for row in before]
    assert not [text for text in texts_of(out.read_bytes()) if text.startswith("K-")]
    assert run(["reveal", str(folder / BOOK)]) == 2
    assert "--out" in capsys.readouterr().err
