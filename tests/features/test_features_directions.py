"""The table of sure directions: every name exists, every direction has a reason, a slip is told."""

from __future__ import annotations

import tomllib

import pytest

from akb.catalogue.directions import by_feature, check_features, constraints, directions
from akb.core.errors import AkbError
from akb.core.wording.text import load_toml
from akb.features.docs import every_row, table

NAMES = {feature.name for feature in every_row()}
ENTRY = '[[direction]]\nfeatures = ["claims_12m"]\noutcomes = {{ {} }}\nwhy = "x"\n'


def read(text: str) -> dict[str, dict[str, int]]:
    return by_feature(tomllib.loads(text))  # type: ignore[return-value]


def test_every_feature_of_the_table_exists_and_every_direction_says_why() -> None:
    check_features(directions(), NAMES)
    assert all(len(entry["why"]) > 20 for entry in load_toml("directions.toml")["direction"])
    assert all(sign in (-1, 1) for told in directions().values() for sign in told.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.format("claims = 1"), "did you mean 'claim'"),
        (ENTRY.format("claim = 2"), "claim"),
        (ENTRY.format("claim = 1") + "whom = 3\n", "whom"),
        ('[[direction]]\nfeatures = ["claims_12m"]\noutcomes = { claim = 1 }\n', "why"),
        (ENTRY.format("claim = 1") * 2, "two directions for claim"),
    ],
)
def test_a_slip_in_the_table_is_a_config_error(text: str, words: str) -> None:
    with pytest.raises(AkbError, match=r"directions\.toml") as told:
        read(text)
    assert words in str(told.value)


def test_an_unknown_feature_is_a_config_error_with_the_nearest_name() -> None:
    wrong = read(ENTRY.format("claim = 1").replace("claims_12m", "claim_12m"))
    with pytest.raises(AkbError, match="unknown feature 'claim_12m'; did you mean 'claims_"):
        check_features(wrong, NAMES)  # type: ignore[arg-type]


def test_a_direction_is_of_one_kind_of_outcome() -> None:
    names = ("age", "claims_12m", "months_since_claim_12m")
    assert constraints("claim", names) == (0, 1, -1)
    assert constraints("purchase", names) == ()
    assert constraints(None, names) == ()


def test_the_documentation_shows_the_directions() -> None:
    rows = {line.split("`")[1]: line.split("|")[-2].strip() for line in table().splitlines() if line.startswith("| `")}
    assert rows["claims_12m"] == "claim +"
    assert rows["age"] == ""
    assert {name for name, told in rows.items() if told} == set(directions())
