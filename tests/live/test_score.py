"""``akb score``: the same scores as when the models were fitted, later exports, and when it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from akb.cli import run
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.features import SingleCustomers, build_matrix, build_targets
from akb.live.scoring.corrections import Corrections, corrected
from akb.live.scoring.drift import ColumnDrift, LevelSoFar, column_drift, reasons_to_refuse, score_drift
from akb.live.scoring.inbound import InboundScorer
from akb.report.dictionary import SCORED, dictionary
from akb.report.schemas import schemas
from tests.json_schemas import complaints

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")
OF_SCORE = {"manifest.json", "scored.json", "actions/since_last.csv"}


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rescore(files: list[str], source: Path, out: Path, key: Path, *options: str) -> int:
    return run(["score", *files, "--from", str(source), "--out", str(out), "--key", str(key), "--quiet", *options])


def test_on_the_export_of_the_models_the_whole_run_is_the_same_to_the_byte(fitted: Path, rescored: Path) -> None:
    before, after = hashes(fitted), hashes(rescored)
    assert before.keys() <= after.keys() and after.keys() - before.keys() == OF_SCORE - {"manifest.json"}
    assert {name for name in before if before[name] != after[name]} == {"manifest.json"}
    scores = pl.read_parquet(rescored / "scores.parquet")
    assert scores.height > 500 and scores["churn_12m"].null_count() == 0
    told = json.loads((rescored / "scored.json").read_text())
    assert told["changes"] == {"new": 0, "gone": 0, "contacted": 0} and told["refused"] == []


def test_a_scored_run_scores_again_and_its_models_keep_their_age(
    export: Path, key: Path, rescored: Path, tmp_path: Path
) -> None:
    files = [str(export / name) for name in NAMES]
    assert rescore(files, rescored, tmp_path / "again", key) == 0
    assert hashes(tmp_path / "again")["scores.parquet"] == hashes(rescored)["scores.parquet"]
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["scored"]["fitted"] == "2025-12-31"


@pytest.fixture(scope="module")
def month_later(
    export: Path, key: Path, fitted: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, set[str], set[str]]:
    """Thirty days on: some relations are no longer in the export, and some are new."""
    from akb.core.privacy.pseudonyms import pseudonym

    folder = tmp_path_factory.mktemp("later")
    frames = {name: pl.read_csv(export / name, separator=";", infer_schema=False) for name in NAMES}
    relation = frames["polissen.csv"].columns[0]
    running = pl.read_parquet(fitted / "scores.parquet")["customer"].to_list()
    secret = load_or_create_key(key)
    numbers = frames["polissen.csv"][relation].unique(maintain_order=True).to_list()
    there = {pseudonym(number, secret): number for number in numbers}
    assert set(running) <= set(there)
    away = running[3:40:4]
    # an end that was announced before the day would leave the copy out of what is in force
    staying = frames["polissen.csv"].filter(pl.col("Einddatum").fill_null("") == "")[relation].unique()
    copied = [name for name in running[50:] if there[name] in staying][:6]
    assert len(copied) == 6
    gone = [there[name] for name in away]
    for name, frame in frames.items():
        key_column = relation if relation in frame.columns else frame.columns[0]
        kept = frame.filter(~pl.col(key_column).is_in(gone))
        if name == "polissen.csv":
            own = frame.filter(pl.col(key_column).is_in([there[each] for each in copied]))
            number = frame.columns[1]
            fresh = own.with_columns(pl.col(key_column) + "9", pl.col(number) + "9")
            kept = pl.concat([kept, fresh])
        kept.write_csv(folder / name, separator=";", line_terminator="\r\n")
    new = {pseudonym(there[name] + "9", secret) for name in copied}
    return folder, new, set(away)


def test_a_later_export_is_scored_with_who_is_new_and_gone(
    month_later: tuple[Path, set[str], set[str]], fitted: Path, key: Path, tmp_path: Path
) -> None:
    folder, new, away = month_later
    files = [str(folder / name) for name in NAMES]
    before = hashes(fitted)
    assert rescore(files, fitted, tmp_path / "out", key, "--as-of", "2026-01-30") == 0
    assert hashes(fitted) == before
    rows = [
        line.split(";")
        for line in (tmp_path / "out" / "actions" / "since_last.csv").read_text("utf-8-sig").splitlines()[1:]
    ]
    told = {kind: {row[0] for row in rows if row[1] == kind} for kind in ("nieuw", "weg")}
    assert new <= told["nieuw"] and away <= told["weg"]
    scores = pl.read_parquet(tmp_path / "out" / "scores.parquet")
    assert new <= set(scores["customer"]) and not away & set(scores["customer"])
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["as_of"] == "2026-01-30"
    document = json.loads((tmp_path / "out" / "scored.json").read_text())
    assert document["fitted"] == "2025-12-31" and document["level"] is None  # no month is closed yet


def test_new_and_gone_are_told_since_the_run_of_the_week_before(
    month_later: tuple[Path, set[str], set[str]], fitted: Path, key: Path, tmp_path: Path
) -> None:
    from akb.live.scoring.changes import changes, previous_run
    from akb.live.scoring.stored import stored_run

    run_ = stored_run(fitted, load_or_create_key(key))
    names = pl.read_parquet(fitted / "scores.parquet")["customer"].to_list()
    weeks = []
    for day, known in (("2026-01-05", names[1:]), ("2026-01-12", names[2:]), ("2026-01-19", names[3:])):
        folder = tmp_path / day
        folder.mkdir()
        manifest = {**run_.manifest, "as_of": day}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        pl.DataFrame({"customer": known}).write_parquet(folder / "scores.parquet")
        weeks.append(folder)
    before = previous_run(run_, weeks, date(2026, 1, 19))
    assert before.day == date(2026, 1, 12)  # not the run of the day itself
    found = changes(before, run_.portfolio, run_.models.run.scores, None)
    assert found.filter(what="new")["customer"].to_list() == sorted(names[:2])
    assert found.filter(what="gone").is_empty()
    assert previous_run(run_, [], date(2026, 1, 19)).day == run_.last_day


def test_a_dry_run_writes_nothing(export: Path, key: Path, fitted: Path, tmp_path: Path) -> None:
    files = [str(export / name) for name in NAMES]
    assert rescore(files, fitted, tmp_path / "out", key, "--dry-run") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_base_rate_that_moves_a_little_has_not_drifted() -> None:
    def scores(rate: float, spread: float = 0.0) -> pl.DataFrame:
        noise = np.random.default_rng(1).normal(0, spread, 400)
        return pl.DataFrame({"customer": range(400), "churn_12m": pl.Series(rate * np.exp(noise), dtype=pl.Float32)})

    assert score_drift(scores(0.08), scores(0.0815))[0].psi < 0.05
    assert score_drift(scores(0.08), scores(0.12))[0].low > 0.25
    narrow, narrower = scores(0.065, 0.04), scores(0.069, 0.015)  # an office of 300, two weeks later
    assert score_drift(narrow, narrower)[0].low < 0.25
    assert score_drift(scores(0.08, 0.8), scores(0.16, 0.8))[0].low > 0.25
    higher = scores(0.08).with_columns(churn_12m=1 - (1 - pl.col("churn_12m")) ** 1.6)
    assert score_drift(scores(0.08), higher)[0].low > 0.25
    assert score_drift(scores(0.08), higher, 1.6)[0].psi < 0.01  # what the watch has corrected is no other population


def test_it_refuses_what_the_models_do_not_fit(
    export: Path, key: Path, fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = str(export / "polissen.csv")
    assert rescore([policies], fitted, tmp_path / "out", key) == 3
    assert "lacks what the stored models were fitted on" in capsys.readouterr().err
    files = [str(export / name) for name in NAMES]
    assert rescore(files, fitted, tmp_path / "out", key, "--as-of", "2025-06-30") == 2
    assert "they have seen what came after it" in capsys.readouterr().err
    load_or_create_key(tmp_path / "other")
    assert rescore(files, fitted, tmp_path / "out", tmp_path / "other") == 2
    assert "another key" in capsys.readouterr().err
    assert rescore(files, fitted, fitted, key) == 2
    assert "is the run that is scored from" in capsys.readouterr().err
    broken = tmp_path / "broken"
    shutil.copytree(fitted, broken)
    (broken / "models" / "churn.level.json").write_text("{}")
    assert rescore(files, broken, tmp_path / "out", key) == 3
    older = tmp_path / "older"  # as a run of an akb that kept no reference
    shutil.copytree(fitted, older)
    (older / "models" / "reference.json").unlink()
    sealed = json.loads((older / "models" / "manifest.json").read_text())
    del sealed["files"]["models/reference.json"]
    (older / "models" / "manifest.json").write_text(json.dumps(sealed))
    capsys.readouterr()
    assert rescore(files, older, tmp_path / "out", key) == 3
    assert "Run akb eda again" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_index_of_two_draws_of_one_book_is_about_nothing_and_of_two_books_is_told() -> None:
    rng = np.random.default_rng(5)
    low = []
    for _ in range(200):
        then, now = (rng.multinomial(n, [0.1] * 10) for n in (900, 1100))
        low.append(column_drift("x", "g", then, now, 0.90).low)
    assert np.mean(np.array(low) > 0) < 0.08
    moved = column_drift("x", "g", np.array([100] * 10), np.array([10] * 5 + [190] * 5), 0.90)
    assert moved.low > 0.25 and moved.low < moved.psi < moved.high
    few = column_drift("x", "g", np.array([2, 2, 2]), np.array([1, 2, 3]), 0.90)
    assert few.low == 0.0


def test_why_it_refuses() -> None:
    calm = [ColumnDrift(f"f{n}", "tenure", 0.02, 0.0, 0.05) for n in range(20)]
    wild = [ColumnDrift(f"w{n}", "tenure", 0.6, 0.4, 0.8) for n in range(3)]
    seasonal = [ColumnDrift(f"s{n}", "season", 5.0, 4.0, 6.0) for n in range(20)]
    shared = [ColumnDrift(f"adviser_rate{n}", "people", 5.0, 4.0, 6.0) for n in range(20)]
    due = [ColumnDrift(f"renewal_b{n}", "branches", 5.0, 4.0, 6.0) for n in range(20)]
    assert reasons_to_refuse([*calm, *seasonal, *shared, *due], [], 0.0, None) == []
    assert "3 of the 23 columns" in reasons_to_refuse([*calm, *wild], [], 0.0, None)[0]
    assert "churn_12m" in reasons_to_refuse(calm, [ColumnDrift("churn_12m", "score", 0.5, 0.3, 0.7)], 0.0, None)[0]
    assert reasons_to_refuse(calm, [ColumnDrift("clv", "score", 0.5, 0.3, 0.7)], 0.0, None) == []
    assert "6%" in reasons_to_refuse(calm, [], 0.06, None)[0]
    day = date(2026, 1, 1).isoformat()
    level = LevelSoFar(day, day, 80.0, 140, 1.75, 1.52, 2.0, 0)
    assert "140 customers have left where 80" in reasons_to_refuse(calm, [], 0.0, level)[0]
    assert reasons_to_refuse(calm, [], 0.0, LevelSoFar(day, day, 20.0, 40, 2.0, 1.6, 2.6, 0)) == []


@pytest.fixture(scope="module")
def scorer(fitted: Path, key: Path) -> InboundScorer:
    return InboundScorer(fitted, load_or_create_key(key))


def test_without_corrections_the_answer_is_the_runs_own(scorer: InboundScorer, fitted: Path) -> None:
    scores = pl.read_parquet(fitted / "scores.parquet")
    for row in scores.head(20).to_dicts():
        answer = scorer.ask(row["customer"])
        assert answer.changed == {}
        assert answer.chances["churn_12m"] == pytest.approx(row["churn_12m"], abs=0)
        assert answer.policies == tuple(sorted(answer.policies, key=lambda each: -each["chance"]))


def test_what_is_heard_moves_the_chances_and_takes_the_branch_off_the_offers(
    scorer: InboundScorer, fitted: Path
) -> None:
    names = pl.read_parquet(fitted / "scores.parquet")["customer"].head(40).to_list()
    offered = next(name for name in names if scorer.ask(name).policies)
    branch = scorer.ask(offered).policies[0]["branch"]
    answer = scorer.ask(offered, adds=[branch])
    assert branch not in {each["branch"] for each in answer.policies}
    assert answer.changed[f"buy_{branch}"]["now"] is None
    assert answer.changed[f"lapse_{branch}"]["was"] is None
    claimed = (scorer.ask(name, adds=["claim:auto"]) for name in names)
    assert any(each.changed for each in claimed)
    older = [scorer.ask(name, sets=["age=82"]) for name in names[:20]]
    assert sum(bool(each.changed) for each in older) > 5
    assert all(0 <= chance <= 1 for each in older for chance in each.chances.values())


def test_an_answer_is_in_the_language_of_the_run(scorer: InboundScorer, fitted: Path) -> None:
    answer = scorer.ask(pl.read_parquet(fitted / "scores.parquet")["customer"][0])
    assert answer.language == "nl" and any(line.startswith("Gaat weg binnen een jaar") for line in answer.lines())
    english = replace(answer, language="en").lines()
    assert any(line.startswith("Leaves within a year") and line.endswith("%") and "," not in line for line in english)


def test_a_correction_that_says_nothing_new_changes_nothing(scorer: InboundScorer, fitted: Path) -> None:
    """The same age again: so what is built anew for one customer is what the run had of him."""
    portfolio = scorer.run.portfolio
    born = dict(portfolio.customers.select("pseudonym", "birth_year").iter_rows())
    for name in pl.read_parquet(fitted / "scores.parquet")["customer"].head(15):
        if born[name] is not None:
            assert scorer.ask(name, sets=[f"birth_year={born[name]}"]).changed == {}


def test_the_rows_of_one_customer_are_those_that_he_has_among_all(scorer: InboundScorer) -> None:
    run, portfolio = scorer.run, scorer.run.read_as_then(scorer.run.portfolio)
    settings, taught = run.settings.with_branches(portfolio.own_branches), run.taught_branches()
    matrix = build_matrix(portfolio, [portfolio.as_of], settings)
    targets = build_targets(portfolio, matrix, settings, taught)
    singles = SingleCustomers(portfolio, settings, taught)
    for number in matrix.frame["customer"][::60]:
        rows = singles.rows_of(corrected(portfolio, number, Corrections({})), number)
        assert_frame_equal(rows.features, matrix.frame.filter(customer=number), check_exact=True)
        for single, every in ((rows.held, targets.held), (rows.eligible, targets.eligible)):
            assert_frame_equal(single.frame, every.frame.filter(customer=number), check_exact=True)


def test_what_is_heard_moves_what_rests_on_other_customers(scorer: InboundScorer) -> None:
    """A policy brings the rate of its branch with it, not only itself."""
    portfolio = scorer.run.portfolio
    settings, taught = scorer.run.settings, scorer.run.taught_branches()
    singles = SingleCustomers(portfolio, settings, taught)
    number = int(portfolio.policies.filter(pl.col("end_date").is_null())["customer"][0])
    before, after = (
        singles.rows_of(corrected(portfolio, number, heard), number).features
        for heard in (Corrections({}), Corrections({}, branches=("auto",)))
    )
    assert after["policies"][0] == before["policies"][0] + 1
    assert after["branch_lapse_sum"][0] > before["branch_lapse_sum"][0]


def test_the_command_answers_for_one_customer(
    fitted: Path, key: Path, scorer: InboundScorer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = pl.read_parquet(fitted / "scores.parquet")["customer"][0]
    ask = ["score", "--from", str(fitted), "--key", str(key), "--customer"]
    assert run([*ask, name, "--add", "claim:auto", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["customer"] == name and document["schema"] == "akb.inbound/1" and document["say"]
    monkeypatch.setattr("akb.live.scoring.inbound.InboundScorer", lambda *_: scorer)  # the run is read once
    for wrong, said in (
        (["K-0000000000000000"], "not in force"),
        ([name, "--set", "children=true"], "does not tell it"),
        ([name, "--set", "age=old"], "is no age"),
        ([name, "--add", "vliegtuig"], "no branch of this run"),
        ([name, "--add", "claim"], "names no branch"),
    ):
        assert run([*ask, *wrong]) == 2
        assert said in capsys.readouterr().err


def test_a_scored_run_is_as_its_schemas_say_and_is_no_rerun(
    rescored: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("summary", "manifest"):
        document = json.loads((rescored / f"{name}.json").read_text("utf-8"))
        assert complaints(document, schemas()[name])[:5] == [], name
    heads = (rescored / f"{SCORED}.csv").read_text("utf-8-sig").splitlines()[0].split(";")
    assert heads == [column.name for column in dictionary()[SCORED]]
    assert run(["rerun", str(rescored), "--key", str(key)]) == 3
    assert "was scored with the models of another run" in capsys.readouterr().err
