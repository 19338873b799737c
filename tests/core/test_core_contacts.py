"""The ladder of contacts: a client changes, adds or removes a type in ``akb.toml`` and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from akb.config import ContactType, Effect, Settings, load_settings
from akb.config.contacts import NUMBERS
from akb.config.docs import path, written
from akb.config.register import LIMITS, Assumption
from akb.core.errors import AkbError
from akb.core.wording.text import load_toml

SHIPPED = Settings().ladder()
VISIT = """
label = "Bezoek aan huis"
pool = "adviser"
minutes = 90
purposes = ["retention", "care"]
consent = "phone"
relation = {low = -0.1, base = 0.3, high = 0.5}
policy = 0.2
purchase = 0
"""


def ladder_of(folder: Path, text: str) -> dict[str, ContactType]:
    return settings_of(folder, text).ladder()


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "akb.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_the_shipped_ladder_is_whole() -> None:
    assert list(SHIPPED) == ["mail", "inbound", "inbound_else_call", "call", "review"]
    register = Settings().assumed()
    for key, contact in SHIPPED.items():
        for field, (name, kind) in NUMBERS.items():
            entry = register[f"contacts.{key}.{name}"]
            value = getattr(contact, field)
            assert (value.base if isinstance(value, Effect) else value) == entry.value
            assert entry.kind == kind
            assert entry.affects == "plan"
        assert contact.label_en
        assert contact.evidence, key
    assert SHIPPED["inbound_else_call"].otherwise == "call"


@pytest.mark.parametrize(
    ("key", "relation", "policy", "purchase"),
    [
        ("mail", (0, 0.02, 0.05), (0, 0.02, 0.04), (0, 0, 0)),
        ("inbound", (0, 0.10, 0.20), (0, 0.12, 0.25), (0, 0.01, 0.02)),
        ("call", (-0.05, 0.15, 0.30), (0, 0.12, 0.25), (0, 0.01, 0.03)),
        ("review", (-0.05, 0.25, 0.40), (0, 0.20, 0.35), (0, 0.03, 0.06)),
    ],
)
def test_the_shipped_effects_are_those_that_the_evidence_allows(
    key: str, relation: tuple[float, ...], policy: tuple[float, ...], purchase: tuple[float, ...]
) -> None:
    contact = SHIPPED[key]
    assert tuple(contact.relation.model_dump().values()) == relation
    assert tuple(contact.policy.model_dump().values()) == policy
    assert tuple(contact.purchase.model_dump().values()) == purchase


@pytest.mark.parametrize("key", sorted(SHIPPED))
def test_a_type_is_taken_out_by_one_word(tmp_path: Path, key: str) -> None:
    settings = settings_of(tmp_path, f"[contacts.{key}]\nenabled = false")
    gone = {key, "inbound_else_call"} if key == "call" else {key}  # what falls back on a call goes with it
    assert set(settings.ladder()) == set(SHIPPED) - gone
    assert not [name for name in settings.assumed() if name.split(".")[1] in gone and name.startswith("contacts.")]


def test_a_type_of_his_own_needs_no_more_than_its_table(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"[contacts.visit]\n{VISIT}")
    ladder = settings.ladder()
    assert list(ladder) == [*SHIPPED, "visit"]
    assert ladder["visit"].relation == Effect(low=-0.1, base=0.3, high=0.5)
    assert ladder["visit"].policy == Effect(low=0.2, base=0.2, high=0.2)
    assert ladder["visit"].label_en == ladder["visit"].label
    entry = settings.assumed()["contacts.visit.minutes"]
    assert (entry.value, entry.low, entry.high, entry.source) == (90, 90, 90, "client")
    assert "Bezoek aan huis" in entry.label
    assert settings.own_assumptions() == {}


def test_his_own_number_lies_in_a_range_that_holds_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "[contacts.call]\nminutes = 30\nrelation = 0.2\nbranches = 3")
    minutes, relation = (settings.assumed()[f"contacts.call.{name}"] for name in ("minutes", "effect_relation"))
    assert (minutes.low, minutes.value, minutes.high, minutes.source) == (10, 30, 30, "client")
    assert (relation.low, relation.value, relation.high) == (-0.05, 0.2, 0.3)
    assert settings.assumed()["contacts.call.cost"].source == "guessed"
    assert settings.ladder()["call"].branches == 3
    assert settings.ladder()["call"].minutes == 30
    assert settings.own_assumptions() == {"contacts.call.effect_relation": 0.2, "contacts.call.minutes": 30}
    others = {key: each for key, each in settings.ladder().items() if key != "call"}
    assert others == {key: each for key, each in SHIPPED.items() if key != "call"}


def test_a_range_of_his_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "[contacts.call]\nrelation = {low = 0.1, base = 0.12, high = 0.14}")
    assert settings.ladder()["call"].relation == Effect(low=0.1, base=0.12, high=0.14)
    assert settings.assumed()["contacts.call.effect_relation"].source == "client"


def test_the_register_has_the_last_word_on_a_number(tmp_path: Path) -> None:
    text = (
        "[contacts.call]\nminutes = 30\n[assumptions]\ncontacts.call.minutes = 12\ncontacts.call.effect_policy = -0.1"
    )
    settings = settings_of(tmp_path, text)
    assert settings.ladder()["call"].minutes == 12
    assert settings.ladder()["call"].policy == Effect(low=-0.1, base=-0.1, high=0.25)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[contacts.cal]\nminutes = 20", "did you mean 'call'?"),
        ("[contacts.zzzz]\nminutes = 20", "has no label, pool"),
        ("[contacts.call]\nminuts = 20", "did you mean 'minutes'?"),
        ("[contacts.call]\nminutes = -1", "below zero"),
        ("[contacts.call]\nminutes = 'x'", "contacts.call"),
        ("[contacts.call]\nminutes = inf", "without end"),
        ("[contacts.call]\nfollow_up = 1.5", "is a share"),
        ("[contacts.call]\nrelation = 1.5", "is an effect"),
        ("[contacts.call]\nrelation = -1.5", "is an effect"),
        ("[contacts.call]\nrelation = {low = 0.2, base = 0.1, high = 0.3}", "lies outside"),
        ("[contacts.call]\nrelation = {low = 0.2, high = 0.3}", "base"),
        ("[contacts.call]\nrelation = {low = -3, base = 0.1, high = 0.3}", "is an effect"),
        ("[contacts.call]\npurchase = 3", "is a number of points"),
        ("[contacts.call]\npool = 'advisor'", "did you mean 'adviser'?"),
        ("[contacts.call]\npurposes = ['retenton']", "did you mean 'retention'?"),
        ("[contacts.call]\npurposes = []", "purposes"),
        ("[contacts.call]\nconsent = 'mail'", "consent"),
        ("[contacts.call]\nper_year = -1", "per_year"),
        ("[contacts.call]\nenabled = 'no'", "true or false"),
        ("[contacts.call]\nenabled = 0", "true or false"),
        ("[contacts.call]\notherwise = 'review'", "beside reach"),
        ("[contacts.inbound_else_call]\notherwise = 'cal'", "did you mean 'call'?"),
        ("[contacts]\ncall = 3", "contacts.call"),
        ("contacts = 3", "contacts"),
        ("[assumptions]\ncontacts.call.minuts = 3", "did you mean 'contacts.call.minutes'?"),
        ("[assumptions]\ncontacts.call.effect_relation = -2", "is an effect"),
        ("[contacts.call]\nenabled = false\n[assumptions]\ncontacts.call.minutes = 3", "unknown assumption"),
    ],
)
def test_a_wrong_type_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AkbError) as caught:
        settings_of(tmp_path, text)
    assert words in str(caught.value)


def test_a_ladder_survives_the_manifest(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"[contacts.mail]\nenabled = false\n[contacts.visit]\n{VISIT}")
    again = Settings.model_validate(settings.model_dump(mode="json", by_alias=True))
    assert again.ladder() == settings.ladder()


def test_the_shipped_file_is_never_changed_by_a_client(tmp_path: Path) -> None:
    before = repr(load_toml("contacts.toml"))
    settings_of(tmp_path, "[contacts.mail]\nenabled = false\n[contacts.call]\nminutes = 3").ladder()
    assert repr(load_toml("contacts.toml")) == before
    assert Settings().ladder() == SHIPPED


@pytest.mark.parametrize("kind", ["share", "effect", "points", "years", "rate", "euro", "count", "customers"])
def test_what_is_possible_follows_from_the_kind_and_not_from_the_unit(kind: str) -> None:
    least, most, _ = LIMITS.get(kind, (0, float("inf"), ""))

    def entry(value: float) -> Assumption:
        return Assumption(value=value, low=value, high=value, unit="kans", kind=kind, affects="case", source="guessed",
                          label="x")  # fmt: skip

    inside = entry(min(max(least, 0.5), most))
    for possible in (least, min(most, 1e6)):
        assert inside.complaint(possible) is None
        entry(possible)
    for impossible in (least - 0.001, most * 1.001, float("nan"), float("inf"), -float("inf")):
        assert inside.complaint(impossible), (kind, impossible)
        with pytest.raises(ValueError, match=r"is a|is an|cannot be|outside"):
            entry(impossible)


def test_the_page_with_all_settings_is_up_to_date() -> None:
    page = path().read_text("utf-8")
    assert written(page) == page, "run: python -m akb.config.docs"
    for name in Settings().assumed():
        assert f"| `{name}` |" in page
    for key in SHIPPED:
        assert f"| `{key}`: " in page


def test_the_example_on_the_page_is_read(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", path().read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    first, second = (settings_of(tmp_path, block) for block in blocks)
    assert (first.ladder()["call"].minutes, "review" in first.ladder()) == (20, False)
    assert first.ladder()["call"].relation.base == 0.2
    assert second.ladder()["visit"].per_year == 200


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        written("# Settings")
