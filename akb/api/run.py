"""A finished run as frames and figures."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import polars as pl

_EVIDENCE = (
    "key", "name", "name_en", "status", "why", "grade", "gate", "winner", "pooled_weight",
    "horizon_months", "tested_months", "test_date", "population", "positives", "base_rate",
    "auc", "average_precision", "auc_due", "lift_top_decile", "precision_top_decile",
    "brier_skill", "deviance_skill", "gini",
)  # fmt: skip
_BOUNDED = {
    "auc_ci": "auc",
    "average_precision_ci": "average_precision",
    "auc_due_ci": "auc_due",
    "precision_ci": "precision_top_decile",
}
"""Interval -> the figure that it is of."""
_TEXTS = frozenset({"key", "name", "name_en", "status", "why", "grade", "gate", "winner"})


class Run:
    """A finished run: what its folder holds, read when it is asked for.

    Parameters
    ----------
    folder
        The folder of the run.

    Raises
    ------
    AkbError
        If it is no run, or one of another akb.
    """

    def __init__(self, folder: Path) -> None:
        from akb.commands.case import read_summary

        self.folder = Path(folder)
        self._summary = read_summary(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, as_of={self._summary['as_of']})"

    @property
    def summary(self) -> dict[str, Any]:
        """Every figure of the report: ``summary.json``."""
        return self._summary

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What went in, with which versions and settings: ``manifest.json``."""
        document: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        return document

    @property
    def as_of(self) -> date:
        """The day from which the run looks."""
        from datetime import date

        return date.fromisoformat(self._summary["as_of"])

    @cached_property
    def scores(self) -> pl.DataFrame:
        """A row per customer in force, a column per prediction."""
        return self._parquet("scores.parquet")

    @cached_property
    def winback(self) -> pl.DataFrame:
        """The same for former customers."""
        return self._parquet("winback.parquet")

    @property
    def findings(self) -> pl.DataFrame:
        """A row per finding: code, severity, count, share, sentence, remedy."""
        from akb.api.frames import findings_frame

        return findings_frame(self._summary["findings"])

    @cached_property
    def evidence(self) -> pl.DataFrame:
        """A row per prediction: what it showed on later data.

        Bounds of an interval stand in ``<figure>_low`` and ``<figure>_high``; the calibration in
        ``observed_expected`` with its bounds, and ``slope``. Null where there is nothing to say."""
        import polars as pl

        rows = [_evidence_row(row) for row in self._summary["predictions"]]
        numbers = {"horizon_months": pl.Int64, "tested_months": pl.Int64, "positives": pl.Int64}
        schema = {
            name: pl.String if name in _TEXTS else numbers.get(name, pl.Float64) for name in rows[0]
        }
        schema |= {"test_date": pl.String, "population": pl.Int64}
        frame = pl.DataFrame(rows, schema=schema, strict=False)
        return frame.with_columns(pl.col("test_date").str.to_date(strict=False))

    def list(self, name: str) -> pl.DataFrame:
        """Return a list of ``actions/``, such as ``top_defend``; all columns as text, as in the
        file.

        Raises
        ------
        AkbError
            If there is no such list.
        """
        import polars as pl

        from akb.core.errors import did_you_mean

        path = self.folder / "actions" / f"{name}.csv"
        known = sorted(each.stem for each in (self.folder / "actions").glob("*.csv"))
        if name not in known:
            raise AkbError(
                f"there is no list '{name}'{did_you_mean(name, known)}", f"Lists: {known}."
            )
        return pl.read_csv(path, separator=";", infer_schema=False)

    def matrix(
        self, as_of: date | None = None, *, groups: Collection[str] | None = None
    ) -> pl.DataFrame:
        """Return the values of the features: a row per customer in force, ordered as `scores`.

        Worked out from what the run kept. It keeps no values of columns without a role: their
        features are left out, with a warning that names them. Where a customer's insurers tie, one
        whose name few customers share may come in another order than it did in the run.

        Parameters
        ----------
        as_of
            As known on this day; None for the run's own.
        groups
            Only these feature groups, for instance ``["holdings", "claims"]`` (docs/features.md);
            None for all.

        Raises
        ------
        AkbError
            If nobody was in force then, the day is after the run's, or there is no such group.
        RefusedError
            If the run kept nothing that this akb can read.
        """
        from akb.rerun import matrix_again

        frame, left_out = matrix_again(self.folder, as_of or self.as_of, groups)
        if left_out:
            warnings.warn(
                f"a run keeps no values for these features: {', '.join(left_out)}", stacklevel=2
            )
        return frame

    def _parquet(self, name: str) -> pl.DataFrame:
        import polars as pl

        try:
            return pl.read_parquet(self.folder / name)
        except (OSError, pl.exceptions.PolarsError):
            raise AkbError(f"{self.folder / name} cannot be read", "Run akb eda again.") from None


def _evidence_row(row: dict[str, Any]) -> dict[str, Any]:
    made = {name: row.get(name) for name in _EVIDENCE}
    for interval, figure in _BOUNDED.items():
        low, high = row.get(interval) or (None, None)
        made |= {f"{figure}_low": low, f"{figure}_high": high}
    calibration = row.get("calibration") or {}
    low, high = calibration.get("ci") or (None, None)
    made |= {
        "observed_expected": calibration.get("observed_expected"),
        "observed_expected_low": low,
        "observed_expected_high": high,
        "slope": calibration.get("slope"),
    }
    return made
