"""``akb explain``: every finding and every prediction, in Dutch and English."""

from __future__ import annotations

import json
import re

import pytest

from akb.catalogue.entries import templates
from akb.cli import run
from akb.commands.inspect.explain import explained
from akb.core.wording.text import texts

CODES = sorted(texts("findings"))
KEYS = [entry.key for entry in templates()]


def test_both_languages_have_the_same_findings_with_the_same_values() -> None:
    nl, en = texts("findings", "nl"), texts("findings", "en")
    assert set(nl) == set(en)
    for code in nl:
        for part in ("sentence", "remedy"):
            values = [set(re.findall(r"{(\w+)", words[code][part])) for words in (nl, en)]
            assert values[0] == values[1], (code, part)
            assert en[code][part].strip().endswith((".", "?")), (code, part)
            assert en[code][part] != nl[code][part], (code, part)


@pytest.mark.parametrize("name", [*CODES, *KEYS])
def test_everything_is_explained(name: str) -> None:
    document = explained(name)
    assert document["code"] == name
    for language in ("nl", "en"):
        assert all(document[language].values())
        assert "{" not in "".join(document[language].values())


def test_a_key_of_a_branch_is_that_of_its_template() -> None:
    document = explained("next_policy_auto_12m")
    assert "auto" in document["en"]["question"]
    assert document["en"]["population"].startswith("Customers without auto")
    assert explained("next_policy_own_branch_12m")["en"]["name"] == "Purchase of own_branch within 12 months"
    assert explained("churn_12m")["horizon_months"] == 12
    assert explained("winback_12m")["file"] == "winback.parquet"


def test_people_and_programs_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "akb-d011"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("AKB-D011: finding; about data\n")
    assert "<count> (<share>)" in said
    assert run(["explain", "churn_12m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "akb.explain/1"
    assert run(["explain", "churn_12"]) == 2
    assert "did you mean 'churn_12m'?" in capsys.readouterr().err
