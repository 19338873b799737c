"""The examples of docs/ecosystem.md, executed: dbt on a run, a kedro pipeline that makes one, a Quarto page about one.

    python -m benchmarks.ecosystem [--rivals DIR]

DIR holds a virtual environment per tool: ``dbt`` (dbt-core, dbt-duckdb), ``kedro`` (kedro and akb's wheel). A tool that
is not there is said so, and what the example does is done without it: its SQL by Polars, its nodes one after the other,
its cells as a script. Exit code 1 where an example fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
SILENT = {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
FILES = ("polissen.csv", "schades.csv", "contacten.csv")


def done(command: list[str], cwd: Path, **more: str) -> None:
    """Run a command; its last lines where it fails."""
    made = subprocess.run(
        command, cwd=cwd, env={**os.environ, **SILENT, **more}, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with {made.returncode}\n{(made.stdout + made.stderr)[-2000:]}")


def office(folder: Path, customers: int) -> Path:
    """Leave an export and a run of it in a folder; return the folder of the run."""
    akb = [sys.executable, "-m", "akb"]
    done([*akb, "sample", "sample_data", "--customers", str(customers), "--quiet"], folder, PYTHONPATH=str(ROOT))
    for name in FILES:
        shutil.copy(folder / "sample_data" / name, folder / name)
    done([*akb, "eda", *FILES, "--out", "out/eda", "--quiet"], folder, PYTHONPATH=str(ROOT))
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder / "out" / "eda"


def dbt(folder: Path, rivals: Path | None) -> str:
    tool = rivals / "dbt" / "bin" / "dbt" if rivals else None
    scores = pl.read_parquet(folder / "out" / "eda" / "scores.parquet")
    if tool is None or not tool.exists():
        text = (folder / "examples/dbt/models/risk.sql").read_text("utf-8")
        rows = pl.SQLContext(scores=scores).execute(
            re.sub(r"ntile.*?as clv_decile,", "", text.replace("{{ source('akb', 'scores') }}", "scores")), eager=True
        )
        assert rows.height == scores.height
        return "without dbt (not there): its SQL by Polars, but for the deciles"
    places = ["--project-dir", "examples/dbt", "--profiles-dir", "examples/dbt"]
    done([str(tool), "build", *places, "--vars", "{run: out/eda}"], folder)
    results = json.loads((folder / "examples/dbt/target/run_results.json").read_text("utf-8"))["results"]
    assert {each["status"] for each in results} <= {"success", "pass"}, results
    return f"by dbt: {len(results)} models and tests, all of them pass"


def kedro(folder: Path, rivals: Path | None) -> str:
    tool = rivals / "kedro" / "bin" / "python" if rivals else None
    command = ["examples/kedro/run.py", "sample_data", "out/kedro"]
    if tool is not None and tool.exists():
        done([str(tool), *command], folder)
        said = "by kedro"
    else:
        nodes = (folder / "examples/kedro/run.py").read_text("utf-8")
        own = re.sub(r"^from kedro.*\n", "", nodes, flags=re.MULTILINE)
        own = own[: own.index("def pipeline")] + (
            "names = {'policies': 'polissen', 'claims': 'schades', 'contacts': 'contacten'}\n"
            "frames = {role: pl.read_csv(f'sample_data/{name}.csv', separator=';', infer_schema=False)"
            " for role, name in names.items()}\n"
            "assert at_risk(predict(**frames, out='out/kedro')).height > 0\n"
        )
        (folder / "nodes.py").write_text(own, "utf-8")
        done([sys.executable, "nodes.py"], folder, PYTHONPATH=str(ROOT))
        said = "without kedro (not there): its two nodes one after the other"
    assert (folder / "out" / "kedro" / "report.html").is_file()
    return said


def quarto(folder: Path) -> str:
    tool = shutil.which("quarto")
    page = folder / "examples" / "quarto" / "office.qmd"
    if tool is not None:
        done([tool, "render", str(page), "--execute-dir", "."], folder, PYTHONPATH=str(ROOT))
        assert page.with_suffix(".html").is_file()
        return "by Quarto"
    cells = re.findall(r"^```\{python\}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (folder / "cells.py").write_text("\n".join(cells), "utf-8")
    done([sys.executable, "cells.py"], folder, PYTHONPATH=str(ROOT))
    return f"without Quarto (not there): its {len(cells)} cells as a script"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--customers", type=int, default=400)
    asked = parser.parse_args()
    rivals = asked.rivals.resolve() if asked.rivals else None
    with tempfile.TemporaryDirectory(prefix="akb-ecosystem-") as held:
        folder = Path(held)
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        office(folder, asked.customers)
        print(f"dbt: {dbt(folder, rivals)}")
        print(f"kedro: {kedro(folder, rivals)}")
        print(f"quarto: {quarto(folder)}")


if __name__ == "__main__":
    main()
