"""``akb forget`` takes one customer out of a run, and nothing else."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from akb.cli import run
from akb.core.errors import RefusedError
from akb.store import folders, forgetting
from akb.store.folders import PRIVATE, run_folder, write_private
from akb.store.forgetting import forget_customer

GONE, STAYS = "K-0123456789ABCDEF", "K-FEDCBA9876543210"
RELATIONS = b"customer,relation\nK-0123456789ABCDEF,00.17 a\nK-FEDCBA9876543210,0018\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run in which the report names both customers."""
    target = tmp_path / "run"
    with run_folder(target) as fresh:
        (fresh / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
        pl.DataFrame({"customer": [GONE, STAYS], "churn_12m": [0.1, 0.2]}).write_parquet(fresh / "scores.parquet")
        (fresh / "scores.csv").write_text(f"customer,churn_12m\n{GONE},0.1\n{STAYS},0.2\n")
        (fresh / "rejects.csv").write_text("file,line\npolissen.csv,3\n")
        (fresh / "actions").mkdir()
        listed = f'\ufeffklant;waarom\r\n{STAYS};"twee\nregels"\r\n{GONE};"a; b\nc"\r\n'
        (fresh / "actions" / "top_defend.csv").write_bytes(listed.encode())
        rows = [{"customer": GONE[:6], "rank": 1}, {"customer": STAYS[:6], "rank": 2}]
        (fresh / "summary.json").write_text(json.dumps({"customers": {"in_force": 2}, "risk": {"rows": rows}}))
        page = "".join(f"<tr class='x'><td>{name[:6]}</td>\n<td>1</td></tr>" for name in (GONE, STAYS))
        (fresh / "report.html").write_text(f"<table><tr><th>klant</th></tr>{page}</table>")
    write_private(target, RELATIONS)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", [GONE, "00.17 a", "0017A", GONE.lower()])
def test_the_customer_is_nowhere_and_everybody_else_is_where_they_were(folder: Path, name: str) -> None:
    before = contents(folder)
    removed = forget_customer(folder, name)
    after = contents(folder)
    assert set(after) == set(before)
    for file, content in after.items():
        assert GONE[:6].encode() not in content, file
        assert b"00.17" not in content, file
    assert pl.read_parquet(folder / "scores.parquet")["customer"].to_list() == [STAYS]
    assert after["scores.csv"] == f"customer,churn_12m\n{STAYS},0.2\n".encode()
    assert after["actions/top_defend.csv"] == f'\ufeffklant;waarom\r\n{STAYS};"twee\nregels"\r\n'.encode()
    assert after["private/customers.csv"] == b"customer,relation\nK-FEDCBA9876543210,0018\n"
    assert b"K-FEDC" in after["report.html"]
    assert json.loads(after["summary.json"]) == {
        "customers": {"in_force": 2}, "risk": {"rows": [{"customer": "K-FEDC", "rank": 2}]},
    }  # fmt: skip
    assert after["rejects.csv"] == before["rejects.csv"]
    assert json.loads(after["manifest.json"])["forgotten"] == 1
    assert removed == {
        "actions/top_defend.csv": 1, "report.html": 1, "scores.csv": 1, "scores.parquet": 1, "summary.json": 1,
        "private/customers.csv": 1,
    }  # fmt: skip
    assert list(folder.parent.iterdir()) == [folder]


def test_only_the_owner_may_look_afterwards(folder: Path) -> None:
    forget_customer(folder, GONE)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / PRIVATE).stat().st_mode) == 0o600


def test_a_run_without_relation_numbers_forgets_a_pseudonym(folder: Path) -> None:
    shutil.rmtree(folder / "private")
    forget_customer(folder, GONE)
    assert not (folder / "private").exists()
    assert GONE not in (folder / "scores.csv").read_text()


def test_a_list_with_relation_numbers_forgets_too(folder: Path) -> None:
    (folder / "scores.csv").write_text("customer,churn_12m\n00.17 a,0.1\n0018,0.2\n")
    forget_customer(folder, GONE)
    assert (folder / "scores.csv").read_text() == "customer,churn_12m\n0018,0.2\n"


def test_an_unknown_customer_changes_nothing_and_is_not_repeated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    assert run(["forget", str(folder), "0099887766"]) == 2
    said = capsys.readouterr().err
    assert "no such customer" in said
    assert "0099887766" not in said
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("text", ["Breda", "", " ", "K-", GONE[:6], "1", "klant"])
def test_a_text_that_is_no_customer_takes_no_row_along(folder: Path, text: str, private: bool) -> None:
    listed = f"\ufeffklant;kantoor;memo\r\n{STAYS};Breda;\r\n{GONE};Breda;1\r\n"
    (folder / "actions" / "top_defend.csv").write_bytes(listed.encode())
    with xlsxwriter.Workbook(folder / "actions" / "actions.xlsx") as made:
        page = made.add_worksheet()
        for line, row in enumerate([["klant", "kantoor", "memo"], [STAYS, "Breda", ""], [GONE, "Breda", "K-"]]):
            for place, cell in enumerate(row):
                page.write_string(line, place, cell)
    if not private:
        shutil.rmtree(folder / "private")
    before = contents(folder)
    assert run(["forget", str(folder), text]) == 2
    assert contents(folder) == before


def test_a_relation_number_that_is_also_an_office_takes_its_own_row_only(folder: Path) -> None:
    with xlsxwriter.Workbook(folder / "actions" / "actions.xlsx") as made:
        page = made.add_worksheet()
        for line, row in enumerate([["klant", "kantoor"], [STAYS, "00.17 a"], [GONE, "0018"]]):
            for place, cell in enumerate(row):
                page.write_string(line, place, cell)
    assert forget_customer(folder, GONE)["actions/actions.xlsx"] == 1
    book = fastexcel.read_excel(folder / "actions" / "actions.xlsx").load_sheet(0, header_row=None).to_polars()
    assert book.rows() == [("klant", "kantoor"), (STAYS, "00.17 a")]


def test_twice_is_an_unknown_customer(folder: Path) -> None:
    assert run(["forget", str(folder), GONE, "-q"]) == 0
    assert run(["forget", str(folder), GONE, "-q"]) == 2


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(f"customer\n{GONE}\n")
    assert run(["forget", str(tmp_path), GONE]) == 2
    assert GONE in (tmp_path / "scores.csv").read_text()


def test_a_file_that_cannot_be_searched_stops_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "actions" / "bellijst.xlsx").write_bytes(b"PK")
    assert run(["forget", str(folder), GONE]) == 3
    assert "bellijst.xlsx" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["_forget_in", "_update_manifest"])
def test_an_error_on_the_way_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    before = contents(folder)
    monkeypatch.setattr(forgetting, stage, lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        forget_customer(folder, GONE)
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_without_an_atomic_exchange_the_result_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    test_the_customer_is_nowhere_and_everybody_else_is_where_they_were(folder, GONE)


def test_a_note_about_somebody_else_stays(folder: Path) -> None:
    (folder / "notes.txt").write_text(f"{STAYS} en 0018")
    assert forget_customer(folder, GONE)
    assert (folder / "notes.txt").read_text() == f"{STAYS} en 0018"


@pytest.mark.parametrize("note", [f"bel {GONE} maandag", "de heer van (00.17 a) en 0018"])
def test_a_note_about_the_customer_stops_it_before_anything_changes(folder: Path, note: str) -> None:
    (folder / "notes.txt").write_text(note)
    before = contents(folder)
    with pytest.raises(RefusedError, match=r"notes\.txt is not akb's and names the customer"):
        forget_customer(folder, GONE)
    assert contents(folder) == before
