"""The wheel is whole: it holds what akb reads beside its code, and answers elsewhere as the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from akb.cli import run
from tests.offices import Office

ROOT = Path(__file__).parents[2]
AKB = ("-m", "akb")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, before = tmp_path_factory.mktemp("wheel"), Path.cwd()
    os.chdir(ROOT)
    try:
        return folder / build_wheel(str(folder))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as held:
        held.extractall(folder)
    return folder


def outside(installed: Path, *arguments: str, cwd: Path) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, check=True).stdout


def test_every_file_that_is_no_code_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        names = set(held.namelist())
    files = [path for room in ("akb", "configs") for path in (ROOT / room).rglob("*") if path.is_file()]
    names_of = [path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"]
    wanted = {name for name in names_of if "/." not in name}  # a linter's cache is nobody's file
    named = {f"akb/{name}" if name.startswith("configs/") else name for name in wanted}
    assert named <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "scripts/"))]
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_it_answers_as_the_checkout_does(
    installed: Path,
    compared_office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.chdir(tmp_path)
    script = "import akb; from akb.core.wording.text import configs_dir; print(akb.__file__, configs_dir())"
    where = outside(installed, "-c", script, cwd=tmp_path)
    assert where.decode().split() == [str(installed / "akb" / "__init__.py"), str(installed / "akb" / "configs")]
    for arguments in (
        ("check", *compared_office.files, "--json"),
        ("predictions", "--json"),
        ("schema", "scores"),
        ("explain", "AKB-D011"),
    ):
        assert run(list(arguments)) == 0
        assert outside(installed, *AKB, *arguments, cwd=tmp_path) == capfdbinary.readouterr().out
