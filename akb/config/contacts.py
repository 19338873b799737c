"""The ladder of contact types: shipped in ``configs/contacts.toml``, changed by ``[contacts.KEY]``
in ``akb.toml``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from akb.config.register import Assumption, Owner, Source
from akb.config.tables import WRITTEN, SettingsTable, must_be_one_of, validated
from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.text import load_toml, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config.register import Kind

NUMBERS: dict[str, tuple[str, Kind]] = {
    "relation": ("effect_relation", "effect"),
    "policy": ("effect_policy", "effect"),
    "purchase": ("effect_purchase", "points"),
    "minutes": ("minutes", "minutes"),
    "cost": ("cost", "euro"),
    "follow_up": ("follow_up", "share"),
    "follow_up_minutes": ("follow_up_minutes", "minutes"),
    "sale_minutes": ("sale_minutes", "minutes"),
}
"""Field of a contact type -> its name in the register behind ``contacts.KEY.``, and its kind."""
EFFECTS = ("relation", "policy", "purchase")


class Effect(SettingsTable):
    """What a contact does, per planned customer, over the 12 months from it: a guess with both
    ends.
    """

    model_config = ConfigDict(allow_inf_nan=True)  # the register has a sentence for what has no end

    low: float
    base: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Effect:
        if not self.low <= self.base <= self.high:
            raise ValueError(f"{self.base:g} lies outside {self.low:g} to {self.high:g}")
        return self


class ContactType(SettingsTable):
    """One way to contact a customer, as the register has its numbers now.

    Parameters
    ----------
    pool
        Whose minutes it takes: nobody's (``automatic``), of inside staff, of advisers.
    minutes
        Per planned customer, reached or not.
    cost
        Out of pocket, euro.
    follow_up, follow_up_minutes
        The chance that an adviser has to follow it up, and his minutes then.
    sale_minutes
        Per policy sold, of the same pool.
    branches
        How many branches it can discuss.
    consent
        The channel that the customer must not have objected to.
    per_year
        How many customers it may reach a year; None: as many as there is time for.
    reach
        ``inbound``: only who calls the office himself, before he ends; everything x that chance.
    otherwise
        With ``inbound``: the type that the others get; None: nothing.
    relation, policy
        Part of the preventable ends of the whole relation, or of one policy, that does not happen.
    purchase
        What the chance to buy a discussed branch rises by (0.01 is one point).
    """

    model_config = ConfigDict(allow_inf_nan=True)

    label: str
    label_en: str = ""  # as the label, where a client gives none
    pool: Literal["automatic", "inside", "adviser"]
    minutes: float
    cost: float = 0.0
    follow_up: float = 0.0
    follow_up_minutes: float = 0.0
    sale_minutes: float = 0.0
    purposes: tuple[Literal["retention", "cross_sell", "care"], ...] = Field(min_length=1)
    branches: int = Field(default=1, ge=0, le=50)
    consent: Literal["post", "email", "phone"]
    per_year: int | None = Field(default=None, ge=0)
    reach: Literal["all", "inbound"] = "all"
    otherwise: str | None = None
    relation: Effect
    policy: Effect
    purchase: Effect
    source: Source = "client"
    evidence: str = ""
    owner: Owner = "directie"

    @model_validator(mode="after")
    def _only_inbound_has_another(self) -> ContactType:
        if self.otherwise is not None and self.reach != "inbound":
            raise ValueError("'otherwise' means something only beside reach = 'inbound'")
        return self


def contact_types(
    own: Mapping[str, Mapping[str, Any]], register: Mapping[str, Assumption]
) -> dict[str, ContactType]:
    """Return the ladder: shipped types in their order, then the client's own, each with the numbers
    of the register.

    Parameters
    ----------
    own
        The client's ``[contacts.KEY]`` tables.
    register
        Holds every entry of `contact_assumptions`, perhaps with other values.
    """
    ladder = {}
    for key, entry in _written(own).items():
        numbers = {
            field: register[f"contacts.{key}.{name}"] for field, (name, _) in NUMBERS.items()
        }
        values: dict[str, Any] = {
            field: each.value for field, each in numbers.items() if field not in EFFECTS
        }
        for field in EFFECTS:
            each = numbers[field]
            values[field] = {"low": each.low, "base": each.value, "high": each.high}
        ladder[key] = validated(
            ContactType, {"label_en": entry["label"], **entry, **values}, f"contacts.{key}"
        )
    return ladder


def contact_assumptions(own: Mapping[str, Mapping[str, Any]]) -> dict[str, Assumption]:
    """Return every number of the ladder as an entry of the register, by ``contacts.KEY.NAME``.

    Parameters
    ----------
    own
        The client's ``[contacts.KEY]`` tables. A number of his lies in the shipped range, widened
        where it must be; a table of ``low``, ``base`` and ``high`` replaces the range.

    Raises
    ------
    AkbError
        If a type lacks something, or something in it is unknown or impossible.
    """
    return _entries(own) if own else dict(_shipped())


@cache
def _shipped() -> dict[str, Assumption]:
    return _entries({})


def _written(own: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the types as they are written: the shipped ones with the client's changes, his own
    behind them.

    A type that is not ``enabled`` is out, and so is one that falls back on it.
    """
    shipped = load_toml("contacts.toml")
    merged: dict[str, dict[str, Any]] = {}
    for key in (*shipped, *(key for key in own if key not in shipped)):
        merged[key] = {**shipped.get(key, {}), **own.get(key, {})}
        if not isinstance(merged[key].get("enabled", True), bool):
            raise AkbError(f"contacts.{key}: 'enabled' is true or false", f"{WRITTEN}.")
    for key, entry in merged.items():
        if entry.get("otherwise") is not None:
            must_be_one_of(merged, entry["otherwise"], "contact type", f"[contacts.{key}]")
    there = {key for key, entry in merged.items() if entry.pop("enabled", True)}
    while lost := {key for key in there if merged[key].get("otherwise") not in (None, *there)}:
        there -= lost
    return {key: entry for key, entry in merged.items() if key in there}


def _entries(own: Mapping[str, Mapping[str, Any]]) -> dict[str, Assumption]:
    shipped = load_toml("contacts.toml")
    found: dict[str, Assumption] = {}
    for key, entry in _written(own).items():
        _check(key, entry, known=key in shipped)
        for field, (name, _) in NUMBERS.items():
            given, usual = own.get(key, {}).get(field), shipped.get(key, {}).get(field)
            moved = given is not None and usual is not None and not isinstance(given, dict)
            made = _assumption(key, {**entry, field: usual} if moved else entry, name, field)
            if moved:
                value = _ends(given)["base"]
                why = made.complaint(value)
                if why:
                    raise AkbError(f"contacts.{key}: '{field}': {value:g} {why}", f"{WRITTEN}.")
                made = made.replaced(value)
            elif given is not None and usual is not None:
                made = made.model_copy(update={"source": "client"})
            found[f"contacts.{key}.{name}"] = made
    return found


def _check(key: str, entry: Mapping[str, Any], *, known: bool) -> None:
    """Raise AkbError if a type as written is none."""
    if not known:
        lacking = [
            name
            for name, field in ContactType.model_fields.items()
            if field.is_required() and name not in entry
        ]
        if lacking:
            near = did_you_mean(key, load_toml("contacts.toml"))
            raise AkbError(
                f"[contacts.{key}] has no {', '.join(lacking)}{near}",
                "A contact type of your own needs them; docs/settings.md says what each means.",
            )
    numbers = {}
    for field in NUMBERS:
        if field in entry:
            ends = validated(Effect, _ends(entry[field]), f"contacts.{key}.{field}")
            numbers[field] = ends.model_dump() if field in EFFECTS else ends.base
    validated(ContactType, {**entry, **numbers}, f"contacts.{key}")


def _ends(given: Any) -> dict[str, Any]:
    """Return low, base and high of what is written as one number or as a table of the three."""
    return dict(given) if isinstance(given, dict) else dict.fromkeys(("low", "base", "high"), given)


def _assumption(key: str, entry: Mapping[str, Any], name: str, field: str) -> Assumption:
    """Return one number of a type as an entry of the register."""
    ends = _ends(entry.get(field, 0.0))
    kind = NUMBERS[field][1]
    made = {
        "value": ends["base"],
        "low": ends["low"],
        "high": ends["high"],
        "kind": kind,
        "affects": "plan",
        "unit": text("contacts", "nl", "unit", kind),
        "label": text("contacts", "nl", "label", name).format(label=entry["label"]),
        "note": text("contacts", "nl", "note", name),
        "source": entry.get("source", "client"),
        "evidence": entry.get("evidence", "") if field in EFFECTS else "",
        "owner": entry.get("owner", "directie"),
    }
    return validated(Assumption, made, f"contacts.{key}.{field}")
