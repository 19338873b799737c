"""The simulator's settings (``configs/sample.toml``), validated, and the lookup tables made of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from akb.core.wording.text import load_toml

Floats = NDArray[np.float32]
Curve = list[tuple[float, float]]

KINDS = ("private", "business", "self_employed")
AGES = 111
LONGEST_TENURE = 480
MOST_POLICIES = 6  # a package factor is given up to here
FORGOTTEN = 13  # months after which a first cancellation no longer counts
NEVER_MONTH = -9999
NEVER_DAY = np.int32(2**31 - 1)


class _ParameterTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BookSettings(_ParameterTable):
    """The office: size, people, registration habits."""

    warm_up_months: int
    inflow: float
    private: float
    business: float
    opt_out: float
    customers_per_adviser: int
    advisers: tuple[int, int]
    customers_per_office: int
    offices: list[str]
    insurers: list[str]
    main_insurer: float
    reason_empty: float
    commission_missing: float
    commission_deviating: float
    renumbered: float
    transfer_months_ago: int
    transfer_share: float
    january_private: float
    january_business: float


class Spread(_ParameterTable):
    """Standard deviations of logarithms."""

    loyalty: float
    policy: float
    adviser: float
    office: float
    adviser_purchase: float
    insurer: float
    year: float
    price: float
    engagement: float
    nonpayment: float
    claims: float
    premium: float
    wealth: float
    purchase: float


class Renewal(_ParameterTable):
    """Hazard factors around a policy's own renewal month."""

    before: float
    month: float
    after: float
    other: float


class Lapse(_ParameterTable):
    """A single policy is cancelled."""

    level: float
    tenure_months: list[float]
    tenure_factor: list[float]
    renewal: Renewal
    season: list[float]
    package: list[float]
    age: Curve
    company_factor: float
    first_cancel: float
    first_cancel_three: float
    first_cancel_decay: float
    rise_threshold: float
    rise_effect: float
    rise_decay: float
    own_collection: float
    to_competitor: float
    lead_share: float
    lead_months: list[float]
    first_of_month: float


class Switch(_ParameterTable):
    """The whole relation goes to a competitor."""

    rate: float
    package: list[float]
    tenure_months: list[float]
    tenure_factor: list[float]
    stays: float
    lead: list[float]


class Life(_ParameterTable):
    """Events in a customer's life, and what insurers end."""

    death_level: float
    death_slope: float
    partner: float
    emigration: float
    close_business: float
    close_self_employed: float
    close_young: float
    move: Curve
    move_contents_end: float
    move_building_end: float
    move_renumber: float
    move_lapse: float
    move_months: int
    owner: Curve
    buys_house: float
    sells_to_rent: float
    merge: float
    merge_end: float
    nonpayment: float
    nonpayment_end: float
    insurer_after_claims: float
    insurer_base: float


class Service(_ParameterTable):
    """Claims and contacts."""

    poor_claim: float
    poor_claim_effect: float
    good_claim_effect: float
    upset_decay: float
    inbound: float
    inbound_claim: float
    inbound_mutation: float
    inbound_renewal: float
    inbound_leaving: float
    outbound: float
    complaint: float
    complaint_effect: float
    contact_effect: float
    contact_decay: float
    claim_memory: float


class Purchase(_ParameterTable):
    """New policies at existing and former customers."""

    level: float
    cap: float
    second: float
    moved: float
    contact: float
    first_year: float
    after_cancel: float
    winback: Curve
    package: list[float]
    season: list[float]
    join_share: float
    settled_share: float


class EndReason(_ParameterTable):
    """Why a policy ended."""

    class_: Literal["natural", "insurer", "preventable"]
    order: int
    texts: list[str]


class Slot(_ParameterTable):
    """A branch, or the second policy in one."""

    branch: str
    second: bool = False
    texts: list[str]
    hold_private: float
    hold_business: float
    hold_self_employed: float
    breadth: float
    lapse: float
    gone: float
    claim: float
    buy: float
    severity: float
    age: Curve


class Pair(_ParameterTable):
    """Holding one branch changes the rate of buying another."""

    held: str
    bought: str
    factor: float


class Indexation(_ParameterTable):
    """Premium rises at renewal."""

    mean: float
    sd: float
    big_share: float
    big_low: float
    big_high: float


class Parameters(_ParameterTable):
    """Every number of the simulator."""

    book: BookSettings
    spread: Spread
    lapse: Lapse
    switch: Switch
    life: Life
    service: Service
    purchase: Purchase
    reason: dict[str, EndReason]
    slot: list[Slot]
    pair: list[Pair]
    indexation: Indexation

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches, in the order of the slots."""
        return tuple(dict.fromkeys(slot.branch for slot in self.slot))

    @property
    def branch_of_slot(self) -> NDArray[np.int64]:
        """Index into `branches` for each slot."""
        return np.array([self.branches.index(slot.branch) for slot in self.slot])

    def code(self, reason: str) -> int:
        """Return the number under which the engine keeps a reason."""
        return list(self.reason).index(reason) + 1


@cache
def parameters() -> Parameters:
    """Return the shipped parameters."""
    raw = {key: value for key, value in load_toml("sample.toml").items() if key != "schema"}
    raw["reason"] = {
        key: {"class_": entry["class"], **_without(entry, "class")}
        for key, entry in raw["reason"].items()
    }
    return Parameters.model_validate(raw)


def _without(entry: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in entry.items() if name != key}


@dataclass(frozen=True)
class LookupTables:
    """Hazard factors as lookup tables: the engine only looks up and multiplies, which is fast and
    exact anywhere.

    tenure [months], renewal [months since renewal], package_cancel [policies, months since a
    cancellation], switch_package_cancel likewise, switch_tenure [months], lapse_age [age], death,
    move [age] per month, buy_age [age, slot], winback [months], log_pair [slot held, slot bought],
    gone, claim [slot] per month; needs_first [slot]: the slot that must be held first, -1 for none;
    private, home, building, contents, ends_with_partner, doubled [slot]: what kind of cover;
    reason_class, reason_order [code]."""

    tenure: Floats
    renewal: Floats
    package_cancel: Floats
    switch_package_cancel: Floats
    switch_tenure: Floats
    lapse_age: Floats
    death: Floats
    move: Floats
    owner: Floats
    buy_age: Floats
    winback: Floats
    log_pair: NDArray[np.float64]
    gone: Floats
    claim: Floats
    needs_first: NDArray[np.int64]
    private: NDArray[np.bool_]
    home: NDArray[np.bool_]
    building: NDArray[np.bool_]
    contents: NDArray[np.bool_]
    ends_with_partner: NDArray[np.bool_]
    doubled: NDArray[np.bool_]
    reason_class: NDArray[np.int8]
    reason_order: NDArray[np.int8]


CAUSES = ("natural", "insurer", "preventable")


@cache
def tables() -> LookupTables:
    """Return the lookup tables of the shipped parameters."""
    p = parameters()
    months = np.arange(LONGEST_TENURE)
    ages = np.arange(AGES)
    renewal = np.full(12, p.lapse.renewal.other)
    renewal[[11, 0, 1]] = p.lapse.renewal.before, p.lapse.renewal.month, p.lapse.renewal.after
    buy_age = np.stack([_curve(slot.age, ages) for slot in p.slot], axis=1)
    reasons = list(p.reason.values())
    return LookupTables(
        tenure=np.interp(months, p.lapse.tenure_months, p.lapse.tenure_factor).astype(np.float32),
        renewal=renewal.astype(np.float32),
        package_cancel=_package_cancel(p.lapse.package, p.lapse),
        switch_package_cancel=_package_cancel(p.switch.package, p.lapse),
        switch_tenure=np.interp(months, p.switch.tenure_months, p.switch.tenure_factor).astype(
            np.float32
        ),
        lapse_age=_lapse_age(p.lapse, ages),
        death=np.minimum(p.life.death_level * np.exp(p.life.death_slope * ages) / 12, 0.05).astype(
            np.float32
        ),
        move=(_curve(p.life.move, ages) / 12).astype(np.float32),
        owner=_curve(p.life.owner, ages).astype(np.float32),
        buy_age=buy_age.astype(np.float32),
        winback=_steps(p.purchase.winback, LONGEST_TENURE).astype(np.float32),
        log_pair=_log_pair(p),
        gone=(np.array([slot.gone for slot in p.slot]) / 12).astype(np.float32),
        claim=(np.array([slot.claim for slot in p.slot]) / 12).astype(np.float32),
        needs_first=np.array(
            [number - 1 if slot.second else -1 for number, slot in enumerate(p.slot)]
        ),
        private=np.array([slot.hold_private > 0 for slot in p.slot]),
        home=_is(p, "inboedel", "opstal", "avp"),
        building=_is(p, "opstal"),
        contents=_is(p, "inboedel"),
        ends_with_partner=_is(p, "uitvaart", "ongevallen", "auto"),
        doubled=_is(p, "avp", "inboedel", "reis", "rechtsbijstand"),
        reason_class=np.array([-1] + [CAUSES.index(reason.class_) for reason in reasons], np.int8),
        reason_order=np.array([99] + [reason.order for reason in reasons], np.int8),
    )


def _is(p: Parameters, *branches: str) -> NDArray[np.bool_]:
    return np.array([slot.branch in branches for slot in p.slot])


def _curve(points: Curve, at: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.interp(at, [x for x, _ in points], [y for _, y in points]), np.float64)


def _steps(points: Curve, length: int) -> NDArray[np.float64]:
    at = np.searchsorted([x for x, _ in points], np.arange(length), side="right") - 1
    return np.array([y for _, y in points])[at]


def _lapse_age(lapse: Lapse, ages: NDArray[np.int64]) -> Floats:
    factor = _curve(lapse.age, ages)
    factor[0] = lapse.company_factor  # age 0 stands for a company
    return np.asarray(factor, np.float32)


def _package_cancel(package: list[float], lapse: Lapse) -> Floats:
    """Return the factor by policies held (0 = none) and months since the last cancellation
    (Brockett et al. 2008).
    """
    months = np.arange(FORGOTTEN + 1)
    fading = lapse.first_cancel * lapse.first_cancel_decay**months
    fading[-1] = 0
    held = np.array([package[0], *package])
    extra = np.where(np.arange(len(held)) >= 3, lapse.first_cancel_three, 1.0)
    return np.asarray(held[:, None] * (1 + extra[:, None] * fading[None, :]), np.float32)


def _log_pair(p: Parameters) -> NDArray[np.float64]:
    matrix = np.zeros((len(p.slot), len(p.slot)))
    for pair in p.pair:
        for held, slot in enumerate(p.slot):
            if slot.branch == pair.held and not slot.second:
                for bought, other in enumerate(p.slot):
                    if other.branch == pair.bought:
                        matrix[held, bought] = np.log(pair.factor)
    return matrix
