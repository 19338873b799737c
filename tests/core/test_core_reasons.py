"""A reason is data; its sentence has Dutch numbers, and says nothing of a handful of customers."""

import pytest

from akb.core.wording.proof import Shown
from akb.core.wording.reasons import Reason
from akb.core.wording.text import texts


def test_numbers_names_and_other_reasons_are_worded() -> None:
    few = Reason("few_events", {"events": Reason("under", {"limit": 5}), "least": 1000})
    assert few.sentence() == "Er zijn minder dan 5 gebeurtenissen bekend; vanaf 1.000 is er iets te leren."
    effect = Reason("churn_effect", {"difference": -1.25, "low": -2.0, "high": -0.5}).sentence()
    assert "−1,2 procentpunt (−2,0 tot −0,5)" in effect
    assert Shown().order_words() in Reason("off_level", {"proof": Shown()}).sentence()


def test_a_sentence_without_its_values_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        Reason("too_short").sentence()
    with pytest.raises(KeyError):
        Reason("no_such_code").sentence()


def test_every_code_of_the_models_has_a_sentence() -> None:
    """The codes that the rooms name, looked for in their source: `why("code"` and `needs_` + what an entry needs."""
    import re
    from pathlib import Path

    import akb.models

    root = Path(akb.models.__file__).parent
    named = {code for path in root.rglob("*.py") for code in re.findall(r'why\(\s*"(\w+)"', path.read_text("utf-8"))}
    assert len(named) > 15
    assert named <= texts("why")["why_models"].keys()
