"""A picture of the client as text that a page can hold: PNG or JPEG, small, read once."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 100_000
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def data_address(path: Path) -> str:
    """Return a picture as a data address.

    Raises
    ------
    AkbError
        If it cannot be read, is no PNG or JPEG, or is too large for a page that people mail.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise AkbError(f"the logo {path} cannot be read") from None
    kind = next((kind for begin, kind in _KINDS.items() if content.startswith(begin)), None)
    if kind is None:
        raise AkbError(f"the logo {path} is no PNG or JPEG")
    if len(content) > LARGEST:
        raise AkbError(
            f"the logo {path} has {len(content):,} bytes; {LARGEST:,} is the most",
            "Save it smaller.",
        )
    return f"data:{kind};base64,{b64encode(content).decode()}"
