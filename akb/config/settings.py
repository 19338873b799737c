"""Validated settings: shipped defaults, then the client's ``akb.toml``, then the command line."""

from __future__ import annotations

import re
import tomllib
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from akb.config.contacts import ContactType, contact_assumptions, contact_types
from akb.config.register import Assumption, MeasuredEffect, shipped_assumptions
from akb.config.tables import (
    WORDS,
    WRITTEN,
    Branch,
    Churn,
    Client,
    Features,
    Ingest,
    Member,
    Models,
    Report,
    Segment,
    SettingsTable,
    Sisters,
    Time,
    must_be_one_of,
    validated,
)
from akb.core.candidates import check_candidates
from akb.core.errors import AkbError, did_you_mean
from akb.core.privacy.identifiers import OTHER_BRANCH
from akb.core.revenue import Terms
from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1


class Settings(SettingsTable):
    """Everything that a run can be told, validated."""

    schema_: int = Field(default=SCHEMA, alias="schema", ge=1)
    client: Client = Client()
    time: Time = Time()
    churn: Churn = Churn()
    segment: Segment = Segment()
    ingest: Ingest = Ingest()
    features: Features = Features()
    models: Models = Models()
    report: Report = Report()
    branches: dict[str, dict[str, Any]] = Field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = Field(
        default_factory=dict
    )  # key -> what differs from the shipped ladder
    assumptions: dict[str, Annotated[float, Field(allow_inf_nan=True)]] = Field(
        default_factory=dict
    )  # see `complaint`
    measured: dict[str, MeasuredEffect] = Field(
        default_factory=dict
    )  # assumption -> what an experiment made of it
    sisters: Sisters = Sisters()
    team: dict[str, Member] = Field(
        default_factory=dict
    )  # adviser as the export writes it -> level and hours

    @field_validator("assumptions", mode="before")
    @classmethod
    def _by_full_name(cls, given: Any) -> Any:
        """Let a table of its own stand for its names: ``[assumptions.rule] rescue`` is
        ``rule.rescue``.
        """
        if not isinstance(given, dict):
            return given
        named: dict[str, Any] = {}
        for name, value in given.items():
            inner = cls._by_full_name(value) if isinstance(value, dict) else {"": value}
            named |= {f"{name}.{key}" if key else name: each for key, each in inner.items()}
        wrong = next((name for name, value in named.items() if isinstance(value, bool | str)), None)
        if wrong:
            raise ValueError(f"{wrong} is no number")
        return named

    def taxonomy(self) -> dict[str, Branch]:
        """Return the branch taxonomy with the client's own figures and his own branches, Overig
        last.
        """
        return dict(_shipped_taxonomy()) if not self.branches else self._taxonomy()

    def _taxonomy(self) -> dict[str, Branch]:
        shipped = load_toml("branches.toml")
        entries = {key: {**entry, **self.branches.get(key, {})} for key, entry in shipped.items()}
        for key in self.branches:
            if key not in shipped:
                entries[key] = self._own_branch(key)
        entries[OTHER_BRANCH] = entries.pop(OTHER_BRANCH)
        taxonomy = {
            key: validated(Branch, entry, f"branches.{key}") for key, entry in entries.items()
        }
        for key, branch in taxonomy.items():
            for other in (*branch.requires, *branch.included_in):
                must_be_one_of(taxonomy, other, "branch", f"[branches.{key}]")
        return taxonomy

    def _own_branch(self, key: str) -> dict[str, Any]:
        """Return the entry of a branch that the client defines: it has a name, and for the rest
        what Overig has.
        """
        given, shipped = self.branches[key], load_toml("branches.toml")
        name = given.get("name_nl")
        if not isinstance(name, str) or not name.strip():
            raise AkbError(
                f"[branches]: unknown branch '{key}'{did_you_mean(key, shipped)}",
                f"akb knows {', '.join(shipped)}. A branch of your own has a name: name_nl = "
                f'"...".',
            )
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise AkbError(
                f"[branches]: '{key}' is no key for a branch of your own",
                "A key is made of small letters, digits and _, and begins with a letter: "
                "[branches.hagel].",
            )
        usual = {**shipped[OTHER_BRANCH], "synonyms": (name,), "eligibility": "unknown"}
        if {"segment", "who"} & set(given):
            usual["eligibility"] = "known"
        return {**usual, "name_en": name, **given}

    def with_branches(self, own: Mapping[str, Mapping[str, Any]]) -> Settings:
        """Return settings in which the branches that only the export has are defined, and their
        texts lead to them.
        """
        if not own:
            return self
        texts = {text: key for key, entry in own.items() for text in entry["synonyms"]}
        # its texts as a whole, not as words in other texts
        entries = {key: {**entry, "synonyms": []} for key, entry in own.items()}
        ingest = self.ingest.model_copy(update={"branches": {**texts, **self.ingest.branches}})
        return self.model_copy(update={"branches": {**entries, **self.branches}, "ingest": ingest})

    def revenue_terms(self) -> Terms:
        """Return on what terms this client earns: a branch's own margin, else the assumed one."""
        register = self.assumed()

        def margin(key: str, branch: Branch) -> float:
            usual = register.get(f"insurer.margin_{key}", register["insurer.margin"])
            return usual.value if branch.margin is None else branch.margin

        return Terms(
            client=self.client.type,
            margins={key: margin(key, branch) for key, branch in self.taxonomy().items()},
            signing_share=register["volmacht.signing_share"].value,
            profit_share=register["volmacht.profit_share"].value,
        )

    def assumed(self) -> dict[str, Assumption]:
        """Return the assumption register by ``table.key``, with what was measured marked
        ``measured`` and the client's own values ``client``.

        Raises
        ------
        AkbError
            If a name is unknown or a value impossible.
        """
        register = self._before_assumptions()
        for name, value in self.assumptions.items():
            if name not in register:
                raise AkbError(
                    f"unknown assumption '{name}' in [assumptions]{did_you_mean(name, register)}",
                    "The report lists them all under its assumptions.",
                )
            why = register[name].complaint(value)
            if why:
                raise AkbError(f"[assumptions]: {name} = {value:g} {why}", f"{WRITTEN}.")
            register[name] = register[name].replaced(value)
        return register

    def _before_assumptions(self) -> dict[str, Assumption]:
        """Return the register with the client's own ladder and what was measured, but without his
        ``[assumptions]``.
        """
        register = {**shipped_assumptions(), **contact_assumptions(self.contacts)}
        for name, effect in self.measured.items():
            if name not in register:
                raise AkbError(
                    f"unknown assumption '{name}' in [measured]{did_you_mean(name, register)}",
                    "The report lists them all under its assumptions.",
                )
            for end in (effect.low, effect.high):
                why = register[name].complaint(end)
                if why:
                    raise AkbError(f"[measured]: {name} = {end:g} {why}", f"{WRITTEN}.")
            register[name] = register[name].measured(effect)
        return register

    def ladder(self) -> dict[str, ContactType]:
        """Return the contact types by key: `configs/contacts.toml`, changed by ``[contacts.KEY]``
        and the register.

        Raises
        ------
        AkbError
            If a type lacks something, or something in it is unknown or impossible.
        """
        return contact_types(self.contacts, self.assumed())

    def own_assumptions(self) -> dict[str, float]:
        """Return the client's own values, by name, as far as they differ from those that akb
        ships.
        """
        shipped = {**shipped_assumptions(), **contact_assumptions({})}
        return {
            name: entry.value
            for name, entry in sorted(self.assumed().items())
            if (entry.value != shipped[name].value if name in shipped else name in self.assumptions)
        }

    def check_names(self) -> None:
        """Raise AkbError if any table names a branch, reason, role, column or assumption that akb
        does not know.
        """
        columns, taxonomy = load_toml("columns.toml"), self.taxonomy()
        for role, given in self.ingest.columns.items():
            must_be_one_of(columns["roles"], role, "role", "[ingest.columns]")
            for column in given:
                must_be_one_of(columns[role], column, "column", f"[ingest.columns.{role}]")
        for branch in self.ingest.branches.values():
            must_be_one_of(taxonomy, branch, "branch", "[ingest.branches]")
        for reason in self.ingest.reasons.values():
            must_be_one_of(load_toml("reasons.toml"), reason, "reason", "[ingest.reasons]")
        for table, values in WORDS.items():
            for meaning in getattr(self.ingest, table).values():
                known = columns["values"][values] if values else ("yes", "no")
                must_be_one_of(known, meaning, "meaning", f"[ingest.{table}]")
        check_candidates(self.models.candidates)
        self.ladder()


@cache
def _shipped_taxonomy() -> dict[str, Branch]:
    """Return the taxonomy of who has nothing of his own; it is asked for some ten times a run."""
    return Settings()._taxonomy()


def load_settings(
    path: Path | None = None, tables: Mapping[str, Any] | None = None, **overrides: Any
) -> Settings:
    """Return the settings of a run.

    Parameters
    ----------
    path
        The client's ``akb.toml``; None for the defaults.
    tables
        What would stand in such a file, where there is none.
    overrides
        Values from the command line by dotted name with ``__`` for the dot (``models__seed=1``);
        None is ignored.

    Raises
    ------
    AkbError
        If the file is missing, is no TOML, has an unknown name (with a suggestion) or an impossible
        value.
    """
    given: dict[str, Any] = deepcopy(dict(tables or {}))
    if path is not None:
        try:
            given = tomllib.loads(path.read_text("utf-8-sig"))
        except FileNotFoundError:
            raise AkbError(
                f"there is no settings file {path}", "Leave --config out to use the defaults."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AkbError(
                f"{path} is not valid TOML: {error}",
                "Texts stand between quotes, tables between [ and ].",
            ) from None
        except (
            RecursionError,
            ValueError,
        ) as error:  # tables in tables without end, a number of thousands of digits
            raise AkbError(
                f"{path} cannot be read as settings ({type(error).__name__})", f"{WRITTEN}."
            ) from None
        except OSError as error:
            raise AkbError(f"cannot read {path}: {error.strerror}") from None
    schema = given.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise AkbError(
            f"{path or 'these settings'} has schema {schema}; this akb knows schema {SCHEMA}",
            "Upgrade akb.",
        )
    for name, value in overrides.items():
        if value is not None:
            table, key = name.split("__")
            if not isinstance(given.setdefault(table, {}), dict):
                break  # the validation below says what is wrong with it
            given[table][key] = value
    settings = validated(Settings, given, str(path or "settings"))
    settings.check_names()
    return settings
