"""The collector's pace is a run's own: who calls akb as a library keeps his."""

import gc

import pytest

from akb import cli
from akb.core.garbage import FEW_POLICIES, SELDOM, keep_to_the_end, let_go, seldom_collected


def test_the_pace_is_slow_within_the_block_and_the_callers_again_after_it() -> None:
    usual = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    try:
        with seldom_collected():
            assert gc.isenabled()
            assert gc.get_threshold() == SELDOM
        assert gc.get_threshold() == (701, 11, 12)
        with pytest.raises(RuntimeError), seldom_collected():
            raise RuntimeError
        assert gc.get_threshold() == (701, 11, 12)
    finally:
        gc.set_threshold(*usual)


def test_memory_is_given_back_where_there_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: asked.append(1))
    let_go(FEW_POLICIES)
    assert not asked
    let_go(FEW_POLICIES + 1)
    assert asked


def test_a_process_ends_without_looking_for_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "run", lambda arguments: 3)
    gc.unfreeze()
    try:
        with pytest.raises(SystemExit, match="3"):
            cli.main()
        assert gc.get_freeze_count() > 1_000
    finally:
        gc.unfreeze()


def test_what_stays_is_looked_at_no_more_until_the_block_ends() -> None:
    gc.unfreeze()
    with seldom_collected():
        keep_to_the_end()
        assert gc.get_freeze_count() > 1_000
    assert not gc.get_freeze_count()
    gc.freeze()  # a caller's own
    try:
        with seldom_collected():
            keep_to_the_end()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
