"""In ydata-profiling's own environment: its report of a policy export. `python ydata.py FILE minimal|default OUT`.

Without the postcode: inferred as a number it makes the default report take minutes longer.
"""

import sys

import pandas as pd
from ydata_profiling import ProfileReport

file, look, out = sys.argv[1:]
frame = pd.read_csv(file, sep=";", decimal=",", low_memory=False).drop(columns="Postcode", errors="ignore")
ProfileReport(frame, minimal=look == "minimal", progress_bar=False).to_file(out)
