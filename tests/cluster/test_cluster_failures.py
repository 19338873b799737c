"""A task that fails ends the run with one sentence, whatever it raised."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from akb.cluster import connected
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loopback import Loopback

pytestmark = pytest.mark.xdist_group("cluster")


def test_what_no_client_can_unpickle_is_a_sentence(cluster: Loopback, tmp_path: Path) -> None:
    def made(process: int) -> Exception:
        if os.getpid() != process:
            raise ImportError("a module that only the worker has")
        return Unreadable("SECRET")

    class Unreadable(Exception):  # noqa: N818
        def __reduce__(self) -> Any:
            return made, (os.getpid(),)

    def fails() -> None:
        raise Unreadable("SECRET")

    def refuses() -> None:
        raise AkbError("too few customers", "Give more.")

    with connected(cluster.address, tmp_path / "shared") as executor:
        for task, sentence in ((fails, "a task on a worker failed (Unreadable at "), (refuses, "too few customers")):
            with pytest.raises(AkbError) as raised:
                executor.submit(task).result(timeout=15)
            assert raised.value.message.startswith(sentence)
            assert "SECRET" not in str(raised.value)
        assert executor.submit(len, "abc").result(timeout=15) == 3
