"""What of a run may be shared, as one ZIP: what tells of many, and lists under pseudonyms, as akb
wrote them.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from akb.core.errors import AkbError, RefusedError
from akb.store.carried import own_files
from akb.store.folders import check_run
from akb.store.manifest import manifest_of

if TYPE_CHECKING:
    from pathlib import Path

SHARED = ("report.html", "portal.html", "summary.json")
LISTS = ("actions/", "portal/")
_DAY = (1980, 1, 1, 0, 0, 0)  # the same run gives the same bytes
_REMEDY = "Run akb eda again."


@dataclass(frozen=True)
class Packed:
    """What went into a ZIP.

    files
        Names in it.
    left_out
        Files that would have gone in, had nobody changed them: people write names into lists.
    """

    files: list[str]
    left_out: list[str]


def pack_run(folder: Path, target: Path) -> Packed:
    """Write what may be shared of a run into a ZIP of its owner's (0600).

    Raises
    ------
    AkbError
        If `folder` is no run, or `target` exists or cannot be written.
    RefusedError
        If the run shows relation numbers, or does not say which files are as akb wrote them.
    """
    check_run(folder)
    named, manifest = own_files(folder), manifest_of(folder)
    if not manifest.get("pseudonyms", False):
        raise RefusedError(
            f"{folder} shows relation numbers, so it stays where it is",
            "Run akb eda without --no-pseudonyms.",
        )
    if named is None:
        raise RefusedError(f"{folder} does not say which files are as akb wrote them", _REMEDY)
    contents, left_out = {}, []
    for name in sorted(named):
        if name in SHARED or name.startswith(LISTS):
            path = folder / name
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            if hashlib.sha256(content).hexdigest() == named[name]:
                contents[name] = content
            else:
                left_out.append(name)
    _write_new(target, _zipped(contents))
    return Packed(list(contents), left_out)


def _zipped(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _DAY), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _write_new(target: Path, content: bytes) -> None:
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise AkbError(
            f"{target} exists, so it is left alone", "Give another name with --out."
        ) from None
    except OSError as error:
        raise AkbError(
            f"cannot write {target}: {error.strerror}", "Choose another place with --out."
        ) from error
