"""The story of ``akb evaluate``: a finished run beside a later export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError
from akb.live.evaluation.ageing import decay
from akb.live.evaluation.contacted import effect_of_contact
from akb.live.evaluation.groups import by_group
from akb.live.evaluation.happened import follow
from akb.live.evaluation.judge import judged
from akb.live.evaluation.listed import lines
from akb.live.evaluation.stored_run import check_key

if TYPE_CHECKING:
    import polars as pl

    from akb.live.evaluation.stored_run import PastRun
    from akb.pipeline import Progress, Request

SCHEMA = "akb.evaluation/1"


def evaluate(
    run: PastRun, request: Request, progress: Progress, *, arms: pl.DataFrame | None = None
) -> dict[str, Any]:
    """Return what became of a run's predictions, lists and contacts.

    Parameters
    ----------
    arms
        Of experiments that ran on the run's day, see `effect_of_contact`.

    Raises
    ------
    AkbError
        If the export is not of a later day, or knows nobody of the run.
    RefusedError
        If the export would have other pseudonyms.
    """
    from akb.core.privacy.pseudonyms import key_id
    from akb.pipeline import read

    check_key(run, key_id(request.pseudonym_key))
    with progress.stage("reading and checking the export"):
        portfolio = read(request)
    as_of = portfolio.as_of
    if as_of <= run.as_of:
        raise AkbError(
            f"the export looks from {as_of.isoformat()}, which is not after the run's "
            f"{run.as_of.isoformat()}",
            "Give a later export.",
        )
    with progress.stage("following everybody who was scored"):
        followed = follow(run, portfolio, request.settings)
        if followed.scores.is_empty():
            raise AkbError(
                f"the export knows no customer of {run.folder}",
                "Give an export of the same office, with every policy of the last years.",
            )
    summary = _summary(run)
    promised = {row["key"]: row for row in summary.get("predictions", [])}
    limit = run.settings.report.suppress_below
    with progress.stage("comparing predicted and happened"):
        taxonomy = request.settings.with_branches(portfolio.own_branches).taxonomy().items()
        branches = {branch.name_en: key for key, branch in taxonomy}  # a list is Dutch or English
        branches |= {branch.name_nl: key for key, branch in taxonomy}
        predictions = [_shown(row, limit) for row in judged(followed, promised, as_of)]
        closed = any(row["status"] == "judged" and row["months"] == 12 for row in predictions)
        listed = lines(run, followed, portfolio, branches) if closed else []
        return {
            "schema": SCHEMA,
            "run": run.name,
            "run_as_of": run.as_of.isoformat(),
            "as_of": as_of.isoformat(),
            "customers": followed.scores.height,
            "missing": followed.missing,
            "predictions": predictions,
            "lines": [_shown(row, limit) for row in listed],
            "contact": effect_of_contact(run, portfolio, request.settings, as_of, arms),
            "decay": [_shown(row, limit) for row in decay(followed, as_of)],
            "groups": by_group(run, followed, portfolio, as_of),
            "alarms": [
                {"key": row["key"], "level": row.get("alarm"), "order": row.get("order_alarm")}
                for row in [*predictions, *listed]
                if row.get("alarm") or row.get("order_alarm")
            ],
        }


def _shown(row: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return a row in which a count of events that tells of persons is None, with what follows from
    it.
    """
    if not 0 < row.get("observed", 0) < limit:
        return {
            **row,
            **({"hits": [_hit(each, limit) for each in row["hits"]]} if "hits" in row else {}),
        }
    hidden = ("observed", "observed_expected", "interval", "observed_euros", "auc", "auc_interval")
    more: dict[str, Any] = {
        "deciles": [],
        "hits": [],
        "lift": None,
        "slope": None,
        "slope_interval": None,
    }
    return {
        **row,
        **{name: None for name in hidden if name in row},
        **{name: value for name, value in more.items() if name in row},
    }


def _hit(row: dict[str, Any], limit: int) -> dict[str, Any]:
    return {**row, "observed": None, "rate": None} if 0 < row["observed"] < limit else row


def _summary(run: PastRun) -> dict[str, Any]:
    try:
        document = json.loads((run.folder / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
