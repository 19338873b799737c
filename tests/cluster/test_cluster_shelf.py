"""Large tables go by name and are read once; what a task gives holds on to the client's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from akb.cluster import worker
from akb.cluster.shelf import SMALL, Shelf, read, write

if TYPE_CHECKING:
    from pathlib import Path


def _halved(table: pl.DataFrame, numbers: np.ndarray, *, by: int) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    return table, table.select(pl.col("a") // by), float(numbers.sum())


def test_a_table_goes_by_name_and_comes_back_as_the_one_that_was_given(tmp_path: Path) -> None:
    table = pl.DataFrame({"a": range(SMALL), "b": [None, 1.5] * (SMALL // 2)})
    numbers, shelf = np.arange(SMALL, dtype=np.float64), Shelf(tmp_path, client=True)
    write(tmp_path / "0.task", (_halved, (table, numbers), {"by": 2}), shelf)
    assert (tmp_path / "0.task").stat().st_size < 2_000
    left = worker.run_task(str(tmp_path / "0.task"))
    same, half, total = read(tmp_path / "0.done", shelf)
    assert left == str(tmp_path / "0.done")
    assert same is table
    assert half["a"].to_list()[-1] == (SMALL - 1) // 2
    assert total == numbers.sum()
    assert not list(tmp_path.glob("*new*"))


def test_what_was_left_whole_is_not_done_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, client=True)
    write(tmp_path / "0.task", (pytest.fail, ("done again",), {}), shelf)
    write(tmp_path / "0.done", 7, shelf)
    assert read(tmp_path / worker.run_task(str(tmp_path / "0.task")), shelf) == 7


def test_a_worker_lets_go_of_tables_that_two_tasks_did_not_take(tmp_path: Path) -> None:
    table, client = pl.DataFrame({"a": range(SMALL)}), Shelf(tmp_path, client=True)
    name = client.put(table)
    assert name is not None
    mine = Shelf(tmp_path, client=False)
    first = id(mine.take(name))
    mine.turn()
    assert id(mine.take(name)) == first
    mine.turn()
    mine.turn()
    assert mine._known[name]() is None
    assert mine.take(name).equals(table)


def test_a_table_that_is_gone_gives_its_name_to_no_other(tmp_path: Path) -> None:
    shelf, seen = Shelf(tmp_path, client=True), set()
    for number in range(5):
        table = pl.DataFrame({"a": [number] * SMALL})
        name = shelf.put(table)
        assert shelf.put(table) == name
        assert name is not None and pl.read_ipc(tmp_path / name)["a"][0] == number
        seen.add(name)
        del table
    assert len(seen) == 5


def _doubled(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col("a") * 2)


def test_a_table_that_a_task_made_is_a_file_until_the_client_lets_go_of_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, client=True)
    table = pl.DataFrame({"a": range(SMALL)})
    write(tmp_path / "0.task", (_doubled, (table,), {}), shelf)
    worker.run_task(str(tmp_path / "0.task"))
    first = (tmp_path / "0-0.arrow").read_bytes()
    (tmp_path / "0.done").unlink()  # the worker was killed before it was done
    worker.run_task(str(tmp_path / "0.task"))
    assert (tmp_path / "0-0.arrow").read_bytes() == first
    assert (tmp_path / "0.done").stat().st_size < 2_000
    doubled = read(tmp_path / "0.done", shelf)
    assert doubled["a"][-1] == 2 * (SMALL - 1)
    assert write(tmp_path / "1.task", (_doubled, (doubled,), {}), shelf) == [doubled]
    assert read(tmp_path / worker.run_task(str(tmp_path / "1.task")), shelf)["a"][1] == 4
    del doubled
    assert not (tmp_path / "0-0.arrow").exists()


def test_a_table_stays_as_long_as_a_task_that_names_it_is_out(tmp_path: Path) -> None:
    shelf, table = Shelf(tmp_path, client=True), pl.DataFrame({"a": range(SMALL)})
    named = write(tmp_path / "0.task", (_doubled, (table,), {}), shelf)
    del table
    assert read(tmp_path / worker.run_task(str(tmp_path / "0.task")), shelf)["a"][1] == 2
    del named
    assert not list(tmp_path.glob("[0-9].arrow"))
