"""One customer in a call: what is expected of him, and how that changes by what he says now.

A run is loaded once. A question then takes the row of the customer as it is, and the same row built
from his own policies and events after the corrections, beside what everybody else adds up to (rates
of a branch, the work of an adviser), which is kept from the moment of loading. The chances of the
run move by as much as the models' log-odds do, so that without corrections the answer is the run's
own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.errors import AkbError
from akb.core.wording.numbers import percent_in
from akb.core.wording.text import texts
from akb.live.scoring.corrections import Corrections, corrected, corrections
from akb.live.scoring.rows import WholeRun
from akb.live.scoring.stored import stored_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from akb.live.scoring.stored import StoredRun

SCHEMA = "akb.inbound/1"
CHANCES = (
    "churn_1m",
    "churn_3m",
    "churn_12m",
    "churn_preventable_12m",
    "policy_lapse_any_12m",
    "cross_sell_any_12m",
)
BEST = 3
"""Next best policies that are told."""
LEAST = 0.005
"""Difference in a chance from which it is told as changed."""


@dataclass(frozen=True)
class InboundAnswer:
    """What is known of a customer now.

    chances
        Key -> chance; a key that the run does not have is left out.
    policies
        The next best policies, the best first: branch, name, chance, and the share of comparable
        customers who hold it (None: unknown).
    say
        A sentence to open with.
    changed
        Per key or branch (``was``, ``now``) that the corrections moved.
    language
        Of the words: that of the run.
    """

    customer: str
    as_of: str
    chances: Mapping[str, float]
    lapses: Mapping[str, float]
    policies: tuple[Mapping[str, Any], ...]
    say: str
    changed: Mapping[str, Mapping[str, float | None]]
    language: str

    def lines(self) -> list[str]:
        """Return it for who has the customer on the telephone."""
        words, percent = texts("live", self.language)["inbound"], partial(percent_in, self.language)
        lines = [self.say, ""]
        for key, chance in self.chances.items():
            lines.append(f"{words['chances'][key]:<44}{percent(chance):>8}")
        lines += ["", str(words["next"])]
        lines += [f"  {each['name']:<42}{percent(each['chance']):>8}" for each in self.policies]
        if self.changed:
            lines += ["", str(words["changed"])]
        for key, each in self.changed.items():
            was, now = (
                "–" if value is None else percent(value) for value in (each["was"], each["now"])
            )
            lines.append(f"  {words['chances'].get(key, key):<42}{was:>8} → {now}")
        return lines

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"schema": SCHEMA, **vars(self), "policies": list(self.policies)}


class InboundScorer:
    """A run, loaded for questions about single customers.

    Parameters
    ----------
    folder
        The run whose models and scores are asked.
    key
        The client's key: relation numbers are looked up by it.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        from akb.core.privacy.pseudonyms import client_key

        self._run = stored_run(folder, key)
        run = self._run
        self._key = client_key(key, run.settings.client.name)
        portfolio = run.read_as_then(run.portfolio)
        self._settings = run.settings.with_branches(portfolio.own_branches)
        self._portfolio = replace(portfolio, own=(), own_values=None, recorded=None)
        self._whole = WholeRun(run, self._portfolio, self._settings)
        numbers = portfolio.customers.select("pseudonym", "customer")
        self._places: dict[str, int] = dict(numbers.iter_rows())
        taxonomy = self._settings.taxonomy()
        self._language = self._settings.report.language
        self._names = {
            key: getattr(taxonomy[key], f"name_{self._language}")
            for key in sorted(set(portfolio.policies["branch"].unique()))
            if key in taxonomy
        }
        frame = run.models.run.scores
        self._rows = {customer: row for row, customer in enumerate(frame["customer"])}
        self._warm_up()

    @property
    def run(self) -> StoredRun:
        """The run that is asked."""
        return self._run

    def ask(
        self, customer: str, *, sets: Sequence[str] = (), adds: Sequence[str] = ()
    ) -> InboundAnswer:
        """Return what is known of a customer, with corrections of the moment.

        Parameters
        ----------
        customer
            Pseudonym (K-…) or relation number.
        sets, adds
            As ``--set age=41`` and ``--add auto``.

        Raises
        ------
        AkbError
            If the customer is not in force in the run, or a correction says nothing.
        """
        number = self._number(customer)
        heard = corrections(self._portfolio, self._names, sets, adds)
        scores = self._run.models.run.scores.row(self._rows[number], named=True)
        chances = {key: float(scores[key]) for key in CHANCES if scores.get(key) is not None}
        lapses, bought = self._stored(number)
        before = {**chances, **_named("lapse", lapses), **_named("buy", bought)}
        if not heard.none:
            chances, lapses, bought = self._moved(number, heard, (chances, lapses, bought))
        after = {**chances, **_named("lapse", lapses), **_named("buy", bought)}
        best = self._best(number, bought)
        return InboundAnswer(
            customer=self._pseudonym(number),
            as_of=self._portfolio.as_of.isoformat(),
            chances=chances,
            lapses=lapses,
            policies=best,
            say=self._sentence(best),
            changed=_changed(before, after),
            language=self._language,
        )

    def _warm_up(self) -> None:
        """Answer once, so that nobody in a call waits for libraries and models to be read."""
        first = next(iter(self._rows), None)
        if first is not None and self._names:
            self._moved(first, Corrections({"birth_year": 1970}), ({}, {}, {}))

    def _number(self, customer: str) -> int:
        from akb.core.privacy.pseudonyms import pseudonym

        number = self._places.get(customer)
        if number is None:
            number = self._places.get(pseudonym(customer, self._key))
        if number is None or number not in self._rows:
            raise AkbError(
                "this customer is not in force in the run",
                "Give the pseudonym (K-…) or the relation number as the export has it.",
            )
        return int(number)

    def _pseudonym(self, number: int) -> str:
        customers = self._portfolio.customers
        return str(
            customers.row(by_predicate=pl.col("customer") == number, named=True)["pseudonym"]
        )

    def _stored(self, number: int) -> tuple[dict[str, float], dict[str, float]]:
        """The chances per branch that the run gave."""
        run = self._run.models.run
        parts = []
        for frame in (run.branch_lapse, run.branch_purchase):
            own = frame.filter(pl.col("customer") == number)
            parts.append(dict(zip(own["branch"], own["probability"], strict=True)))
        return parts[0], parts[1]

    def _moved(
        self,
        number: int,
        heard: Corrections,
        before: tuple[dict[str, float], dict[str, float], dict[str, float]],
    ) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """The chances after the corrections: what the models' log-odds moved by, added to what was
        said.
        """
        made = corrected(self._portfolio, number, heard)
        raw, other = self._whole.answered(made, number)
        old_scores, new_scores = (
            raw.scores.filter(pl.col("customer") == each).row(0, named=True)
            for each in (number, other)
        )
        chances = {
            key: _shifted(value, old_scores.get(key), new_scores.get(key))
            for key, value in before[0].items()
        }
        branches = []
        for frame, stored in ((raw.lapses, before[1]), (raw.purchases, before[2])):
            old, new = (
                dict(
                    frame.filter(pl.col("customer") == each)
                    .select("branch", "probability")
                    .iter_rows()
                )
                for each in (number, other)
            )
            branches.append(
                {
                    key: _shifted(stored[key], old.get(key), value) if key in stored else value
                    for key, value in new.items()
                }
            )
        return chances, branches[0], branches[1]

    def _best(self, number: int, bought: Mapping[str, float]) -> tuple[Mapping[str, Any], ...]:
        scores = self._run.models.run.scores.row(self._rows[number], named=True)
        order = sorted(bought, key=lambda key: (-bought[key], key))[:BEST]
        return tuple(
            {
                "branch": key,
                "name": self._names.get(key, key),
                "chance": bought[key],
                "alike": scores.get(f"need_{key}"),
            }
            for key in order
        )

    def _sentence(self, best: Sequence[Mapping[str, Any]]) -> str:
        """Return what to say: how many of the comparable customers have what he lacks."""
        words = texts("live", self._language)["inbound"]
        known = [each for each in best if each["alike"] is not None]
        if not known:
            return str(words["nothing"])
        first = known[0]
        tenths = max(1, min(9, round(10 * float(first["alike"]))))
        return str(words["discuss"]).format(branch=first["name"].lower(), tenths=tenths)


def _named(kind: str, chances: Mapping[str, float]) -> dict[str, float]:
    return {f"{kind}_{key}": value for key, value in chances.items()}


def _shifted(stored: float, old: Any, new: Any) -> float:
    """A chance moved by the difference in log-odds; what is certain stays."""
    if old is None or new is None or not 1e-6 < stored < 1 - 1e-6:
        return stored
    old, new, stored = (float(np.clip(each, 1e-9, 1 - 1e-9)) for each in (old, new, stored))
    if old == new:
        return stored
    move = np.log(new / (1 - new)) - np.log(old / (1 - old))
    return float(1 / (1 + np.exp(-(np.log(stored / (1 - stored)) + move))))


def _changed(
    before: Mapping[str, float], after: Mapping[str, float]
) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for key in (*before, *(key for key in after if key not in before)):
        was, now = before.get(key), after.get(key)
        if was is None or now is None or abs(now - was) >= LEAST:
            found[key] = {"was": was, "now": now}
    return found
