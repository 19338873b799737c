"""Keyed pseudonyms: the same customer has the same name in every run of one client, and nobody else's."""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_BYTES = 32
_DIGEST_BYTES = 8


def pseudonym(relation: str, key: bytes) -> str:
    """Return the pseudonym of a relation number, such as ``K-7F3A90C2D4E1B605`` (BLAKE2b, keyed).

    64 bits: among a million customers the chance of one collision is 3 in 100 million.
    """
    return "K-" + blake2b(relation.encode(), key=key, digest_size=_DIGEST_BYTES).hexdigest().upper()


def pseudonyms(relations: Iterable[str], key: bytes) -> list[str]:
    """Return the pseudonyms of many relation numbers, in their order."""
    return [pseudonym(relation, key) for relation in relations]


def default_key_path() -> Path:
    """Return where a user's key lives when no book and no ``--key`` is given."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "akb" / "key"


def load_or_create_key(path: Path | None = None) -> bytes:
    """Return the client's key; make one (readable by its owner only) where there is none yet.

    Raises
    ------
    AkbError
        If the file exists and does not hold a key, or cannot be read or written.
    """
    path = path or default_key_path()
    try:
        if path.exists():
            key = bytes.fromhex(path.read_text("ascii").strip())
            if len(key) != KEY_BYTES:
                raise ValueError
            return key
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.hex() + "\n")
    except (ValueError, UnicodeDecodeError):
        raise AkbError(f"{path} is not an akb key", "Give the right file with --key, or move this one away.") from None
    except OSError as error:
        raise AkbError(f"cannot use the key file {path}: {error.strerror}", "Give another file with --key.") from error
    return key
