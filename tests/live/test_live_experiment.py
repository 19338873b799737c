"""``akb experiment``: registered once, assigned for good, looked at once; what was measured reaches the register."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from live_runs import Small, T

from akb.cli import run
from akb.config import load_settings
from akb.live.experiment.assignment import CONTROL, SCHEMA, TREATED
from akb.live.experiment.records import add_rows, alone, read_rows
from akb.live.experiment.sentences import sentences
from akb.live.experiment.sizes import Randomised, size
from akb.store.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def record_of(trial: Path) -> pl.DataFrame:
    return read_rows(trial / "assignments.csv", SCHEMA)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path, 60)


def test_sizes_are_those_of_the_sources_times_the_design_effect() -> None:
    golden = {"C_ab_9_36": (0.09, 0.36, 1018), "C_ab_9_10": (0.09, 0.10, 15149), "C_ab_27_36": (0.27, 0.36, 282)}
    for before, relative, told in golden.values():
        assert abs(size(before, relative, Randomised()) - told) <= 1
        clustered = size(before, relative, Randomised("adviser", 40, 0.05))
        assert clustered == pytest.approx(told * (1 + 39 * 0.05), rel=0.005)


def test_assigned_once_it_stays(small: Small, capsys: Any) -> None:
    trial = small.folder / "trial"
    week1, week2 = small.run(T, range(40)), small.run(date(2024, 2, 7), range(10, 60))
    command = ["experiment", "assign", str(week1), "--to", str(trial), "--enrol-until", "2024-02-29"]
    assert run([*command, "--dry-run"]) == 0
    assert not trial.exists()
    assert run(command) == 0
    first = (trial / "assignments.csv").read_bytes()
    assert run(command) == 0  # again: nothing changes
    assert (trial / "assignments.csv").read_bytes() == first
    capsys.readouterr()
    assert run(["experiment", "assign", str(week2), "--to", str(trial), "--json"]) == 0
    assert (trial / "assignments.csv").read_bytes().startswith(first)
    assert record_of(trial)["customer"].n_unique() == record_of(trial).height == 60
    told = json.loads(capsys.readouterr().out)
    assert told["new"]["treated"] + told["new"]["control"] == 20
    assert told["registration"]["stop"] == "2025-04-30"  # a year, G and the registration lag after the last joined
    assert run(["experiment", "assign", str(week1), "--to", str(trial)]) == 2  # an older run
    assert "before the last who joined" in capsys.readouterr().err
    assert (trial / "assignments.csv").stat().st_mode & 0o077 == 0
    head, *lines = (trial / "list-2024-02-07.csv").read_text("utf-8-sig").splitlines()
    assert head == "klant;rang;adviseur;kantoor;groep"
    arms = dict(record_of(trial).select("customer", "arm").iter_rows())
    words = {TREATED: "contact", CONTROL: "geen contact"}
    assert len(lines) == 50
    assert all(line.split(";")[-1] == words[arms[line.split(";")[0]]] for line in lines)


def test_what_was_said_beforehand_does_not_change(small: Small, capsys: Any) -> None:
    trial, folder = small.folder / "trial", small.run()
    assert run(["experiment", "assign", str(folder), "--to", str(trial)]) == 0
    before = (trial / "experiment.json").read_bytes()
    for option in (["--months", "6"], ["--outcome", "euros"], ["--control-share", "0.3"], ["--randomise", "adviser"]):
        assert run(["experiment", "assign", str(folder), "--to", str(trial), *option]) == 2
        assert "does not change" in capsys.readouterr().err
    assert run(["experiment", "assign", str(folder), "--to", str(trial), "--months", "12"]) == 0
    assert (trial / "experiment.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--contact", "cal"], "did you mean 'call'"),
        (["--contact", "review"], "nobody on the list"),
        (["--outcome", "relation"], "did you mean 'relations'"),
        (["--randomise", "advisr"], "did you mean 'adviser'"),
        (["--months", "0"], "from 1 to 36"),
        (["--control-share", "1"], "between 0 and 1"),
        (["--enrol-until", "2023-01-01"], "--enrol-until lies between"),
    ],
)
def test_impossible_wishes_are_a_sentence(small: Small, capsys: Any, options: list[str], words: str) -> None:
    trial = small.folder / "trial"
    assert run(["experiment", "assign", str(small.run()), "--to", str(trial), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (trial / "experiment.json").exists()


def test_another_key_is_refused(small: Small, tmp_path: Path, capsys: Any) -> None:
    other = Small(tmp_path / "other", 60)
    other.folder.mkdir()
    trial = small.folder / "trial"
    assert run(["experiment", "assign", str(small.run()), "--to", str(trial)]) == 0
    assert run(["experiment", "assign", str(other.run(date(2024, 2, 7))), "--to", str(trial)]) == 3
    assert "other pseudonyms" in capsys.readouterr().err
    export = str(small.export())
    assert run(["experiment", "analyse", str(trial), export, "--key", str(other.key)]) == 3


def test_the_whole_way_from_assignment_to_the_register(tmp_path: Path, capsys: Any) -> None:
    trial = tmp_path / "trial"
    planned = Small(tmp_path, 400)
    assert run(["experiment", "assign", str(planned.run()), "--to", str(trial)]) == 0
    record = record_of(trial)
    place = {planned.name(number): number for number in range(400)}
    rng = np.random.default_rng(4)
    chance = {TREATED: 0.05, CONTROL: 0.35}  # so far apart that no key's lot hides it
    leavers = tuple(place[who] for who, arm in record.select("customer", "arm").iter_rows()
                    if rng.random() < chance[arm])  # fmt: skip
    office = Small(tmp_path, 400, leavers, lapsed=tuple(range(0, 400, 9)))

    early = office.export(date(2025, 1, 31))
    assert run(["experiment", "analyse", str(trial), str(early), "--key", str(office.key)]) == 3
    assert "no outcome is looked at before" in capsys.readouterr().err
    assert not (trial / "analysis.json").exists()

    arguments = ["experiment", "analyse", str(trial), str(office.export()), "--key", str(office.key), "--quiet"]
    assert run(arguments) == 0
    assert "Contact verlaagt het aantal vertrekkende klanten" in capsys.readouterr().out
    told = json.loads((trial / "analysis.json").read_text())
    assert sum(row["followed"] for row in told["arms"]) == 400
    gone = {arm: np.mean([place[who] in leavers for who in record.filter(arm=arm)["customer"]]) for arm in chance}
    effect = told["effects"]["relations"]
    assert {row["arm"]: row["means"]["relations"] for row in told["arms"]} == pytest.approx(gone)
    assert effect["low"] < gone[TREATED] - gone[CONTROL] < effect["high"] < 0
    assert told["effects"]["apart"]["control"] > 0

    settings = load_settings(trial / "measured.toml")
    entry = settings.assumed()["contacts.call.effect_relation"]
    assert entry.source == "measured"
    assert "akb 2024" in entry.evidence
    shipped = load_settings().assumed()["contacts.call.effect_relation"]
    assert shipped.low <= entry.low < entry.value < entry.high <= shipped.high
    assert entry.value > shipped.value  # six of ten kept is more than the register expected
    assert entry.high - entry.low < shipped.high - shipped.low
    assert settings.ladder()["call"].relation.base == entry.value
    before = {path.name: path.read_bytes() for path in trial.iterdir()}
    assert run(arguments) == 0
    assert {path.name: path.read_bytes() for path in trial.iterdir()} == before  # the same answer again


def test_no_effect_is_said_to_be_none(tmp_path: Path, capsys: Any) -> None:
    trial, office = tmp_path / "trial", Small(tmp_path, 120, leavers=tuple(range(0, 120, 8)))
    assert run(["experiment", "assign", str(office.run()), "--to", str(trial), "--randomise", "adviser"]) == 0
    assert run(["experiment", "analyse", str(trial), str(office.export()), "--key", str(office.key), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "niet van nul te onderscheiden" in out
    assert "uplift-model" in out
    assert json.loads((trial / "analysis.json").read_text())["clusters"] == 7


def test_outcomes_count_what_a_contact_could_have_changed(tmp_path: Path) -> None:
    from akb.core.privacy.pseudonyms import load_or_create_key
    from akb.live.experiment.outcomes import outcomes
    from akb.pipeline import Request, read

    office = Small(tmp_path, 30, leavers=(1, 2), lapsed=(5,))
    key = load_or_create_key(office.key)
    portfolio = read(Request([office.export()], load_settings(), key))
    asked = pl.DataFrame({"customer": [office.name(each) for each in (1, 5, 9)] + ["K-NOBODY"], "joined": [T] * 4})
    found = outcomes(portfolio, asked, 12, load_settings())
    assert found["relations"].to_list() == [1, 0, 0, None]
    assert found["policies"].to_list() == [2, 1, 0, None]
    assert found["apart"].to_list() == [0, 1, 0, None]
    assert found["euros"].to_list() == [101, 50, 0, None]
    short = outcomes(portfolio, asked, 3, load_settings())
    assert short["relations"].to_list() == [0, 0, 0, None]
    late = asked.with_columns(joined=pl.lit(date(2024, 9, 30)))  # who had left by then is nobody to follow
    assert outcomes(portfolio, late, 3, load_settings())["relations"].to_list() == [None, 0, 0, None]


def test_lines_are_added_and_a_kill_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rows = tmp_path / "rows.csv", pl.DataFrame({"a": ["x", 'with "quotes", and commas'], "b": [1, 2]})
    schema = {"a": pl.String, "b": pl.Int64}
    add_rows(path, ["a", "b"], rows)
    first = path.read_bytes()
    add_rows(path, ["a", "b"], rows)
    assert path.read_bytes().startswith(first)
    assert read_rows(path, schema).equals(pl.concat([rows, rows]))
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"half")
    assert read_rows(path, schema).height == 4
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_a_kill_between_registration_and_record_is_made_good(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    trial, folder = small.folder / "trial", small.run()
    command = ["experiment", "assign", str(folder), "--to", str(trial)]
    with monkeypatch.context() as broken:
        broken.setattr("akb.live.experiment.kept.add_rows", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run(command) == 130
    registered = (trial / "experiment.json").read_bytes()
    assert run(command) == 0
    assert (trial / "experiment.json").read_bytes() == registered
    assert record_of(trial).height == 60


def test_one_command_at_a_time(tmp_path: Path) -> None:
    from akb.core.errors import AkbError

    with alone(tmp_path), pytest.raises(AkbError, match="another akb is at work"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the folder of a run"),
        (["--before", "0.09"], "both --before and --effect"),
        (["--before", "2", "--effect", "0.3"], "between 0 and 1"),
        (["--before", "0.09", "--effect", "0.3", "--icc", "0.1"], "only with --randomise adviser"),
        (["--before", "0.09", "--effect", "0.3", "--randomise", "adviser"], "needs --cluster-size"),
        (["nowhere"], "is not the folder of a finished akb run"),
    ],
)
def test_a_plan_that_asks_nothing_is_a_sentence(arguments: list[str], words: str, capsys: Any) -> None:
    assert run(["experiment", "plan", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_plan_without_a_run(capsys: Any) -> None:
    arguments = ["--before", "0.09", "--effect", "0.36", "--randomise", "adviser", "--cluster-size", "51"]
    assert run(["experiment", "plan", *arguments, "--icc", "0.02", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["per_arm"] == 2 * size(0.09, 0.36, Randomised())


def test_the_verdict_is_told_in_both_languages() -> None:
    row = {"difference": -0.0123, "low": -0.03, "high": 0.005}
    document = {"outcome": "relations", "direction": "none", "effects": {"relations": row}, "uplift": []}
    assert sentences(document) == [
        "Het effect op het aantal vertrekkende klanten is niet van nul te onderscheiden: verschil -1,23 procentpunt "
        "(interval van 95 %: -3,00 procentpunt tot 0,50 procentpunt)."
    ]
    assert sentences(document, "en") == [
        "The effect on the number of customers who leave cannot be told from zero: difference -1.23 percentage points "
        "(95 % interval: -3.00 percentage points to 0.50 percentage points)."
    ]
