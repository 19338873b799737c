"""Feedback in the book: each event once, figures with their n, and never more than a customer left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from akb.cli import run
from akb.core.errors import RefusedError
from akb.live.book import open_book
from akb.live.feedback.events import events_of, import_events, latest_statuses, recorded_contacts
from akb.live.feedback.figures import feedback_figures
from akb.live.feedback.story import import_feedback
from akb.store.feedback import Feedback, written

if TYPE_CHECKING:
    from pathlib import Path

RUN = "R-0123456789ab"


def event(customer: int = 1, minute: int = 0, **given: Any) -> Feedback:
    base: dict[str, Any] = {
        "run": RUN,
        "customer": f"K-{customer:016X}",
        "recorded": datetime(2026, 1, 5, 9, minute, tzinfo=UTC),
        "event": "status" if "status" in given else "feedback",
    }
    return Feedback.model_validate(base | given)


def a_file(folder: Path, *events: Feedback) -> Path:
    path = folder / "feedback.csv"
    path.write_bytes(written(events))
    return path


def test_the_same_file_twice_adds_nothing(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    path = a_file(tmp_path, event(1, status="spoken", by="Ann"), event(2, type="clv_too_high", by="Ann"))
    first, second = import_feedback(book, path), import_feedback(book, path)
    assert (first["events"], first["new"], first["known"]) == (2, 2, 0)
    assert (second["events"], second["new"], second["known"]) == (2, 0, 2)
    assert first["unknown_runs"] == [RUN]
    assert events_of(book).height == 2


def test_a_dry_run_counts_and_adds_nothing(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    assert import_feedback(book, a_file(tmp_path, event(status="spoken")), dry_run=True)["new"] == 1
    assert events_of(book).height == 0


def test_a_file_with_one_mistake_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_file(tmp_path, event(1, status="spoken"), event(2, status="spoken"))
    path.write_bytes(path.read_bytes().replace(b"spoken", b"spokn", 1))
    assert run(["feedback", "import", str(path), "--to", str(tmp_path / "book"), "--quiet"]) == 2
    assert "row 2, column status" in capsys.readouterr().err
    assert events_of(open_book(tmp_path / "book")).height == 0


def test_the_last_status_of_a_customer_counts(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    import_events(book, [event(1, 5, status="sold"), event(1, 3, status="planned"), event(2, status="open")])
    assert dict(latest_statuses(events_of(book)).select("customer", "status").iter_rows()) == {
        f"K-{1:016X}": "sold",
        f"K-{2:016X}": "open",
    }


def test_who_was_spoken_to_or_is_said_to_have_left_is_left_alone(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    import_events(
        book,
        [
            event(1, status="spoken", date=date(2026, 1, 2)),
            event(2, status="planned", date=date(2026, 2, 1)),
            event(3, type="already_left"),
            event(4, type="churn_too_high"),
            event(5, status="quote"),
        ],
    )
    known = {row["customer"][-1]: row for row in recorded_contacts(book).to_dicts()}
    assert known.keys() == {"1", "3", "5"}  # a plan is no talk, and an opinion is no end
    assert known["1"]["date"] == date(2026, 1, 2) and known["5"]["date"] == date(2026, 1, 5)
    assert known["3"] == {"customer": f"K-{3:016X}", "date": None, "left": True}
    figures = feedback_figures(book, date(2026, 1, 20))
    assert figures["left_alone"] == {"contacted": 2, "gone": 1}


def test_advisers_agree_where_they_said_the_same_of_one_customer(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    events = []
    for customer in range(6):
        events += [event(customer, 1, type="clv_too_high", by="Ann"), event(customer, 2, type="right", by="Bob")]
    events += [event(0, 9, type="clv_too_high", by="Bob"), event(1, 9, type="clv_too_high", by="Bob")]
    events += [event(7, type="clv_too_low", by="Ann")]
    import_events(book, events)
    clv, churn = feedback_figures(book, date(2026, 2, 1))["agreement"]
    assert (clv["pairs"], clv["agreed"]) == (6, 2)
    assert clv["share"] == pytest.approx(2 / 6)
    assert clv["interval"][0] < clv["share"] < clv["interval"][1]
    assert churn == {"subject": "churn", "pairs": 0, "agreed": None, "share": None, "interval": None}


def test_relation_numbers_need_a_run_to_be_known_by(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    path = a_file(tmp_path, event(1, status="spoken").model_copy(update={"customer": "100234"}))
    with pytest.raises(RefusedError, match="relation number"):
        import_feedback(book, path)


def test_a_talk_keeps_a_customer_off_the_lists_and_out_of_no_feature(fitted: Path) -> None:
    from dataclasses import replace

    from akb.rerun import settings_of, things_kept
    from akb.store.manifest import manifest_of
    from akb.value.in_force import InForce
    from akb.value.targeting.eligibility import eligibility

    things = things_kept(fitted)
    settings = settings_of(manifest_of(fitted), {})
    portfolio = things["portfolio"]
    before = InForce(portfolio, things["models"], settings)
    free = before.customers["customer"].to_numpy()[eligibility(before).callable]
    talked, gone = int(free[0]), int(free[1])
    recorded = pl.DataFrame(
        {"customer": [talked, gone], "date": [portfolio.as_of, None], "left": [False, True]},
        schema={"customer": pl.UInt32, "date": pl.Date, "left": pl.Boolean},
    )
    after = InForce(replace(portfolio, recorded=recorded), things["models"], settings)
    still = set(after.customers["customer"].to_numpy()[eligibility(after).callable].tolist())
    assert set(free.tolist()) - still == {talked, gone}


def test_whom_an_adviser_worked_on_is_followed_until_then(fitted: Path) -> None:
    from dataclasses import replace

    from akb.core.dates import add_months
    from akb.features import build_matrix, build_targets
    from akb.rerun import settings_of, things_kept
    from akb.store.manifest import manifest_of

    portfolio = things_kept(fitted, only=("portfolio",))["portfolio"]
    settings = settings_of(manifest_of(fitted), {})
    day = add_months(portfolio.as_of, -15)
    matrix = build_matrix(portfolio, [day], settings)
    plain = build_targets(portfolio, matrix, settings).relation
    left = plain.filter(pl.col("end_date").is_not_null())
    early, late = left.row(0, named=True), left.row(1, named=True)
    recorded = pl.DataFrame(
        {
            "customer": [early["customer"], late["customer"]],
            "date": [add_months(day, 0).replace(day=28), late["end_date"]],
            "left": [False, False],
        },
        schema={"customer": pl.UInt32, "date": pl.Date, "left": pl.Boolean},
    )
    recorded = recorded.with_columns(
        date=pl.when(pl.col("customer") == late["customer"])
        .then(pl.col("date") + pl.duration(days=1))
        .otherwise(pl.lit(day) + pl.duration(days=1))
    )
    told = build_targets(replace(portfolio, recorded=recorded), matrix, settings).relation
    worked = told.filter(customer=early["customer"]).row(0, named=True)
    assert worked["end_date"] is None and worked["cause"] is None and worked["censored_on"] > day
    assert told.filter(customer=late["customer"]).row(0, named=True) == late
    others = ~pl.col("customer").is_in([early["customer"]])
    assert told.filter(others).equals(plain.filter(others))
    assert build_matrix(replace(portfolio, recorded=recorded), [day], settings).frame.equals(matrix.frame)
