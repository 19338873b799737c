"""Claims about health, disability, absence and death never become features, whichever of the two branches says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from akb.config import Settings
from akb.core.privacy.identifiers import HEALTH_BRANCHES
from akb.features.events import dated_events
from akb.ingest import read_portfolio
from akb.ingest.types import Sources

TEXTS = {
    "zorg": "Zorgverzekering", "aov": "AOV", "verzuim": "Verzuim", "wga_wia": "WIA", "orv": "Overlijdensrisico",
    "leven": "Levensverzekering", "ongevallen": "Ongevallen", "uitvaart": "Uitvaart",
}  # fmt: skip
POLICIES = "Relatienummer;Polisnummer;Branche;Ingangsdatum\n"


def claims_seen(folder: Path, policy: str, claim: str) -> int:
    """How many of one claim features may see: under a policy of one branch, itself of another."""
    (folder / "polissen.csv").write_text(f"{POLICIES}1;P1;{policy};01-01-2020\n2;P2;Auto;01-02-2021\n", "utf-8")
    (folder / "schades.csv").write_text(f"Polisnummer;Schadedatum;Branche\nP1;01-12-2020;{claim}\n", "utf-8")
    portfolio = read_portfolio(Sources([folder / "polissen.csv", folder / "schades.csv"], bytes(32)), Settings())
    assert portfolio.claims is not None
    assert portfolio.claims.height == 1
    return dated_events(portfolio)["claims"].height


@pytest.mark.parametrize("branch", TEXTS)
def test_a_claim_about_health_is_not_seen(tmp_path: Path, branch: str) -> None:
    assert branch in HEALTH_BRANCHES
    assert claims_seen(tmp_path, TEXTS[branch], "") == 0
    assert claims_seen(tmp_path, TEXTS[branch], "Auto") == 0
    assert claims_seen(tmp_path, "Auto", TEXTS[branch]) == 0


UNKNOWN = ("Ziekte collectief", "Inkomensplan ZZP", "Medisch plan", "Arbeidsongesch. maandbedrag", "Letselregeling")


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_claim_of_an_unknown_branch_may_be_about_health_and_is_not_seen(tmp_path: Path, text: str) -> None:
    assert claims_seen(tmp_path, text, "") == 0
    assert claims_seen(tmp_path, text, text) == 0
    assert claims_seen(tmp_path, "Auto", text) == 0  # its own words, whatever the policy is called


def test_a_claim_of_a_branch_that_nobody_knows_is_not_seen(tmp_path: Path) -> None:
    assert claims_seen(tmp_path, "Ruimtereis", "") == 0
    assert claims_seen(tmp_path, "Overig", "Overig") == 0
    assert claims_seen(tmp_path, "Ruimtereis", "Auto") == 1  # the claim itself says that it is another
    assert claims_seen(tmp_path, "Auto", "Ruitbreuk") == 1  # a kind of damage


def test_another_claim_is_seen(tmp_path: Path) -> None:
    assert claims_seen(tmp_path, "Auto", "") == 1
    assert claims_seen(tmp_path, "Auto", "Inboedel") == 1


def test_every_health_branch_is_in_the_taxonomy() -> None:
    assert set(Settings().taxonomy()) >= HEALTH_BRANCHES
