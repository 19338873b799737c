"""akb from Python: `check`, `eda`, `score` and `load`, as the command line, to the byte.

What is read may be paths or frames of Polars, pandas or Arrow. A frame is read as a Parquet file of
that name would be; it stays in memory."""

from akb.api.calls import Check, check, eda, load, score
from akb.api.frames import Export
from akb.api.run import Run
from akb.core.errors import AkbError, RefusedError

__all__ = ["AkbError", "Check", "Export", "RefusedError", "Run", "check", "eda", "load", "score"]
