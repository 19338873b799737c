"""``akb report`` and ``akb pdf``: another cover, nothing else; a logo that cannot be one is one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.commands import report as commands
from akb.config.pictures import data_address
from akb.core.errors import AkbError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def test_a_logo_is_a_small_picture(tmp_path: Path) -> None:
    good, wrong, large = tmp_path / "a.png", tmp_path / "b.svg", tmp_path / "c.png"
    good.write_bytes(PNG)
    wrong.write_text("<svg onload='alert(1)'/>")
    large.write_bytes(PNG + bytes(200_000))
    assert data_address(good).startswith("data:image/png;base64,")
    for path, said in ((wrong, "no PNG or JPEG"), (large, "bytes"), (tmp_path / "none.png", "cannot be read")):
        with pytest.raises(AkbError, match=said):
            data_address(path)


def test_a_folder_that_is_no_run_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 2
    assert run(["pdf", str(tmp_path)]) == 2
    assert "not the folder of a finished akb run" in capsys.readouterr().err


def test_without_a_browser_printing_says_how_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr("akb.commands.case.read_summary", lambda _: {})
    with pytest.raises(AkbError, match="no Chromium"):
        commands.pdf(tmp_path)
