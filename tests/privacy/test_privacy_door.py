"""Every column that leaves ingest as text is guarded at the door, or is made of words of akb's own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from akb.cli import run
from akb.ingest.checks import schema
from akb.ingest.checks.door import KEPT_AS_TEXT, SPOKEN

OWN_WORDS = {"branch", "reason", "cause", "commission_source", "fee_source", "collection", "kind", "pseudonym"}
OWN_WORDS |= {"postcode4"}
NEVER_SHOWN = {"relation"}  # stands in private/customers.csv only; the canaries search for it


def test_no_text_column_is_forgotten() -> None:
    tables = (
        schema.PoliciesSchema,
        schema.CustomersSchema,
        schema.ClaimsSchema,
        schema.ContactsSchema,
        schema.PaymentsSchema,
        schema.PremiumsSchema,
    )
    texts = {name for table in tables for name, dtype in table.create_empty().schema.items() if dtype == pl.String}
    assert texts == {*KEPT_AS_TEXT, SPOKEN} | OWN_WORDS | NEVER_SHOWN


@pytest.mark.parametrize("packed", [False, True])
def test_identifiers_in_headings_and_names_of_files_go_no_further(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], packed: bool
) -> None:
    persons = ("piet@zqcanary.nl", "0612345678", "06-12345678", "NL91ABNA0417164300")
    headings = ["Relatienummer", "Polisnummer", "Ingangsdatum", *(f"Opm. {person}" for person in persons)]
    rows = [f"{n};P{n};01-02-202{n % 5};x;x;x;x" for n in range(60)]
    file = tmp_path / "polissen piet@zqcanary.nl 0612345678.csv"
    file.write_text("\n".join([";".join(headings), *rows, "too;few"]))
    if packed:
        with zipfile.ZipFile(tmp_path / "levering 0612345678.zip", "w") as archive:
            archive.write(file, file.name)
        file = tmp_path / "levering 0612345678.zip"
    settings = tmp_path / "akb.toml"
    assert run(["check", str(file), "--json"]) == 0
    assert run(["check", str(file)]) == 0
    assert run(["init", str(file), "--out", str(settings)]) == 0
    told = capfd.readouterr().out + settings.read_text("utf-8")
    assert "Opm. …" in told
    assert [person for person in persons if person in told] == []
