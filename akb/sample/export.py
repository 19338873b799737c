"""Write a simulated book as a back office exports it, with the truth beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.wording.text import text
from akb.sample.dialect_files import write_files
from akb.sample.dialects import DEFAULT, load_dialect, tables_of
from akb.sample.engine import ACTIVE, Moment
from akb.sample.engine.hazards import (
    customer_factors,
    policy_hazards,
    purchase_hazards,
    relation_hazards,
)
from akb.sample.parameters import NEVER_DAY
from akb.sample.records import policy_numbers_now, relation_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from akb.sample.book import Book

FUTURES = 200
AFTER_MONTHS = 12
_TRUTH_SEED = 7001


def known_hazards(book: Book) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the hazards of the month after the as-of date: per policy and per customer.

    Parameters
    ----------
    book
        A simulated book.

    Returns
    -------
    tuple of polars.DataFrame
        policies: relation, policy, branch, ``announced`` (its end is already decided; the hazards
        are then null), ``voluntary``, ``gone``, ``insurer``: chance that its end is *decided* next
        month for that cause (the end itself may lie up to three months later). customers: relation,
        then the chance next month of ``death``, ``close``, ``emigration``, ``switch``,
        ``nonpayment``, ``merge`` (at most one of these a month), and ``purchase`` (one policy or
        two). Sorted by relation, then policy.
    """
    import polars as pl

    rows = book.in_force
    people, state = book.people.take(rows), book.state.take(rows)
    now = Moment(people, state, book.world, book.window(book.step + 1))
    held = state.held.sum(axis=1)
    risk = customer_factors(now, held)
    cells = policy_hazards(now, risk)
    numbers = relation_numbers(people.number)
    row, slot = np.nonzero(state.held)
    table = np.full((3, *state.held.shape), np.nan)
    for index, values in enumerate((cells.voluntary, cells.gone, cells.insurer)):
        table[index, cells.row, cells.slot] = values
    policies = pl.DataFrame(
        {
            "relation": [numbers[r] for r in row],
            "policy": policy_numbers_now(book, state.record[row, slot]),
            "branch": np.array(book.p.branches)[book.p.branch_of_slot[slot]],
            "announced": state.ends[row, slot] != NEVER_DAY,
            **{
                name: table[index, row, slot]
                for index, name in enumerate(("voluntary", "gone", "insurer"))
            },
        }
    ).fill_nan(None)
    relation = relation_hazards(now, risk)
    buying = purchase_hazards(now, held, np.arange(len(rows))).sum(axis=1)
    buying = np.where(state.status == ACTIVE, np.minimum(buying, 1.0), 0.0)
    customers = pl.DataFrame({"relation": numbers, **relation, "purchase": buying})
    return policies.sort("relation", "policy"), customers.sort("relation")


def write_sample(
    book: Book,
    folder: Path,
    *,
    truth: bool = True,
    futures: int = FUTURES,
    dialect: str = DEFAULT,
    premiums: bool = False,
) -> list[Path]:
    """Write the files of a dialect, ``README.md`` and, if asked, ``truth/``; return the files of
    the export.

    Parameters
    ----------
    book
        What to write; the same book gives the same bytes.
    folder
        Made if it does not exist; files of the same names are replaced.
    truth
        Write ``truth/hazards.parquet`` (per policy), ``truth/hazards_customers.parquet``,
        ``truth/probabilities.parquet`` (means over `futures` draws) and
        ``truth/policies_after.parquet``: one realised future, as the office would export it twelve
        months later.
    futures
        Draws behind the probabilities.
    dialect
        Name of a file in ``configs/dialects/``.
    premiums
        Write the premium history too, in the dialects that have a file for it.

    Raises
    ------
    AkbError
        If there is no such dialect.
    """
    form = load_dialect(dialect)
    folder.mkdir(parents=True, exist_ok=True)
    written = write_files(form, tables_of(book), folder, optional=premiums)
    if truth:
        _write_truth(book, folder / "truth", futures)
    names = [path.name for path in written]
    (folder / "README.md").write_text(
        _readme(book, form.title, names, truth=truth, futures=futures), "utf-8", newline="\n"
    )
    return written


def _write_truth(book: Book, folder: Path, futures: int) -> None:
    folder.mkdir(exist_ok=True)
    policies, customers = known_hazards(book)
    policies.write_parquet(folder / "hazards.parquet")
    customers.write_parquet(folder / "hazards_customers.parquet")
    book.futures(futures, _TRUTH_SEED).probabilities().write_parquet(
        folder / "probabilities.parquet"
    )
    book.later(AFTER_MONTHS).policies.write_parquet(folder / "policies_after.parquet")


def _readme(book: Book, title: str, files: list[str], *, truth: bool, futures: int) -> str:
    words = text("sample", "nl", "readme", "body").format(
        customers=len(book.in_force),
        rows=book.policies.height,
        seed=book.seed,
        as_of=book.as_of.strftime("%d-%m-%Y"),
        recorded_from=book.recorded_from.strftime("%d-%m-%Y"),
        form=title,
        files=" ".join(files),
        listed=", ".join(f"`{name}`" for name in files),
    )
    return words + (
        text("sample", "nl", "readme", "truth").format(futures=futures) if truth else ""
    )
