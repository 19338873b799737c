"""Columns that a back office overwrites: what a planted one of each kind does to the proof, and what the test costs.

    python -m benchmarks.hindsight [--customers 3000 | --sample sample_data] [--books 40] [--only KIND]

Planted: the export of one simulated office (or of every fifth customer of a sample) in which what ended has another
value: an adviser ARCHIEF, an office Oud, no postcode, the yearly term, collection by the insurer, no renewal date, no
insurer, no birth year, a product (oud), an own column Status2. AUC of churn_12m as the run proves it, beside that of
the clean book. Honest: simulated offices, as they are and with advisers and offices dealt out anew, each with a lapse
rate of its own from the start (log-normal, .3 and .6); where no column is left out nothing is lost, so the columns that
were left out are counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.features import without_hindsight
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.sample import simulate, write_sample
from benchmarks.runs import eda

Row = dict[str, str]
ASKED = 0.02
END, RELATION = "Einddatum", "Relatienummer"


def put(**changes: str) -> Callable[[Row], Row]:
    """Overwrite columns by heading (underscores for spaces)."""
    return lambda row: row | {name.replace("_", " "): value for name, value in changes.items()}


KINDS: dict[str, tuple[bool, Callable[[Row], Row]]] = {
    "adviser ARCHIEF": (True, put(Adviseur="ARCHIEF")),
    "office Oud": (True, put(Kantoor="Oud", Subkantoor="Oud")),
    "postcode emptied": (True, put(Postcode="")),
    "birth year emptied": (True, put(Geboortejaar="")),
    "all of the customer": (
        True,
        put(
            Adviseur="ARCHIEF", Kantoor="Oud", Subkantoor="Oud", Commercieel_manager="ARCHIEF", Postcode="", Mailing="N"
        ),
    ),
    "term reset": (False, put(Termijn="12")),
    "collection reset": (False, put(Incassowijze="Maatschappij")),
    "renewal emptied": (False, put(Hoofdvervaldatum="")),
    "insurer emptied": (False, put(Maatschappij="")),
    "product, term, collection": (
        False,
        lambda row: row | {"Product": f"{row['Branche']} (oud)", "Termijn": "12", "Incassowijze": "Maatschappij"},
    ),
    "product (oud)": (False, lambda row: row | {"Product": f"{row['Branche']} (oud)"}),
    "own column": (False, put(Status2="historie")),
}
"""Kind -> (of customers who have left, not of every ended policy; how a row is overwritten)."""


def overwritten(rows: list[Row], as_of: date, kind: str) -> list[Row]:
    """Return an export in which what ended was overwritten."""
    of_customers, change = KINDS[kind]

    def runs(row: Row) -> bool:
        text = row[END]
        return not text or date(int(text[6:]), int(text[3:5]), int(text[:2])) > as_of

    there = {row[RELATION] for row in rows if runs(row)}
    usual = [row | {"Product": f"{row['Branche']} 2025", "Status2": "actief"} for row in rows]
    names = set(rows[0]) | ({"Product"} if "product" in kind else set()) | ({"Status2"} if "own" in kind else set())
    changed = [change(row) if (row[RELATION] not in there if of_customers else not runs(row)) else row for row in usual]
    return [{name: cell for name, cell in row.items() if name in names} for row in changed]


def proof(files: list[Path]) -> tuple[float, list[str]]:
    """Return the proven AUC of churn_12m and the findings about time."""
    run = eda(files, "--quiet")
    summary = json.loads((run.folder / "summary.json").read_text("utf-8"))
    auc = next(each["auc"] for each in summary["predictions"] if each["key"] == "churn_12m")
    return float(auc), [each["code"] for each in summary["findings"] if each["code"].startswith("AKB-T")]


def exported(customers: int, sample: Path | None) -> tuple[list[Row], date]:
    """Return the rows of a simulated office or of every fifth customer of a sample, and the day of the export."""
    folder = sample or Path(tempfile.mkdtemp(prefix="akb-bench-"))
    if sample is None:
        write_sample(simulate(customers, seed=34, months=50), folder, truth=False)
    with (folder / "polissen.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    kept = set(sorted({row[RELATION] for row in rows})[:: 5 if sample else 1])
    as_of = read_portfolio(Sources([folder / "polissen.csv"], bytes(32)), load_settings()).as_of
    return [row for row in rows if row[RELATION] in kept], as_of


def written(rows: list[Row], name: str) -> Path:
    """Write an export into a folder of its own."""
    path = Path(tempfile.mkdtemp(prefix="akb-bench-")) / f"{name}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


def planted(customers: int, sample: Path | None, only: str | None) -> None:
    """Print the AUC of the clean book and of each planted kind."""
    rows, as_of = exported(customers, sample)
    clean, _ = proof([written(rows, "clean")])
    print(f"{len({row[RELATION] for row in rows}):,} customers\nclean                       {clean:.3f}", flush=True)
    for kind in KINDS:
        if only not in (None, kind):
            continue
        auc, codes = proof([written(overwritten(rows, as_of, kind), "planted")])
        verdict = "PASS" if abs(auc - clean) <= ASKED else "MISSED"
        print(f"{kind:<27} {auc:.3f}   {auc - clean:+.3f} {verdict}   {', '.join(codes)}", flush=True)


def honest(books: int) -> None:
    """Print how many simulated offices with honest effects lost a column."""
    lost: list[str] = []
    settings = load_settings()
    for seed in range(books):
        rng = np.random.default_rng(seed)
        folder = Path(tempfile.mkdtemp(prefix="akb-bench-"))
        write_sample(simulate(int(rng.choice([500, 1500, 4000])), seed=seed, months=50), folder, truth=False)
        portfolio = read_portfolio(Sources([folder / "polissen.csv"], bytes(32)), settings)
        for effect in (None, 0.3, 0.6):
            given = portfolio if effect is None else _with_effect(portfolio, effect, rng)
            lost += [f"{seed}/{effect}/{name}" for name in without_hindsight(given, settings).hidden or ()]
    print(f"{3 * books} offices: columns left out {len(lost)} {' '.join(lost)}")


def _with_effect(portfolio, sd: float, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Deal out advisers and offices anew, as if each had a lapse rate of its own (log-normal) from the start."""
    from dataclasses import replace

    policies, x = portfolio.policies, portfolio.as_of
    years = (pl.coalesce("end_date", pl.lit(x)) - pl.col("start_date")).dt.total_days() / 365.25
    of = (
        policies.group_by("customer")
        .agg(exposure=years.clip(0, 5).max(), left=pl.col("end_date").is_null().sum() == 0)
        .sort("customer")
    )
    columns = {}
    for name, size in (("adviser", 15), ("office", 4)):
        ratio = np.exp(rng.normal(0, sd, size))
        rate = 0.1 * of["exposure"].to_numpy()[:, None] * ratio
        weight = np.where(of["left"].to_numpy()[:, None], np.log(ratio), 0.0) - rate
        drawn = (weight - np.log(-np.log(rng.random(weight.shape)))).argmax(axis=1)
        columns[name] = [f"{name[0].upper()}{number}" for number in drawn]
    dealt = of.select("customer").with_columns(pl.Series(name, texts) for name, texts in columns.items())
    customers = portfolio.customers.drop("adviser", "office").join(dealt, on="customer", how="left")
    return replace(portfolio, customers=customers.select(portfolio.customers.columns))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--books", type=int, default=40)
    parser.add_argument("--only", choices=list(KINDS))
    asked = parser.parse_args()
    if asked.books:
        honest(asked.books)
    if asked.customers:
        planted(asked.customers, asked.sample, asked.only)


if __name__ == "__main__":
    main()
