"""A finished run as something to score with: its models, its settings, and its customers by
pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError, RefusedError
from akb.rerun import past_of, settings_of, things_kept

if TYPE_CHECKING:
    from pathlib import Path

    from akb.config import Settings
    from akb.features.types import TaughtBranches
    from akb.ingest.types import Portfolio
    from akb.models.reference import FitReference
    from akb.models.rescoring import StoredModels
    from akb.models.types import ModelRun
    from akb.value.types import Past

_AGAIN = "Run akb eda again: that fits the models anew."
_STATED_BEFORE = ("AKB-T001", "AKB-T002", "AKB-T003")
"""Findings on what features may see: as they were when the models were fitted."""


@dataclass(frozen=True)
class StoredRun:
    """A run whose models can score.

    fitted
        The as-of date that its models were fitted on.
    last_day
        Its own as-of date.
    portfolio
        What it kept of its export: no relation numbers, no texts that few share.
    """

    folder: Path
    manifest: dict[str, Any]
    settings: Settings
    portfolio: Portfolio
    topics: tuple[str, ...] | None
    models: StoredModels
    reference: FitReference
    past: ModelRun | None

    @property
    def name(self) -> str:
        """The name of the run, R-…."""
        return str(self.manifest.get("run", ""))

    @property
    def fitted(self) -> date:
        """The as-of date that its models were fitted on."""
        scored = self.manifest.get("scored")
        return date.fromisoformat(scored["fitted"]) if scored else self.portfolio.as_of

    @property
    def last_day(self) -> date:
        """Its own as-of date."""
        return self.portfolio.as_of

    def customers(self) -> pl.DataFrame:
        """Return customer and pseudonym of who was in force on its day."""
        return self.models.run.scores.select("customer").join(
            self.portfolio.customers.select("customer", "pseudonym"), on="customer", how="left"
        )

    def taught_branches(self) -> TaughtBranches:
        """Return the branches that the models were taught rows of."""
        from akb.features.types import TaughtBranches

        run = self.models.run
        return TaughtBranches(
            frozenset(run.branch_lapse["branch"].unique()),
            frozenset(run.branch_purchase["branch"].unique()),
        )

    def read_as_then(self, portfolio: Portfolio) -> Portfolio:
        """Return a later portfolio in which features see what they saw when the models were
        fitted.
        """
        stated = [each for each in self.portfolio.findings if each.code in _STATED_BEFORE]
        seen = self.reference.applied(portfolio)
        found = [each for each in seen.findings if each.code not in _STATED_BEFORE]
        return replace(seen, findings=tuple(_in_order(found + stated)))

    def renumbered(self, portfolio: Portfolio) -> StoredModels:
        """Return the models with what they said of customers in the past under today's numbers.

        A customer that today's export no longer holds is left out of what is counted again.
        """
        numbers = self.numbers_in(portfolio)
        run, backtest = self.models.run, self.models.run.backtest
        if backtest is not None:
            frames: dict[str, Any] = {
                name: _numbered(frame, numbers)
                for name, frame in vars(backtest).items()
                if isinstance(frame, pl.DataFrame)
            }
            backtest = replace(backtest, **frames)
        return replace(self.models, run=replace(run, backtest=backtest))

    def past_in(self, portfolio: Portfolio) -> Past | None:
        """Return what was said three years before the models were fitted, of whom today's export
        still holds; None where nothing was.
        """
        if self.past is None:
            return None
        numbers = self.numbers_in(portfolio)
        frames: dict[str, Any] = {
            name: _numbered(frame, numbers)
            for name, frame in vars(self.past).items()
            if isinstance(frame, pl.DataFrame) and "customer" in frame.columns
        }
        return past_of(portfolio, replace(self.past, **frames))

    def numbers_in(self, portfolio: Portfolio) -> pl.DataFrame:
        """Return ``customer`` of this run and ``now``, of today's export."""
        now = portfolio.customers.select("pseudonym", now="customer")
        return self.portfolio.customers.select("customer", "pseudonym").join(now, on="pseudonym")


def stored_run(folder: Path, key: bytes) -> StoredRun:
    """Return a finished run as something to score with.

    Raises
    ------
    AkbError
        If it is no run, or the key is another one.
    RefusedError
        If its models are not all there, have changed, or were made by another akb.
    """
    from akb.core.privacy.pseudonyms import client_key, key_id
    from akb.models.reference import read_reference
    from akb.models.rescoring import StoredModels
    from akb.store.folders import check_run
    from akb.store.manifest import manifest_of
    from akb.store.models import read_models

    check_run(folder)
    manifest = manifest_of(folder)
    settings = settings_of(manifest, {})
    if manifest.get("key_id") != key_id(client_key(key, settings.client.name)):
        raise AkbError(
            f"{folder} was made with another key, so its customers cannot be found again",
            "Give the key of that run with --key.",
        )
    files = {name: data for name, data in read_models(folder).items() if "/cards/" not in name}
    if not files:
        raise RefusedError(f"{folder} holds no models: its export could not teach any", _AGAIN)
    things = things_kept(folder)
    if things["models"] is None:
        raise RefusedError(f"{folder} holds no scores", _AGAIN)
    return StoredRun(
        folder,
        manifest,
        settings,
        things["portfolio"],
        things["topics"],
        StoredModels(files, things["models"]),
        read_reference(files),
        things["past"],
    )


def _numbered(frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(numbers.select("customer", "now"), on="customer", maintain_order="left")
    keys = [name for name in ("customer", "month", "branch") if name in frame.columns]
    return joined.with_columns(customer="now").select(frame.columns).sort(keys)


def _in_order(findings: list[Any]) -> list[Any]:
    from akb.core.findings import in_order

    return list(in_order(findings))
