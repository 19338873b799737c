"""Whether trials in simulated offices measure the effect of contact that is true there.

    python -m benchmarks.trials [--seeds 50] [--customers 1500] [--futures 30]

Per seed a small office and an effect on preventable ends, drawn from the register's range for a call. Half of the
customers are contacted, drawn by the lots of `akb experiment assign`; one future of the simulator with those contacts
is what the office sees. The truth is the mean over other futures, in pairs with the same chance, of everybody contacted
less nobody. What is forecast of a customer is the mean of yet other futures.

Printed: how often the interval of 95 % holds the true difference in preventable ends, its width over that of two
proportions, how often the interval of 90 % after the trial holds the true effect, and the squared error over the
prior's.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from akb.config import load_settings
from akb.core.dates import add_months
from akb.core.draws import drawn
from akb.live.experiment.effect import intention_to_treat
from akb.live.experiment.posterior import posterior, prior
from akb.sample import simulate
from akb.sample.calendar import to_day
from akb.sample.contact import ContactEffect, PlannedContacts
from akb.sample.parameters import CAUSES
from akb.sample.records import relation_numbers
from akb.sample.truth import outcome

MONTHS = 12
AFTER = 2  # months in which a new policy still saves a relation
ENTRY = load_settings().assumed()["contacts.call.effect_relation"]
PREVENTABLE = CAUSES.index("preventable")


@dataclass(frozen=True)
class Trial:
    """One office: whether the intervals hold what is true, how wide they are, and the errors."""

    covers: bool
    width: float
    believed: bool
    error: float
    before: float


def trial(seed: int, customers: int, futures: int) -> Trial:
    """Run one trial and judge it."""
    office = simulate(customers, seed=seed)
    count = len(office.in_force)
    rho = float(np.random.default_rng([seed, 1]).triangular(ENTRY.low, ENTRY.value, ENTRY.high))
    contact = ContactEffect(relation=rho)
    names = relation_numbers(office.people.number[office.in_force])
    treated = drawn(f"trial {seed}", [str(name) for name in names]) >= 0.5
    half = PlannedContacts(np.where(treated, 0, -1), (contact,))
    after, until = to_day(office.as_of), to_day(add_months(office.as_of, MONTHS))

    def left(policies: object) -> np.ndarray:
        found = outcome(policies, office.p.branch_of_slot, count, after, until)  # type: ignore[arg-type]
        return ((found.gone <= until) & (found.cause == PREVENTABLE)).astype(np.float64)

    seen = next(office.paired([half], 1, seed, MONTHS + AFTER))
    happened = left(seen.under(0))
    true, forecast = np.zeros(futures), np.zeros(count)
    whole = PlannedContacts.everybody(contact, count)
    for number, each in enumerate(office.paired([whole], futures, seed, MONTHS + AFTER, first=1)):
        without = left(each.without)
        true[number] = (left(each.under(0)) - without).mean()
        forecast += without / futures
    # the forecast knows the risk of a tenth of the customers, not of each: as a model would
    order = np.argsort(np.argsort(forecast + 1e-9 * np.arange(count))) * 10 // count
    forecast = np.array([forecast[order == tenth].mean() for tenth in range(10)])[order]
    found = intention_to_treat(happened, treated, forecast, cluster=np.arange(count), stratum=np.zeros(count))
    arms = [happened[treated], happened[~treated]]
    plain = 1.96 * np.sqrt(sum(arm.mean() * (1 - arm.mean()) / len(arm) for arm in arms))
    now = posterior(ENTRY, found)
    return Trial(
        covers=found.interval[0] <= true.mean() <= found.interval[1],
        width=float(np.ptp(found.interval)) / 2 / float(plain),
        believed=now.low <= rho <= now.high,
        error=(now.mean - rho) ** 2,
        before=(prior(ENTRY).mean - rho) ** 2,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--futures", type=int, default=30)
    given = parser.parse_args()
    found = [trial(seed, given.customers, given.futures) for seed in range(1, given.seeds + 1)]
    error, before = (sum(getattr(each, name) for each in found) for name in ("error", "before"))
    print(f"{given.seeds} offices of {given.customers:,} customers, half of them contacted")
    print(f"interval of 95 % holds the true difference in {sum(each.covers for each in found)}")
    print(f"width over that of two proportions: {np.mean([each.width for each in found]):.2f}, "
          f"at most {max(each.width for each in found):.2f}")  # fmt: skip
    print(f"interval of 90 % after the trial holds the true effect in {sum(each.believed for each in found)}")
    print(f"squared error after the trial over that before it: {error / before:.2f}")


if __name__ == "__main__":
    main()
