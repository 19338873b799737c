"""Every feature has a phrase in both languages, no phrase is left over, and a reason reads like a sentence."""

from __future__ import annotations

import re

import pytest

from akb.core.wording.text import texts
from akb.features.branch_rows.eligible import ELIGIBLE
from akb.features.branch_rows.held import HELD
from akb.features.docs import every_feature
from akb.report.reasons import Reasons, entry_of

FEATURES = [*(feature for feature, _ in every_feature()), *HELD, *ELIGIBLE]
FORBIDDEN = re.compile(r"provisie|commission|geslacht|\bsex\b|overleden|deceased|ziek|diagnos", re.IGNORECASE)
OVERWRITTEN = re.compile(r"premie|premium", re.IGNORECASE)  # a feature only where its history is dated


def real(name: str) -> str:
    """A feature of the table as a portfolio has it."""
    return name.replace("{branch}", "opstal")


@pytest.mark.parametrize("language", ["nl", "en"])
def test_each_feature_has_a_phrase_and_no_phrase_is_left_over(language: str) -> None:
    entries = texts("features", language)
    used = set()
    for feature in FEATURES:
        entry = entry_of(real(feature.name), language)
        used |= {key for key, each in entries.items() if each is entry}
        flag, signed = feature.unit == "yes/no", "more" in entry
        assert set(entry) >= (
            {"name", "yes", "no"} if flag else {"name", "more", "less"} if signed else {"name", "phrase"}
        )
        assert (entry.get("format") == "percent") == (feature.unit == "share"), feature.name
    assert used == set(entries)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("value", [0.0, 1.0, 2.0, 0.37, 5.4, 36.0])
def test_a_reason_is_finished_and_speaks_of_no_forbidden_field(language: str, value: float) -> None:
    reasons = Reasons(language)
    for feature in FEATURES:
        sentence = reasons.sentence(real(feature.name), value)
        named = reasons.name(real(feature.name))
        for text in (sentence, named):
            assert text is None or not re.search(r"[{}]", text), feature.name
            assert text is None or not FORBIDDEN.search(text), feature.name
            assert text is None or feature.group == "premium" or not OVERWRITTEN.search(text), feature.name


def test_the_two_languages_tell_the_same() -> None:
    dutch, english = texts("features", "nl"), texts("features", "en")
    assert {key: sorted(entry) for key, entry in dutch.items()} == {key: sorted(each) for key, each in english.items()}
    words = [texts("feature_words", language) for language in ("nl", "en")]
    assert {key: sorted(table) for key, table in words[0].items()} == {
        key: sorted(each) for key, each in words[1].items()
    }


@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        ("policies", 1.0, "heeft maar één polis"),
        ("lapses_preventable_12m", 2.0, "zegde in het laatste jaar 2 polissen op"),
        ("months_since_lapse_36m", 4.2, "er verviel 4 maanden geleden een polis"),
        ("months_since_lapse_36m", 36.0, "er verviel in de laatste 3 jaar geen polis"),
        ("months_to_next_renewal", 1.9, "verlengt over 2 maanden"),
        ("months_to_next_renewal", 0.2, "verlengt over minder dan een maand"),
        ("tenure_months", 61.0, "is 5 jaar klant"),
        ("renewal_opstal", 3.0, "verlengt de polis opstal over 3 maanden"),
        ("lapsed_auto_36m", 1.0, "er verviel in de laatste 3 jaar een polis personenauto"),
        ("policies_change_12m", -2.0, "heeft 2 polissen minder dan een jaar geleden"),
        ("policies_change_12m", 1.0, "kreeg er in het laatste jaar één polis bij"),
        ("insurer_lapse_ratio", 1.4, "bij deze verzekeraars vervallen 1,4 keer zoveel polissen als gemiddeld"),
        ("contacts_about_price_3m", 2.0, "had in de laatste 3 maanden 2 keer contact over de prijs"),
        ("claims_euros_12m", 1234.0, "claimde in het laatste jaar €\u00a01.230"),
        ("past_lapses_12m", 0.0, None),
        ("age", 17.0, "is jonger dan 18"),
        ("age", 18.0, "is 18 tot en met 24 jaar"),
        ("age", 74.0, "is 65 tot en met 74 jaar"),
        ("age", 75.0, "is 75 jaar of ouder"),
        ("age_at_start", 43.0, "was 35 tot en met 49 jaar bij de start van de oudste polis"),
        ("age", None, None),
        ("lag_month", 3.0, None),
    ],
)
def test_a_reason_reads_like_a_sentence(feature: str, value: float | None, sentence: str | None) -> None:
    assert Reasons("nl").sentence(feature, value) == sentence


@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        ("policies", 1.0, "has only one policy"),
        ("lapses_preventable_12m", 2.0, "cancelled 2 policies in the last year"),
        ("months_since_lapse_36m", 4.2, "a policy lapsed 4 months ago"),
        ("renewal_opstal", 3.0, "renews the buildings policy in 3 months"),
        ("tenure_months", 61.0, "has been a customer for 5 years"),
        ("office_growth_12m", -0.1, "other customers of the same office grow less than average"),
        ("share_lost_12m", 0.25, "lost 25% of the policies in the last year"),
    ],
)
def test_a_reason_reads_like_an_english_sentence(feature: str, value: float, sentence: str) -> None:
    assert Reasons("en").sentence(feature, value) == sentence


def test_the_nearest_family_wins() -> None:
    """share_renewals_3m is not the theme's share, contacts_by_phone_3m not a channel called "by"."""
    assert entry_of("share_renewals_3m")["name"] == "Aandeel verlengingen binnen {n} maanden"
    assert entry_of("share_home")["name"] == "Aandeel polissen {theme}"
    assert entry_of("months_since_claim_12m") != entry_of("claims_12m")


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("feature", ["age", "age_at_start"])
def test_no_reason_tells_an_exact_age(feature: str, language: str) -> None:
    """A year of birth beside a branch and an office is a person: every age of a band reads the same."""
    spoken = [Reasons(language).sentence(feature, float(age)) for age in range(1, 106)]
    assert len(set(spoken)) == 7
    assert all(text and "None" not in text for text in spoken)
