"""Mistakes of the kind that people make, planted one by one: how many do a room's own tests see.

`python -m benchmarks.mutants [--room ROOM …] [--each 20] [--seed 1] [--since REF] [--work DIR] [--list]`

Draws mutants of the code of a room, plants each in a copy of the project (never in place), and runs those test files of
the room that reach the function it stands in, fastest first, until one fails. With ``--since`` only lines that were
changed since a commit are taken: for what a change touches. ``--work`` keeps the copy and which test reaches what, so
that the next run starts at once; delete it when tests have moved.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("akb", "benchmarks", "configs", "docs", "fuzz", "sample_data", "tests")
ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "value": (("akb/value",), ("tests/value",)),
    "features": (("akb/features",), ("tests/features",)),
    "ingest": (("akb/ingest",), ("tests/ingest",)),
    "privacy": (
        ("akb/core/privacy",),
        ("tests/privacy", "tests/core"),
    ),
    "store": (("akb/store",), ("tests/store",)),
}
"""Room -> its code, its own tests."""

TRACE = "AKB_MUTANTS_TRACE"
_SWAPPED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
_KINDS: dict[type[ast.AST], str] = {
    **dict.fromkeys((ast.Lt, ast.LtE, ast.Gt, ast.GtE), "boundary"),
    **dict.fromkeys((ast.Eq, ast.NotEq), "equality"),
    **dict.fromkeys((ast.Add, ast.Sub, ast.Mult, ast.Div), "arithmetic"),
    **dict.fromkeys((ast.BitAnd, ast.BitOr, ast.And, ast.Or), "and/or"),
}
_DROPPED = ("filter", "sort", "unique", "drop_nulls", "fill_null", "clip", "round", "abs", "shift")
_OTHERS = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "first": "last", "last": "first",
    "min_horizontal": "max_horizontal", "max_horizontal": "min_horizontal", "any": "all", "all": "any",
    "any_horizontal": "all_horizontal", "all_horizontal": "any_horizontal", "floor": "ceil", "ceil": "floor",
}  # fmt: skip
_LIBRARIES = ("np", "pl", "math")
_SAME_ANSWER = {"maintain_order", "check_sortedness", "optimize", "strict", "parallel", "stable", "frozen", "slots"}
"""Keywords that are about speed or about checks: the other value is no mistake in an answer."""

_GUARD = 1e-6
"""Numbers below this keep a division or a comparison of floats from going wrong, and could be others."""

_RAN = (0, 1, 2, 3)
"""What pytest ends with when it ran tests: all right, one failed, not collected, an error of its own."""


@dataclass(frozen=True)
class Mutant:
    """One mistake: bytes `start` to `end` of `path` replaced by `text`."""

    path: str
    line: int
    kind: str
    start: int
    end: int
    text: str

    def plant(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        lines = difflib.unified_diff(
            source.decode().splitlines(), self.plant(source).decode().splitlines(), lineterm="", n=0
        )
        return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


class _Finder(ast.NodeVisitor):
    """Every mutant of one module; nothing that is a type, a text for people, or of which both values mean the same."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        self.found: list[Mutant] = []
        self.lines = [0]
        for line in source.split(b"\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def add(self, kind: str, start: int, end: int, text: str) -> None:
        mutant = Mutant(self.path, self.source.count(b"\n", 0, start) + 1, kind, start, end, text)
        try:
            ast.parse(mutant.plant(self.source))
        except SyntaxError:
            return
        self.found.append(mutant)

    def between(self, left: ast.expr, right: ast.expr, op: ast.AST) -> None:
        """Swap the operator that stands between two operands."""
        if type(op) not in _SWAPPED:
            return
        old, new = _SWAPPED[type(op)]
        first, gap = self.end(left), self.source[self.end(left) : self.start(right)]
        at = re.search(rf"(?<![<>=!*/]){re.escape(old)}(?![=*/])".encode(), gap)
        if at is not None:
            self.add(_KINDS[type(op)], first + at.start(), first + at.end(), new)

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) == 1:
            self.between(node.left, node.comparators[0], node.ops[0])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not any(_is_text(side) for side in (node.left, node.right)):
            self.between(node.left, node.right, node.op)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.between(node.values[0], node.values[1], node.op)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.Invert):
            self.add("not", self.start(node), self.start(node.operand), "")
        self.generic_visit(node)

    def _condition(self, node: ast.If | ast.IfExp | ast.While) -> None:
        test = node.test
        if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
            return
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            self.add("condition", self.start(test), self.start(test), "not ")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self._condition(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node)

    def visit_While(self, node: ast.While) -> None:
        self._condition(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value, start, end = node.value, self.start(node), self.end(node)
        if isinstance(value, bool):
            self.add("constant", start, end, str(not value))
        elif isinstance(value, int):
            self.add("constant", start, end, str(value + 1))
        elif isinstance(value, float) and (not value or abs(value) > _GUARD):
            self.add("constant", start, end, f"{value * 1.1:.6g}" if value else "0.1")

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _OTHERS and ast.unparse(node.func) != "pl.all":
            end = self.end(node.func)
            self.add("swap", end - len(name), end, _OTHERS[name])
        if isinstance(node.func, ast.Attribute) and name in _DROPPED and ast.unparse(node.func.value) not in _LIBRARIES:
            dot = self.source.rindex(b".", 0, self.end(node.func) - len(name) + 1)
            self.add("dropped", dot, self.end(node), "")
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in _SAME_ANSWER:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.add("removed", self.start(node), self.end(node), "pass")
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.add("removed", self.start(node), self.end(node), "pass")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.add("removed", self.start(node), self.end(node), "pass")

    def visit_Assign(self, node: ast.Assign) -> None:
        if not isinstance(node.targets[0], ast.Name):
            self.generic_visit(node)
        else:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)):
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """A text: its parts have no places of their own before Python 3.12."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """An assert is for the type checker here."""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def mutants_of(path: str, root: Path = ROOT) -> list[Mutant]:
    """Return every mutant of one module."""
    source = (root / path).read_bytes()
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return finder.found


def modules(places: tuple[str, ...], root: Path = ROOT) -> list[str]:
    found: list[Path] = []
    for place in places:
        found += [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
    return [path.relative_to(root).as_posix() for path in found]


def drawn(mutants: list[Mutant], most: int, seed: int) -> list[Mutant]:
    """Return a seeded sample: first a kind, then one of it, so that constants do not crowd out the rest."""
    rng = random.Random(seed)
    kinds: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        kinds.setdefault(mutant.kind, []).append(mutant)
    taken: list[Mutant] = []
    while kinds and len(taken) < most:
        kind = rng.choice(sorted(kinds))
        taken.append(kinds[kind].pop(rng.randrange(len(kinds[kind]))))
        if not kinds[kind]:
            del kinds[kind]
    return sorted(taken, key=lambda mutant: (mutant.path, mutant.start))


def changed_lines(ref: str) -> dict[str, set[int]]:
    """Return path -> lines that are new since a commit."""
    diff = subprocess.run(
        ["git", "diff", "-U0", ref, "--", "akb"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, set[int]] = {}
    for line in diff.splitlines():
        if line.startswith("+++ "):
            mine = found.setdefault(line[6:], set())
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, many = int(hunk[1]), int(hunk[2] or 1)
            mine.update(range(first, first + many))
    return found


_SEEN: set[tuple[str, int]] = set()


def pytest_configure() -> None:
    """Look which functions of akb run, when pytest is started with this module as a plugin."""
    if TRACE in os.environ:
        inside = str(Path.cwd() / "akb")

        def trace(frame: FrameType, _event: str, _arg: object) -> None:
            if frame.f_code.co_filename.startswith(inside):
                _SEEN.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        threading.settrace(trace)
        sys.settrace(trace)


def pytest_unconfigure() -> None:
    """Write down what was seen."""
    if TRACE in os.environ:
        sys.settrace(None)
        rows = sorted((Path(name).relative_to(Path.cwd()).as_posix(), line) for name, line in _SEEN)
        Path(os.environ[TRACE]).write_text(json.dumps(rows))


@dataclass(frozen=True)
class Reach:
    """Which test files run which function, and how long they take."""

    seconds: dict[str, float]
    functions: dict[str, set[tuple[str, int]]]

    def of(self, mutant: Mutant, source: bytes) -> list[str]:
        """Return the test files to ask, the fastest first: those that run the function, else those of its module."""
        wanted = _function_around(source, mutant.line)
        found = [
            test
            for test, seen in self.functions.items()
            if any(path == mutant.path and wanted in (line, None) for path, line in seen)
        ]
        return sorted(found, key=self.seconds.__getitem__)


def _function_around(source: bytes, line: int) -> int | None:
    """The first line of the innermost function (with its decorators) whose body holds a line; None outside of any."""
    around = [
        min([node.lineno, *(each.lineno for each in node.decorator_list)])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.body[0].lineno <= line <= node.end_lineno
    ]
    return max(around, default=None)


def green(tree: Path, tests: list[str], *more: str, timeout: float | None = None, trace: Path | None = None) -> bool:
    """Run tests in the copied tree; false when one fails, cannot be collected, or never ends."""
    names = ("PYTEST_ADDOPTS", TRACE)
    env = {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(tree)}
    env |= {TRACE: str(trace)} if trace else {}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *more, *tests]
    try:
        done = subprocess.run(command, cwd=tree, env=env, capture_output=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in _RAN:
        raise SystemExit(f"pytest came to nothing (exit {done.returncode}): {done.stderr.decode()[-500:]}")
    return done.returncode == 0


def reach(tree: Path, work: Path, places: tuple[str, ...]) -> Reach:
    """Return what the tests of a room reach, each file in a process of its own; known ones are read from `work`."""
    seconds, functions = {}, {}
    for place in places:
        for path in sorted((tree / place).rglob("test_*.py")):
            test = path.relative_to(tree).as_posix()
            note = work / "reach" / (test.replace("/", ".") + ".json")
            note.parent.mkdir(exist_ok=True)
            if not note.exists():
                began, lines = time.perf_counter(), work / "lines.json"
                lines.unlink(missing_ok=True)
                if not green(tree, [test], "-p", "benchmarks.mutants", trace=lines):
                    raise SystemExit(f"{test} fails without any mutant")
                record = {"seconds": time.perf_counter() - began, "functions": json.loads(lines.read_text())}
                note.write_text(json.dumps(record))
            record = json.loads(note.read_text())
            seconds[test] = record["seconds"]
            functions[test] = {(name, line) for name, line in record["functions"]}
    return Reach(seconds, functions)


def copied(work: Path) -> Path:
    """Return a fresh copy of the project in `work`."""
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, tree / path.name)
    return tree


def survivors(mutants: list[Mutant], tree: Path, found: Reach) -> list[tuple[Mutant, int]]:
    """Plant one after the other; return those that no test saw, with how many test files were asked."""
    left = []
    for mutant in mutants:
        source = (ROOT / mutant.path).read_bytes()
        tests = found.of(mutant, source)
        began = time.perf_counter()
        (tree / mutant.path).write_bytes(mutant.plant(source))
        limit = 60 + 3 * sum(found.seconds[test] for test in tests)
        seen = bool(tests) and not green(tree, tests, timeout=limit)
        (tree / mutant.path).write_bytes(source)
        took = time.perf_counter() - began
        word = "caught  " if seen else "SURVIVED"
        print(f"{word}  {mutant.path}:{mutant.line}  {mutant.kind}  ({len(tests)} files, {took:.0f} s)", flush=True)
        if not seen:
            print(mutant.diff(source), flush=True)
            left.append((mutant, len(tests)))
    return left


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--room", action="append", choices=[*ROOMS])
    parser.add_argument("--each", type=int, default=20, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--since", help="only lines changed since this commit")
    parser.add_argument("--work", type=Path, help="keep the copy and what the tests reach in this folder")
    parser.add_argument("--list", action="store_true", help="say what would be planted")
    chosen = parser.parse_args()
    since = changed_lines(chosen.since) if chosen.since else None
    with tempfile.TemporaryDirectory() as temporary:
        work = chosen.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        tree = None if chosen.list else copied(work)
        table = []
        for room in chosen.room or ROOMS:
            places, tests = ROOMS[room]
            every = [mutant for path in modules(places) for mutant in mutants_of(path)]
            if since is not None:
                every = [mutant for mutant in every if mutant.line in since.get(mutant.path, ())]
            mutants = drawn(every, chosen.each, chosen.seed)
            print(f"\n{room}: {len(mutants)} of {len(every):,} mutants, seed {chosen.seed}", flush=True)
            if tree is None:
                for mutant in mutants:
                    print(f"{mutant.path}:{mutant.line}  {mutant.kind}")
                    print(mutant.diff((ROOT / mutant.path).read_bytes()))
                continue
            left = survivors(mutants, tree, reach(tree, work, tests))
            table.append((room, len(mutants), len(mutants) - len(left)))
        if table:
            print("\nroom        mutants   caught")
            for room, many, caught in [*table, ("all", sum(r[1] for r in table), sum(r[2] for r in table))]:
                print(f"{room:<10} {many:>8} {caught:>8}   {caught / max(many, 1):.0%}")


if __name__ == "__main__":
    main()
