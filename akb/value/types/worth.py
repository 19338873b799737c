"""What customers cost and bring, in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class LostPart:
    """A part of the commission that is expected to go."""

    key: str
    expected: int


@dataclass(frozen=True)
class Deviation:
    """Where the range of a loss comes from, as standard deviations."""

    chance: int
    level: int
    year: int


@dataclass(frozen=True)
class LostCommission:
    """The commission that the next 12 months are expected to take."""

    expected: int
    low: int
    high: int
    share: float
    commission: int
    years: int
    parts: tuple[LostPart, ...]
    deviation: Deviation
    between: float


@dataclass(frozen=True)
class WaterfallStep:
    """A cost between commission and what is left."""

    key: str
    cents: int
    mark: str


@dataclass(frozen=True)
class WaterfallPart:
    """A kind of income in what comes in."""

    key: str
    cents: int


@dataclass(frozen=True)
class Waterfall:
    """From premium to what is left after service."""

    premium: int | None
    kept_by_insurer: int | None
    commission: int
    value: int
    customers: int
    estimated: tuple[str, ...]
    steps: tuple[WaterfallStep, ...]
    income: tuple[WaterfallPart, ...] = ()


@dataclass(frozen=True)
class AccountRow:
    """A total of the annual accounts beside the file or the model, and the factor between them."""

    key: str
    accounts: int
    counted: int
    factor: float | None
    far: bool


@dataclass(frozen=True)
class ServiceHours:
    """What serving takes a year beside what there is."""

    needed: float
    available: float


@dataclass(frozen=True)
class NetByCost:
    """Net of a year's contacts on the cost of the model and on that of the accounts."""

    model: int | None
    accounts: int | None


@dataclass(frozen=True)
class Accounts:
    """The annual accounts beside the file; see `akb.value.revenue.account_figures`."""

    lines: tuple[AccountRow, ...]
    basis: str
    income: int
    service: int
    result: int | None
    result_share: float | None
    contribution_share: float | None
    hours: ServiceHours | None
    case: NetByCost


@dataclass(frozen=True)
class PastModel:
    """A forecast of three years ago beside what was earned."""

    key: str
    expected: int
    ratio: float
    rmse: float
    rank: float
    gain: float | None = None
    gain_ci: tuple[float, float] | None = None


@dataclass(frozen=True)
class PastDecile:
    """A tenth of the customers of three years ago."""

    decile: int
    customers: int
    expected: int
    realised: int


@dataclass(frozen=True)
class PastValue:
    """Lifetime value of three years ago beside what was earned since."""

    available: bool
    from_: date
    to: date
    customers: int
    realised: int
    models: tuple[PastModel, ...]
    winner: str
    beats_all_stay: bool
    lift: tuple[float, ...]
    lifetime_years: float
    deciles: tuple[PastDecile, ...]


@dataclass(frozen=True)
class IncomeRow:
    """A kind of income: cents a year, lifetime value of what is in force, and its part in the
    case.
    """

    key: str
    year: int
    customers: int
    clv: int | None
    case: int | None
    expected: int | None


@dataclass(frozen=True)
class ProfitMeasure:
    """The expected maximum profit of a prediction a year ago, in euros per customer.

    Parameters
    ----------
    empc, random
        Of the prediction, and of an order that knows nothing.
    alpha, beta, clv, incentive, contact
        The values of Verbraken, Verbeke and Baesens (2013) that it is measured at.
    """

    empc: float
    random: float
    customers: int
    left: int
    from_: date
    alpha: float
    beta: float
    clv: float
    incentive: float
    contact: float


@dataclass(frozen=True)
class Concentration:
    """How much the best customers bring.

    Parameters
    ----------
    after_cost_share
        Of what is left after the cost to serve: the best may bring more than everything, as the
        rest costs.
    curve, curve_after_cost
        Pairs (share of customers, share of commission).
    """

    top_share: float
    commission_share: float
    after_cost_share: float | None
    curve: tuple[tuple[float, ...], ...]
    curve_after_cost: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True)
class NextBestBranch:
    """What can be offered of a branch (``_other``: branches over too few customers).

    Parameters
    ----------
    first_choice
        Customers for whom it is the best; None of the merged rest.
    ban
        Whether commission on it is forbidden.
    """

    key: str
    customers: int | None
    expected_policies: float | None
    expected_commission: int | None
    first_choice: int | None
    ban: bool | None


@dataclass(frozen=True)
class PairCustomer:
    """A real customer of the two that are set side by side; amounts in cents."""

    customer: str
    kind: str
    age: str | None
    policies: int
    commission: int
    churn_12m: float
    clv: int
    value_at_stake: int
    class_by_commission: str
    contact: str | None
    saving: float | None


@dataclass(frozen=True)
class CustomerPair:
    """The private customer of class A with the lowest lifetime value, and who of C or D is
    contacted first.
    """

    high_commission: PairCustomer
    high_stake: PairCustomer
