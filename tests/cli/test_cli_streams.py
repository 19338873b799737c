"""stdout and stderr as people use them, and what the machine refuses: an exit code and a sentence, never a trace."""

from __future__ import annotations

import errno
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from akb.cli import run
from akb.commands import options
from akb.core.wording.printable import printable

EXPORT = "Relatienummer;Polisnummer;Ingangsdatum;Einddatum;Branche;Maatschappij\n" + "".join(
    f"R{n // 2};P{n};{1 + n % 28:02}-0{1 + n % 9}-20{10 + n % 14};;Auto;Sociëteit ’t Veer\n" for n in range(200)
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "polissen é.csv"
    path.write_text(EXPORT, "utf-8")
    return path


def akb(*arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONUTF8": "0", **settings}
    return subprocess.run([sys.executable, "-m", "akb", *arguments], capture_output=True, env=environment, check=False)


def test_a_terminal_without_accents_gets_another_sign_and_no_trace(export: Path) -> None:
    done = akb("check", str(export), PYTHONIOENCODING="ascii", COLUMNS="200")
    assert done.returncode == 0
    assert b"Soci" in done.stdout or b"polissen" in done.stdout
    done.stdout.decode("ascii")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_utf8_whatever_the_terminal(export: Path, encoding: str) -> None:
    done = akb("check", str(export), "--json", "--quiet", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert json.loads(done.stdout.decode("utf-8"))["files"][0]["name"] == "polissen é.csv"


def test_a_file_gets_utf8(export: Path, tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("wb") as target:
        environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "COLUMNS": "200"}
        command = [sys.executable, "-m", "akb", "check", str(export)]
        subprocess.run(command, stdout=target, stderr=subprocess.DEVNULL, env=environment, check=True)
    assert "polissen é.csv" in (tmp_path / "out.txt").read_text("utf-8")


@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"], ["predictions"], ["predictions", "--json"]])
def test_a_reader_that_stops_is_no_error(export: Path, arguments: list[str]) -> None:
    given = [str(export)] if arguments[0] == "check" else []
    command = shlex.join([sys.executable, "-m", "akb", arguments[0], *given, *arguments[1:]])
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in ("0", "141")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_stderr_that_nobody_reads_does_not_end_the_work(export: Path, tmp_path: Path) -> None:
    command = shlex.join(
        [sys.executable, "-m", "akb", "check", str(export), "--json", "--log-file", str(tmp_path / "l")]
    )
    script = (
        f"( {command} 2>&3 > {shlex.quote(str(tmp_path / 'out'))}; echo $? > {shlex.quote(str(tmp_path / 'rc'))} ) 3>&1"
    )
    subprocess.run(["bash", "-c", f"{script} | true"], check=True)
    assert (tmp_path / "rc").read_text().strip() == "0"
    assert json.loads((tmp_path / "out").read_text("utf-8"))["schema"] == "akb.check/1"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_behind_stdout_is_a_sentence(export: Path, more: list[str]) -> None:
    with Path("/dev/full").open("wb") as target:
        command = [sys.executable, "-m", "akb", "check", str(export), *more]
        done = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/x/run"), "/x/run: Permission denied"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "aaa"), "File name too long"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_akb(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(options, "split_roles", refuse)
    assert run(["check", "x.csv"]) == 2
    assert words in capsys.readouterr().err


def test_a_name_on_the_command_line_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "\x1b]0;title\x07\x1b[2Jx\u202egnp.csv"]) == 2
    said = capsys.readouterr().err
    assert "xgnp.csv" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_printable_has_an_end_and_a_beginning() -> None:
    assert printable("a\u200bb\x1b[31mc\x1b]8;;http://x\x1b\\d\n\te") == "abcd  e"
    assert printable("x" * 40_000, 100) == "x" * 99 + "…"
    assert printable("\u200b" * 40_000 + "x", 100).endswith("…")  # a text that hides what it says is cut too
    assert printable("Sociëteit ’t Veer · 12 %") == "Sociëteit ’t Veer · 12 %"


@pytest.mark.parametrize("seed", ["4294967296", "99999999999999999999"])
def test_a_seed_that_no_library_takes_is_refused_before_any_work(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eda", "x.csv", "--seed", seed]) == 2
    assert "--seed" in capsys.readouterr().err


def test_hints_can_be_pasted_whatever_the_path(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my settings.toml"
    assert run(["init", str(export), "--out", str(out)]) == 0
    hint = capsys.readouterr().err.replace("\n", " ").partition("then: ")[2]
    assert shlex.split(hint) == ["akb", "eda", str(export), "--config", str(out)]


def test_reveal_does_not_follow_a_link_that_somebody_laid(tmp_path: Path) -> None:
    from akb.store.folders import write_private

    (tmp_path / "run").mkdir()
    write_private(tmp_path / "run", b"customer,relation\nK-01,0012\n")
    (tmp_path / "run" / "list.csv").write_text("klant;kans\nK-01;0,1\n")
    (tmp_path / "theirs").write_text("of somebody else")
    (tmp_path / "out.csv").symlink_to(tmp_path / "theirs")
    assert run(["reveal", str(tmp_path / "run" / "list.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "theirs").read_text() == "of somebody else"
    assert not (tmp_path / "out.csv").is_symlink()
    assert "0012" in (tmp_path / "out.csv").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "theirs", "out.csv"}
