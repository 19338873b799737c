"""How the features lay when models were fitted, and what features were allowed to see then: a later
export is held against it, and read in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.features.types import Feature, Matrix
    from akb.ingest.types import OwnColumn, Portfolio

FILE = "models/reference.json"
BINS = 10
AT_ONCE = 32
"""Features whose values leave the matrix together: one by one takes four times as long."""
SCHEMA = "akb.reference/1"


@dataclass(frozen=True)
class FeatureSpread:
    """How one column lay over customers: `counts` per bin between `edges`, unknown last."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> FeatureSpread:
        """Return the spread over tenths of the values that are known; NaN is unknown."""
        known, inner = values[~np.isnan(values)], np.linspace(0, 1, BINS + 1)[1:-1]
        edges: list[float] = np.unique(np.quantile(known, inner)).tolist() if len(known) else []
        made = cls(tuple(edges), ())
        return replace(made, counts=tuple(made.counted(values).tolist()))

    def counted(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return how many of other values fall in each bin, unknown last."""
        unknown = np.isnan(values)
        place = np.searchsorted(np.array(self.edges), values[~unknown], side="left")
        counts = np.bincount(place, minlength=len(self.edges) + 1)
        return np.append(counts, int(unknown.sum())).astype(np.int64)


@dataclass(frozen=True)
class FitReference:
    """What was so when the models were fitted.

    hidden
        Columns that features were not allowed to see.
    own
        Per column without a role: key, form, why it was refused, and the hashes of its levels.
    branches
        Of the policies in force at X.
    groups, spreads
        Per feature its group and how it lay at X.
    """

    hidden: tuple[str, ...]
    own: tuple[Mapping[str, Any], ...]
    branches: tuple[str, ...]
    groups: Mapping[str, str]
    spreads: Mapping[str, FeatureSpread]

    def applied(self, portfolio: Portfolio) -> Portfolio:
        """Return a later portfolio in which features may see what they saw then, and codes mean
        what they meant then.
        """
        known = {str(each["key"]): each for each in self.own}
        own: list[OwnColumn] = []
        values = portfolio.own_values
        for column in portfolio.own:
            then = known.get(column.key)
            if then is None or then["form"] != column.form:
                own.append(replace(column, refused=column.refused or "without"))
                continue
            own.append(replace(column, refused=then["refused"]))
            if values is not None and column.form == "category" and column.key in values.columns:
                values = values.with_columns(_as_then(values[column.key], column, then["levels"]))
        return replace(portfolio, hidden=self.hidden, own=tuple(own), own_values=values)


def files(matrix: Matrix, portfolio: Portfolio) -> dict[str, bytes]:
    """Return the reference of a run that fits, as text."""
    held = portfolio.policies.filter(
        (pl.col("start_date") <= portfolio.as_of)
        & (pl.col("end_date").is_null() | (pl.col("end_date") > portfolio.as_of))
    )
    own = [
        {
            "key": each.key,
            "form": each.form,
            "refused": each.refused,
            "levels": [_hash(level) for level in each.levels],
        }
        for each in portfolio.own
    ]
    document = {
        "schema": SCHEMA,
        "as_of": portfolio.as_of.isoformat(),
        "hidden": list(portfolio.hidden or ()),
        "own": own,
        "branches": sorted(held["branch"].unique().to_list()),
        "features": {
            feature.name: {"group": feature.group, **vars(FeatureSpread.of(_numbers(values)))}
            for feature, values in _some_at_a_time(matrix, portfolio.as_of)
        },
    }
    return {FILE: (json.dumps(document, indent=None) + "\n").encode()}


def read_reference(stored: Mapping[str, bytes]) -> FitReference:
    """Return the reference among the files of a run.

    Raises
    ------
    RefusedError
        If there is none, or of another schema.
    """
    document = json.loads(stored[FILE]) if FILE in stored else {}
    if document.get("schema") != SCHEMA:
        raise RefusedError(
            "the run keeps nothing that a later export can be held against",
            "Run akb eda again: that fits the models anew.",
        )
    features = document["features"]
    return FitReference(
        tuple(document["hidden"]),
        tuple(document["own"]),
        tuple(document["branches"]),
        {name: each["group"] for name, each in features.items()},
        {
            name: FeatureSpread(tuple(each["edges"]), tuple(each["counts"]))
            for name, each in features.items()
        },
    )


def _some_at_a_time(matrix: Matrix, day: date) -> Iterator[tuple[Feature, pl.Series]]:
    """Every feature with its values on a day; of a large portfolio all at once are gigabytes."""
    for begin in range(0, len(matrix.features), AT_ONCE):
        some = matrix.features[begin : begin + AT_ONCE]
        frame = matrix.on(day, [feature.name for feature in some])
        for feature in some:
            yield feature, frame[feature.name]


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _hash(level: str) -> str:
    return blake2b(level.encode(), digest_size=8, person=b"akb level").hexdigest()


def _as_then(codes: pl.Series, column: OwnColumn, levels: Sequence[str]) -> pl.Series:
    """Codes of today's levels as the codes that the same texts had; a new text is unknown."""
    then = {name: place for place, name in enumerate(levels)}
    meant = {place: then.get(_hash(level)) for place, level in enumerate(column.levels)}
    return codes.replace_strict(meant, default=None, return_dtype=codes.dtype).alias(column.key)
