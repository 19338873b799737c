"""Exports behind an address are the files that they are; what cannot be read is one sentence."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
import polars as pl
import pytest

from akb.commands.options import fetch_addresses, split_roles
from akb.config import load_settings
from akb.core.errors import AkbError
from akb.ingest import read_portfolio
from akb.ingest.types import Sources
from akb.store.remote import fetched

if TYPE_CHECKING:
    from conftest import Office


def parquet(table: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    table.write_parquet(held)
    return held.getvalue()


def test_a_table_in_parts_behind_an_address_is_the_portfolio_of_its_file(office: Office) -> None:
    store = fsspec.filesystem("memory")
    table = pl.read_csv(office.folder / "polissen.csv", separator=";", infer_schema=False)
    for number, part in enumerate(table.iter_slices(400)):
        store.pipe_file(f"/book/polissen/{number:03d}.parquet", parquet(part))
    named, held = fetch_addresses(["policies=memory://book/polissen/*.parquet"])
    files, roles = split_roles(named)
    (office.folder / "polissen.parquet").write_bytes(parquet(table))
    here = read_portfolio(Sources([office.folder / "polissen.parquet"], bytes(32)), load_settings())
    there = read_portfolio(Sources(files, bytes(32), roles=roles, held=held), load_settings())
    assert there.policies.equals(here.policies)
    assert there.customers.equals(here.customers)
    assert there.rows == here.rows


def test_what_is_no_address_stays_as_it_is() -> None:
    assert fetch_addresses(["a.csv", "claims=b.csv", "x=y"]) == (["a.csv", "claims=b.csv", "x=y"], {})
    fsspec.filesystem("memory").pipe_file("/book/one.csv", b"a;b\n1;2\n")
    assert fetched("memory://book/one.csv") == (Path("memory://book/one.csv"), b"a;b\n1;2\n")


@pytest.mark.parametrize("address", ["memory://nowhere/x.csv", "nosuchstore://b/x.csv", "memory://nowhere/*.parquet"])
def test_what_cannot_be_read_is_one_sentence(address: str) -> None:
    with pytest.raises(AkbError) as raised:
        fetched(address)
    assert "\n" not in raised.value.message
    assert address in raised.value.message


def test_a_secret_in_an_address_is_not_shown() -> None:
    with pytest.raises(AkbError) as raised:
        fetched("nosuchstore://b/x.csv?sig=SECRET")
    assert "SECRET" not in str(raised.value)
