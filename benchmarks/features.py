"""Seconds and peak memory of the features room on a made-up portfolio of 66,000 policies."""

from __future__ import annotations

import resource
import time
from datetime import date

import numpy as np
import polars as pl

from akb.config import Settings
from akb.features import as_of_grid, build_matrix, build_targets
from akb.ingest.types import History, Portfolio, RowCount

AS_OF = date(2025, 12, 31)
PRIVATE = [
    "avp",
    "inboedel",
    "opstal",
    "auto",
    "reis",
    "rechtsbijstand",
    "woonpakket",
    "zorg",
    "uitvaart",
    "caravan_camper",
]
BUSINESS = ["avb", "inventaris", "wagenpark", "rechtsbijstand_z", "gebouw_z", "auto"]


def made_up(customers: int = 17_500, seed: int = 1) -> Portfolio:
    """Return a portfolio of about four policies per customer, with claims and contacts; no truth in it."""
    rng = np.random.default_rng(seed)
    business = rng.random(customers) < 0.2
    owner = np.sort(np.repeat(np.arange(customers), 1 + rng.poisson(5.2, customers)))
    n = len(owner)
    branch = np.where(business[owner], rng.choice(BUSINESS, n), rng.choice(PRIVATE, n))
    day0 = np.datetime64("2004-01-01")
    last = (np.datetime64(AS_OF) - day0).astype(int)
    start = (rng.random(n) ** 0.7 * last).astype(int)
    lasted = rng.geometric(0.13 / 365, n) + 5
    end = start + lasted
    window = last - 1600
    keep = end > window
    owner, branch, start, end = (each[keep] for each in (owner, branch, start, end))
    n = len(owner)
    open_ = end > last
    cause = rng.choice(
        ["natural", "insurer", "preventable", "unknown", "technical"], n, p=[0.25, 0.05, 0.5, 0.15, 0.05]
    )
    policies = pl.DataFrame(
        {
            "policy": np.arange(n, dtype=np.uint32),
            "customer": owner.astype(np.uint32),
            "branch": branch,
            "insurer": [f"M{each:02d}" for each in rng.zipf(1.6, n) % 25],
            "product": [None] * n,
            "adviser": [None] * n,
            "office": [None] * n,
            "start_date": day0 + start.astype("timedelta64[D]"),
            "end_date": day0 + end.astype("timedelta64[D]"),
            "reason": [None] * n,
            "cause": cause,
            "replaced_on": [None] * n,
            "replaces": np.zeros(n, dtype=bool),
            "premium_cents": rng.integers(2000, 90000, n),
            "commission_cents": rng.integers(500, 20000, n),
            "commission_source": ["given"] * n,
            "payment_months": rng.choice([1, 3, 12], n).astype(np.int8),
            "collection": rng.choice(["own", "insurer"], n),
            "renewal_date": [None] * n,
        },
        schema_overrides={"replaced_on": pl.Date, "renewal_date": pl.Date, "insurer": pl.String, "reason": pl.String},
    ).with_columns(
        pl.col("start_date").cast(pl.Date),
        end_date=pl.when(~pl.Series(open_)).then(pl.col("end_date").cast(pl.Date)),
        cause=pl.when(~pl.Series(open_)).then("cause"),
    )
    table = pl.DataFrame(
        {
            "customer": np.arange(customers, dtype=np.uint32),
            "relation": [str(each) for each in range(customers)],
            "pseudonym": [str(each) for each in range(customers)],
            "kind": np.where(business, "business", "private"),
            "birth_year": rng.integers(1935, 2005, customers).astype(np.int32),
            "postcode4": rng.integers(1000, 9999, customers).astype(str),
            "adviser": [f"A{each}" for each in rng.integers(0, 30, customers)],
            "office": [f"K{each}" for each in rng.integers(0, 5, customers)],
            "no_marketing": np.zeros(customers, dtype=bool),
            "deceased": np.zeros(customers, dtype=bool),
        }
    )
    return Portfolio(
        as_of=AS_OF,
        export_day=AS_OF,
        policies=policies,
        customers=table,
        claims=_claims(policies, rng, window, last, day0),
        contacts=_contacts(customers, rng, window, last, day0),
        payments=None,
        rejects=pl.DataFrame(),
        rows=RowCount(n, n, 0),
        history=History(date(2021, 8, 1), 53, True, "given"),
        findings=(),
        sources=(),
    )


def _days(rng: np.random.Generator, low: int, high: int, n: int, day0: np.datetime64) -> pl.Series:
    return pl.Series(day0 + rng.integers(low, high, n).astype("timedelta64[D]")).cast(pl.Date)


def _claims(policies: pl.DataFrame, rng: np.random.Generator, low: int, high: int, day0: np.datetime64) -> pl.DataFrame:
    n = 30_000
    picked = policies[rng.integers(0, policies.height, n)]
    return picked.select(
        "customer",
        "policy",
        "branch",
        _days(rng, low, high, n, day0).alias("date"),
        pl.Series("amount_cents", rng.integers(1000, 900000, n)),
        pl.Series("at_fault", rng.random(n) < 0.5),
    )


def _contacts(customers: int, rng: np.random.Generator, low: int, high: int, day0: np.datetime64) -> pl.DataFrame:
    n = 150_000
    return pl.DataFrame(
        {
            "customer": rng.integers(0, customers, n).astype(np.uint32),
            "date": _days(rng, low, high, n, day0),
            "channel": rng.choice(["phone", "email", "visit"], n),
            "inbound": rng.random(n) < 0.6,
            "subject": rng.choice(["mutatie", "klacht", "vraag"], n),
        }
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print what building features and targets costs."""
    settings = Settings()
    portfolio = made_up()
    dates = as_of_grid(portfolio, settings)
    before = _peak()
    began = time.perf_counter()
    matrix = build_matrix(portfolio, dates, settings)
    middle, peak = time.perf_counter(), _peak()
    targets = build_targets(portfolio, matrix, settings)
    done = time.perf_counter()
    at_x = matrix.frame.filter(pl.col("as_of") == portfolio.as_of).height
    print(f"policies {portfolio.policies.height}, in force at X {at_x} customers, dates {len(dates)}")
    print(f"matrix   {matrix.frame.height} x {len(matrix.names)}: {middle - began:.1f} s, +{peak - before:.0f} MB")
    print(
        f"targets  held {targets.held.frame.height}, eligible {targets.eligible.frame.height}: "
        f"{done - middle:.1f} s, +{_peak() - peak:.0f} MB on top"
    )


if __name__ == "__main__":
    main()
