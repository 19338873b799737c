"""The shape of the house: rooms of a size that can be read, no circles, names that are used once, files that exist."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_MODULES, MOST_POSITIONAL, MOST_COLUMNS = 16, 5, 100
MOST_IN_TEMPLATE = 200

PLUG_INS = {"akb/features/groups"}
"""Folders of modules of one shape, of which there may be many."""


@cache
def sources() -> dict[str, str]:
    """Return every module of the package by its dotted name; a package's own stands under the name of the package."""
    found = {}
    for path in sorted((ROOT / "akb").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path.read_text("utf-8")
    return found


@cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in sources().items()}


def imported(name: str) -> set[str]:
    """Return the modules of the house that one imports, whether when running or for its types only."""
    found = set()
    for node in ast.walk(trees()[name]):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{each.name}" if f"{node.module}.{each.name}" in sources() else node.module
                      for each in node.names}  # fmt: skip
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return (found & sources().keys()) - {name}


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """Return what can be reached along one import or more."""
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += graph[name]
    return seen


@cache
def circles() -> list[set[str]]:
    """Return the modules that import each other, round some way."""
    graph = {name: imported(name) for name in sources()}
    reach = {name: reached(graph, name) for name in graph}
    rings = {frozenset(each for each in reach[name] if name in reach[each]) for name in graph if name in reach[name]}
    return sorted((set(ring) for ring in rings), key=sorted)


def positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return len([each for each in node.args.posonlyargs + node.args.args if each.arg not in ("self", "cls")])


def crowded_calls() -> set[str]:
    return {
        f"{name}.{node.name}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and positional(node) > MOST_POSITIONAL
    }


def class_names_used_twice() -> set[str]:
    where = defaultdict(set)
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].add(name)
    return {name for name, modules in where.items() if len(modules) > 1}


def modules_per_folder() -> Counter[str]:
    paths = (ROOT / "akb").rglob("*.py")
    return Counter(path.parent.relative_to(ROOT).as_posix() for path in paths if path.name != "__init__.py")


DIALECT = {"told", "know", "knows", "stood", "groundwork"}
"""Words of a dialect of our own, where the field has a term for what a thing is."""


def bindings(tree: ast.Module) -> set[str]:
    """Return every name that a module gives to something, in words: ``CaseTold`` is case, told."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.arg):
            names.append(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append(node.id if isinstance(node, ast.Name) else node.attr)
    return {word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


PRAGMA = re.compile(r"  # (?:type: ignore|noqa).*$")


def long_lines() -> list[str]:
    """Return what is too wide; what cannot be broken, a pragma or one long word, counts for nothing."""
    return [
        f"{name}: {line}"
        for name, text in sources().items()
        for line in text.splitlines()
        if len(PRAGMA.sub("", line)) > MOST_COLUMNS and " " in line.strip()
    ]


NAMED = re.compile(r"(?<![\w./<])((?:akb|configs|docs|tests|benchmarks|sample_data)/[\w/.-]+\.\w+|[\w-]+\.md)\b")
MODULE = re.compile(r"`(akb(?:\.(?!toml)\w+)+)`")


def unknown_files() -> set[str]:
    """Return files named in code that are not there; a document may be named without its folder."""
    documents = {path.name for folder in (ROOT, ROOT / "docs", ROOT / "benchmarks") for path in folder.glob("*.md")}
    named = {found for text in sources().values() for found in NAMED.findall(text)}
    return {each for each in named if not (ROOT / each).exists() and each not in documents}


PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
"""Pages about the house itself."""
ROOM = "docs/architecture.md"
PLACE = re.compile(r"`((?:akb|configs|docs|tests|benchmarks)/[\w/.-]*)`")
"""What stands between ticks and may be there: a name in capitals is the reader's own."""


def missing_places(page: str) -> set[str]:
    """Return files and folders that a page names and that are not there."""
    named = PLACE.findall((ROOT / page).read_text("utf-8"))
    return {each for each in named if "NAME" not in each and not (ROOT / each).exists()}


def rooms() -> set[str]:
    """Return every folder of modules; the chapters are of one shape and stand in their registry."""
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "akb").rglob("__init__.py")}
    return {f"{each}/" for each in folders - {"akb"} if not each.startswith("akb/report/chapters/")}


def exists(dotted: str) -> bool:
    """Return whether a dotted name is a module, or something that a module defines or hands on."""
    module, rest = dotted, list[str]()
    while module not in sources():
        module, _, name = module.rpartition(".")
        rest.append(name)
    return not rest or re.search(rf"\b{rest[-1]}\b", sources()[module]) is not None


def test_a_folder_can_be_read_at_a_glance() -> None:
    found = modules_per_folder()
    over = {name: count for name, count in found.items() if count > MOST_MODULES}
    assert not over.keys() - PLUG_INS


def test_no_module_imports_itself_round_some_way() -> None:
    assert circles() == []


def test_what_travels_together_is_one_object() -> None:
    assert crowded_calls() == set()


def test_a_class_name_is_used_once() -> None:
    assert class_names_used_twice() == set()


def untyped(name: str) -> set[str]:
    """Return where a module hands over what has no type: a field or property of `Any`, or a mapping of anything."""
    found = set()
    for kind in (node for node in trees()[name].body if isinstance(node, ast.ClassDef)):
        for node in kind.body:
            hint = node.annotation if isinstance(node, ast.AnnAssign) else getattr(node, "returns", None)
            if hint is not None and re.search(r"\bAny\b|dict\[str, object\]", ast.unparse(hint)):
                found.add(f"{name}.{kind.name}, line {node.lineno}")
    return found


def test_rooms_hand_over_what_has_a_type() -> None:
    doors = [name for name in sources() if re.fullmatch(r"akb\.\w+\.types(\.\w+)?", name)]
    assert len(doors) > 5
    assert {place for name in doors for place in untyped(name)} == set()


def test_names_are_terms_of_the_field() -> None:
    assert {name: found for name, tree in trees().items() if (found := bindings(tree) & DIALECT)} == {}


@pytest.mark.parametrize("code", ["class CaseTold: ...", "def told(): ...", "_TOLD = 1", "told_years = 2"])
def test_a_word_of_a_dialect_would_be_seen(code: str) -> None:
    assert bindings(ast.parse(code)) & DIALECT


def test_lines_are_short() -> None:
    assert long_lines() == []


def test_lines_of_templates_can_be_read() -> None:
    templates = sorted((ROOT / "akb").rglob("*.html"))
    assert len(templates) > 30
    wide = [
        f"{path.relative_to(ROOT).as_posix()}:{place}"
        for path in templates
        for place, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > MOST_IN_TEMPLATE
    ]
    assert wide == []


def test_what_code_names_is_there() -> None:
    assert unknown_files() == set()
    named = {found for text in sources().values() for found in MODULE.findall(text)}
    assert len(named) > 10
    assert sorted(each for each in named if not exists(each)) == []


@pytest.mark.parametrize("page", PAGES)
def test_what_the_pages_about_the_house_name_is_there(page: str) -> None:
    assert missing_places(page) == set()


def test_every_room_stands_in_the_architecture() -> None:
    text = (ROOT / ROOM).read_text("utf-8")
    assert {each for each in rooms() if f"`{each}`" not in text} == set()


def test_the_architecture_says_who_may_import_whom() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = " → ".join(contracts[0]["layers"]).replace("akb.", "")
    said = re.search(r"Who may import whom: `([^`]*)`", (ROOT / ROOM).read_text("utf-8"))
    assert said and " ".join(said[1].split()) == layers


@pytest.mark.parametrize(
    ("graph", "rings"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, 0),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, 1),
        ({"a": {"b"}, "b": {"a"}, "c": {"d", "a"}, "d": {"c"}}, 2),
    ],
)
def test_a_circle_would_be_seen(graph: dict[str, set[str]], rings: int) -> None:
    reach = {name: reached(graph, name) for name in graph}
    found = {frozenset(each for each in reach[name] if name in reach[each]) for name in graph if name in reach[name]}
    assert len(found) == rings
