"""The tables of ``akb.toml``, and the sentence for what does not fit them."""

from __future__ import annotations

import re
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

WRITTEN = "docs/settings.md has all settings; mend it"
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "ascii", "cp850")
_T = TypeVar("_T", bound=BaseModel)
Definition = Literal["all", "any_policy", "main_branch", "non_life", "essential"]


class Table(BaseModel):
    """What stands together under one heading: nothing unknown in it, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Branch(Table):
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


class Client(Table):
    """Who the report is for."""

    name: str = ""
    type: Literal["intermediair", "volmacht", "verzekeraar"] = "intermediair"
    unit: Literal["relation", "household"] = "relation"  # who is one customer


class Time(Table):
    """The rules of time (days unless the name says otherwise)."""

    gap_days: int = Field(default=31, ge=0, le=366)
    registration_lag_days: int = Field(default=30, ge=0, le=366)
    history_cap_months: int = Field(default=60, ge=12, le=240)
    keep_ended_years: int = Field(default=7, ge=0, le=100)  # 0: former customers stay, however long they are gone


class Churn(Table):
    """What counts as leaving: see ``docs/settings.md``."""

    definition: Definition = "all"


class Segment(Table):
    """What segments are made of, besides customers."""

    unit: Literal["customer", "adviser", "office", "intermediary"] = "customer"


class Ingest(Table):
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


class Models(Table):
    """What the engine may spend."""

    seed: int = Field(default=20261121, ge=0)
    jobs: int = Field(default=2, ge=1, le=256)
    min_events: int = Field(default=30, ge=1)
    lifetime_horizon_years: int = Field(default=20, ge=5, le=60)
    hazard_rows: int = Field(default=100_000, ge=1000)
    target_rows: int = Field(default=60_000, ge=1000)
    trees: int = Field(default=200, ge=1)


class Report(Table):
    """How results are shown."""

    language: Literal["nl"] = "nl"
    suppress_below: int = Field(default=5, ge=1)


class Member(Table):
    """Somebody who works on the lists; see `akb.value.targeting.team`."""

    level: Literal["inside", "adviser"] = "adviser"
    hours: float | None = Field(default=None, ge=0, le=2500)  # a year, for the lists


def must_be_one_of(names: Iterable[str], name: str, what: str, table: str) -> None:
    """Raise AkbError, with the nearest name, if `name` is no `what` that akb knows."""
    names = list(names)
    if name not in names:
        raise AkbError(f"{table}: unknown {what} '{name}'{did_you_mean(name, names)}", f"akb knows {', '.join(names)}.")


def validated(model: type[_T], given: dict[str, Any], where: str) -> _T:
    """Return what was `given` as a `model`.

    Raises
    ------
    AkbError
        If a name is unknown (with a suggestion) or a value impossible; `where` is told with it.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise AkbError(
                f"{where}: unknown setting '{name}'{_meant(model, [str(part) for part in first['loc']])}",
                f"{WRITTEN} or take it out.",
            ) from None
        if first["type"] == "literal_error":
            why += did_you_mean(str(first["input"]), re.findall("'([^']*)'", first["ctx"]["expected"]))
        raise AkbError(f"{where}: '{name}': {why[:1].lower()}{why[1:]}", f"{WRITTEN}.") from None


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
