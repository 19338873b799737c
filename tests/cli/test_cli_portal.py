"""``--portal-by``: it reaches the settings, so that a run and what is told again of it have the same pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from akb.cli import run
from akb.commands.options import PortalUnit, settings_from

if TYPE_CHECKING:
    from pathlib import Path


def test_the_option_goes_before_the_file(tmp_path: Path) -> None:
    own = tmp_path / "akb.toml"
    own.write_text('[report]\nportal_by = "office"\n')
    assert settings_from(None).report.portal_by == ""
    assert settings_from(own).report.portal_by == "office"
    assert settings_from(None, portal_by=PortalUnit.office).report.portal_by == "office"


def test_another_unit_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.csv").write_text("x\n")
    assert run(["eda", str(tmp_path / "p.csv"), "--portal-by", "adviser"]) == 2
    told = capsys.readouterr().err
    assert "'office'" in told
    assert "Traceback" not in told
    own = tmp_path / "akb.toml"
    own.write_text('[report]\nportal_by = "adviser"\n')
    assert run(["eda", str(tmp_path / "p.csv"), "--config", str(own)]) == 2
    assert "portal_by" in capsys.readouterr().err
