"""Products that no taxonomy knows, and branches that a client defines."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from ingest_exports import BRANCHES, Row, X, codes, finding, office, policy, read, write

from akb.config import Settings
from akb.core.errors import AkbError
from akb.ingest import read_and_preview
from akb.ingest.types import Sources

NEW = {"Inboedel": "Kosmos 2000", "Personenauto": "Spaarplan Zon"}


def rows(new: dict[str, str] = NEW, count: int = 120) -> list[Row]:
    return [row | {"Branche": new.get(row["Branche"], row["Branche"])} for row in office(count)]


def test_unknown_products_are_branches_of_their_own_under_their_own_name(tmp_path) -> None:
    right = read(write(tmp_path, office(120)), as_of=X)
    portfolio = read(write(tmp_path, rows(), "eigen.csv"), as_of=X)
    counts = dict(portfolio.policies["branch"].value_counts().iter_rows())
    usual = dict(right.policies["branch"].value_counts().iter_rows())
    assert counts["eigen_kosmos_2000"] == usual["inboedel"]
    assert counts["eigen_spaarplan_zon"] == usual["auto"]
    assert "overig" not in counts
    assert {entry["name_nl"] for entry in portfolio.own_branches.values()} == {"Kosmos 2000", "Spaarplan Zon"}
    issue = finding(portfolio, "AKB-D009")
    assert issue.count == usual["inboedel"] + usual["auto"]
    assert "Kosmos 2000" in issue.sentence()
    taxonomy = Settings().with_branches(portfolio.own_branches).taxonomy()
    assert taxonomy["eigen_kosmos_2000"].eligibility == "unknown"
    assert list(taxonomy)[-1] == "overig"
    assert portfolio.rows.read == portfolio.rows.used + portfolio.rows.rejected


def test_spellings_of_one_product_are_one_branch(tmp_path) -> None:
    mixed = [
        row | {"Branche": ("KOSMOS", "Kosmos", "kosmos ")[n % 3]} if row["Branche"] == "Inboedel" else row
        for n, row in enumerate(office(120))
    ]
    portfolio = read(write(tmp_path, mixed), as_of=X)
    assert list(portfolio.own_branches) == ["eigen_kosmos"]
    assert portfolio.own_branches["eigen_kosmos"]["name_nl"] == "Kosmos"


def test_a_product_of_few_customers_stays_under_other_and_unnamed(tmp_path) -> None:
    few = [*office(120), *(policy(n, Polisnummer=f"R{n}", Branche="Jansen en Zn") for n in range(1, 5))]
    portfolio = read(write(tmp_path, few), as_of=X)
    assert not portfolio.own_branches
    assert portfolio.policies.filter(branch="overig").height == 4
    assert "Jansen" not in finding(portfolio, "AKB-D009").sentence()


def test_what_looks_like_an_identifier_is_no_branch(tmp_path) -> None:
    portfolio = read(write(tmp_path, rows({"Inboedel": "jan@example.nl"})), as_of=X)
    assert not portfolio.own_branches
    assert "example" not in finding(portfolio, "AKB-D009").sentence()


def test_other_and_empty_are_no_branch_of_their_own(tmp_path) -> None:
    portfolio = read(write(tmp_path, rows({"Inboedel": "Overig", "Personenauto": ""})), as_of=X)
    assert not portfolio.own_branches
    assert portfolio.policies.filter(branch="overig").height > 0


def test_many_products_stay_together_beyond_the_most_held(tmp_path) -> None:
    many = [
        row | {"Branche": f"Plan {chr(65 + n % 40 // 26)}{chr(65 + n % 40 % 26)}"} for n, row in enumerate(office(300))
    ]
    portfolio = read(write(tmp_path, many), as_of=X)
    assert len(portfolio.own_branches) == 24
    assert portfolio.policies.filter(branch="overig").height > 0


def test_the_products_are_read_where_there_are_no_branches(tmp_path) -> None:
    right = read(write(tmp_path, office(120)), as_of=X)
    products = [{("Product" if name == "Branche" else name): cell for name, cell in row.items()} for row in office(120)]
    portfolio = read(write(tmp_path, products, "p.csv"), as_of=X)
    assert portfolio.policies["branch"].to_list() == right.policies["branch"].to_list()
    assert "AKB-D010" not in codes(portfolio)
    own = [row | {"Product": NEW.get(row["Product"], row["Product"])} for row in products]
    assert set(read(write(tmp_path, own, "o.csv"), as_of=X).own_branches) == {
        "eigen_kosmos_2000",
        "eigen_spaarplan_zon",
    }


def test_in_a_replay_no_branch_tells_of_later_rows(tmp_path) -> None:
    later = [policy(n, Polisnummer=f"R{n}", Branche="Ruimtereis", Ingangsdatum="01-05-2025") for n in range(1, 30)]
    path = write(tmp_path, [*office(120), *later])
    assert not read(path, as_of=date(2024, 1, 1)).own_branches
    assert list(read(path, as_of=X).own_branches) == ["eigen_ruimtereis"]


def test_claims_on_a_branch_that_akb_does_not_know_stay_unplaced(tmp_path) -> None:
    from akb.core.privacy.identifiers import known_branches

    portfolio = read(write(tmp_path, rows()), as_of=X)
    assert not set(portfolio.own_branches) & known_branches()
    assert "overig" not in known_branches()


def test_the_client_defines_a_branch_and_leads_texts_to_it(tmp_path) -> None:
    settings = Settings(
        branches={"hagel": {"name_nl": "Hagelverzekering", "segment": "Z", "commission": 0.1, "synonyms": ["kosmos"]}},
        ingest={"branches": {"Spaarplan Zon": "hagel"}},
    )
    settings.check_names()
    portfolio = read(write(tmp_path, rows()), as_of=X, settings=settings)
    assert set(portfolio.policies["branch"].unique()) == {"avp", "opstal", "reis", "hagel", "cyber"}
    assert not portfolio.own_branches
    assert "AKB-D009" not in codes(portfolio)
    entry = settings.taxonomy()["hagel"]
    assert (entry.name_en, entry.segment, entry.commission, entry.taxed, entry.eligibility) == (
        "Hagelverzekering",
        "Z",
        0.1,
        True,
        "known",
    )
    assert Settings(branches={"hagel": {"name_nl": "Hagel"}}).taxonomy()["hagel"].eligibility == "unknown"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"autp": {"premium": 5}}, "did you mean 'auto'"), ({"hagel": {"name_nl": " "}}, "unknown branch 'hagel'"),
        ({"Hagel kas": {"name_nl": "Hagel"}}, "no key"), ({"hagel": {"name_nl": "Hagel", "premum": 5}}, "premum"),
        ({"hagel": {"name_nl": "Hagel", "requires": ["regen"]}}, "regen"),
    ],
)  # fmt: skip
def test_a_branch_that_is_no_branch_is_refused(given, says: str) -> None:
    with pytest.raises(AkbError, match=says):
        Settings(branches=given).check_names()


def test_names_stand_in_the_settings_of_a_run_and_come_back(tmp_path) -> None:
    portfolio = read(write(tmp_path, rows()), as_of=X)
    settings = Settings().with_branches(portfolio.own_branches)
    restored = Settings.model_validate(settings.model_dump(mode="json", by_alias=True))
    assert restored.taxonomy()["eigen_kosmos_2000"].name_nl == "Kosmos 2000"
    reread = read(write(tmp_path, rows(), "weer.csv"), as_of=X, settings=restored)
    assert reread.policies["branch"].to_list() == portfolio.policies["branch"].to_list()


def test_the_first_look_counts_them(tmp_path) -> None:
    _, view = read_and_preview(Sources([write(tmp_path, rows())], bytes(32), as_of=X), Settings())
    listed = {word.text: (word.rows, word.key) for word in view.branches.shown}
    assert listed["Kosmos 2000"] == (sum(row["Branche"] == "Kosmos 2000" for row in rows()), None)
    assert set(BRANCHES) - set(NEW) <= set(listed)


def test_a_branch_of_a_shipped_key_keeps_its_own_figures() -> None:
    taxonomy = Settings(branches={"auto": {"premium": 700}}).taxonomy()
    assert (taxonomy["auto"].premium, taxonomy["auto"].name_nl) == (700, "Personenauto")
    assert pl.Series(list(taxonomy)).is_unique().all()
