"""What akb needs may be given on with akb, and is listed."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from scripts import sbom

ROOT = Path(__file__).parents[2]


def test_no_licence_asks_more_than_that_its_text_goes_along() -> None:
    strange = {each.name: each.licence for each in sbom.components() if not sbom.parts(each.licence) <= sbom.FREE}
    assert strange == {}


def test_the_list_is_what_is_installed() -> None:
    if (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)):
        pytest.skip("other systems and Pythons need some packages more or less")
    assert sbom.LICENCES.read_text("utf-8") == sbom.document(), "make sbom"
    for _, _, path in sbom.BUNDLED:
        assert (ROOT / path).is_file()


def test_the_bill_of_materials_is_whole() -> None:
    made = sbom.sbom()
    assert made == sbom.sbom()
    names = {each["name"]: each["version"] for each in made["components"]}
    assert names["polars"] == version("polars")
    refs = {each["bom-ref"] for each in made["components"]}
    assert all(set(each["dependsOn"]) <= refs for each in made["dependencies"])
    assert {each["ref"] for each in made["dependencies"]} == refs
    assert not {"pytest", "mypy", "ruff", "akb"} & names.keys()


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("MIT", {"MIT"}),
        ("(Apache-2.0 OR BSD-2-Clause) AND Zlib", {"Apache-2.0", "BSD-2-Clause", "Zlib"}),
        ("GPL-3.0-only WITH GCC-exception-3.1", {"GPL-3.0-only"}),
    ],
)
def test_an_expression_is_every_licence_in_it(said: str, names: set[str]) -> None:
    assert sbom.parts(said) == names
