"""The key: one for all first runs, nobody else's to read, and another pseudonym for every client."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from akb.core.errors import AkbError
from akb.core.privacy.pseudonyms import client_key, key_id, load_or_create_key, pseudonyms

KEY = bytes(range(32))
RELATIONS = [f"{number:06d}" for number in range(400)]


def key_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "config" / "key"
    key = load_or_create_key(path)
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_first_runs_at_once_get_one_key_and_never_half_of_it(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from akb.core.privacy.pseudonyms import load_or_create_key\n"
        "sys.stdin.readline()\n"
        "print(load_or_create_key(Path(sys.argv[1])).hex())\n"
    )
    path = tmp_path / "key"
    for _ in range(3):
        path.unlink(missing_ok=True)
        command = [sys.executable, "-c", script, str(path)]
        runs = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        for each in runs:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        said = [each.communicate() for each in runs]
        assert {out for out, _ in said} == {path.read_text()}, said


def test_the_key_of_a_run_that_was_first_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "key", Path.exists
    other = key_file(tmp_path, KEY.hex())
    late = iter([False])
    monkeypatch.setattr(Path, "exists", lambda self: next(late, True) if self == other else real(self))
    assert load_or_create_key(path) == KEY


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o640, 0o606, 0o660])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(AkbError, match="open to others") as error:
        load_or_create_key(key_file(tmp_path, KEY.hex(), mode))
    assert "chmod 600" in str(error.value.hint)


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32, b"ab" * 16, bytes(range(8)) * 4])
def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(AkbError, match="can be guessed"):
        load_or_create_key(key_file(tmp_path, key.hex()))


@pytest.mark.parametrize("content", ["", "00", "no key", KEY.hex() + "00", "\x00" * 64])
def test_what_is_no_key_is_told(tmp_path: Path, content: str) -> None:
    with pytest.raises(AkbError, match="is not an akb key"):
        load_or_create_key(key_file(tmp_path, content))


def test_two_clients_share_no_pseudonym_and_one_client_keeps_them() -> None:
    first = pseudonyms(RELATIONS, client_key(KEY, "Kantoor Noord"))
    assert not set(first) & set(pseudonyms(RELATIONS, client_key(KEY, "Kantoor Zuid")))
    assert first == pseudonyms(RELATIONS, client_key(KEY, "  kantoor  noord "))
    assert pseudonyms(RELATIONS, client_key(KEY, "")) == pseudonyms(RELATIONS, KEY)


def test_the_id_of_a_key_tells_keys_apart_and_is_no_pseudonym() -> None:
    other = client_key(KEY, "Kantoor Noord")
    assert key_id(KEY) == key_id(KEY)
    assert key_id(KEY) != key_id(other)
    assert KEY.hex() not in key_id(KEY)
    assert pseudonyms([""], KEY)[0] != f"K-{key_id(KEY).upper()}"
