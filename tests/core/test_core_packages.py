"""What is imported is declared, what is declared is imported, and the lock names it all without an address."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import akb

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OTHER_NAMES = {"pytest-xdist": "xdist", "scikit-learn": "sklearn"}


def declared(requirements: list[str]) -> set[str]:
    names = {re.split(r"[<>=!~\[; ]", requirement)[0].lower() for requirement in requirements}
    return {OTHER_NAMES.get(name, name).replace("-", "_") for name in names}


def imported(folder: Path) -> set[str]:
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"akb"}


def test_akb_declares_what_it_imports_and_nothing_else() -> None:
    always, extra = declared(PROJECT["dependencies"]), set[str]()
    for name in ("serve", "cluster"):
        extra |= declared(PROJECT["optional-dependencies"][name])
    assert always <= imported(ROOT / "akb") <= always | extra


def test_the_tests_need_nothing_that_is_not_declared() -> None:
    own = {"tests", "fuzz", "benchmarks", "scripts", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
    extra = set[str]().union(
        *(declared(PROJECT["optional-dependencies"][name]) for name in ("dev", "serve", "cluster"))
    )
    assert imported(ROOT / "tests") - own <= declared(PROJECT["dependencies"]) | extra


def test_the_lock_has_every_package_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = {name.lower().replace("-", "_") for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    names = {name.replace("sklearn", "scikit_learn") for name in declared(PROJECT["dependencies"])}
    assert names <= pinned
    assert not re.search(r"https?://|--index|--find-links|@ file", lock)
    assert lock.count("--hash=sha256:") > 100


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(akb.__file__).parent / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]
