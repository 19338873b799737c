"""Settings: an unknown name is a sentence with a suggestion, a known one takes effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from akb.catalogue.entries import entries, templates
from akb.config import Assumption, load_settings
from akb.core.errors import AkbError
from akb.core.privacy.pseudonyms import load_or_create_key, pseudonym


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
        ("[assumptions]\n'rule.rescu' = 0.3", "did you mean 'rule.rescue'?"),
        ("[assumptions]\n'rule.rescue' = 1.5", "rule.rescue = 1.5 is a share"),
        ("[assumptions]\n'rule.rescue' = -0.5", "rule.rescue = -0.5 is a share"),
        ("[assumptions]\n'rule.rescue' = nan", "rule.rescue = nan is a share"),
        ("[assumptions]\n'rule.rescue' = true", "rule.rescue is no number"),
        ("[assumptions]\n'rule.rescue' = '0,3'", "rule.rescue is no number"),
        ("[assumptions]\n'value.horizon_years' = -3", "cannot be below zero"),
        ("[assumptions]\n'value.horizon_years' = 1e6", "at most 100"),
        ("[assumptions]\n'value.horizon_years' = inf", "without end"),
        ("[assumptions]\n'capacity.customers_per_adviser' = 0", "at least 1"),
        ("[assumptions.rule]\nrescu = 0.3", "did you mean 'rule.rescue'?"),
        ("[assumptions]\n'rule.rescue' = {low = 0.5}", "unknown assumption 'rule.rescue.low'"),
        (
            "[measured.'contacts.call.effect_relatio']\nvalue = 0.1\nlow = 0\nhigh = 0.2",
            "did you mean 'contacts.call.effect_relation'?",
        ),
        ("[measured.'contacts.call.effect_relation']\nvalue = 0.3\nlow = 0\nhigh = 0.2", "0.3 lies outside 0 to 0.2"),
        ("[measured.'contacts.call.effect_relation']\nvalue = 1\nlow = 0\nhigh = 2", "is an effect"),
        ("[measured.'contacts.call.effect_relation']\nvalue = 1", "measured"),
        ("[client]\npayroll = 0", "payroll"),
        ("[client]\ncost = 'accounts'", "payroll or other_cost"),
        ("[client]\ntype = 'verzekeraar'\ncommission_total = 5", "an insurer earns a margin"),
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
    path = write(tmp_path, "[branches.auto]\ncommission = 0.2\n[assumptions]\n'rule.rescue' = 0.4\n")
    settings = load_settings(path, models__seed=5)
    assert settings.taxonomy()["auto"].commission == 0.2
    rescue = settings.assumed()["rule.rescue"]
    assert (rescue.value, rescue.source) == (0.4, "client")
    assert rescue.low <= rescue.value <= rescue.high
    assert settings.models.seed == 5


def test_what_was_measured_is_called_so_and_an_own_value_has_the_last_word(tmp_path: Path) -> None:
    measured = (
        "[measured.'contacts.call.effect_relation']\nvalue = 0.1\nlow = 0.05\nhigh = 0.2\nevidence = 'akb 2026'\n"
    )
    settings = load_settings(write(tmp_path, measured))
    entry = settings.assumed()["contacts.call.effect_relation"]
    assert (entry.value, entry.low, entry.high, entry.source) == (0.1, 0.05, 0.2, "measured")
    assert entry.evidence == "akb 2026"
    assert settings.ladder()["call"].relation.model_dump() == {"low": 0.05, "base": 0.1, "high": 0.2}
    again = type(settings).model_validate(settings.model_dump(mode="json", by_alias=True))  # as the manifest keeps it
    assert again.assumed() == settings.assumed()
    own = load_settings(write(tmp_path, measured + "[assumptions]\n'contacts.call.effect_relation' = 0.3\n"))
    entry = own.assumed()["contacts.call.effect_relation"]
    assert (entry.value, entry.low, entry.high, entry.source) == (0.3, 0.05, 0.3, "client")


@pytest.mark.parametrize("written", ["'rule.rescue' = 0.4", "rule.rescue = 0.4", "[assumptions.rule]\nrescue = 0.4"])
def test_an_assumption_goes_by_its_name_or_in_a_table_of_its_own(tmp_path: Path, written: str) -> None:
    assumed = load_settings(write(tmp_path, f"[assumptions]\n{written}\n")).assumed()
    assert assumed["rule.rescue"].value == 0.4
    assert sum(entry.source == "client" for entry in assumed.values()) == 1


@pytest.mark.parametrize(("value", "low", "high"), [(0.2, 0.5, 0.1), (0.2, 0.3, 0.4), (0.2, 0.0, 0.1)])
def test_a_register_whose_range_does_not_hold_its_value_is_refused(value: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="outside its range"):
        Assumption(
            value=value, low=low, high=high, unit="deel", kind="share", affects="case", source="guessed", label="x"
        )


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


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"ingest.date_format = '{form}'"
            for form in ("%d-%m", "%d-%m-%Y %d", "%I %p %d-%m-%Y", "%Y%m%d" * 90, "%d" * 9)
        ),
        *(f"models.{name} = 10000000000000000" for name in ("seed", "jobs", "min_events", "hazard_rows", "trees")),
        *(f"models.seed = {seed}" for seed in ("4294967296", "nan", "9" * 5000)),
        *(f"ingest.complete_share = {share}" for share in ("nan", "inf", "-0.1")),
        *(f"branches.auto.premium = {premium}" for premium in ("inf", "nan", "1e30")),
        r'client.name = "\u001b[31mred"',
        r'client.name = "\u202eevil"',
        f'client.name = "{"a" * 5000}"',
        "team.jan = {a = 1}",
        "schema = -1",
        "x = " + "[" * 100_000,
        "x = " + "{a = " * 5000,
    ],
    ids=lambda line: line[:40],
)
def test_absurd_settings_are_a_sentence(line: str, tmp_path: Path) -> None:
    path = tmp_path / "akb.toml"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(AkbError) as error:
        load_settings(path)
    assert error.value.hint


@pytest.mark.parametrize("form", ["%d-%m-%Y", "%d/%m/%y", "%Y%m%d", "%d %b %Y", "%d-%m-%Y %H:%M:%S", "%Y-%j"])
def test_forms_of_dates_that_people_use_are_taken(form: str, tmp_path: Path) -> None:
    path = tmp_path / "akb.toml"
    path.write_text(f"ingest.date_format = '{form}'\n", "utf-8")
    assert load_settings(path).ingest.date_format == form
