"""Runs of an earlier akb, a golden one of each schema: brought forward, evaluated, scored with, or told what to run."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from akb.cli import run
from akb.core.privacy.pseudonyms import key_id, load_or_create_key
from akb.live.book import open_book
from akb.live.migration import documents_of, migrate_run

GOLDEN = Path(__file__).parents[1] / "golden_runs"
EARLIER, TODAY = "summary-1", "summary-2"
FILES = ("polissen.csv", "schades.csv", "contacten.csv")


def golden(name: str, tmp_path: Path) -> Path:
    """Return the folder with run/, export/ and key of a golden run."""
    folder = tmp_path / name
    with zipfile.ZipFile(GOLDEN / f"{name}.zip") as archive:
        archive.extractall(folder)
    (folder / "key").chmod(0o600)
    return folder


def asked(folder: Path, command: str, *more: str) -> int:
    return run([command, *more, "--key", str(folder / "key"), "--quiet"])


def exports(folder: Path) -> list[str]:
    return [str(folder / "export" / name) for name in FILES]


def sentences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_todays_schemas_have_a_golden_run(tmp_path: Path) -> None:
    """A new number is a new schema: the golden run of the one before stays, and gets a sister."""
    folder = golden(TODAY, tmp_path)
    schemas = [each for each in documents_of(folder / "run") if "/" in each.reads]
    assert [each for each in schemas if each.state != "current"] == [], "python -m scripts.golden NAME, then its tests"


def test_an_earlier_run_is_evaluated_once_it_says_whose_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = golden(EARLIER, tmp_path)
    earlier, scores = folder / "run", (folder / "run" / "scores.parquet").read_bytes()
    assert asked(folder, "evaluate", str(earlier), *exports(folder)) == 3
    assert sentences(capsys)[-1].startswith("Give the key")
    assert asked(folder, "migrate", str(earlier)) == 3
    said = sentences(capsys)
    assert said[-1] == f"akb migrate {earlier} --from FOLDER-OF-ITS-EXPORT --out {earlier}-new"
    manifest = json.loads((earlier / "manifest.json").read_text("utf-8"))
    assert manifest["key_id"] == key_id(load_or_create_key(folder / "key"))
    assert manifest["asked"]["files"] == list(FILES)
    assert (earlier / "scores.parquet").read_bytes() == scores
    assert (earlier / "private" / "customers.csv").is_file()
    assert asked(folder, "evaluate", str(earlier), *exports(folder), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run"] == manifest["run"] and document["customers"] == 160
    assert migrate_run(earlier, folder / "key").added == ()


def test_the_name_of_an_earlier_run_is_the_one_that_this_akb_gives(tmp_path: Path) -> None:
    folder = golden(TODAY, tmp_path)
    path = folder / "run" / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    less = {name: value for name, value in document.items() if name not in ("run", "key_id", "asked")}
    path.write_text(json.dumps(less))
    assert migrate_run(folder / "run", folder / "key").added == ("key_id", "run", "asked")
    made = json.loads(path.read_text("utf-8"))
    assert {name: made[name] for name in ("run", "key_id")} == {name: document[name] for name in ("run", "key_id")}


@pytest.mark.parametrize("command", ["score", "case", "report", "export"])
def test_what_an_earlier_run_cannot_do_is_said_with_what_to_run(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = golden(EARLIER, tmp_path)
    migrate_run(folder / "run", folder / "key")
    if command == "score":
        code = asked(folder, command, *exports(folder), "--from", str(folder / "run"), "--out", str(tmp_path / "new"))
    else:
        code = run([command, str(folder / "run")])
    said = sentences(capsys)
    assert code in (2, 3) and len(said) == 2
    assert "akb eda" in said[1] or "akb migrate" in said[1]


def test_the_golden_run_of_today_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = golden(TODAY, tmp_path)
    assert asked(folder, "migrate", str(folder / "run")) == 0
    assert asked(folder, "evaluate", str(folder / "run"), *exports(folder)) == 0
    assert run(["report", str(folder / "run")]) == 0  # all that it kept is read
    capsys.readouterr()
    code = asked(folder, "score", *exports(folder), "--from", str(folder / "run"), "--out", str(tmp_path / "new"))
    assert code == 0 or (code == 3 and "akb eda again" in sentences(capsys)[-1])


def rewritten(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changed), "utf-8")


def test_what_a_later_akb_made_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = golden(TODAY, tmp_path)
    rewritten(folder / "run" / "summary.json", schema="akb.summary/12")
    assert asked(folder, "migrate", str(folder / "run")) == 3
    assert sentences(capsys)[-1] == "Upgrade akb."
    assert run(["report", str(folder / "run")]) == 2
    assert sentences(capsys)[-1] == "Upgrade akb."


def test_another_key_is_seen_and_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, other = golden(EARLIER, tmp_path), tmp_path / "other"
    before = (folder / "run" / "manifest.json").read_bytes()
    assert run(["migrate", str(folder / "run"), "--key", str(other)]) == 2
    assert not other.exists()
    load_or_create_key(other)
    assert run(["migrate", str(folder / "run"), "--key", str(other)]) == 2
    assert "another key" in sentences(capsys)[-2]
    assert (folder / "run" / "manifest.json").read_bytes() == before


def test_the_runs_of_a_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, home = golden(EARLIER, tmp_path), tmp_path / "book"
    home.mkdir(mode=0o700)
    shutil.copy(folder / "key", home / "key")
    book = open_book(home)
    shutil.copytree(folder / "run", book.runs / "2025-06-30-eda")
    assert run(["migrate", str(home), "--dry-run"]) == 3
    assert sentences(capsys)[-1] == f"akb retrain EXPORT... --from {home}"
    assert "key_id" not in json.loads((book.runs / "2025-06-30-eda" / "manifest.json").read_text("utf-8"))
    assert run(["migrate", str(home), "--quiet"]) == 3
    assert "key_id" in json.loads((book.runs / "2025-06-30-eda" / "manifest.json").read_text("utf-8"))


@pytest.mark.slow
def test_an_earlier_run_is_made_again_beside_itself(tmp_path: Path) -> None:
    folder, new = golden(EARLIER, tmp_path), tmp_path / "new"
    again = ["--from", str(folder / "export"), "--out", str(new)]
    assert asked(folder, "migrate", str(folder / "run"), *again) == 0
    assert asked(folder, "migrate", str(new)) == 0
    then, now = (json.loads((each / "manifest.json").read_text("utf-8")) for each in (folder / "run", new))
    assert {name: then[name] for name in ("run", "as_of", "key_id")} == {
        name: now[name] for name in ("run", "as_of", "key_id")
    }
    assert asked(folder, "score", *exports(folder), "--from", str(new), "--out", str(tmp_path / "week")) == 0
