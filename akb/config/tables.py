"""The tables of ``akb.toml``, and the sentence for what does not fit them."""

from __future__ import annotations

import re
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

WRITTEN = "docs/settings.md has all settings; mend it"
_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "ascii", "cp850")
WORDS = {
    "statuses": "status",
    "kinds": "kind",
    "terms": "term",
    "collections": "collection",
    "channels": "channel",
    "permissions": "",  # yes or no
}
"""Tables of ``[ingest]`` that say what words mean -> the table of ``[values]`` whose meanings they
may have.
"""
_LONGEST_FORM = 40  # of a date
_LONGEST_TEXT = 1000
LARGEST_SEED = 2**32 - 1  # what every library takes
_T = TypeVar("_T", bound=BaseModel)
Definition = Literal["all", "any_policy", "main_branch", "non_life", "essential"]


def _is_printable(text: str) -> str:
    if printable(text, _LONGEST_TEXT) != text:
        raise ValueError("this text has signs that cannot be shown")
    return text


Shown = Annotated[str, AfterValidator(_is_printable)]
"""A text that stands in a report."""


class SettingsTable(BaseModel):
    """What stands together under one heading: nothing unknown in it, and never changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, str_max_length=_LONGEST_TEXT
    )


class Branch(SettingsTable):
    """One entry of the branch taxonomy (``configs/branches.toml``)."""

    name_nl: Shown
    name_en: Shown
    segment: Literal["P", "Z", "PZ"]
    taxed: bool
    ban: bool
    premium: float = Field(ge=0, le=1_000_000)
    commission: float = Field(ge=0, le=1)
    lapse: float = Field(gt=0, lt=1)  # share of policies that end in a year, by the sources
    essential: bool
    life: bool = False
    subscription: bool = False  # the office's own service at a fee: no cover, and no policy
    confidence: Literal["H", "M", "L", "A"]
    margin: float | None = Field(
        default=None, ge=-1, le=1
    )  # of an insurer; None: assumption insurer.margin
    who: tuple[
        Literal["private", "business", "self_employed"], ...
    ] = ()  # who can take it; none: by segment
    age_from: int | None = Field(
        default=None, ge=0, le=120
    )  # youngest and oldest private customer who can start it
    age_to: int | None = Field(default=None, ge=0, le=120)
    requires: tuple[str, ...] = ()  # means something only beside one of these branches
    included_in: tuple[str, ...] = ()  # a policy in one of these already covers it
    eligibility: Literal["known", "unknown"] = "known"  # whether anybody said who can take it
    synonyms: tuple[str, ...]


class Client(SettingsTable):
    """Who the report is for."""

    name: Shown = Field(default="", max_length=100)
    type: Literal["intermediair", "volmacht", "verzekeraar"] = "intermediair"
    unit: Literal["relation", "household"] = "relation"  # who is one customer
    contracts: Literal["together", "apart"] = "together"  # whether a contract decides for members
    # of the annual accounts, euros a year; None: not given
    commission_total: float | None = Field(default=None, gt=0, le=1e10)
    fee_total: float | None = Field(default=None, gt=0, le=1e10)
    fte: float | None = Field(default=None, gt=0, le=100_000)
    payroll: float | None = Field(default=None, gt=0, le=1e10)
    other_cost: float | None = Field(default=None, gt=0, le=1e10)
    cost: Literal["model", "accounts"] = "model"  # which cost to serve everything stands on

    @model_validator(mode="after")
    def _accounts_fit(self) -> Client:
        """An insurer's margin is in no commission account; cost of the accounts has to be given."""
        income = self.commission_total is not None or self.fee_total is not None
        if self.type == "verzekeraar" and income:
            raise ValueError("an insurer earns a margin: leave commission_total and fee_total out")
        if self.cost == "accounts" and self.payroll is None and self.other_cost is None:
            raise ValueError('cost = "accounts" asks for payroll or other_cost')
        return self


class Time(SettingsTable):
    """The rules of time (days unless the name says otherwise)."""

    gap_days: int = Field(default=31, ge=0, le=366)
    registration_lag_days: int = Field(default=30, ge=0, le=366)
    history_cap_months: int = Field(default=60, ge=12, le=240)
    keep_ended_years: int = Field(
        default=7, ge=0, le=100
    )  # 0: former customers stay, however long they are gone


class Churn(SettingsTable):
    """What counts as leaving: see ``docs/settings.md``."""

    definition: Definition = "all"


class Segment(SettingsTable):
    """What segments are made of, besides customers."""

    unit: Literal["customer", "adviser", "office", "intermediary"] = "customer"


class Ingest(SettingsTable):
    """Where the export differs from what akb would guess."""

    columns: dict[str, dict[str, str]] = Field(
        default_factory=dict
    )  # role -> canonical column -> heading
    branches: dict[str, str] = Field(default_factory=dict)  # text in the export -> branch key
    reasons: dict[str, str] = Field(default_factory=dict)  # text in the export -> reason key
    statuses: dict[str, str] = Field(
        default_factory=dict
    )  # text in the export -> running | ended | announced | offer
    kinds: dict[str, str] = Field(
        default_factory=dict
    )  # text in the export -> private | business | self_employed
    terms: dict[str, str] = Field(
        default_factory=dict
    )  # text in the export -> months of an instalment, 0 for once
    collections: dict[str, str] = Field(default_factory=dict)  # text in the export -> own | insurer
    channels: dict[str, str] = Field(
        default_factory=dict
    )  # text in the export -> phone, email, visit ...
    permissions: dict[str, str] = Field(
        default_factory=dict
    )  # text in the export -> yes | no (may be written to)
    empty: tuple[str, ...] = ()  # cells that say nothing, in any column
    encoding: str | None = None
    separator: str | None = None
    decimal: Literal[",", "."] | None = None
    date_format: str | None = None
    premium_per: Literal["year", "instalment", "month"] | None = None
    premium_basis: Literal["net", "gross"] | None = None
    commission_per: Literal["year", "instalment", "month"] | None = None
    commission_basis: Literal["amount", "percentage"] | None = None
    amounts_in: Literal["euros", "cents"] | None = None
    term_unit: Literal["months", "times"] | None = (
        None  # what a bare number in the column of terms counts
    )
    negative_commission: Literal["unknown", "as_is", "sign"] | None = (
        None  # sign: the whole column is turned round
    )
    zero_commission: Literal["zero", "missing"] = "zero"
    fee_for: Literal["policy", "customer"] | None = None
    complete_share: float = Field(default=0.8, ge=0, le=1)

    @field_validator("terms", mode="before")
    @classmethod
    def _months_as_text(cls, given: Any) -> Any:
        """Let ``"per kwartaal" = 3`` stand for ``"3"``."""
        if not isinstance(given, dict):
            return given
        return {
            text: str(months) if isinstance(months, int) else months
            for text, months in given.items()
        }

    @field_validator("separator")
    @classmethod
    def _is_a_sign(cls, sign: str | None) -> str | None:
        """A letter, digit, quote or line break separates nothing."""
        if sign is not None and (
            len(sign) != 1 or not sign.isascii() or sign.isalnum() or sign in '"\r\n\0'
        ):
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
        if form is not None and not (
            len(form) <= _LONGEST_FORM and _reads_back(form, date(2031, 12, 30))
        ):
            raise ValueError("this is no form of a date such as %d-%m-%Y")
        return form


class Features(SettingsTable):
    """Columns of which only today's value is known: headings of the export, or canonical names such
    as adviser.
    """

    extra: tuple[
        str, ...
    ] = ()  # never overwritten, by the client's word: used without the test of hindsight
    without: tuple[str, ...] = ()  # never a feature

    @model_validator(mode="after")
    def _one_way(self) -> Features:
        both = sorted({*self.extra} & {*self.without})
        if both:
            raise ValueError(f"'{both[0]}' stands under extra and under without")
        return self


class Models(SettingsTable):
    """What the engine may spend."""

    seed: int = Field(default=20261121, ge=0, le=LARGEST_SEED)
    jobs: int = Field(default=2, ge=1, le=256)
    min_events: int = Field(default=30, ge=1, le=1_000_000)
    lifetime_horizon_years: int = Field(default=20, ge=5, le=60)
    hazard_rows: int = Field(default=100_000, ge=1000, le=10_000_000)
    target_rows: int = Field(default=60_000, ge=1000, le=10_000_000)
    trees: int = Field(default=200, ge=1, le=10_000)
    candidates: tuple[str, ...] = ()  # of the client's own, see docs/own_model.md
    # customers followed over the dates that teach; on the dates that are scored everybody is there
    panel_customers: int = Field(default=30_000, ge=1000, le=100_000_000)


class Report(SettingsTable):
    """How results are shown."""

    language: Literal["nl", "en"] = "nl"
    suppress_below: int = Field(default=5, ge=1, le=1000)
    portal_by: Literal["", "office"] = ""  # beside the portal of everybody one per office
    advisers: bool = False  # colleagues beside each other: ask the works council first
    client: str = Field(default="", max_length=200)  # on the cover, if it is not [client] name
    title: str = Field(default="", max_length=200)
    author: str = Field(default="", max_length=200)
    logo: str = Field(
        default="", max_length=200_000
    )  # a picture as a data address, see `akb.config.pictures`


class SisterRecord(SettingsTable):
    """Policy-years and lapses of one branch, added up over offices."""

    years: float = Field(ge=0, le=1e9)
    lapses: int = Field(ge=0, le=1_000_000_000)


class Sisters(SettingsTable):
    """What other offices saw, for one too small to speak for itself; `akb batch` fills it."""

    offices: int = Field(default=0, ge=0, le=100_000)
    # by how much more lapses vary than independent ones, and how far the offices lie apart
    dispersion: float = Field(default=1.0, ge=1, le=1000)
    spread: float | None = Field(default=None, gt=0, le=5)  # None: the assumed one
    branches: dict[str, SisterRecord] = Field(default_factory=dict)


class Member(SettingsTable):
    """Somebody who works on the lists; see `akb.value.targeting.team`."""

    level: Literal["inside", "adviser"] = "adviser"
    hours: float | None = Field(default=None, ge=0, le=2500)  # a year, for the lists


def _reads_back(form: str, day: date) -> bool:
    """Return whether a day that is written in a form reads as itself, by the reader of dates and by
    Python's own.
    """
    import polars as pl

    try:
        written = day.strftime(form)
        read = pl.Series([written]).str.to_date(form, strict=True).item()
        parsed = datetime.strptime(written, form).date()
    except Exception:  # each of them has errors of its own for forms that nobody means
        return False
    return bool(read == parsed == day)


def must_be_one_of(names: Iterable[str], name: str, what: str, table: str) -> None:
    """Raise AkbError, with the nearest name, if `name` is no `what` that akb knows."""
    names = list(names)
    if name not in names:
        raise AkbError(
            f"{table}: unknown {what} '{name}'{did_you_mean(name, names)}",
            f"akb knows {', '.join(names)}.",
        )


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
                f"{where}: unknown setting "
                f"'{name}'{_meant(model, [str(part) for part in first['loc']])}",
                f"{WRITTEN} or take it out.",
            ) from None
        if first["type"] == "literal_error":
            why += did_you_mean(
                str(first["input"]), re.findall("'([^']*)'", first["ctx"]["expected"])
            )
        raise AkbError(f"{where}: '{name}': {why[:1].lower()}{why[1:]}", f"{WRITTEN}.") from None


def _meant(model: type[BaseModel], parts: list[str]) -> str:
    """Return the nearest setting: of the same table, else one of another table under its full
    name.
    """
    here: Any = model
    for part in parts[:-1]:
        here = (
            _fields(here).get(part) if _is_table(here) else None
        )  # below a name of the client's own: no table of ours
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
