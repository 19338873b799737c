"""``akb eda`` into a folder that holds a run: what people did there is there afterwards, or the run is refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from akb.cli import run
from akb.sample import simulate, write_sample

FAST = '[models]\nhazard_rows = 4000\ntarget_rows = 4000\ntrees = 20\n[client]\nname = "Kantoor A"\n'


class Home:
    """A small export, its settings and key, and a finished run."""

    def __init__(self, folder: Path) -> None:
        write_sample(simulate(60, seed=4), folder / "export", truth=False)
        self.folder, self.run = folder, folder / "run"
        self.config, self.key = folder / "akb.toml", folder / "key"
        self.config.write_text(FAST)

    def eda(self, out: Path | str, config: Path | None = None, key: Path | None = None) -> int:
        options = ["--config", str(config or self.config), "--key", str(key or self.key), "--out", str(out)]
        return run(["eda", str(self.folder / "export" / "polissen.csv"), *options])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    assert home.eda(home.run) == 0
    return home


def test_settings_and_key_inside_are_refused_and_still_there(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    before = (home.run / "manifest.json").read_bytes()
    for name in ("akb.toml", "key"):
        inside = home.run / name
        inside.write_bytes((home.folder / name).read_bytes())
        inside.chmod(0o600)
        given = {"config" if name == "akb.toml" else "key": inside}
        assert home.eda(home.run, **given) == 2
        assert f"{name} lies inside the output folder" in capsys.readouterr().err
        inside.unlink()
    assert (home.run / "manifest.json").read_bytes() == before


def test_work_is_kept_here_is_here_and_another_client_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home.run / "private" / "customers.csv").read_text()
    test = (home.run / "actions" / "recognition.xlsx").read_bytes() + b"filled in"
    (home.run / "actions" / "recognition.xlsx").write_bytes(test)
    (home.run / "notes.txt").write_text("call Monday")
    (home.folder / "b.toml").write_text(FAST.replace("Kantoor A", "Kantoor B"))
    monkeypatch.chdir(home.run)
    capsys.readouterr()
    assert home.eda(".", config=home.folder / "b.toml") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "notes.txt" in said
    assert "other pseudonyms" in said
    assert "cd ." in said
    assert (home.run / "actions" / "recognition.edited.xlsx").read_bytes() == test
    assert (home.run / "actions" / "recognition.xlsx").read_bytes() != test
    assert (home.run / "notes.txt").read_text() == "call Monday"
    after = (home.run / "private" / "customers.csv").read_text()
    pseudonyms = [{line.split(",")[0] for line in text.splitlines()[1:]} for text in (before, after)]
    assert len(pseudonyms[0]) == len(pseudonyms[1])
    assert not pseudonyms[0] & pseudonyms[1]


def test_what_a_run_keeps_is_its_owners_and_a_case_keeps_it_so(home: Home, tmp_path: Path) -> None:
    assert (
        run(["case", str(home.run), "--set", "contacts.call.effect_policy=25%", "--out", str(tmp_path / "case"), "-q"])
        == 0
    )
    for folder in (home.run, tmp_path / "case"):
        for name in ("kept.zip", "customers.csv", "recognition_key.csv"):
            assert stat.S_IMODE((folder / "private" / name).stat().st_mode) == 0o600
            assert not (folder / name).exists()
        assert stat.S_IMODE((folder / "private").stat().st_mode) == 0o700
    ids = {json.loads((folder / "manifest.json").read_text())["key_id"] for folder in (home.run, tmp_path / "case")}
    assert len(ids) == 1


@pytest.mark.parametrize("where", ["/proc/run", "file/run"])
def test_a_place_that_cannot_be_written_is_told_before_the_export_is_read(
    home: Home, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("akb.pipeline.read", lambda _: pytest.fail("the export was read"))
    assert home.eda(tmp_path / where) == 2
    assert "cannot write beside" in capsys.readouterr().err
