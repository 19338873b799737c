"""Validated settings: shipped defaults, then the client's ``akb.toml``, then the command line."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from akb.core.errors import AkbError, did_you_mean
from akb.core.revenue import Terms
from akb.core.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = 1
_WRITTEN = "docs/settings.md has all settings; mend it"
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "ascii", "cp850")
_LONGEST_YEARS = 100  # longer than any relation lasts
_T = TypeVar("_T", bound=BaseModel)
Definition = Literal["all", "any_policy", "main_branch", "non_life", "essential"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Branch(_Table):
    """One entry of the branch taxonomy (``configs/branches.toml``)."""

    name_nl: str
    name_en: str
    segment: Literal["P", "Z", "PZ"]
    taxed: bool
    ban: bool
    premium: float = Field(ge=0)
    commission: float = Field(ge=0, le=1)
    essential: bool
    life: bool = False
    confidence: Literal["H", "M", "L", "A"]
    margin: float | None = Field(default=None, ge=-1, le=1)  # of an insurer; None: assumption insurer.margin
    who: tuple[Literal["private", "business", "self_employed"], ...] = ()  # who can take it; none: by segment
    age_from: int | None = Field(default=None, ge=0, le=120)  # youngest and oldest private customer who can start it
    age_to: int | None = Field(default=None, ge=0, le=120)
    requires: tuple[str, ...] = ()  # means something only beside one of these branches
    included_in: tuple[str, ...] = ()  # a policy in one of these already covers it
    synonyms: tuple[str, ...]


class Assumption(_Table):
    """A number that nobody measured: value, range, where it comes from, what it means."""

    value: float
    low: float
    high: float
    unit: str
    source: Literal["client", "seed", "measured", "guessed"]
    label: str
    note: str = ""
    owner: Literal["klant", "adviseur", "directie", "akb"] = "akb"  # who may change it
    supplied: bool = True  # False: there is no default, and nothing is shown until someone gives a value

    @model_validator(mode="after")
    def _in_its_range(self) -> Assumption:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the value {self.value} lies outside its range {self.low} to {self.high}")
        return self

    def complaint(self, value: float) -> str | None:
        """Return why `value` is impossible, or None."""
        if self.unit.split(" ")[0] in ("kans", "deel") and not 0 <= value <= 1:
            return "is a share: between 0 and 1 (or 0% and 100%)"
        if not 0 <= value < float("inf"):
            return "cannot be below zero or without end"
        if self.unit == "jaar" and value > _LONGEST_YEARS:
            return f"is a number of years: at most {_LONGEST_YEARS}"
        if self.unit == "klanten" and value < 1:
            return "is a number of customers for one adviser: at least 1"
        return None

    def replaced(self, value: float) -> Assumption:
        """Return it with the client's own value, in a range that holds it."""
        low, high = (min(value, self.low), max(value, self.high)) if self.supplied else (value, value)
        return self.model_copy(update={"value": value, "low": low, "high": high, "source": "client", "supplied": True})


class Client(_Table):
    """Who the report is for."""

    name: str = ""
    type: Literal["intermediair", "volmacht", "verzekeraar"] = "intermediair"
    unit: Literal["relation", "household"] = "relation"  # who is one customer


class Time(_Table):
    """The rules of time (days unless the name says otherwise)."""

    gap_days: int = Field(default=31, ge=0, le=366)
    registration_lag_days: int = Field(default=30, ge=0, le=366)
    history_cap_months: int = Field(default=60, ge=12, le=240)
    keep_ended_years: int = Field(default=7, ge=0, le=100)  # 0: former customers stay, however long they are gone


class Churn(_Table):
    """What counts as leaving: see ``docs/settings.md``."""

    definition: Definition = "all"


class Segment(_Table):
    """What segments are made of, besides customers."""

    unit: Literal["customer", "adviser", "office", "intermediary"] = "customer"


class Ingest(_Table):
    """Where the export differs from what akb would guess."""

    columns: dict[str, dict[str, str]] = Field(default_factory=dict)  # role -> canonical column -> heading
    branches: dict[str, str] = Field(default_factory=dict)  # text in the export -> branch key
    reasons: dict[str, str] = Field(default_factory=dict)  # text in the export -> reason key
    encoding: str | None = None
    separator: str | None = None
    decimal: Literal[",", "."] | None = None
    date_format: str | None = None
    premium_per: Literal["year", "instalment", "month"] | None = None
    premium_basis: Literal["net", "gross"] | None = None
    commission_per: Literal["year", "instalment", "month"] | None = None
    commission_basis: Literal["amount", "percentage"] | None = None
    negative_commission: Literal["unknown", "as_is", "sign"] | None = None  # sign: the whole column is turned round
    zero_commission: Literal["zero", "missing"] = "zero"
    fee_for: Literal["policy", "customer"] | None = None
    complete_share: float = Field(default=0.8, ge=0, le=1)

    @field_validator("separator")
    @classmethod
    def _is_a_sign(cls, sign: str | None) -> str | None:
        """A letter, digit, quote or line break separates nothing."""
        if sign is not None and (len(sign) != 1 or not sign.isascii() or sign.isalnum() or sign in '"\r\n\0'):
            raise ValueError("this is no separator; give one sign, such as ; , | or \\t")
        return sign

    @field_validator("encoding")
    @classmethod
    def _reads_text(cls, name: str | None) -> str | None:
        """An encoding that cannot read back what it writes is none."""
        try:
            read = "Klant;1" if name is None else "Klant;1".encode(name).decode(name)
        except (LookupError, ValueError):
            read = ""
        if read != "Klant;1":
            raise ValueError(f"there is no encoding '{name}'{did_you_mean(str(name), _ENCODINGS)}")
        return name

    @field_validator("date_format")
    @classmethod
    def _reads_a_date(cls, form: str | None) -> str | None:
        """A form that cannot read back the date it writes is none."""
        day = datetime(2031, 12, 30)
        try:
            read = day if form is None else datetime.strptime(day.strftime(form), form)
        except ValueError:
            read = None
        if read is None or (read.month, read.day) != (day.month, day.day):
            raise ValueError("this is no form of a date such as %d-%m-%Y")
        return form


class Features(_Table):
    """Columns of which only today's value is known: headings of the export, or canonical names such as adviser."""

    extra: tuple[str, ...] = ()  # never overwritten, by the client's word: used without the test of hindsight
    without: tuple[str, ...] = ()  # never a feature

    @model_validator(mode="after")
    def _one_way(self) -> Features:
        both = sorted({*self.extra} & {*self.without})
        if both:
            raise ValueError(f"'{both[0]}' stands under extra and under without")
        return self


class Models(_Table):
    """What the engine may spend."""

    seed: int = Field(default=20261121, ge=0)
    jobs: int = Field(default=2, ge=1, le=256)
    min_events: int = Field(default=30, ge=1)
    lifetime_horizon_years: int = Field(default=20, ge=5, le=60)
    hazard_rows: int = Field(default=100_000, ge=1000)
    target_rows: int = Field(default=60_000, ge=1000)
    trees: int = Field(default=200, ge=1)


class Report(_Table):
    """How results are shown."""

    language: Literal["nl"] = "nl"
    suppress_below: int = Field(default=5, ge=1)


class Member(_Table):
    """Somebody who works on the lists; see `akb.value.team`."""

    level: Literal["inside", "adviser"] = "adviser"
    hours: float | None = Field(default=None, ge=0, le=2500)  # a year, for the lists


class Settings(_Table):
    """Everything that a run can be told, validated."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    client: Client = Client()
    time: Time = Time()
    churn: Churn = Churn()
    segment: Segment = Segment()
    ingest: Ingest = Ingest()
    features: Features = Features()
    models: Models = Models()
    report: Report = Report()
    branches: dict[str, dict[str, Any]] = Field(default_factory=dict)
    assumptions: dict[str, float] = Field(default_factory=dict)
    team: dict[str, Member] = Field(default_factory=dict)  # adviser as the export writes it -> level and hours

    @field_validator("assumptions", mode="before")
    @classmethod
    def _by_full_name(cls, given: Any) -> Any:
        """Let a table of its own stand for its names: ``[assumptions.retention] rescue`` is ``retention.rescue``."""
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
        """Return the branch taxonomy with the client's own figures."""
        shipped = load_toml("branches.toml")
        for key in self.branches:
            _must_be_one_of(shipped, key, "branch", "[branches]")
        taxonomy = {
            key: _validated(Branch, {**entry, **self.branches.get(key, {})}, f"branches.{key}")
            for key, entry in shipped.items()
        }
        for key, branch in taxonomy.items():
            for other in (*branch.requires, *branch.included_in):
                _must_be_one_of(shipped, other, "branch", f"[branches.{key}]")
        return taxonomy

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
        """Return the assumption register by ``table.key``, with the client's own values marked ``client``.

        Raises
        ------
        AkbError
            If a name is unknown or a value impossible.
        """
        register = dict(_shipped_assumptions())
        for name, value in self.assumptions.items():
            if name not in register:
                raise AkbError(
                    f"unknown assumption '{name}' in [assumptions]{did_you_mean(name, register)}",
                    "The report lists them all under its assumptions.",
                )
            why = register[name].complaint(value)
            if why:
                raise AkbError(f"[assumptions]: {name} = {value:g} {why}", f"{_WRITTEN}.")
            register[name] = register[name].replaced(value)
        return register

    def own_assumptions(self) -> dict[str, float]:
        """Return the client's own values, by name, as far as they differ from those that akb ships."""
        shipped = _shipped_assumptions()
        return {name: value for name, value in sorted(self.assumptions.items()) if value != shipped[name].value}

    def check_names(self) -> None:
        """Raise AkbError if any table names a branch, reason, role, column or assumption that akb does not know."""
        columns = load_toml("columns.toml")
        for role, given in self.ingest.columns.items():
            _must_be_one_of(columns["roles"], role, "role", "[ingest.columns]")
            for column in given:
                _must_be_one_of(columns[role], column, "column", f"[ingest.columns.{role}]")
        for branch in self.ingest.branches.values():
            _must_be_one_of(load_toml("branches.toml"), branch, "branch", "[ingest.branches]")
        for reason in self.ingest.reasons.values():
            _must_be_one_of(load_toml("reasons.toml"), reason, "reason", "[ingest.reasons]")
        self.taxonomy()
        self.assumed()


def _must_be_one_of(names: Iterable[str], name: str, what: str, table: str) -> None:
    names = list(names)
    if name not in names:
        raise AkbError(f"{table}: unknown {what} '{name}'{did_you_mean(name, names)}", f"akb knows {', '.join(names)}.")


@cache
def _shipped_assumptions() -> dict[str, Assumption]:
    tables = load_toml("assumptions.toml")
    return {
        f"{table}.{key}": _validated(Assumption, entry, f"{table}.{key}")
        for table, entries in tables.items()
        for key, entry in entries.items()
    }


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings of a run.

    Parameters
    ----------
    path
        The client's ``akb.toml``; None for the defaults.
    overrides
        Values from the command line by dotted name with ``__`` for the dot (``models__seed=1``); None is ignored.

    Raises
    ------
    AkbError
        If the file is missing, is no TOML, has an unknown name (with a suggestion) or an impossible value.
    """
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise AkbError(f"there is no settings file {path}", "Leave --config out to use the defaults.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AkbError(
                f"{path} is not valid TOML: {error}", "Texts stand between quotes, tables between [ and ]."
            ) from None
        except OSError as error:
            raise AkbError(f"cannot read {path}: {error.strerror}") from None
    schema = given.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise AkbError(f"{path} has schema {schema}; this akb knows schema {SCHEMA}", "Upgrade akb.")
    for name, value in overrides.items():
        if value is not None:
            table, key = name.split("__")
            if not isinstance(given.setdefault(table, {}), dict):
                break  # the validation below says what is wrong with it
            given[table][key] = value
    settings = _validated(Settings, given, str(path or "settings"))
    settings.check_names()
    return settings


def _validated(model: type[_T], given: dict[str, Any], where: str) -> _T:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise AkbError(
                f"{where}: unknown setting '{name}'{_meant(model, [str(part) for part in first['loc']])}",
                f"{_WRITTEN} or take it out.",
            ) from None
        if first["type"] == "literal_error":
            why += did_you_mean(str(first["input"]), re.findall("'([^']*)'", first["ctx"]["expected"]))
        raise AkbError(f"{where}: '{name}': {why[:1].lower()}{why[1:]}", f"{_WRITTEN}.") from None


def _meant(model: type[BaseModel], parts: list[str]) -> str:
    """Return the nearest setting: of the same table, else one of another table under its full name."""
    here: Any = model
    for part in parts[:-1]:
        here = _fields(here).get(part)
    near = did_you_mean(parts[-1], _fields(here)) if _is_table(here) else ""
    if near:
        return near
    tables = {table: inner for table, inner in _fields(model).items() if _is_table(inner)}
    full = {key: f"{table}.{key}" for table, inner in tables.items() for key in _fields(inner)}
    found = get_close_matches(parts[-1].lower(), list(full), n=1, cutoff=0.6)
    return f"; did you mean '{full[found[0]]}'?" if found else ""


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
