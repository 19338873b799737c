"""Columns without a role on real portfolios: akb against a plain LightGBM with every column of the file.

    python -m benchmarks.own_columns DATA [uslapseagent | es_motor | eudirectlapse] [--as-of DATE] [--months 12]

DATA holds ``casdatasets/`` and ``es_motor/``. Both learn from what was known on one day and are judged on what came
after it: akb as ``akb eda --as-of``, the rival from as-of dates every three months over four years of which the window
was closed on that day, with the same rules of time: age of the policy, month and year of its start, days since its
anniversary, and all columns but sex and premium (akb: never, and not while the history of premiums is unknown). *dates*
is the rival without the file's columns, *premium* with the premium too.

uslapseagent: whole-life policies, duration in quarters; leaving is any end. es_motor: the portfolio with the columns of
the raw rows as they stood at the last renewal before the day. eudirectlapse has no dates: each policy's renewal is put
on a day of its own in the four years around the day, the same for both.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score

from akb.core.dates import add_months
from benchmarks.runs import eda

HORIZONS = (1, 3, 6, 12)
ASKED = -0.01
ROWS = 150_000
"""What the rival learns from at most."""
REASONS = {"surrender": "opzegging klant", "death": "overlijden", "other": "onbekend", "in-force": None}


def uslapseagent(data: Path) -> pl.DataFrame:
    """Whole-life policies with their own columns."""
    frame = pl.read_parquet(data / "casdatasets" / "uslapseagent.parquet").with_row_index("row")
    lasted = (pl.col("duration") * 91.3125).round().cast(pl.Int64)
    start = pl.col("issue.date").cast(pl.Date)
    return frame.select(
        customer_id=pl.format("C{}", "row"),
        policy_id=pl.format("P{}", "row"),
        branch=pl.lit("levensverzekering"),
        start_date=start,
        end_date=pl.when(pl.col("allcause") == 1).then(start + pl.duration(days=lasted)),
        reason=pl.col("termination.cause").replace_strict(REASONS, return_dtype=pl.String),
        premium=pl.col("annual.premium"),
        rider=pl.col("acc.death.rider").cast(pl.String),
        premium_times=pl.col("premium.frequency").cast(pl.String),
        risk_state=pl.col("risk.state").cast(pl.String),
        underwriting=pl.col("underwriting.age").cast(pl.String),
        living=pl.col("living.place").cast(pl.String),
    ).filter(pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("start_date")))


def es_motor(data: Path, as_of: date) -> pl.DataFrame:
    """Motor policies, beside them what the raw rows say of the vehicle at the last renewal before the day."""
    import io
    import zipfile

    with zipfile.ZipFile(data / "es_motor" / "raw.zip") as packed:
        name = max(packed.infolist(), key=lambda each: each.file_size).filename
        raw = pl.read_csv(io.BytesIO(packed.read(name)), separator=";", infer_schema_length=None)
    since = pl.col("Date_last_renewal").str.to_date("%d/%m/%Y")
    vehicle = (
        raw.with_columns(since=since)
        .sort((pl.col("since") <= as_of), "since")
        .group_by("ID", maintain_order=True)
        .last()
        .select(
            policy_id=pl.format("P{}", "ID"),
            matriculation="Year_matriculation",
            power="Power",
            cylinder="Cylinder_capacity",
            doors="N_doors",
            fuel="Type_fuel",
            length="Length",
            weight="Weight",
            second_driver="Second_driver",
        )
    )
    portfolio = pl.read_csv(data / "es_motor" / "portfolio.csv", try_parse_dates=True)
    return portfolio.join(vehicle, on="policy_id", how="left", maintain_order="left").drop("birth_date")


def eudirectlapse(data: Path, as_of: date) -> pl.DataFrame:
    """Motor renewals, each put on a day of its own from three years before the day until one year after."""
    frame = pl.read_parquet(data / "casdatasets" / "eudirectlapse.parquet").with_row_index("row")
    rng = np.random.default_rng(4)
    ahead = rng.integers(-3 * 365, 365, frame.height)
    renewal = [as_of + timedelta(days=int(days)) for days in ahead]
    age = frame["policy_age"].to_list()
    start = [day - timedelta(days=round(365.25 * max(years, 1))) for day, years in zip(renewal, age, strict=True)]
    lapse = frame["lapse"].to_list()
    own = [name for name in frame.columns if name not in ("row", "lapse", "polholder_gender", "policy_age")]
    premiums = [name for name in own if name.startswith("prem_") and name != "prem_freqperyear"]
    return frame.select(
        customer_id=pl.format("C{}", "row"),
        policy_id=pl.format("P{}", "row"),
        branch=pl.lit("personenauto"),
        start_date=pl.Series(start),
        end_date=pl.Series([day if left else None for day, left in zip(renewal, lapse, strict=True)], dtype=pl.Date),
        premium=pl.col("prem_final"),
        **{name: pl.col(name).cast(pl.String) if frame.schema[name] == pl.Categorical else pl.col(name)
           for name in own if name not in premiums},
    )  # fmt: skip


BOOKS = {
    "uslapseagent": (lambda data, day: uslapseagent(data), date(2009, 5, 31)),
    "es_motor": (es_motor, date(2017, 11, 30)),
    "eudirectlapse": (eudirectlapse, date(2024, 6, 30)),
}
NO_FEATURES = ("customer_id", "policy_id", "branch", "start_date", "end_date", "reason", "premium")


def rows_at(book: pl.DataFrame, day: date, months: int) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """Policies in force on a day, their columns as numbers, and whether they ended within so many months."""
    held = book.filter(pl.col("start_date") <= day, pl.col("end_date").is_null() | (pl.col("end_date") > day))
    age = (pl.lit(day) - pl.col("start_date")).dt.total_days()
    own = [name for name in book.columns if name not in NO_FEATURES]
    x = held.select(
        age=age.cast(pl.Float64),
        month=pl.col("start_date").dt.month().cast(pl.Float64),
        year=pl.col("start_date").dt.year().cast(pl.Float64),
        turned=age.cast(pl.Float64) % 365.25,
        **{name: pl.col(name).cast(pl.Float64) for name in own},
        premium=pl.col("premium").cast(pl.Float64),
    )
    left = (held["end_date"] <= add_months(day, months)).fill_null(value=False).to_numpy()
    return held, x, left


def rival(book: pl.DataFrame, as_of: date, months: int, names: list[str], codes: list[str]) -> float:
    """Return the AUC over the months after `as_of` of a LightGBM that learned from what was closed on it."""
    parts = [rows_at(book, add_months(as_of, -months - back), months) for back in range(0, 48, 3)]
    x = np.concatenate([part[1].select(names).to_numpy() for part in parts])
    y = np.concatenate([part[2] for part in parts])
    some = np.random.default_rng(5).permutation(len(y))[:ROWS]
    x, y = x[some], y[some]
    model = LGBMClassifier(
        n_estimators=200, learning_rate=0.05, num_leaves=15, min_child_samples=100, verbose=-1, random_state=1
    )
    places = [names.index(name) for name in codes if name in names]
    model.fit(x, y, categorical_feature=places)
    _, now, left = rows_at(book, as_of, months)
    return float(roc_auc_score(left, model.predict_proba(now.select(names).to_numpy())[:, 1]))


def compare(name: str, book: pl.DataFrame, as_of: date, horizons: tuple[int, ...] = HORIZONS) -> None:
    """Print AUC per horizon of akb and of the rivals."""
    folder = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    known = pl.col("end_date") <= as_of  # what came later is not in the file: nothing is announced
    dated = [each for each in ("end_date", "reason") if each in book.columns]
    then = book.filter(pl.col("start_date") <= as_of)
    then.with_columns(pl.when(known).then(each).alias(each) for each in dated).write_csv(folder / f"{name}.csv")
    run = eda([folder / f"{name}.csv"], "--as-of", as_of.isoformat(), "--quiet")
    texts = [each for each in book.columns if book.schema[each] == pl.String and each not in NO_FEATURES]
    coded = book.with_columns(pl.col(each).rank("dense").cast(pl.Float64) for each in texts)
    dates = ["age", "month", "year", "turned"]
    own = [each for each in book.columns if each not in NO_FEATURES]
    print(f"{name}, as of {as_of}: {run.scores.height:,} customers")
    print("months  happened    akb   dates    all  premium   akb - all")
    for months in horizons:
        held, _, left = rows_at(coded, as_of, months)
        gone = (
            pl.DataFrame({"customer": held["customer_id"], "left": left}).group_by("customer").agg(pl.col("left").all())
        )
        scored = run.scores.join(gone, on="customer")
        ours = float(roc_auc_score(scored["left"], scored[f"churn_{months}m"]))
        theirs = [
            rival(coded, as_of, months, names, texts) for names in (dates, dates + own, [*dates, *own, "premium"])
        ]
        gap = ours - theirs[1]
        print(
            f"{months:6d}  {left.mean():8.2%}   {ours:.3f}  {theirs[0]:.3f}  {theirs[1]:.3f}    {theirs[2]:.3f}"
            f"   {gap:+.3f} {'PASS' if gap >= ASKED else 'MISSED'}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("book", nargs="?", choices=list(BOOKS))
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--months", type=int, choices=HORIZONS)
    asked = parser.parse_args()
    for name, (make, usual) in BOOKS.items():
        if asked.book in (None, name):
            day = asked.as_of or usual
            compare(name, make(asked.data, day), day, (asked.months,) if asked.months else HORIZONS)


if __name__ == "__main__":
    main()
