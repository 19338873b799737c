"""Models are sealed with a manifest, and refused when anything about them changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from akb.core.errors import RefusedError
from akb.store.models import MANIFEST, read_models, sealed

FILES = {"models/churn.txt": b"tree\n", "models/churn.json": b"{}\n", "models/cards/churn_12m.json": b"{}\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in sealed(FILES).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_what_was_written_is_read(folder: Path) -> None:
    assert read_models(folder) == FILES


def refused(folder: Path) -> str:
    with pytest.raises(RefusedError) as caught:
        read_models(folder)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value.message


def test_a_changed_file_is_refused(folder: Path) -> None:
    (folder / "models/churn.txt").write_bytes(b"tree \n")
    assert "churn.txt has changed" in refused(folder)


def test_a_missing_and_an_added_file_are_refused(folder: Path) -> None:
    (folder / "models/extra.pkl").write_bytes(b"")
    assert "extra.pkl" in refused(folder)
    (folder / "models/extra.pkl").unlink()
    (folder / "models/churn.json").unlink()
    assert "churn.json" in refused(folder)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [(["schema"], "akb.models/2", "schema"), (["versions", "lightgbm"], "3.3.5", "lightgbm 3.3.5"),
     (["versions", "akb"], "0.0.1", "akb 0.0.1")],
)  # fmt: skip
def test_another_version_is_refused(folder: Path, path: list[str], value: str, words: str) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (folder / MANIFEST).write_text(json.dumps(document))
    assert words in refused(folder)


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}"])
def test_a_broken_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    refused(folder)
    (folder / MANIFEST).unlink()
    refused(folder)


def test_only_data_is_sealed() -> None:
    with pytest.raises(ValueError, match="no model file"):
        sealed({"models/churn.pkl": b""})


def test_nothing_in_akb_can_run_what_it_reads() -> None:
    loads = r"(?m)^\s*(?:import|from)\s+(?:pickle|cPickle|joblib|cloudpickle|dill|shelve|marshal)\b"
    unsafe = re.compile(loads + r"|allow_pickle\s*=\s*True|\beval\(|\bexec\(")
    assert unsafe.search("    import pickle\n") and unsafe.search("np.load(f, allow_pickle=True)")
    package = Path(__file__).parents[2] / "akb"
    found = [path for path in package.rglob("*.py") if unsafe.search(path.read_text("utf-8"))]
    # tasks of a cluster are code by nature, as they are to Dask: its room alone, and no run holds one (SECURITY.md)
    assert {path.parent.name for path in found} <= {"cluster"}
