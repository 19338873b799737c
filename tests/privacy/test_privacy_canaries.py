"""Persons are planted in every column of an export; no byte of any output may hold one."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from akb.cli import run
from akb.core.privacy.identifiers import is_bsn, is_iban
from akb.sample import simulate, write_sample
from tests.offices import FEWEST_ROWS
from tests.searched import everything_in

MARK = "Zqcanary"  # in whatever can hold letters
FILES = ("polissen.csv", "schades.csv", "contacten.csv")
UNKNOWN = ("Opmerking", "Veld 17", "Memo", "Naam", "E-mailadres", "IBAN", "BSN", "KvK nummer", "Straat", "Telefoon")
WHOLE = r"(?<![\dA-Za-z])(?<!\d[.,])\d+"  # whole numbers, not the decimals of one nor digits of a pseudonym
KINDS = ("name", "email", "phone", "iban", "bsn", "kvk", "address", "relation")


def person(kind: str, serial: int) -> str:
    """One identifier that nobody else has."""
    match kind:
        case "name":
            return f"{MARK}{chr(97 + serial % 26)}{serial} de Vries"
        case "email":
            return f"{MARK.lower()}.{serial}@example.nl"
        case "phone":
            return f"06-4{serial * 7919 % 10_000_000:07d}"
        case "iban":
            return next(text for check in range(2, 99) if is_iban(text := f"NL{check:02d}ZQCA{serial * 104_729:010d}"))
        case "bsn":
            fronts = range(20_000_000 + serial * 997, 99_999_999)
            return next(text for front in fronts for last in range(10) if is_bsn(text := f"{front}{last}"))
        case "kvk":
            return f"{50_000_000 + serial * 997}"
        case "address":
            return f"{MARK}straat {serial}"
        case _:
            return f"ZQRELATIE{serial:07d}"


@cache  # asked of every person for every output
def _digits(someone: str) -> str:
    return re.sub(r"\D", "", someone)


@dataclass
class Planted:
    """An export with persons in it, and all of them."""

    folder: Path
    persons: set[str] = field(default_factory=set)

    def new(self, kind: str) -> str:
        made = person(kind, len(self.persons) + 1)
        self.persons.add(made)
        return made

    @property
    def files(self) -> list[str]:
        return [str(self.folder / name) for name in FILES]

    def numbers(self) -> set[str]:
        """The digits of all persons, where these are enough to be nobody else's."""
        return {digits for digits in map(_digits, self.persons) if len(digits) >= 8}

    def found_in(self, content: bytes) -> set[str]:
        """The persons that stand in some bytes, however their digits are grouped; numbers only as whole numbers."""
        text = content.decode("utf-8", errors="replace")
        mark = re.search(rf"(?i:{MARK})|ZQRELATIE|ZQCA\d{{4}}", text)
        if mark:
            return {f"a mark: …{text[max(mark.start() - 30, 0) : mark.start() + 60]}…"}
        grouped = re.sub(r"(?<=\d)[ -](?=\d)", "", text)
        return {number for words in (text, grouped) for number in re.findall(WHOLE, words)} & self.numbers()


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter=";"))


def save(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target, delimiter=";", lineterminator="\r\n").writerows(rows)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A small office: relation numbers carry a mark, and unknown and personal columns are full of persons."""
    planted = Planted(tmp_path_factory.mktemp("canaries") / "export")
    write_sample(simulate(250, seed=5), planted.folder, truth=False)
    for name in FILES:
        heading, *rows = rows_of(planted.folder / name)
        known: dict[str, str] = {}
        for line, row in enumerate(rows):
            row[0] = known.setdefault(row[0], f"ZQRELATIE{row[0]}")
            someone = line % 11 == 0  # not in every row: among many numbers some stand in any output by chance
            row.extend(planted.new(kind) if someone else "" for kind in (KINDS * 2)[: len(UNKNOWN)])
        save(planted.folder / name, [[*heading, *UNKNOWN], *rows])
        planted.persons |= set(known.values())
    return planted


@pytest.fixture(scope="module")
def everywhere(office: Planted, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The same with persons in every column of some rows, of every kind."""
    planted = Planted(tmp_path_factory.mktemp("everywhere"), set(office.persons))
    for name in FILES:
        heading, *rows = rows_of(office.folder / name)
        width = len(heading) - len(UNKNOWN)
        for place, row in enumerate(rows):
            if place % 10 == 0:
                row[place // 10 % width] = planted.new(KINDS[place // 10 // width % len(KINDS)])
        save(planted.folder / name, [heading, *rows])
    return planted


def outputs(folder: Path) -> dict[str, bytes]:
    """Every output: its bytes, and what is packed inside Parquet, archives and workbooks as well."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "customers.csv":
            found[str(path.relative_to(folder))] = path.read_bytes()
            found |= everything_in(path)
    return found


def test_no_output_of_a_run_holds_a_person(
    everywhere: Planted, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, log = tmp_path / "run", tmp_path / "akb.log"
    options = ["--out", str(out), "--key", str(tmp_path / "key"), "--log-file", str(log), "--json"]
    options += ["--config", str(FEWEST_ROWS)]
    assert run(["eda", *everywhere.files, *options]) == 0
    said = capfd.readouterr()
    written = {**outputs(out), "stdout": said.out.encode(), "stderr": said.err.encode(), "log": log.read_bytes()}
    assert {"report.html", "summary.json", "scores.csv", "rejects.csv", "manifest.json"} <= set(written)
    assert any(name.startswith("models/") for name in written)
    assert {"actions.xlsx: xl/sharedStrings.xml", "kept.zip: kept.json", "kept.zip: 0.parquet: rows"} <= set(written)
    assert {name: found for name, content in written.items() if (found := everywhere.found_in(content))} == {}
    assert b"AKB-P002" in written["summary.json"]


def test_the_search_finds_what_it_should(everywhere: Planted, office: Planted, tmp_path: Path) -> None:
    for path in everywhere.files:
        assert everywhere.found_in(Path(path).read_bytes())
    (tmp_path / "packed").mkdir()
    with zipfile.ZipFile(tmp_path / "packed" / "kept.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        rows = io.BytesIO()
        pl.DataFrame({"name": [person("relation", 1)] * 50}).write_parquet(rows)
        archive.writestr("0.parquet", rows.getvalue())
        archive.writestr("kept.json", "{}")
    found = {name for name, content in outputs(tmp_path).items() if everywhere.found_in(content)}
    assert "kept.zip: 0.parquet: rows" in found
    assert not found & {"packed/kept.zip", "kept.zip: kept.json"}  # compressed bytes tell nothing
    for kind in ("phone", "bsn", "kvk"):
        number = everywhere.new(kind)
        assert everywhere.found_in(f"x,{number},y".encode())
    assert not everywhere.found_in(b"0.123456789,12-03-2024")


def columns(planted: Planted) -> int:
    return len(rows_of(Path(planted.files[0]))[0]) - len(UNKNOWN)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["name", "email", "bsn", "every"])
def test_a_whole_column_of_persons_is_checked_without_telling_one(
    office: Planted, tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    heading, *rows = rows_of(Path(office.files[0]))
    for column in range(columns(office)):
        planted = Planted(tmp_path, set(office.persons))
        filled = [
            [*row[:column], planted.new(KINDS[place % len(KINDS)] if kind == "every" else kind), *row[column + 1 :]]
            for place, row in enumerate(rows[:120])
        ]
        save(tmp_path / "polissen.csv", [heading, *filled])
        code = run(["check", str(tmp_path / "polissen.csv"), "--json"])
        said = capfd.readouterr()
        assert code in (0, 2), heading[column]
        assert planted.found_in((said.out + said.err).encode()) == set(), heading[column]


@pytest.mark.parametrize("command", ["check", "eda"])
def test_an_export_without_headings_is_refused_without_quoting_it(
    office: Planted, tmp_path: Path, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    save(tmp_path / "polissen.csv", rows_of(Path(office.files[0]))[1:50])
    assert run([command, str(tmp_path / "polissen.csv")]) == 2
    said = capfd.readouterr()
    assert office.found_in((said.out + said.err).encode()) == set()


def run_of(heading: list[str], rows: list[list[str]], folder: Path) -> bytes:
    """Everything that a run of these policies writes."""
    save(folder / "polissen.csv", [heading, *rows])
    options = ["--out", str(folder / "run"), "--key", str(folder / "key"), "-q", "--config", str(FEWEST_ROWS)]
    assert run(["eda", str(folder / "polissen.csv"), *options]) == 0
    return b"".join(outputs(folder / "run").values())


def test_a_text_is_named_only_if_enough_customers_share_it(office: Planted, tmp_path: Path) -> None:
    heading, *rows = rows_of(Path(office.files[0]))
    customers = sorted({row[0] for row in rows})
    rare = customers[:3]
    for column in ("Maatschappij", "Kantoor", "Adviseur", "Branche"):
        for row in rows:
            if row[0] in rare or column != "Branche" or row[0] in customers[:100]:
                row[heading.index(column)] = f"{'Eenmans' if row[0] in rare else 'Algemene '}{column.lower()}"
    everything = run_of(heading, rows, tmp_path)
    assert b"Eenmans" not in everything
    for column in ("maatschappij", "kantoor", "adviseur", "branche"):
        assert f"Algemene {column}".encode() in everything


def test_an_address_that_everybody_shares_is_still_an_address(office: Planted, tmp_path: Path) -> None:
    heading, *rows = rows_of(Path(office.files[0]))
    for row in rows:
        row[heading.index("Kantoor")] = "info@zqcanary.nl"
    assert b"zqcanary" not in run_of(heading, rows[:400], tmp_path).lower()


def test_proposed_settings_hold_no_person(everywhere: Planted, tmp_path: Path) -> None:
    assert run(["init", *everywhere.files, "--out", str(tmp_path / "akb.toml"), "-q"]) == 0
    assert everywhere.found_in((tmp_path / "akb.toml").read_bytes()) == set()
