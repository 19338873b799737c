"""Runs of an earlier akb: evaluated as they are, scored with, or refused in one sentence that says what to run."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from live_runs import Small, T

from akb.cli import run
from akb.core.errors import RefusedError
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.scoring.stored import stored_run
from akb.store.folders import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def rewritten(path: Path, **changed: Any) -> None:
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(document | changed), "utf-8")


def older_models(folder: Path) -> None:
    rewritten(folder / "models" / "manifest.json", schema="akb.models/0")


def older_akb(folder: Path) -> None:
    manifest = folder / "models" / "manifest.json"
    versions = json.loads(manifest.read_text("utf-8"))["versions"]
    rewritten(manifest, versions={**versions, "akb": "0.0.1"})


def older_kept(folder: Path) -> None:
    with zipfile.ZipFile(folder / KEPT) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / KEPT, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content.replace(b'"akb.kept/', b'"akb.kept/0', 1))


def without_kept(folder: Path) -> None:
    (folder / KEPT).unlink()


def older_reference(folder: Path) -> None:
    path, manifest = folder / "models" / "reference.json", folder / "models" / "manifest.json"
    rewritten(path, schema="akb.reference/0")
    files = json.loads(manifest.read_text("utf-8"))["files"]
    own = hashlib.sha256(path.read_bytes()).hexdigest()
    rewritten(manifest, files={**files, "models/reference.json": own})


@pytest.mark.parametrize("older", [older_models, older_akb, older_kept, without_kept, older_reference])
def test_models_of_an_earlier_akb_are_refused_with_what_to_run(
    older: Callable[[Path], None], fitted: Path, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "earlier"
    shutil.copytree(fitted, folder)
    secret = load_or_create_key(key)
    assert stored_run(folder, secret).last_day == date(2025, 12, 31)
    older(folder)
    with pytest.raises(RefusedError) as refused:
        stored_run(folder, secret)
    assert refused.value.exit_code == 3
    assert "Run akb eda again" in str(refused.value.hint) and "\n" not in refused.value.message


@pytest.mark.parametrize("schema", ["akb.manifest/0", "akb.manifest/1"])
def test_a_run_of_an_earlier_akb_is_evaluated_by_its_scores_and_lists(
    schema: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Small(tmp_path, 60, leavers=(1, 5, 9, 13, 17, 21))
    folder = small.run(T)
    rewritten(folder / "manifest.json", schema=schema)
    assert not (folder / KEPT).exists() and not (folder / "models").exists()
    assert run(["evaluate", str(folder), str(small.export()), "--key", str(small.key), "--json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    churn = next(each for each in document["predictions"] if each["key"] == "churn_12m")
    assert document["customers"] == 60 and churn["customers"] == 60
