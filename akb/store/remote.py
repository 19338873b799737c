"""Files behind an address (``s3://bucket/polissen.parquet``): read whole, by fsspec."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from akb.core.errors import AkbError

_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_QUERY = re.compile(r"[?#].*$")


def is_address(name: str) -> bool:
    """Return whether a name is an address and not a file.

    Examples
    --------
    >>> is_address("s3://bucket/polissen.parquet"), is_address("kantoor/polissen.csv")
    (True, False)
    """
    return _ADDRESS.match(name) is not None


def fetched(address: str) -> tuple[Path, bytes]:
    """Return what a file behind an address is called here, and its content.

    A ``*`` in it stands for the parts of one Parquet table, which are joined in the order of their
    names.

    Raises
    ------
    AkbError
        If nothing that is installed can read it, or it is not there.
    """
    shown = _QUERY.sub("", address)  # what follows may be a secret
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise AkbError(
            f"{shown} is an address, and fsspec, which reads those, is not installed",
            "Install it: pip install 'akb[cluster]', and s3fs, gcsfs or adlfs for the store.",
        ) from error
    try:
        store, path = url_to_fs(address)
        names = sorted(store.glob(path)) if "*" in path else [path]
        parts = [store.cat_file(name) for name in names]
    except (ImportError, ValueError) as error:
        raise AkbError(
            f"nothing that is installed reads {shown}",
            "Install the library of the store, such as s3fs, gcsfs or adlfs.",
        ) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise AkbError(
            f"cannot read {shown}: {why}", "Check the address and your rights."
        ) from error
    if not parts:
        raise AkbError(f"there is nothing at {shown}", "Check the address.")
    return Path(shown.replace("*", "all")), parts[0] if len(parts) == 1 else _joined(parts, shown)


def _joined(parts: list[Any], shown: str) -> bytes:
    import polars as pl

    try:
        table = pl.concat([pl.read_parquet(io.BytesIO(part)) for part in parts])
    except pl.exceptions.PolarsError as error:
        raise AkbError(
            f"{shown} stands for files that are not the parts of one Parquet table",
            "Name every file by itself.",
        ) from error
    held = io.BytesIO()
    table.write_parquet(held)
    return held.getvalue()
