"""What an export may be in Python: a path, or a frame in memory, read as a Parquet file is."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

_FINDING = ("code", "severity", "count", "share", "sentence", "remedy")
_MEMORY = Path("<memory>")
"""A folder that is nowhere, so that a frame is never taken for a file of the same name."""


@runtime_checkable
class ArrowStream(Protocol):
    """A frame that speaks Arrow's C stream: Polars, pyarrow, pandas, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the frame as a capsule."""


Export: TypeAlias = "str | os.PathLike[str] | ArrowStream"
"""A path to a file, or a frame of Polars, pandas or Arrow."""


@dataclass(frozen=True)
class ExportFiles:
    """What is read: files in the order given, which role some have, and what is held in memory."""

    files: Sequence[Path]
    roles: Mapping[str, Path]
    held: Mapping[Path, bytes]


def export_files(exports: Sequence[Export], roles: Mapping[str, Export | None]) -> ExportFiles:
    """Return exports as files; a frame is called by its role, or by its place.

    Parameters
    ----------
    exports
        Paths and frames whose role akb finds out.
    roles
        Role -> path or frame; None: there is none.

    Raises
    ------
    AkbError
        If there is nothing to read, or something is neither a path nor a frame.
    """
    held: dict[Path, bytes] = {}
    files: list[Path] = []
    for place, export in enumerate(exports, start=1):
        files.append(_file(export, f"frame_{place}", held))
    named = {
        role: _file(export, role, held) for role, export in roles.items() if export is not None
    }
    files += named.values()
    if not files:
        raise AkbError("no file to read", "Name the export: akb.check('polissen.csv').")
    return ExportFiles(files, named, held)


def _file(export: Export, name: str, held: dict[Path, bytes]) -> Path:
    if isinstance(export, str | os.PathLike):
        return Path(export)
    path = _MEMORY / f"{name}.parquet"
    content = io.BytesIO()
    frame_of(export).write_parquet(content)
    held[path] = content.getvalue()
    return path


def frame_of(export: object) -> pl.DataFrame:
    """Return a frame of Polars, pandas or Arrow as one of Polars.

    Raises
    ------
    AkbError
        If it is something else.
    """
    import polars as pl

    if isinstance(export, pl.DataFrame):
        return export
    if isinstance(export, pl.LazyFrame):
        return export.collect()
    if type(export).__module__.partition(".")[0] == "pandas" and hasattr(export, "columns"):
        return _of_pandas(export)
    if isinstance(export, ArrowStream):
        return pl.DataFrame(export)
    raise AkbError(
        f"a {type(export).__name__} is no path and no frame",
        "Give a path, or a frame of Polars, pandas or Arrow.",
    )


def _of_pandas(frame: Any) -> pl.DataFrame:
    """Return a frame of pandas; its own way to Arrow needs pyarrow, which akb can do without."""
    import polars as pl

    return pl.DataFrame(
        [_series(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    )


def _series(name: str, column: Any) -> pl.Series:
    import polars as pl

    if column.dtype.kind in "iufb" and not hasattr(column.dtype, "na_value"):
        return pl.Series(name, column.to_numpy(), nan_to_null=True)
    missing = column.isna()
    values = [None if gone else value for value, gone in zip(column.tolist(), missing, strict=True)]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1:  # a column of objects, such as numbers among texts
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values)


def findings_frame(findings: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return findings as a frame, in their order."""
    import polars as pl

    text, number = pl.String, pl.Float64
    types = (text, text, number, number, text, text)
    schema = dict(zip(_FINDING, types, strict=True))
    return pl.DataFrame([{name: row[name] for name in _FINDING} for row in findings], schema=schema)
