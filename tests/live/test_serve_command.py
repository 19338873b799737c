"""`akb serve` as a command: tokens, and what it refuses before it listens."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from akb.cli import run
from akb.live.book import open_book
from akb.live.serving.story import opened_door
from akb.live.serving.tables import audit_rows
from tests.live.served_book import HOSTILE, NORTH, customers, made_book, put_run

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook


@pytest.fixture
def book(tmp_path: Path) -> ClientBook:
    return made_book(tmp_path / "book")


def serve(book: ClientBook, *arguments: str) -> int:
    return run(["serve", "--book", str(book.folder), *arguments])


def test_a_token_is_shown_once(book: ClientBook, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(book, "--add", "Ann", "--office", NORTH, "--relations") == 0
    made = capsys.readouterr()
    assert made.out.startswith("akb-")
    assert f"{len(customers(NORTH))} customers, with relation numbers" in made.err
    assert serve(book, "--list") == 0
    listed = capsys.readouterr().out
    assert "Ann (adviser; Noord; relation numbers)" in listed
    assert made.out.strip() not in listed
    assert serve(book, "--add", "Ann", "--role", "manager") == 2
    assert "of that name has a token already" in capsys.readouterr().err
    assert serve(book, "--revoke", "Ann") == 0
    assert serve(book, "--revoke", "Ann") == 0  # the same again is no mistake
    assert "taken back before" in capsys.readouterr().err
    assert serve(book, "--list", "--json") == 0
    people = json.loads(capsys.readouterr().out)["people"]
    assert [(each["name"], each["revoked"] is not None) for each in people] == [("Ann", True)]
    assert serve(book, "--audit") == 0
    told = [json.loads(line)["what"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["added", "revoked"]
    log = (book.folder / "log.jsonl").read_text("utf-8")
    assert "serve --add" in log
    assert "Ann" not in log


def test_a_dry_run_makes_no_token(book: ClientBook, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(book, "--add", "Ann", "--role", "manager", "--dry-run") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "would see 757 customers" in said.err
    assert audit_rows_or_none(book) == []
    assert serve(book, "--revoke", "Ann", "--dry-run") == 0


def audit_rows_or_none(book: ClientBook) -> list[dict[str, object]]:
    from akb.live.serving.tables import prepare

    prepare(book)
    return audit_rows(book)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--add", "Ann", "--office", "Nord"], "no office 'Nord'; did you mean 'Noord'?"),
        (["--add", "Ann"], "would see none of the 757 customers"),
        (["--add", ""], "a name has 1 to 60"),
        (["--add", "a\nb", "--office", NORTH], "a name has 1 to 60"),
        (["--add", "Ann", "--list"], "are two commands"),
        (["--office", NORTH], "say what somebody may see"),
        (["--relations"], "say what somebody may see"),
        (["--revoke", "Ann"], "nobody of that name"),
        (["--host", "0.0.0.0"], "akb speaks no TLS"),
        (["--host", "::"], "akb speaks no TLS"),
        (["--host", "192.168.1.4"], "Put something that does in front"),
        (["--host", "example.invalid"], "no name is looked up"),
        (["--tls-in-front", "https://akb.office.nl/"], "is no name of a host"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    book: ClientBook, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert serve(book, *arguments) == 2
    assert said in capsys.readouterr().err


def test_an_office_may_have_any_name(book: ClientBook, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(book, "--add", "Ann", "--office", HOSTILE, "--office", NORTH) == 0
    assert f"{len(customers(HOSTILE) + customers(NORTH))} customers" in capsys.readouterr().err


def test_loopback_needs_no_word_and_anything_else_does() -> None:
    assert opened_door("localhost", 1, "").hosts >= {"127.0.0.1:1", "localhost:1", "[::1]:1"}
    assert opened_door("::1", 1, "").origins >= {"http://[::1]:1"}
    assert "akb.office.nl" in opened_door("0.0.0.0", 1, "akb.office.nl").hosts
    assert opened_door("127.0.0.1", 1, "akb.office.nl:8443").origins >= {"https://akb.office.nl:8443"}


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_how_to_install_it(
    book: ClientBook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "akb.live.serving.app", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert serve(book) == 2
    said = capsys.readouterr().err
    assert "pip install 'akb[serve]'" in said
    assert "Traceback" not in said
    assert serve(book, "--add", "Ann", "--office", NORTH) == 0  # tokens need neither


def test_a_port_that_is_taken_is_a_sentence(book: ClientBook, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert serve(book, "--port", str(taken.getsockname()[1])) == 2
    assert "is in use" in capsys.readouterr().err


def test_a_book_without_a_page_to_serve_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--book", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()  # looking makes no book
    empty = open_book(tmp_path / "empty")
    assert serve(empty, "--port", "0") == 2
    assert "holds no run" in capsys.readouterr().err
    named = open_book(tmp_path / "named")
    folder = put_run(named, "2025-12-31-eda")
    page = folder / "portal.html"
    page.write_text(page.read_text("utf-8").replace('"named":false', '"named":true', 1), "utf-8")
    assert serve(named, "--port", "0") == 3
    assert "shows relation numbers" in capsys.readouterr().err
    page.write_text("<html></html>")
    assert serve(named, "--port", "0") == 3
    assert "akb.portal/1" in capsys.readouterr().err
    page.unlink()
    assert serve(named, "--port", "0") == 3
