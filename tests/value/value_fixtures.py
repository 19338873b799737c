"""Small hand-made portfolios and model runs, consistent with each other, for the tests of the value room."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from akb.config import load_settings
from akb.ingest.types import History, Portfolio, RowCount
from akb.models.types import Calibration, Evidence, ModelRun, Prediction
from akb.value.targeting.planning.prospects import Prospects

X = date(2025, 12, 31)
BRANCHES = ("avp", "inboedel", "opstal", "auto", "rechtsbijstand", "reis")
SETTINGS = load_settings()
CALIBRATED = Calibration(1.0, (0.92, 1.08))
PROVEN = Evidence(calibration=CALIBRATED, positives=300.0, auc=0.7, auc_ci=(0.65, 0.75))


CALLS_PAY = {
    "contacts__call__minutes": 2.0,
    "contacts__call__follow_up": 0.0,
    "contacts__call__sale_minutes": 2.0,
    "contacts__inbound_else_call__minutes": 2.0,
}
"""Calls so cheap that they pay for most customers of these small books."""


def settings(**assumptions: float):
    """Settings with assumptions by name, dots written as double underscores."""
    return load_settings().model_copy(
        update={"assumptions": {name.replace("__", "."): value for name, value in assumptions.items()}}
    )


def is_former(customer: int) -> bool:
    """Who has left: of every forty customers five, one each of whom objects, has died and is under age."""
    return customer % 8 == 5


def portfolio(
    n: int = 400,
    seed: int = 1,
    *,
    branches: tuple[str, ...] = BRANCHES,
    commission: str = "given",
    ended: bool = True,
    reasons: bool = True,
    advisers: int = 4,
    events: bool = False,
    months: int = 60,
) -> Portfolio:
    """A portfolio of `n` customers; with `ended` an eighth of them has left, of every flag some (see `is_former`)."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n):
        for branch in branches:
            if branch != branches[customer % len(branches)] and rng.random() > 0.4:
                continue
            start = X - timedelta(days=int(rng.integers(30, 4000)))
            end = None
            if ended and rng.random() < 0.2:
                end = start + timedelta(days=int(rng.integers(30, 4000)))
                end = end if X - timedelta(days=30 * months) < end <= X else None
            if ended and is_former(customer) and end is None:
                end = X - timedelta(days=173 * customer % (30 * months - 30))  # over all the years that were recorded
                start = min(start, end - timedelta(days=200))
            rows.append((customer, branch, start, end, int(rng.integers(1000, 12000)), int(rng.choice([1, 6, 12]))))
    schema = {
        "customer": pl.UInt32,
        "branch": pl.String,
        "start_date": pl.Date,
        "end_date": pl.Date,
        "commission_cents": pl.Int64,
        "payment_months": pl.Int8,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("customer", "branch", "start_date")
    gone = pl.col("end_date").is_not_null()
    cause = pl.lit("preventable" if reasons else "unknown")
    frame = frame.with_columns(
        policy=pl.int_range(pl.len(), dtype=pl.UInt32),
        insurer=pl.lit("M1"),
        product=pl.lit(None, dtype=pl.String),
        adviser=pl.lit(None, dtype=pl.String),
        office=pl.lit("O1"),
        reason=pl.when(gone & pl.lit(reasons)).then(pl.lit("overstap")),
        cause=pl.when(gone).then(cause),
        replaced_on=pl.lit(None, dtype=pl.Date),
        replaces=pl.lit(value=False),
        premium_cents=pl.col("commission_cents") * 5,
        commission_cents=pl.col("commission_cents") if commission != "none" else pl.lit(None, dtype=pl.Int64),
        commission_source=pl.lit("given" if commission == "given" else None, dtype=pl.String),
        collection=pl.lit("own"),
        renewal_date=pl.lit(None, dtype=pl.Date),
    )
    customers = pl.DataFrame(
        {
            "customer": pl.Series(range(n), dtype=pl.UInt32),
            "relation": [f"R{number:05d}" for number in range(n)],
            "pseudonym": [f"K-{number:016X}" for number in range(n)],
            "kind": [("private", "private", "business", "self_employed", None)[number % 5] for number in range(n)],
            "birth_year": pl.Series(
                [2012 if number % 40 == 21 else 1940 + number % 60 for number in range(n)], dtype=pl.Int32
            ),
            "postcode4": ["1234"] * n,
            "adviser": [f"A{number % advisers}" if advisers else None for number in range(n)],
            "office": [f"O{number % 3}" for number in range(n)],
            "no_marketing": [number % 17 == 3 or number % 40 == 5 for number in range(n)],
            "deceased": [number % 97 == 5 or number % 40 == 13 for number in range(n)],
        },
        schema_overrides={"adviser": pl.String},
    )
    seen = pl.DataFrame(
        {
            "customer": pl.Series(rng.integers(0, n, n), dtype=pl.UInt32),
            "date": [X - timedelta(days=int(day)) for day in rng.integers(0, 1000, n)],
        }
    )
    return Portfolio(
        as_of=X,
        export_day=X,
        policies=frame,
        customers=customers,
        claims=seen if events else None,
        contacts=seen if events else None,
        payments=None,
        rejects=pl.DataFrame(),
        rows=RowCount(frame.height, frame.height, 0),
        history=History(
            X - timedelta(days=30 * months) if ended else None, months if ended else 0, ended and reasons, commission
        ),
        findings=(),
        sources=(),
    )


def present(made: Portfolio) -> pl.DataFrame:
    """The policies in force at X."""
    return made.policies.filter((pl.col("start_date") <= X) & (pl.col("end_date").is_null() | (pl.col("end_date") > X)))


def models(made: Portfolio, *, gate: str = "pass", seed: int = 2, horizon: int = 10) -> ModelRun:
    """A model run for `made`: every customer his own hazards by cause, branches above their relation."""
    rng = np.random.default_rng(seed)
    held = present(made)
    ids = held["customer"].unique().sort()
    n = len(ids)
    learned = made.history.recorded_from is not None
    hazard = rng.gamma(1.2, 0.08, n)
    shares = np.array([0.25, 0.05, 0.70])
    grid = np.array([*range(1, 13), *range(24, 12 * horizon + 1, 12)])
    alive = np.exp(-hazard[:, None] * grid / 12)
    survival = pl.DataFrame(
        {
            "customer": np.repeat(ids.to_numpy(), len(grid)),
            "month": np.tile(grid, n),
            "alive": alive.ravel(),
            **{
                cause: ((1 - alive) * share).ravel()
                for cause, share in zip(("natural", "insurer", "preventable"), shares, strict=True)
            },
        },
        schema_overrides={"customer": pl.UInt32, "month": pl.Int32},
    )
    churn = 1 - alive[:, 11]
    held_branches = held.select("customer", "branch").unique().sort("customer", "branch")
    place = np.searchsorted(ids.to_numpy(), held_branches["customer"].to_numpy())
    lapse = held_branches.with_columns(probability=pl.Series(1 - (1 - churn[place]) * 0.95))
    pairs = ids.to_frame().join(made.policies.select("branch").unique().sort("branch"), how="cross")
    purchase = pairs.join(held_branches, on=["customer", "branch"], how="anti").sort("branch", "customer")
    purchase = purchase.with_columns(probability=pl.Series(rng.beta(1, 12, purchase.height), dtype=pl.Float64))
    scores: dict[str, object] = {"customer": ids, "cross_sell_any_12m": rng.beta(1, 6, n)}
    if learned:
        scores |= {"churn_12m": churn, "peak_risk_month": rng.integers(1, 13, n)}
        if made.history.reasons:
            scores["churn_preventable_12m"] = churn * shares[2]
    keys = ["churn_12m", "churn_preventable_12m"] if learned else []
    keys += [f"next_policy_{branch}_12m" for branch in sorted(made.policies["branch"].unique())]
    frame = pl.DataFrame(scores).with_columns(pl.exclude("customer").cast(pl.Float32))
    return ModelRun(
        as_of=X,
        scores=frame,
        survival=survival if learned else survival.clear(),
        branch_lapse=lapse if learned else lapse.clear(),
        branch_purchase=purchase,
        curve=pl.DataFrame(),
        predictions=tuple(Prediction(key, "fitted", gate=gate, evidence=PROVEN) for key in keys),
    )


def with_gate(run: ModelRun, gate: str, *prefixes: str, ci: tuple[float, float] = (0.92, 1.08)) -> ModelRun:
    """`run` with another gate on the predictions whose key starts with one of `prefixes`."""
    changed = tuple(
        replace(made, gate=gate, evidence=replace(PROVEN, calibration=Calibration(1.0, ci)))
        if made.key.startswith(prefixes)
        else made
        for made in run.predictions
    )
    return replace(run, predictions=changed)


def with_lapses(run: ModelRun, gate: str = "pass") -> ModelRun:
    """`run` with a prediction of the lapses of every branch, so that policies may be told in euros."""
    keys = [f"lapse_{branch}_12m" for branch in sorted(run.branch_lapse["branch"].unique())]
    evidence = Evidence(calibration=CALIBRATED)
    more = [Prediction(key, "fitted", gate=gate, evidence=evidence) for key in (*keys, "policy_lapse_any_12m")]
    # A branch lapses a little more often than its relation ends: the fixtures' own chances lie just below it.
    more_often = run.branch_lapse.with_columns(probability=1 - (1 - pl.col("probability")) * 0.93)
    return replace(run, predictions=(*run.predictions, *more), branch_lapse=more_often)


def earning(made: Portfolio, factor: int = 4) -> Portfolio:
    """`made` with so much commission that every customer is worth keeping."""
    return replace(made, policies=made.policies.with_columns(pl.col("commission_cents") * factor))


def shuffled(made: Portfolio, run: ModelRun) -> tuple[Portfolio, ModelRun]:
    """The same, with every frame's rows in another order."""
    other = replace(
        made,
        policies=made.policies.sample(fraction=1.0, shuffle=True, seed=9),
        customers=made.customers.sample(fraction=1.0, shuffle=True, seed=9),
    )
    frames = {
        name: getattr(run, name).sample(fraction=1.0, shuffle=True, seed=9)
        for name in ("scores", "survival", "branch_lapse", "branch_purchase")
    }
    return other, replace(run, **frames)


def prospects(n: int = 1, **columns: object) -> Prospects:
    """Customers of whom nothing is at stake and who may be contacted in every way, but for what `columns` say."""
    flat = {"relation": 0.0, "leaving": 0.0, "policy": 0.0, "lost": 0.0, "inbound_rate": 0.0, "weight": 1.0}
    wide = {"chance": 0.0, "worth": 0.0}
    values: dict[str, object] = {name: np.full(n, value) for name, value in flat.items()}
    values |= {name: np.full((n, 2), value) for name, value in wide.items()}
    values |= {"branch": np.zeros((n, 2), dtype=np.int64)}
    values |= {name: np.ones(n, dtype=np.bool_) for name in ("eligible", "wakeable")}
    values |= {name: np.zeros(n, dtype=np.bool_) for name in ("control", "repeated")}
    values["reachable"] = {name: np.ones(n, dtype=np.bool_) for name in ("post", "email", "phone")}
    values |= columns
    values.setdefault("likely", -np.sort(-np.asarray(values["chance"]), axis=1))
    return Prospects(**values)  # type: ignore[arg-type]
