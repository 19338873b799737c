"""The story of ``akb migrate``: what an earlier akb left, brought to what this one reads.

Three kinds of things are in a run. What was said (scores, lists, figures) stays as it was said, for
``akb evaluate`` holds it against what happened. What identifies a run (its manifest) gets what was
not written down yet, where that can be known for certain. What works (models, what was kept of the
export) belongs to the akb that made it: other features would give other scores, so it is never
converted but made again, from the export, in a folder beside the old run."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "akb.migrate/1"
CURRENT, OLDER, NEWER, MISSING = "current", "older", "newer", "missing"
_KEPT_DOCUMENT = "kept.json"


@dataclass(frozen=True)
class RunDocument:
    """A document of a run.

    found, reads
        The schema that it has (empty: it is not there), and the one that this akb reads.
    state
        current | older | newer | missing
    """

    file: str
    found: str
    reads: str
    state: str


@dataclass(frozen=True)
class Migration:
    """What became of a run.

    added
        What its manifest did not say yet and now does.
    again
        Documents that only a new run can bring up to date.
    """

    folder: Path
    documents: tuple[RunDocument, ...]
    added: tuple[str, ...]

    @property
    def again(self) -> tuple[str, ...]:
        """The documents that only a new run can bring up to date."""
        return tuple(each.file for each in self.documents if each.state != CURRENT)

    def document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "run": str(self.folder),
            "documents": [asdict(each) for each in self.documents],
            "added": list(self.added),
            "again": list(self.again),
        }


def migrate(folder: Path, key_file: Path, *, dry_run: bool = False) -> list[Migration]:
    """Bring a run, or every run of a book, to what this akb reads, as far as that goes without an
    export.

    Parameters
    ----------
    key_file
        The key of whoever made it; read only where a run does not say which key that was.

    Raises
    ------
    AkbError
        If it is neither, or the key is another one.
    RefusedError
        If a later akb made it.
    """
    from akb.live.book import is_book, open_book
    from akb.store.folders import check_run, is_run

    if not is_book(folder):
        check_run(folder)
        return [migrate_run(folder, key_file, dry_run=dry_run)]
    book = open_book(folder)
    runs = [path for path in sorted(book.runs.iterdir()) if is_run(path)]
    return [migrate_run(path, key_file, dry_run=dry_run) for path in runs]


def migrate_run(folder: Path, key_file: Path, *, dry_run: bool = False) -> Migration:
    """Bring one run to what this akb reads; see `migrate`."""
    from akb.store.folders import PRIVATE, rewrite_run
    from akb.store.manifest import manifest_of, write_json

    documents = tuple(documents_of(folder))
    newer = next((each for each in documents if each.state == NEWER), None)
    if newer is not None:
        raise RefusedError(
            f"{folder / newer.file} has schema {newer.found}; this akb reads {newer.reads}",
            "Upgrade akb.",
        )
    manifest = manifest_of(folder)
    more = _unsaid(folder, manifest, key_file)
    if more and not dry_run:
        private = (folder / PRIVATE).read_bytes() if (folder / PRIVATE).is_file() else None

        def change(copy: Path) -> bytes | None:
            write_json(copy / "manifest.json", {**manifest, **more})
            return private

        rewrite_run(folder, change)
    return Migration(folder, documents, tuple(more))


def asked_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked of a run that did not write it down: its files, its day and all its
    settings.
    """
    return {
        "files": [each["name"] for each in manifest["inputs"]],
        "roles": {},
        "as_of": manifest["as_of"],
        "go_on": False,
        "settings": manifest["settings"],
    }


def documents_of(folder: Path) -> list[RunDocument]:
    """Return the documents of a run that have a schema."""
    from akb.models.reference import SCHEMA as REFERENCE
    from akb.report.files.summary import SCHEMA as SUMMARY
    from akb.store.folders import KEPT
    from akb.store.manifest import SCHEMA as MANIFEST
    from akb.store.models import MANIFEST as MODELS
    from akb.store.models import SCHEMA as SEALED
    from akb.store.models import binding
    from akb.store.packed import SCHEMA as PACKED

    own = binding()
    found = [
        _compared("manifest.json", _schema(folder / "manifest.json"), MANIFEST),
        _compared("summary.json", _schema(folder / "summary.json"), SUMMARY),
        _compared("models/reference.json", _schema(folder / "models/reference.json"), REFERENCE),
        _compared(KEPT, _schema_kept(folder / KEPT), PACKED),
    ]
    models = _read(folder / MODELS)
    made = models.get("versions", {})
    sealed = _compared(MODELS, str(models.get("schema", "")), SEALED)
    if sealed.state == CURRENT and made != own:  # other versions may score differently
        sealed = RunDocument(MODELS, _versions(made), _versions(own), OLDER)
    return [*found, sealed]


def _compared(file: str, found: str, reads: str) -> RunDocument:
    if found == reads:
        return RunDocument(file, found, reads, CURRENT)
    if not found:
        return RunDocument(file, found, reads, MISSING)
    return RunDocument(file, found, reads, NEWER if _number(found) > _number(reads) else OLDER)


def _number(schema: str) -> int:
    digits = schema.rpartition("/")[2]
    return int(digits) if digits.isdecimal() else 0


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in sorted(versions))


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _schema(path: Path) -> str:
    return str(_read(path).get("schema", ""))


def _schema_kept(path: Path) -> str:
    try:
        with closing(zipfile.ZipFile(path)) as archive:
            document = json.loads(archive.read(_KEPT_DOCUMENT))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return ""
    return str(document.get("schema", "")) if isinstance(document, dict) else ""


def _unsaid(folder: Path, manifest: dict[str, Any], key_file: Path) -> dict[str, Any]:
    """Return what the manifest of a run does not say and that is certain."""
    from akb.core.privacy.pseudonyms import client_key, key_id
    from akb.report.portal import run_name_of

    more: dict[str, Any] = {}
    if "key_id" not in manifest or "run" not in manifest:
        relations = _relations(folder)
        if "key_id" not in manifest:
            client = str(manifest.get("settings", {}).get("client", {}).get("name", ""))
            own = client_key(_key_in(key_file), client)
            _check_key(folder, relations, own)
            more["key_id"] = key_id(own)
        if "run" not in manifest:
            shown = "pseudonym" if manifest.get("pseudonyms", True) else "relation"
            as_of, used = date.fromisoformat(manifest["as_of"]), int(manifest["rows"]["used"])
            more["run"] = run_name_of(as_of, shown, used, {name for name, _ in relations})
    if "asked" not in manifest and "scored" not in manifest:
        more["asked"] = asked_of(manifest)
    return more


def _relations(folder: Path) -> list[tuple[str, str]]:
    """Return pseudonym and relation number of every customer of a run."""
    from akb.store.folders import PRIVATE

    try:
        rows = csv.reader(io.StringIO((folder / PRIVATE).read_text("utf-8"), newline=""))
    except OSError:
        raise RefusedError(
            f"{folder / PRIVATE} is gone, so nobody can tell which key made this run",
            "Run akb eda again.",
        ) from None
    return [(row[0], row[1].removeprefix("'")) for row in list(rows)[1:]]


def _key_in(key_file: Path) -> bytes:
    from akb.core.privacy.pseudonyms import load_or_create_key

    if not key_file.is_file():  # a new key is nobody's
        raise AkbError(f"there is no key {key_file}", "Give the key of that run with --key.")
    return load_or_create_key(key_file)


def _check_key(folder: Path, relations: list[tuple[str, str]], key: bytes) -> None:
    from akb.core.privacy.pseudonyms import pseudonym

    if not any(pseudonym(relation, key) == name for name, relation in relations):
        raise AkbError(
            f"{folder} was made with another key, so its customers cannot be found again",
            "Give the key of that run with --key.",
        )
