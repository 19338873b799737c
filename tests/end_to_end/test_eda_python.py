"""akb from Python: the examples of the docstrings run, and say to the byte what the command line says."""

from __future__ import annotations

import doctest
import json
import shutil
import sys
import warnings
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import akb
from akb.api import calls
from akb.api.frames import frame_of
from akb.cli import run
from akb.config import load_settings
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.features import build_matrix, without_hindsight
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from tests.end_to_end.test_eda_same_answer import digests
from tests.offices import Office


def frames(office: Office) -> dict[str, pl.DataFrame]:
    names = {"policies": "polissen", "claims": "schades", "contacts": "contacten"}
    return {
        role: pl.read_csv(office.folder / f"{name}.csv", separator=";", infer_schema=False)
        for role, name in names.items()
    }


class OnlyArrow:
    """What every library that speaks Arrow has in common."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


@pytest.fixture(scope="module")
def place(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python")
    for path in office.folder.glob("*.csv"):
        shutil.copy(path, folder)
    (folder / "config" / "akb").mkdir(parents=True)
    shutil.copy(office.key, folder / "config" / "akb" / "key")
    return folder


@pytest.mark.slow
def test_the_examples_run_and_leave_what_the_command_line_leaves(
    place: Path, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "akb.toml").touch()  # nothing of its own, as in the examples
    assert office.eda(tmp_path / "run", "--config", str(tmp_path / "akb.toml")) == 0
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    tried = doctest.testmod(calls)
    assert tried.attempted > 8
    assert tried.failed == 0
    assert digests(place / "run") == digests(tmp_path / "run")


def test_frames_are_read_as_the_same_files_in_parquet(
    compared_office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = frames(compared_office)
    for role, frame in held.items():
        frame.write_parquet(tmp_path / f"{role}.parquet")
    named = [f"{role}={tmp_path / role}.parquet" for role in held]
    assert run(["check", *named, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert akb.check(**held).document == said
    pandas = {role: pd.DataFrame(frame.to_dict(as_series=False)) for role, frame in held.items()}
    assert akb.check(**pandas).document == said
    assert akb.check(**{role: OnlyArrow(frame) for role, frame in held.items()}).document == said
    assert akb.check(**{role: frame.lazy() for role, frame in held.items()}).document == said


def test_a_frame_is_never_taken_for_a_file_beside_it(
    compared_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held = frames(compared_office)
    shutil.copy(compared_office.folder / "polissen.csv", "frame_1.parquet")
    assert akb.check(held["policies"], held["claims"]).rows["read"] > 0


def test_a_pandas_frame_keeps_what_its_columns_are() -> None:
    frame = frame_of(
        pd.DataFrame(
            {
                "whole": [1, 2, 3],
                "gaps": [1.0, None, 3.5],
                "text": ["a", None, "c"],
                "day": pd.to_datetime(["2024-01-31", None, "2025-02-28"]),
                "mixed": ["12", 7, None],
                "flag": [True, None, False],
                "kind": pd.Categorical(["x", "y", None]),
                "nullable": pd.array([1, None, 3], dtype="Int64"),
            }
        )
    )
    assert frame.to_dict(as_series=False) | {"day": None} == {
        "whole": [1, 2, 3],
        "gaps": [1.0, None, 3.5],
        "text": ["a", None, "c"],
        "day": None,
        "mixed": ["12", "7", None],
        "flag": [True, None, False],
        "kind": ["x", "y", None],
        "nullable": [1, None, 3],
    }
    assert frame["day"].dt.date().to_list() == [date(2024, 1, 31), None, date(2025, 2, 28)]


def test_the_matrix_is_what_the_models_saw(office: Office, finished: Path) -> None:
    loaded, settings = akb.load(finished), load_settings()
    portfolio = without_hindsight(
        read_portfolio(Sources([Path(name) for name in office.files], load_or_create_key(office.key)), settings),
        settings,
    )
    for day in (loaded.as_of, date(2024, 6, 30)):
        seen = build_matrix(portfolio, [day], settings).frame
        names = portfolio.customers.select("customer", shown="pseudonym")
        seen = seen.join(names, on="customer").with_columns(customer="shown").drop("shown").sort("customer")
        matrix = loaded.matrix(day)
        assert seen.select(matrix.columns).equals(matrix)
        assert [name for name in seen.columns if name not in matrix.columns] == []
    assert loaded.matrix()["customer"].to_list() == loaded.scores["customer"].to_list()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what is not asked is not missing
        some = loaded.matrix(groups=["holdings", "lapses"])
    assert {"policies", "past_lapses_12m"} <= set(some.columns)
    assert "months_to_next_renewal" not in some.columns
    assert some.equals(loaded.matrix().select(some.columns))


def test_a_run_tells_its_figures_as_frames(finished: Path) -> None:
    loaded = akb.load(str(finished))
    assert loaded.scores.equals(pl.read_parquet(finished / "scores.parquet"))
    assert loaded.summary == json.loads((finished / "summary.json").read_text("utf-8"))
    told = {row["key"]: row for row in loaded.summary["predictions"]}
    assert loaded.evidence["key"].to_list() == list(told)
    churn = loaded.evidence.row(by_predicate=pl.col("key") == "churn_12m", named=True)
    assert [churn["auc_low"], churn["auc_high"]] == told["churn_12m"]["auc_ci"]
    assert churn["observed_expected"] == told["churn_12m"]["calibration"]["observed_expected"]
    assert loaded.evidence["test_date"].dtype == pl.Date
    assert loaded.findings["code"].str.starts_with("AKB-").all()
    assert loaded.list("top_defend").height > 0


def test_what_cannot_be_is_said_in_a_sentence(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(akb.AkbError, match="not the folder of a finished akb run"):
        akb.load(tmp_path)
    with pytest.raises(akb.AkbError, match="no file to read"):
        akb.check()
    with pytest.raises(akb.AkbError, match="a dict is no path and no frame"):
        akb.check({"a": [1]})  # type: ignore[arg-type]
    with pytest.raises(akb.AkbError, match="as_of='soon'"):
        akb.check("x.csv", as_of="soon")
    with pytest.raises(akb.AkbError, match="unknown"):
        akb.check("x.csv", config={"ingest": {"colums": {}}})
    with pytest.raises(akb.AkbError, match="did you mean 'top_defend'"):
        akb.load(finished).list("top_defends")
    with pytest.raises(akb.AkbError, match="did you mean 'claims'"):
        akb.load(finished).matrix(groups=["claim"])
    with pytest.raises(akb.AkbError, match="is after"):
        akb.load(finished).matrix(date(2100, 1, 1))


def test_all_that_is_promised_is_there() -> None:
    assert all(hasattr(akb, name) for name in akb.__all__)
    assert set(akb.__all__) <= set(dir(akb))
    assert "akb.api" in sys.modules


def test_the_notebook_runs(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads((Path(__file__).parents[2] / "docs" / "python.ipynb").read_text("utf-8"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "eda").symlink_to(finished, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert isinstance(names["proven"], pl.DataFrame)
    numbers, labelled = names["numbers"], names["labelled"]
    assert isinstance(numbers, pl.DataFrame)
    assert isinstance(labelled, pl.DataFrame)
    assert numbers.height == 2
    assert 0 < labelled["left"].sum() < labelled.height
