"""The collector's pace is a run's own: who calls akb as a library keeps his."""

import gc

import pytest

from akb.core.garbage import SELDOM, seldom_collected


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
