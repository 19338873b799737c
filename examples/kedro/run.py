"""akb as nodes of a kedro pipeline: an export in the catalog, a run, the customers at risk.

python examples/kedro/run.py FOLDER OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner

import akb


def predict(
    policies: pl.DataFrame, claims: pl.DataFrame, contacts: pl.DataFrame, out: str
) -> akb.Run:
    """Do a whole run; the folder `out` is what ``akb eda`` would leave."""
    return akb.eda(policies=policies, claims=claims, contacts=contacts, out=out)


def at_risk(run: akb.Run) -> pl.DataFrame:
    """Return the tenth of the customers that is most likely to leave."""
    scores = run.scores.select("customer", "churn_12m", "clv")
    return scores.sort("churn_12m", descending=True).head(max(1, scores.height // 10))


def pipeline() -> Pipeline:
    """Return the two steps."""
    return Pipeline(
        [
            node(predict, ["policies", "claims", "contacts", "params:out"], "run", name="predict"),
            node(at_risk, "run", "at_risk", name="at_risk"),
        ]
    )


def main(folder: Path, out: Path) -> None:
    """Run the pipeline on an export."""
    names = {"policies": "polissen", "claims": "schades", "contacts": "contacten"}
    frames = {
        role: pl.read_csv(folder / f"{name}.csv", separator=";", infer_schema=False)
        for role, name in names.items()
    }
    catalog = {role: MemoryDataset(frame, copy_mode="assign") for role, frame in frames.items()}
    catalog["params:out"] = MemoryDataset(str(out))
    catalog["run"] = MemoryDataset(copy_mode="assign")
    catalog["at_risk"] = MemoryDataset(copy_mode="assign")
    SequentialRunner().run(pipeline(), DataCatalog(catalog))
    print(f"{catalog['at_risk'].load().height} customers at risk in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
