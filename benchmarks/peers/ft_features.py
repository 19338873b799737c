"""In featuretools' own environment: what it can express of akb's features, with a cutoff time per customer and date.

`python ft_features.py FOLDER DATE...` reads the export, and prints the seconds that the features took: counts, recency,
amounts and variety of policies, claims and contacts, over everything before the cutoff and over the year before it
(training_window). What an ended policy's row may say before its end is left to a secondary time index, as its
documentation advises.
"""

import sys
import time
import warnings
from pathlib import Path

import featuretools as ft
import pandas as pd

warnings.filterwarnings("ignore")


def read(folder: Path, name: str, dates: list[str]) -> pd.DataFrame:
    table = pd.read_csv(folder / f"{name}.csv", sep=";", decimal=",", encoding="utf-8-sig", dtype={0: str})
    for column in dates:
        table[column] = pd.to_datetime(table[column], format="%d-%m-%Y")
    return table.rename(columns={"Relatienummer": "customer"})


def main(folder: Path, dates: list[str]) -> None:
    policies = read(folder, "polissen", ["Ingangsdatum", "Einddatum"]).reset_index(names="policy")
    claims = read(folder, "schades", ["Meldingsdatum"]).reset_index(names="claim")
    contacts = read(folder, "contacten", ["Datum"]).reset_index(names="contact")
    began = time.perf_counter()
    cutoffs = []
    for day in map(pd.Timestamp, dates):
        held = policies[(policies["Ingangsdatum"] <= day) & ~(policies["Einddatum"] <= day)]
        cutoffs.append(pd.DataFrame({"customer": held["customer"].unique(), "time": day}))
    es = ft.EntitySet("office")
    words = dict.fromkeys(("customer", "Branche", "Maatschappij", "Royementsreden", "Kanaal"), "Categorical")
    for name, table, day, columns in (
        ("policies", policies, "Ingangsdatum", ["Branche", "Maatschappij", "Einddatum", "Royementsreden"]),
        ("claims", claims, "Meldingsdatum", ["Schadebedrag"]),
        ("contacts", contacts, "Datum", ["Kanaal", "Onderwerp"]),
    ):
        own = table.columns[0]
        rows = table[[own, "customer", day, *columns]]
        later = {"Einddatum": ["Royementsreden"]} if name == "policies" else None
        known = {each: kind for each, kind in (words | {"Onderwerp": "Categorical"}).items() if each in rows}
        es.add_dataframe(
            rows, name, index=own, time_index=day, secondary_time_index=later, logical_types=known
        )  # fmt: skip
    es.normalize_dataframe("policies", "customers", "customer", make_time_index=False)
    es.add_relationship("customers", "customer", "claims", "customer")
    es.add_relationship("customers", "customer", "contacts", "customer")
    asked = {
        "entityset": es,
        "target_dataframe_name": "customers",
        "cutoff_time": pd.concat(cutoffs, ignore_index=True),
        "agg_primitives": ["count", "num_unique", "sum", "time_since_last", "time_since_first"],
        "trans_primitives": [],
        "n_jobs": 1,
        "verbose": False,
    }
    ever, _ = ft.dfs(**asked)
    year, _ = ft.dfs(**asked, training_window="365 days")
    print(f"seconds {time.perf_counter() - began:.3f}")
    print(f"rows {len(ever)} columns {ever.shape[1] + year.shape[1]}")


main(Path(sys.argv[1]), sys.argv[2:])
