"""``akb reveal`` gives every line its relation number back, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from akb.cli import run
from akb.commands.reveal import revealed
from akb.core.errors import AkbError
from akb.store.folders import write_private

RELATIONS = {"K-01": "0012", "K-02": "A;3"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "actions").mkdir()
    write_private(tmp_path, b"customer,relation\nK-01,0012\nK-02,A;3\n")
    (tmp_path / "actions" / "list.csv").write_bytes("\ufeffplaats;klant;kans\r\n1;K-02;0,5\r\n2;K-01;0,1\r\n".encode())
    return tmp_path


def test_separator_mark_and_line_ends_stay(folder: Path) -> None:
    text = revealed(folder / "actions" / "list.csv", RELATIONS)
    assert text == '\ufeffrelatienummer;plaats;klant;kans\r\n"A;3";1;K-02;0,5\r\n0012;2;K-01;0,1\r\n'


def test_the_run_is_found_from_the_file_and_the_result_is_private(folder: Path) -> None:
    out = folder / "bellijst.csv"
    assert run(["reveal", str(folder / "actions" / "list.csv"), "--out", str(out)]) == 0
    assert "0012;2;K-01" in out.read_text("utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_becomes_private(folder: Path) -> None:
    out = folder / "bellijst.csv"
    out.write_text("a longer text than what comes in its place, of which nothing may stay behind\n" * 9)
    out.chmod(0o644)
    assert run(["reveal", str(folder / "actions" / "list.csv"), "--out", str(out)]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_bytes().decode() == revealed(folder / "actions" / "list.csv", RELATIONS)


def test_a_broken_workbook_leaves_what_was_there(folder: Path) -> None:
    out, broken = folder / "bellijst.xlsx", folder / "actions" / "list.xlsx"
    out.write_bytes(b"of yesterday")
    broken.write_bytes(b"PK")
    assert run(["reveal", str(broken), "--out", str(out)]) == 3
    assert out.read_bytes() == b"of yesterday"


@pytest.mark.parametrize("private", [b"a,b\n1,2\n", b"\xff\xfe", b""])
def test_broken_relation_numbers_are_told_of(folder: Path, private: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    write_private(folder, private)
    assert run(["reveal", str(folder / "actions" / "list.csv")]) == 2
    assert "customers.csv" in capsys.readouterr().err


def test_a_line_with_too_few_fields_is_named(folder: Path) -> None:
    (folder / "list.csv").write_text("plaats;klant\n1;K-01\n\n2\n")
    with pytest.raises(AkbError, match="line 4: too few"):
        revealed(folder / "list.csv", RELATIONS)


def test_a_customer_of_another_run_stops_it(folder: Path) -> None:
    with pytest.raises(AkbError, match="line 2"):
        revealed(folder / "actions" / "list.csv", {"K-01": "0012"})


def test_a_file_without_pseudonyms_is_refused(folder: Path) -> None:
    (folder / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AkbError, match="no column klant or customer"):
        revealed(folder / "other.csv", RELATIONS)
