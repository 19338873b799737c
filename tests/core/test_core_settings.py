"""Settings: an unknown name is a sentence with a suggestion, a known one takes effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from akb.catalogue.entries import entries, templates
from akb.config import load_settings
from akb.core.errors import AkbError
from akb.core.pseudonyms import load_or_create_key, pseudonym


def write(folder: Path, text: str) -> Path:
    path = folder / "akb.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tiem]\ngap_days = 3", "did you mean 'time'?"),
        ("[time]\ngap_day = 3", "did you mean 'gap_days'?"),
        ("[time]\ngap_days = -3", "gap_days"),
        ("[time]\ngap_days = 'x'", "gap_days"),
        ("[branches.auot]\npremium = 3", "did you mean 'auto'?"),
        ("[branches.auto]\ncommission = 17.5", "branches.auto"),
        ("[assumptions]\n'retention.rescu' = 0.3", "did you mean 'retention.rescue'?"),
        ("schema = 99", "Upgrade"),
        ("schema = 'x'", "schema"),
        ("time = 3", "time"),
        ("models = 3", "models"),
        ("[time", "not valid TOML"),
    ],
)
def test_a_wrong_settings_file_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AkbError, match=r".") as caught:
        load_settings(write(tmp_path, text), models__seed=1)
    assert words in str(caught.value)


def test_the_clients_own_numbers_take_effect(tmp_path: Path) -> None:
    path = write(tmp_path, "[branches.auto]\ncommission = 0.2\n[assumptions]\n'retention.rescue' = 0.4\n")
    settings = load_settings(path, models__seed=5)
    assert settings.taxonomy()["auto"].commission == 0.2
    rescue = settings.assumed()["retention.rescue"]
    assert (rescue.value, rescue.source) == (0.4, "client")
    assert rescue.low <= rescue.value <= rescue.high
    assert settings.models.seed == 5


def test_every_assumption_lies_in_its_range_and_says_where_it_comes_from() -> None:
    for name, assumption in load_settings().assumed().items():
        assert assumption.low <= assumption.value <= assumption.high, name
        assert assumption.label, name
        assert assumption.source in ("seed", "guessed"), name


def test_catalogue_keys_are_unique_and_unfold_over_branches() -> None:
    keys = [entry.key for entry in entries({"avp": "AVP", "auto": "Auto"})]
    assert len(keys) == len(set(keys))
    assert {"lapse_avp_12m", "next_policy_auto_12m"} <= set(keys)
    assert not [key for key in keys if "{" in key]
    assert {need for entry in templates() for need in entry.needs} <= {
        "ended",
        "coverages",
        "premiums",
        "reasons",
        "commission",
        "claims",
        "contacts",
    }


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    key = load_or_create_key(path)
    assert load_or_create_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert pseudonym("0012345", key) == pseudonym("0012345", key) != pseudonym("0012345", bytes(32))
    path.write_text("hello")
    with pytest.raises(AkbError, match="not an akb key"):
        load_or_create_key(path)
