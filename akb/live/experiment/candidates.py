"""Who can be in an experiment: the customers on a run's list of contacts, those of its control
group included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from akb.live.evaluation.stored_run import PastRun

LIST = "next_best_action"
YES = ("ja", "yes")


def candidates(run: PastRun) -> pl.DataFrame:
    """Return who is on the list of contacts or would be without the draw.

    Returns
    -------
    customer str, rank i64, ``contact`` str (key of the ladder), adviser str?, office str?,
    ``withheld`` bool (in the run's own control group), and what was forecast of the 12 months after
    T: ``forecast_relations`` (preventable ends, else all), ``forecast_policies`` (lost),
    ``forecast_euros`` (commission lost with the relation). In the order of the list.

    Raises
    ------
    AkbError
        If the run shows relation numbers, or has no such list.
    """
    if run.customer != "pseudonym":
        raise AkbError(
            f"{run.folder} shows relation numbers; experiments are kept under pseudonyms",
            "Run akb eda without --no-pseudonyms.",
        )
    found = run.listed(LIST)
    if found.is_empty() or "contact" not in found.columns:
        raise AkbError(
            f"{run.folder} has no list of contacts, so there is nobody to draw",
            "Its report says what was missing.",
        )
    ladder = run.settings.ladder().items()
    labels = {contact.label_en: key for key, contact in ladder}  # a list is Dutch or English
    labels |= {contact.label: key for key, contact in ladder}
    chosen = found.select(
        "customer",
        pl.col("rank").cast(pl.Int64),
        pl.col("contact").replace_strict(labels, default=None, return_dtype=pl.String),
        *(
            pl.col(name) if name in found.columns else pl.lit(None, pl.String).alias(name)
            for name in ("adviser", "office")
        ),
        withheld=pl.col("control").is_in(YES),
    ).filter(pl.col("contact").is_not_null())
    return chosen.join(_forecasts(run), on="customer", how="left", maintain_order="left")


def _forecasts(run: PastRun) -> pl.DataFrame:
    scores = run.scores()

    def number(*names: str) -> pl.Expr:
        there = [pl.col(name).cast(pl.Float64) for name in names if name in scores.columns]
        return pl.coalesce(there) if there else pl.lit(None, pl.Float64)

    return scores.select(
        "customer",
        forecast_relations=number("churn_preventable_12m", "churn_12m"),
        forecast_policies=number("policies_lost_12m"),
        forecast_euros=number("churn_12m") * number("commission_12m"),
    )
