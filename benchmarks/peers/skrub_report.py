"""In skrub's own environment: its TableReport of a policy export. `python skrub_report.py FILE OUT`."""

import sys
from pathlib import Path

import polars as pl
from skrub import TableReport

file, out = sys.argv[1:]
frame = pl.read_csv(file, separator=";", infer_schema_length=None, decimal_comma=True)
Path(out).write_text(TableReport(frame, verbose=0).html(), "utf-8")
