"""Keyed pseudonyms: the same customer has the same name in every run of one client, and nobody
else's.
"""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import tempfile
import unicodedata
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_BYTES = 32
_DIGEST_BYTES = 8
_LEAST_BYTES = 12  # different ones in a key: of 32 drawn at random, fewer than 20 never happen


def pseudonym(relation: str, key: bytes) -> str:
    """Return the pseudonym of a relation number, such as ``K-7F3A90C2D4E1B605`` (BLAKE2b, keyed).

    64 bits: among a million customers the chance of one collision is 3 in 100 million.
    """
    return "K-" + blake2b(relation.encode(), key=key, digest_size=_DIGEST_BYTES).hexdigest().upper()


def pseudonyms(relations: Iterable[str], key: bytes) -> list[str]:
    """Return the pseudonyms of many relation numbers, in their order."""
    keyed = blake2b(key=key, digest_size=_DIGEST_BYTES)  # the key is taken in once
    found = []
    for relation in relations:
        own = keyed.copy()
        own.update(relation.encode())
        found.append("K-" + own.hexdigest().upper())
    return found


def default_key_path() -> Path:
    """Return where a user's key lives when no book and no ``--key`` is given."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "akb" / "key"


def client_key(key: bytes, client: str) -> bytes:
    """Return the key for one client: the same relation number of two clients gets two pseudonyms.

    Parameters
    ----------
    client
        The client's name; case and outer or double spaces mean nothing. Empty: the key itself.
    """
    name = " ".join(unicodedata.normalize("NFKC", client).casefold().split())
    return (
        blake2b(name.encode(), key=key, person=b"akb client", digest_size=KEY_BYTES).digest()
        if name
        else key
    )


def key_id(key: bytes) -> str:
    """Return by what a key can be told from another, and that says nothing of it."""
    return blake2b(key=key, person=b"akb key id", digest_size=_DIGEST_BYTES).hexdigest()


def load_or_create_key(path: Path | None = None) -> bytes:
    """Return the client's key; make one (readable by its owner only) where there is none yet.

    Raises
    ------
    AkbError
        If the file exists and does not hold a key, holds one that anybody could guess, is open to
        others, or cannot be read or written.
    """
    path = path or default_key_path()
    try:
        if not path.exists():
            _create_key(path)
        key = bytes.fromhex(path.read_text("ascii").strip())
        if len(key) != KEY_BYTES:
            raise ValueError
    except (ValueError, UnicodeDecodeError):
        raise AkbError(
            f"{path} is not an akb key", "Give the right file with --key, or move this one away."
        ) from None
    except OSError as error:
        raise AkbError(
            f"cannot use the key file {path}: {error.strerror}", "Give another file with --key."
        ) from error
    _check_mode(path)
    if len(set(key)) < _LEAST_BYTES:
        raise AkbError(
            f"{path} holds a key that can be guessed, so its pseudonyms hide nobody",
            "Move it away: akb makes a new one. Pseudonyms change with it.",
        )
    return key


def _create_key(path: Path) -> None:
    """Make a key: written beside and then linked, so that of several first runs one sets it, and
    none reads half.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:32]}-", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):  # another run was first: its key is the key
                os.link(beside, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            beside.rename(path)  # a file system without links
    finally:
        beside.unlink(missing_ok=True)


def _check_mode(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise AkbError(
            f"the key file {path} is open to others, who could find out every customer behind a "
            f"pseudonym",
            f"Only you should read it: chmod 600 {shlex.quote(str(path))}",
        )
