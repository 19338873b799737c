"""The same portfolio in every dialect is the same Portfolio, to the row."""

from __future__ import annotations

import random
import re
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest
from ingest_exports import assert_reconciles, codes, read
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from akb.cli import app
from akb.core.errors import AkbError
from akb.sample import simulate, write_sample
from akb.sample.dialects import dialect_names, load_dialect, tables_of

if TYPE_CHECKING:
    from pathlib import Path

    from akb.ingest.types import Portfolio

X = date(2025, 12, 31)
TODAY = date(2026, 1, 20)
PAST = date(2024, 5, 31)
FRAMES = ("policies", "customers", "claims", "contacts")
OTHERS = [name for name in dialect_names() if name != "abc"]
MONEY = ["premium_cents", "commission_cents", "commission_source"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> dict[str, list[Path]]:
    book = simulate(350, seed=3)
    folder = tmp_path_factory.mktemp("dialects")
    return {name: write_sample(book, folder / name, truth=False, dialect=name) for name in dialect_names()}


@pytest.fixture(scope="module")
def plain(exports) -> Portfolio:
    return read(*exports["abc"], today=TODAY)


@pytest.fixture(scope="module")
def plain_then(exports) -> Portfolio:
    return read(*exports["abc"], as_of=PAST, today=TODAY)


def assert_same_tables(one: Portfolio, other: Portfolio, *, without: list[str] = []) -> None:  # noqa: B006
    for name in FRAMES:
        left, right = getattr(one, name), getattr(other, name)
        assert_frame_equal(left.drop(without, strict=False), right.drop(without, strict=False))


def test_the_portfolio_is_worth_comparing(plain):
    """Ends of every cause, announced ends, missing commission and all attributes are there to be lost."""
    policies = plain.policies
    assert set(policies["cause"].drop_nulls()) == {"natural", "insurer", "preventable", "unknown", "technical"}
    assert policies.filter(pl.col("end_date") > X).height > 2
    assert policies["commission_source"].n_unique() == 2
    assert policies.null_count().select("insurer", "premium_cents", "renewal_date", "adviser").sum_horizontal()[0] == 0
    assert plain.customers["kind"].n_unique() == 3
    assert plain.customers["no_marketing"].any()


@pytest.mark.parametrize("name", OTHERS)
def test_every_dialect_is_the_same_portfolio(name, exports, plain):
    found = read(*exports[name], today=TODAY)
    assert (found.as_of, found.export_day) == (X, X)
    assert_same_tables(plain, found)
    assert found.history == plain.history
    assert_reconciles(found)


@pytest.mark.parametrize("name", OTHERS)
def test_every_dialect_is_the_same_portfolio_in_a_replay(name, exports, plain_then):
    """Policy years know the premium of then; the others only that of today."""
    there = read(*exports[name], as_of=PAST, today=TODAY)
    assert_same_tables(plain_then, there, without=MONEY if name == "policy_years" else [])
    assert_reconciles(there)


def test_policy_years_know_the_premium_of_then(exports):
    now, then = (read(*exports["policy_years"], as_of=day, today=TODAY) for day in (X, PAST))
    which = ["customer", "branch", "start_date"]
    running = [
        found.policies.filter(pl.col("end_date").is_null(), pl.col("start_date") < date(2022, 1, 1))
        for found in (now, then)
    ]
    one, other = (frame.filter(pl.struct(which).is_unique()) for frame in running)
    both = other.join(one, on=which, suffix="_now")
    assert both.height > 50
    rises = both.select((pl.col("premium_cents_now") / pl.col("premium_cents")).alias("rise"))["rise"]
    assert rises.min() > 1.005
    assert rises.max() < 1.10


@pytest.mark.parametrize("name", ["anva", "policy_years", "afd1"])
def test_the_order_of_the_rows_means_nothing(name, exports, plain, tmp_path):
    encoding = load_dialect(name).encoding
    files = []
    for path in exports[name]:
        head, *rows = path.read_bytes().decode(encoding).rstrip("\r\n").split("\r\n")
        random.Random(5).shuffle(rows)
        files.append(tmp_path / path.name)
        files[-1].write_bytes("\r\n".join([head, *rows, ""]).encode(encoding))
    assert_same_tables(plain, read(*files, today=TODAY))


def test_the_files_are_what_the_dialects_say(exports):
    first = {name: files[0].read_bytes() for name, files in exports.items()}
    anva = first["anva"].decode("iso-8859-1").split("\r\n")
    headings = [heading.strip('"') for heading in anva[0].split(",")]
    assert max(len(heading) for heading in headings) == 35
    assert len(headings) > len(set(headings))
    assert not any("Einddatum" in heading for heading in headings)
    assert re.search(r'"\d\d-(mrt|mei|okt)-\d\d"', "".join(anva))
    assert len(anva) > 1.5 * first["abc"].count(b"\r\n")  # a row per coverage
    assert first["utf16"].startswith(b"\xff\xfe")
    assert first["zip"].startswith(b"PK")
    assert first["afd1"].startswith(b"AL_ADATMSG;AL_INCLOP;AL_INCLPP;AL_INCLGP;AL_MNDGP;")
    assert first["policy_years"].count(b"\r\n") > 1.5 * first["abc"].count(b"\r\n")


def test_coverages_add_up_and_years_end_with_today():
    tables = tables_of(simulate(60, seed=2))
    whole = tables["policies"].select("policy", "premium_cents", "commission_cents").sort("policy")
    rows = (
        tables["coverages"]
        .group_by("policy")
        .agg(
            pl.col("premium_cents").sum(),
            pl.when(pl.col("commission_cents").count() > 0)
            .then(pl.col("commission_cents").sum())
            .alias("commission_cents"),
        )
    )
    assert_frame_equal(rows.sort("policy"), whole)
    years = tables["years"].filter((pl.col("year_start") < pl.col("end_date")) | pl.col("end_date").is_null())
    last = years.sort("policy", "year_start").group_by("policy", maintain_order=True).last()
    assert_frame_equal(last.select("policy", "premium_cents", "commission_cents"), whole)


@pytest.mark.parametrize("name", dialect_names())
def test_a_dialect_is_the_same_bytes_every_time(name, exports, tmp_path):
    again = write_sample(simulate(350, seed=3), tmp_path / name, truth=False, dialect=name)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in exports[name]]


def test_names_are_never_read(exports):
    for name in ("anva", "afd1"):
        found = read(*exports[name], today=TODAY)
        assert "AKB-P001" in codes(found)
        assert "Voorbeeld" not in str([*found.policies.iter_rows(), *found.customers.iter_rows()])


def test_an_unknown_dialect_is_named_with_the_nearest():
    with pytest.raises(AkbError, match="did you mean 'anva'"):
        load_dialect("anvaa")


def test_the_command_writes_a_dialect(tmp_path):
    done = CliRunner().invoke(app, ["sample", str(tmp_path / "a"), "--customers", "30", "--dialect", "zip", "--quiet"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a" / "export.zip").is_file()
    assert "akb eda export.zip" in (tmp_path / "a" / "README.md").read_text("utf-8")
    wrong = CliRunner().invoke(app, ["sample", str(tmp_path / "b"), "--dialect", "zap"])
    assert wrong.exit_code != 0
    assert not (tmp_path / "b").exists()
