"""lifelines as its documentation uses it: a Cox model per branch, the survival of every policy given its age.

`python lifelines_loop.py FOLDER` reads the export and prints the seconds of the loop.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.exceptions import ConvergenceError

warnings.filterwarnings("ignore")
MONTH, FEWEST, AHEAD = 30.4375, 50, np.arange(0, 121, 1)


def main(folder: Path) -> None:
    table = pd.read_csv(folder / "polissen.csv", sep=";", decimal=",", encoding="utf-8-sig", dtype={0: str})
    start = pd.to_datetime(table["Ingangsdatum"], format="%d-%m-%Y")
    end = pd.to_datetime(table["Einddatum"], format="%d-%m-%Y")
    today = max(start.max(), end.max())
    first = end.min()  # before it nobody's end is in the export: who was gone by then is not seen
    began = time.perf_counter()
    rows = pd.DataFrame(
        {
            "branch": table["Branche"],
            "age": ((end.fillna(today).clip(upper=today) - start).dt.days / MONTH).clip(lower=0.03),
            "entry": ((first - start).dt.days / MONTH).clip(lower=0),
            "ended": (end <= today).astype(int),
            "born": today.year - table["Geboortejaar"],
            "monthly": (table["Termijn"] == 1).astype(float),
            "others": table.groupby(table.columns[0])["Branche"].transform("size"),
        }
    )
    rows = rows[(rows["age"] > rows["entry"]) & (start <= today)].fillna(rows["born"].median())
    predicted = 0
    for _, branch in rows.groupby("branch"):
        alive = branch[branch["ended"] == 0]
        known = branch.drop(columns="branch")
        try:
            if known["ended"].sum() < FEWEST:
                raise ConvergenceError("too few ends")
            model = CoxPHFitter(penalizer=0.01).fit(known, "age", "ended", entry_col="entry")
            curves = model.predict_survival_function(
                alive.drop(columns="branch"), times=AHEAD, conditional_after=alive["age"]
            )
        except ConvergenceError:
            curve = KaplanMeierFitter().fit(known["age"], known["ended"], entry=known["entry"])
            curves = pd.concat(
                [curve.predict(age + AHEAD) / max(curve.predict(age), 1e-9) for age in alive["age"]] or [pd.Series()],
                axis=1,
            )
        predicted += curves.shape[1]
    print(f"seconds {time.perf_counter() - began:.3f}")
    print(f"policies {predicted}")


main(Path(sys.argv[1]))
