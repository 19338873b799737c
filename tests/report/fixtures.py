"""Fabricated runs: a full one and poor ones, small enough to render in a moment."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from akb.catalogue.entries import entries
from akb.config import Settings
from akb.core.dates import add_months
from akb.core.privacy.pseudonyms import pseudonyms
from akb.core.typed import made
from akb.features.types import Feature
from akb.ingest.types import History, Portfolio, RowCount, SourceFile
from akb.models.types import (
    Band,
    Calibration,
    Candidate,
    Contribution,
    Determinants,
    Evidence,
    GroupWeight,
    LocalEffect,
    ModelRun,
    Prediction,
)
from akb.report.bundle import RunBundle
from akb.report.model import ReportModel
from akb.report.page.html import render
from akb.report.words import Words
from akb.report.write import write_report
from akb.value.actuarial.review import review
from akb.value.in_force import InForce
from akb.value.types import BusinessCase, Figures, ValueRun
from tests.tables import CUSTOMER_SCHEMA, POLICY_SCHEMA

X = date(2025, 12, 31)
KEY = bytes(range(32))
BRANCHES = ["avp", "inboedel", "opstal", "auto", "rechtsbijstand", "reis"]
HOSTILE = "<script>alert('x')</script>"
REASONS = [
    ("overstap", "preventable"),
    ("opzegging_klant", "preventable"),
    ("overlijden", "natural"),
    ("wanbetaling", "insurer"),
    (None, "unknown"),
]
REJECT_SCHEMA = {"file": pl.String, "line": pl.Int64, "column": pl.String, "shape": pl.String, "reason": pl.String}

WORTH = {
    "empc": {"churn_12m": {"empc": 0.62, "random": 0.0, "customers": 700, "left": 60, "from": "2024-10-31",
                           "alpha": 6.0, "beta": 14.0, "clv": 200.0, "incentive": 10.0, "contact": 1.0}},
    "lost_commission": {
        "expected": 950_000, "low": 830_000, "high": 1_070_000, "share": 0.095, "commission": 10_000_000, "years": 3,
        "parts": [{"key": "preventable", "expected": 450_000}, {"key": "single", "expected": 400_000},
                  {"key": "announced", "expected": 100_000}],
        "deviation": {"chance": 70_000, "level": 40_000, "year": 45_000}, "between": 0.05,
    },
    "waterfall": {
        "premium": 50_000_000, "kept_by_insurer": 40_000_000, "commission": 10_000_000, "value": 5_000_000,
        "customers": 700, "estimated": ["mutations", "collection"],
        "steps": [{"key": key, "cents": 1_250_000, "mark": "assumed"}
                  for key in ("account", "marketing", "it", "handling")],
    },
    "duty": {
        "customers": 310, "of": 757, "recorded": True, "recent": 40, "long": 90, "hours": 160.0, "cost": 1_150_000,
        "register": {"discussed": 48, "refused": 17, "agreed": None},
        "rows": [{"key": "rechtsbijstand", "customers": 200, "recent": 30, "long": 60, "discussed": 41, "refused": 17},
                 {"key": "reis", "customers": 110, "recent": None, "long": 30, "discussed": 7, "refused": 0}],
        "association": {"first": date(2024, 10, 31), "last": date(2025, 10, 31), "contacted": 150, "others": 520,
                        "left_contacted": 9, "left_others": 50, "ratio": 0.82, "low": 0.49, "high": 1.38},
    },
    "small_office": {
        "rows": [{"key": key, "customers": 60, "policies": 70, "years": 180.5, "lapses": 14, "source": 0.08,
                  "rate": 0.09, "weight": 0.4, "expected": 6.3, "sisters": None} for key in ("avp", "auto")]
        + [{"key": "_other", "customers": 8, "policies": 9, "years": 20.0, "lapses": 2, "source": None, "rate": 0.07,
            "weight": None, "expected": 0.7, "sisters": None}],
        "announced": 6, "expected": 13.3, "low": 7.0, "high": 21.0, "weight": 0.35, "ratio": 1.08,
        "commission": {"expected": 120_000, "low": 60_000, "high": 200_000},
        "first": date(2022, 10, 31), "last": date(2025, 10, 31), "sisters": None,
    },
    "stress": {
        "before": {"commission": 10_000_000, "value": 50_000_000, "net": 1_200_000,
                   "ahead": [10_000_000, 9_600_000, 9_300_000, 9_000_000, 8_800_000, 8_600_000]},
        "rows": [
            {"key": key, "subject": subject, "customers": 90, "assumed": assumed, "commission": 9_000_000,
             "value": 46_000_000, "net": 1_000_000,
             "ahead": [9_000_000, 8_700_000, 8_400_000, 8_200_000, 8_000_000, 7_900_000]}
            for key, subject, assumed in (
                ("mass_lapse", None, {"stress.mass_lapse": 0.4}),
                ("price_shock", "auto", {"stress.price_rise": 0.1, "stress.price_elasticity": 0.8}),
                ("adviser_leaves", None, {"stress.adviser_share": 0.25}),
                ("insurer_ends", "M1", {"stress.insurer_lost": 0.3}),
                ("direct_writer", "auto", {"stress.direct_share": 0.5}),
            )
        ],
    },
    "accounts": {
        "lines": [{"key": "commission", "accounts": 10_000_000, "counted": 8_000_000, "factor": 1.25, "far": False},
                  {"key": "payroll", "accounts": 6_000_000, "counted": 3_000_000, "factor": 2.0, "far": True},
                  {"key": "other_cost", "accounts": 2_000_000, "counted": 1_900_000, "factor": 2 / 1.9, "far": False}],
        "basis": "model", "income": 10_000_000, "service": 4_900_000, "result": 2_000_000, "result_share": 0.2,
        "contribution_share": 0.51, "hours": {"needed": 900.0, "available": 3_200.0},
        "case": {"model": 1_200_000, "accounts": 1_100_000},
    },
    "clv_past": {
        "available": True, "from": "2022-12-31", "to": "2025-12-31", "customers": 600, "realised": 24_000_000,
        "models": [
            {"key": "clv", "expected": 24_500_000, "ratio": 0.98, "rmse": 9_000.0, "rank": 0.91},
            {"key": "status_quo", "expected": 24_800_000, "ratio": 0.97, "rmse": 9_200.0, "rank": 0.90,
             "gain": 200.0, "gain_ci": (-50.0, 450.0)},
            {"key": "all_stay", "expected": 30_000_000, "ratio": 0.80, "rmse": 12_000.0, "rank": 0.90,
             "gain": 3_000.0, "gain_ci": (2_500.0, 3_500.0)},
        ],
        "winner": "none", "beats_all_stay": True, "lift": [2.2, 2.4, 2.5, 2.6, 2.7], "lifetime_years": 2.5,
        "deciles": [{"decile": d, "customers": 60, "expected": 11_000 - 1000 * d, "realised": 10_900 - 1000 * d}
                    for d in range(1, 11)],
    },
}  # fmt: skip


DETERMINANTS = (
    Determinants(
        "churn_12m",
        date(2024, 10, 31),
        1500,
        120,
        (GroupWeight("renewal", 0.62, (0.48, 0.77)), GroupWeight("holdings", 0.21, (0.11, 0.32))),
        (LocalEffect("policies", ((1.0, 0.021, 0.012, 0.03), (2.0, 0.0, -0.004, 0.003), (5.0, -0.03, -0.04, -0.02))),),
    ),
    Determinants("cross_sell_any_12m", date(2024, 10, 31), 1500, 3, (GroupWeight("tenure", 0.5, (0.1, 0.9)),), ()),
)


def portfolio(customers: int = 900, seed: int = 1, *, hostile: bool = True) -> Portfolio:
    rng = np.random.default_rng(seed)
    relations = [f"REL{i:05d}Q" for i in range(customers)]
    names = pseudonyms(relations, KEY)
    offices = ["Noord", HOSTILE if hostile else "Zuid", "West"]
    people, rows = [], []
    for c in range(customers):
        office = offices[int(rng.integers(3))]
        adviser = f"Adviseur {HOSTILE}" if hostile and c % 40 == 0 else f"Adviseur {int(rng.integers(5))}"
        kind = str(rng.choice(["private", "business", "self_employed"], p=[0.8, 0.15, 0.05]))
        people.append(
            (
                c,
                relations[c],
                names[c],
                kind,
                int(rng.integers(1940, 2004)),
                "1234",
                adviser,
                office,
                c % 50 == 0,
                False,
            )
        )
        start = X - timedelta(days=int(rng.integers(200, 7000)))
        gone = rng.random() < 0.35
        end = start + timedelta(days=int(rng.integers(300, 7000))) if gone else None
        end = end if end is None or end <= X + timedelta(days=60) else None
        if end is not None and end < date(2021, 1, 1):
            end = date(2021, 1, 1) + timedelta(days=int(rng.integers(0, 1700)))
        reason, cause = REASONS[int(rng.choice(5, p=[0.4, 0.25, 0.2, 0.1, 0.05]))]
        for branch in rng.permutation(BRANCHES)[: int(rng.integers(1, 5))]:
            cents = int(rng.integers(1000, 20000))
            rows.append(
                (
                    c,
                    str(branch),
                    f"Verzekeraar {int(rng.integers(3))}",
                    None,
                    adviser,
                    office,
                    start,
                    end,
                    reason if end else None,
                    cause if end else None,
                    cents * 5,
                    cents,
                )
            )
    columns = [
        "customer",
        "branch",
        "insurer",
        "product",
        "adviser",
        "office",
        "start_date",
        "end_date",
        "reason",
        "cause",
        "premium_cents",
        "commission_cents",
    ]
    table = pl.DataFrame(rows, schema={name: POLICY_SCHEMA[name] for name in columns}, orient="row").sort(
        "customer", "branch"
    )
    table = (
        table.with_row_index("policy")
        .with_columns(
            replaced_on=pl.lit(None, dtype=pl.Date),
            replaces=pl.lit(value=False),
            commission_source=pl.when(pl.col("policy") % 10 == 0).then(pl.lit("derived")).otherwise(pl.lit("given")),
            payment_months=pl.lit(12, dtype=pl.Int8),
            collection=pl.lit("own"),
            renewal_date=pl.lit(None, dtype=pl.Date),
        )
        .select(*POLICY_SCHEMA)
    )
    read = table.height + 3
    counts = RowCount(read, table.height, 3)
    rejects = pl.DataFrame(
        [
            ("polissen.csv", 7, "Ingangsdatum", "99-99-9999", "impossible_date"),
            ("polissen.csv", 9, "=1+1", "AAA", "no_start"),
            ("polissen.csv", 4, None, None, "duplicate"),
        ],
        schema=REJECT_SCHEMA,
        orient="row",
    )
    source = SourceFile(
        "polissen.csv",
        "policies",
        "0" * 64,
        counts,
        {"encoding": "cp1252", "separator": ";"},
        {"Relatienummer": "relation", "Branche": "branch", "Naam": None, "Opmerking": None},
        ("Naam",),
    )
    return Portfolio(
        as_of=X,
        export_day=X,
        policies=table,
        customers=pl.DataFrame(people, schema=CUSTOMER_SCHEMA, orient="row"),
        claims=None,
        contacts=None,
        payments=None,
        rejects=rejects,
        rows=counts,
        history=History(date(2021, 1, 1), 59, reasons=True, commission="given"),
        findings=(),
        sources=(source,),
    )


def in_force(book: Portfolio) -> np.ndarray:
    held = book.policies.filter((pl.col("start_date") <= X) & (pl.col("end_date").is_null() | (pl.col("end_date") > X)))
    return held["customer"].unique().sort().to_numpy()


def evidence(base: float, precision: float, population: int = 700) -> Evidence:
    bands = tuple(
        Band(lo, hi, n, (lo + min(hi, 0.4)) / 2, (lo + min(hi, 0.4)) / 2 + 0.01, lo, min(hi, 0.4) + 0.03)
        for lo, hi, n in ((0.0, 0.05, 300), (0.05, 0.075, 150), (0.075, 0.1, 120), (0.1, 0.2, 100), (0.2, 1.0, 30))
    )
    return Evidence(
        test_date=date(2024, 10, 31),
        train_dates=(date(2022, 12, 31), date(2023, 3, 31)),
        train_rows=5200,
        population=population,
        positives=base * population,
        base_rate=base,
        auc=0.741,
        auc_ci=(0.702, 0.779),
        lift_top_decile=precision / base,
        precision_top_decile=precision,
        brier_skill=0.04,
        calibration=Calibration(1.03, (0.94, 1.12), 0.97, (0.85, 1.1), bands),
    )


def models(book: Portfolio, seed: int = 2) -> ModelRun:
    rng = np.random.default_rng(seed)
    who = in_force(book)
    yearly = np.clip(rng.gamma(1.2, 0.075, who.size), 0.004, 0.8)
    scores = {"customer": who.astype(np.uint32)}
    for months in (1, 3, 6, 12):
        scores[f"churn_{months}m"] = (1 - (1 - yearly) ** (months / 12)).astype(np.float32)
    for cause, share in (("natural", 0.3), ("insurer", 0.05), ("preventable", 0.65)):
        scores[f"churn_{cause}_12m"] = (share * yearly).astype(np.float32)
    scores["cross_sell_any_12m"] = np.clip(rng.gamma(2, 0.05, who.size), 0, 0.9).astype(np.float32)
    frame = pl.DataFrame(scores).with_columns(
        policies_lost_12m=pl.when(pl.col("customer") % 2 == 0).then(pl.lit(float("nan"), dtype=pl.Float32)),
        lapse_auto_12m=pl.when(pl.col("customer") % 3 == 0).then(pl.lit(0.1, dtype=pl.Float32)),
    )
    purchase = pl.DataFrame(
        [
            (int(c), b, float(p))
            for b in BRANCHES
            for c, p in zip(who, rng.beta(1, 30, who.size), strict=True)
            if rng.random() < 0.6
        ],
        schema={"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64},
        orient="row",
    )
    curve = pl.DataFrame(
        {"years": [float(y) for y in range(21)], "share": [float(np.exp(-0.07 * y)) for y in range(21)]}
    )
    made = [
        Prediction(
            f"churn_{m}m",
            "fitted",
            "",
            m,
            who.size,
            evidence(0.09 * m / 12, 0.26 * m / 12),
            "pass",
            "strong",
            "boosting",
            (Candidate("rule", 0.31, 0.02, 0.01, won=False), Candidate("boosting", 0.29, 0.0, 0.0, won=True)),
        )
        for m in (1, 3, 6, 12)
    ]
    made.append(
        Prediction(
            "cross_sell_any_12m", "fitted", "", 12, who.size, evidence(0.1, 0.2), "provisional", "usable", "logistic"
        )
    )
    made.append(Prediction("lapse_auto_12m", "unavailable", "Te weinig royementen om van te leren."))
    top = who[np.argsort(-yearly)][:50]
    reasons = tuple(
        Contribution(int(c), "churn_12m", name, weight, 1.0)
        for c in top
        for name, weight in (("months_since_lapse_12m", 0.6), ("policies", 0.3), ("tenure_months", -0.2))
    )
    return ModelRun(
        X,
        frame,
        pl.DataFrame({"customer": who.astype(np.uint32)}),
        pl.DataFrame(),
        purchase,
        curve,
        tuple(made),
        reasons,
        (("churn_12m", "months_since_lapse_12m", 0.31), ("churn_12m", "policies", 0.2)),
        determinants=DETERMINANTS,
    )


def business_case(customers: float = 585.0, **parts: Any) -> BusinessCase:
    """Return a case that hangs together: 340 contacts that bring € 9,600 for € 4,200 and a price of € 600."""
    lines = (
        ("relation", 120_000, 400_000, 900_000),
        ("policy", 150_000, 350_000, 600_000),
        ("purchase", 0, 210_000, 430_000),
    )
    given: dict[str, Any] = dict(  # noqa: C408 - the keys are the fields
        cohort={
            "benefit": 960_000,
            "contacts": 420_000,
            "price": 60_000,
            "net": {"low": -280_000, "base": 480_000, "high": 1_670_000},
            "lines": [
                *({"key": key, "low": low, "base": base, "high": high, "mark": "assumed", "given": True}
                  for key, low, base, high in lines),
                {"key": "exploration", "low": -40_000, "base": -9_000, "high": 60_000, "mark": "assumed",
                 "given": True, "customers": 40, "hours": 10.0},
            ],
        },
        cash=[
            {"year": year, "benefit": 210_000 * year, "contacts": 420_000, "price": 60_000,
             "net": 210_000 * year - 480_000}
            for year in range(1, 6)
        ],
        running_year={"benefit": 1_100_000, "contacts": 420_000, "price": 60_000, "net": 620_000},
        payback_month=41,
        deepest=-610_000,
        options=[
            {"key": key, "years": 3, "net": {"low": low, "base": base, "high": high}}
            for key, low, base, high in (("once", -90_000, 98_000, 420_000), ("self", -900_000, 870_000, 4_600_000),
                                         ("service", -1_090_000, 1_190_000, 4_760_000))
        ],
        without_predictions={"net": 310_000, "difference": 230_000, "price": 60_000},
        plan={
            "contacts": [
                {"key": "mail", "pool": "automatic", "customers": 220, "minutes": 66, "benefit": 230_000,
                 "cost": 30_000},
                {"key": "call", "pool": "inside", "customers": 116, "minutes": 2400, "benefit": 640_000,
                 "cost": 330_000},
                {"key": "review", "pool": "adviser", "customers": 4, "minutes": 300, "benefit": 90_000,
                 "cost": 60_000},
            ],
            "hour_price": {"inside": 3_100, "adviser": 0},
            "gap": 0.004,
            "hours": {"inside": {"used": 41.0, "available": 41.0}, "adviser": {"used": 5.0, "available": 80.0}},
            "relations_kept_count": 6.2, "policies_kept_count": 11.4, "policies_sold_count": 3.1,
        },
        advice={
            "key": "pilot",
            "probability": 0.71,
            "turning": {"key": "contacts.call.effect_relation", "at": 0.15, "value": 0.04},
            "next": "pool",
            "trial": {"outcome": "euros", "per_arm": 400, "offices": 7, "customers": 58, "hours": 24.0, "months": 12},
            "information": {"value": 980_000, "cost": 410_000},
        },
        sensitivity={
            "band": {"draws": 1000, "above_zero": 0.71, "net": {"low": -190_000, "base": 450_000, "high": 1_300_000}},
            "tornado": [
                {"key": "contacts.call.effect_relation", "from": -0.05, "at": 0.15, "to": 0.3, "low": -180_000,
                 "high": 1_100_000},
                {"key": "cost.rate_office", "from": 45.0, "at": 55.0, "to": 70.0, "low": 540_000, "high": 390_000},
            ],
            "break_even": [
                {"key": "contacts.call.effect_relation", "at": 0.15, "value": 0.04},
                {"key": "cost.rate_office", "at": 55.0, "value": None},
            ],
        },
        claims=[
            {"key": "claim.low", "share": 0.1, "promised": 150_000, "relations": 70_000, "kept": 90_000,
             "needed": 1.67},
            {"key": "claim.high", "share": 0.36, "promised": 540_000, "relations": 252_000, "kept": 0,
             "needed": None},
        ],
        why_different=[
            {"key": key, "cents": cents}
            for key, cents in (("promised", 300_000), ("leaving", 750_000), ("unannounced", 700_000),
                               ("preventable", 420_000), ("reached", 300_000), ("effect", 90_000))
        ],
        rule_of_thumb={"retention": 300_000, "cross_sell": 3_600_000, "total": 3_900_000},
        multiple=None,
        facts={
            "customers_count": customers,
            "customers_callable_count": 500.0,
            "customers_planned_count": 340.0,
            "turnover": 10_000_000.0,
            "commission_lost_12m": 1_500_000.0,
            "policy_lapse_share": 0.1,
            "not_worded": 1.0,
        },
        curve=[-520_000, -580_000, -430_000, -70_000, 500_000],
        basis={},
    )  # fmt: skip
    return made(BusinessCase, given | parts)


def value(book: Portfolio, run: ModelRun, seed: int = 3) -> ValueRun:
    rng = np.random.default_rng(seed)
    who = run.scores["customer"].to_numpy()
    stake = rng.gamma(2, 400, who.size)
    gain = 0.2 * 0.65 * run.scores["churn_12m"].to_numpy() * stake - 25
    scores = pl.DataFrame(
        {
            "customer": who,
            "commission_12m": stake.astype(np.float32),
            "clv": (3 * stake).astype(np.float32),
            "value_at_stake": stake.astype(np.float32),
            "top_defend": gain.astype(np.float32),
            "next_best_policy": [BRANCHES[i % 6] for i in range(who.size)],
        }
    )
    order = np.argsort(-gain)[:60]
    adviser = book.customers["adviser"].to_numpy()
    defend = pl.DataFrame(
        {
            "customer": who[order],
            "rank": np.arange(1, order.size + 1),
            "churn_12m": run.scores["churn_12m"].to_numpy()[order].astype(float),
            "value_at_stake": stake[order],
            "expected_saving": gain[order],
            "adviser": adviser[who[order]],
            "kind": ["private"] * order.size,
            "branches": ["avp, auto"] * order.size,
            "relation": 0.7 * gain[order],
            "policy": 0.3 * gain[order],
            "best_contact": ["call" if i % 2 else "mail" for i in range(order.size)],
            "contact": [i % 3 == 0 for i in range(order.size)],
            "control": [i % 10 == 9 for i in range(order.size)],
        }
    )
    offers = pl.DataFrame(
        {
            "customer": who[:80],
            "rank": np.arange(1, 81),
            "branch": [BRANCHES[i % 6] for i in range(80)],
            "probability": np.linspace(0.4, 0.05, 80),
            "extra": [5.0] * 80,
        }
    )
    case = business_case(float(who.size))
    figures = {
        "next_best": [
            {
                "key": b,
                "customers": 300,
                "expected_policies": 10.0,
                "expected_commission": 80_000,
                "first_choice": 30,
                "ban": False,
            }
            for b in BRANCHES[:5]
        ],
        **WORTH,
    }
    derived = [
        Prediction(key, "derived", "Afgeleid.", None, who.size) for key in ("clv", "top_defend", "commission_12m")
    ]
    return ValueRun(
        scores,
        {"top_defend": defend, "next_best_policy": offers},
        {"top_defend": {"no_marketing": 12, "deceased": 2}, "next_best_policy": {}},
        case,
        tuple(derived),
        made(Figures, figures),
        actuarial=review(InForce(book, run, Settings())),
    )


def bundle(
    book: Portfolio, run: ModelRun | None, worth: ValueRun | None, settings: Settings | None = None
) -> RunBundle:
    settings = settings or Settings.model_validate({"client": {"name": "Kantoor De Vries & Zn. </style>"}})
    held = set(book.policies["branch"].unique())
    present = {key: branch for key, branch in settings.taxonomy().items() if key in held}
    english = {key: branch.name_en for key, branch in present.items()}
    catalogue = entries({key: branch.name_nl for key, branch in present.items()}, english=english)
    features = tuple(
        Feature(name, group, "months", "months")
        for name, group in (("months_since_lapse_12m", "lapses"), ("policies", "holdings"), ("tenure_months", "tenure"))
    )
    return RunBundle(book, settings, catalogue, features, run, worth, versions={"polars": "2.1.0"})


def unkeyed(page: str) -> str:
    """Return markup without the keys of its numbers: as it reads."""
    return re.sub(r'<span data-key="[^"]*">(.*?)</span>', r"\1", page)


def text_of(told: ReportModel) -> str:
    """Return the page of a report as it reads."""
    return unkeyed(render(told, Words()))


def with_figures(run: ValueRun, **parts: Any) -> ValueRun:
    """Return what the value room says with other figures."""
    return replace(run, figures=made(Figures, {**vars(run.figures), **parts}))


def changed(told: ReportModel, key: str, **values: object) -> ReportModel:
    """Return a report in which some facts of a chapter are others."""
    facts = made(type(told.facts[key]), {**told[key], **values})
    return replace(told, facts={**told.facts, key: facts})


def full() -> RunBundle:
    book = portfolio()
    run = models(book)
    return bundle(book, run, value(book, run))


def with_plan(run: RunBundle, every: int = 4) -> RunBundle:
    """The run with actions and offers as a plan leaves them: three customers in four, the best first."""
    assert run.value is not None
    assert run.models is not None
    who = run.models.scores["customer"].to_numpy()
    listed = np.array([customer for place, customer in enumerate(who) if place % every])
    number = np.arange(listed.size)
    action = np.array(["defend", "cross_sell", "care", "thank"])[number % 4]
    people = run.portfolio.customers.to_dict(as_series=False)
    todo = pl.DataFrame(
        {
            "customer": listed,
            "rank": number + 1,
            "action": action,
            "contact": np.array(["call", "review", "call", None, "mail", "inbound", "call", None])[number % 8],
            "branch": [BRANCHES[n % 6] if n % 3 else None for n in number],
            "expected_euros": 10.0,
            "kind": [people["kind"][customer] for customer in listed],
            "adviser": [people["adviser"][customer] for customer in listed],
            "office": [people["office"][customer] for customer in listed],
            "done_by": [people["adviser"][customer] if n % 2 else f"#{n % 3 + 1}" for n, customer in enumerate(listed)],
            "done_level": np.where(number % 2, "adviser", "inside"),
            "control": number % 10 == 9,
        }
    ).cast({"customer": pl.UInt32})
    best = run.models.branch_purchase.sort(["customer", "probability"], descending=[False, True]).with_columns(
        place=pl.int_range(1, pl.len() + 1).over("customer")
    )
    offers = best.filter(pl.col("place") <= 3).with_columns(
        commission_cents=pl.lit(8_700, dtype=pl.Int64), ban=pl.col("branch") == "reis"
    )
    need = pl.DataFrame(
        {"customer": who, **{f"need_{b}": np.where(who % 3 == n % 3, 0.7, 0.2) for n, b in enumerate(BRANCHES)}}
    )
    scores = run.models.scores.join(need.cast({"customer": pl.UInt32}), on="customer", maintain_order="left")
    value = replace(run.value, lists={**run.value.lists, "next_best_action": todo}, offers=offers)
    return replace(run, value=value, models=replace(run.models, scores=scores))


def stripped(book: Portfolio, *, ended: bool = True, reasons: bool = True, money: bool = True) -> Portfolio:
    """The portfolio as a poorer export would have given it."""
    policies = book.policies
    history = book.history
    if not ended:
        policies = policies.filter(pl.col("end_date").is_null())
        history = replace(history, recorded_from=None, months=0, reasons=False)
    if not reasons:
        cause = pl.when(pl.col("end_date").is_not_null()).then(pl.lit("unknown"))
        policies = policies.with_columns(reason=pl.lit(None, dtype=pl.String), cause=cause)
        history = replace(history, reasons=False)
    if not money:
        nothing = {name: pl.lit(None, dtype=pl.Int64) for name in ("premium_cents", "commission_cents")}
        policies = policies.with_columns(**nothing, commission_source=pl.lit(None, dtype=pl.String))
        history = replace(history, commission="none")
    return replace(book, policies=policies, history=history)


def silent(book: Portfolio) -> ModelRun:
    """What the models leave where there is nothing to learn from."""
    who = pl.DataFrame({"customer": in_force(book).astype(np.uint32)})
    nothing = pl.DataFrame(schema={"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64})
    curve = pl.DataFrame(schema={"years": pl.Float64, "share": pl.Float64})
    return ModelRun(
        X,
        who,
        pl.DataFrame(),
        nothing,
        nothing,
        curve,
        (Prediction("churn_12m", "unavailable", "Er zijn geen beëindigde polissen."),),
    )


def worthless(book: Portfolio) -> ValueRun:
    """What the value room leaves without commission or churn."""
    who = pl.DataFrame({"customer": in_force(book).astype(np.uint32)})
    return ValueRun(who, {}, {}, None, ())


def poor() -> dict[str, RunBundle]:
    """Runs on exports that lack something, by name."""
    book = portfolio(200, seed=5)
    tiny = portfolio(30, seed=6)
    alone = stripped(book, ended=False)
    single = replace(book, policies=book.policies.filter(pl.col("branch") == "auto"))
    cheap = stripped(book, money=False)
    unsure = replace(
        models(cheap), curve=pl.DataFrame({"years": [0.0, 1.0, 2.0, 3.0], "share": [1.0, 0.9, 0.8, float("nan")]})
    )
    young = replace(book, history=History(add_months(X, -8), 8, reasons=True, commission="given"))
    return {
        "no_ended": bundle(alone, silent(alone), worthless(alone)),
        "no_reasons": bundle(stripped(book, reasons=False), models(book), value(book, models(book))),
        "no_money": bundle(cheap, unsure, worthless(cheap)),
        "thirty": bundle(tiny, silent(tiny), worthless(tiny)),
        "one_branch": bundle(single, silent(single), worthless(single)),
        "short": bundle(young, silent(young), worthless(young)),
        "nothing_made": bundle(book, None, None),
    }


def written_run(bundle: RunBundle, folder: Path) -> Path:
    """Return the folder of a run as commands find it: its report, its manifest and its customers."""
    folder.mkdir()
    write_report(folder, bundle)
    (folder / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    people = bundle.portfolio.customers.select(customer="pseudonym", relation="relation")
    (folder / "private" / "customers.csv").write_text(people.write_csv())
    return folder
