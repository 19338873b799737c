"""Scores and their evidence, as they leave the models room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from akb.core.wording.proof import Order, Shown
from akb.core.wording.reasons import Reason

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from akb.core.findings import Finding

Status = Literal["fitted", "baseline", "derived", "unavailable"]
Gate = Literal["pass", "provisional", "fail", "none"]
Grade = Literal["strong", "usable", "indicative", "insufficient", "none"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Band:
    """The customers whose chance lies between two bounds: how many, what was predicted and
    observed, with a 90 % interval.
    """

    lower: float
    upper: float
    customers: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class Decile:
    """A tenth of the customers (1: the highest): how many, and the mean of what was predicted and
    observed.
    """

    decile: int
    customers: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class DateResult:
    """What one date showed that was judged; `auc` is None where nobody could be ranked."""

    day: date
    population: int
    positives: float
    auc: float | None


@dataclass(frozen=True)
class Calibration:
    """Level and slope on the latest closed window, with 90 % intervals, and the band table behind
    them.
    """

    observed_expected: float
    ci: Interval
    slope: float | None = None
    slope_ci: Interval | None = None
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One rival: its log loss (or deviance) on the validation date and the paired, clustered
    difference to the best.
    """

    name: str
    loss: float
    difference: float
    standard_error: float
    won: bool


@dataclass(frozen=True)
class SegmentLevel:
    """The error in one part of the test date: an age band, private or business customers, an
    office.

    kind, name
        ``age`` with a band such as ``25-34`` (private customers only), ``kind`` with ``private`` or
        ``business``, ``office`` with its name as far as that may be shown; ``other`` holds the
        smaller offices.
    population, observed_expected, ci
        Customers; observed/expected with its 90 % interval. All None where too few customers stand
        behind them.
    own_weight, pooled
        Weight of the segment's own figure against that of everyone (with 100 different customers to
        whom it happened, over all closed windows, both weigh the same), and what remains.
    """

    kind: str
    name: str
    population: int | None
    observed_expected: float | None
    ci: Interval | None
    own_weight: float | None
    pooled: float | None


@dataclass(frozen=True)
class LastYear:
    """What the latest value that was known on the test date would have shown as a forecast.

    Of a count or an amount the first three; of a chance ``auc``, the rank by what was so already on
    that day.
    """

    gini: float | None
    deviance_skill: float | None
    decile_table: tuple[Decile, ...] = ()
    auc: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What a prediction showed on later data; fields are None where they make no sense for the
    kind.

    Shares and rates in [0, 1]; `by_date` holds the latest date first.

    events
        Different customers to whom it happened on the test date; `positives` is the total, which
        for a count is more.
    auc_due, due
        The rank among those of whom a policy renews within the horizon, and how many they are.
    last_year
        The baseline of a count, an amount, or a chance of something that mostly stands already.
    choice_date
        The date of `by_date` that chose the winner, and so proves nothing of it.
    deviance
        Of which distribution `deviance_skill` is: ``poisson`` for counts, ``tweedie`` (power 1.5)
        for amounts.
    """

    test_date: date | None = None
    train_dates: tuple[date, ...] = ()
    train_rows: int = 0
    population: int = 0
    positives: float = 0.0
    base_rate: float | None = None
    auc: float | None = None
    auc_ci: Interval | None = None
    average_precision: float | None = None
    lift_top_decile: float | None = None
    precision_top_decile: float | None = None
    brier_skill: float | None = None
    deviance_skill: float | None = None
    gini: float | None = None
    calibration: Calibration | None = None
    decile_table: tuple[Decile, ...] = ()
    by_date: tuple[DateResult, ...] = ()
    events: int | None = None
    average_precision_ci: Interval | None = None
    precision_ci: Interval | None = None
    auc_due: float | None = None
    auc_due_ci: Interval | None = None
    due: int | None = None
    segments: tuple[SegmentLevel, ...] = ()
    last_year: LastYear | None = None
    deviance: Literal["poisson", "tweedie"] = "poisson"
    choice_date: date | None = None

    @property
    def tested(self) -> float:
        """Events in the test window: customers to whom it happened, where they are known;
        `positives` may be euros.
        """
        return self.positives if self.events is None else float(self.events)

    @property
    def test_dates(self) -> int:
        """On how many dates that chose nothing a rank could be judged."""
        return sum(each.auc is not None and each.day != self.choice_date for each in self.by_date)

    def shown(self, months: int | None, gate: Gate) -> Shown:
        """Return what may be said of the order and the level, tested over so many months."""
        level = self.calibration
        return Shown(
            events=self.tested,
            months=months,
            auc=None if self.auc is None or self.auc_ci is None else (self.auc, self.auc_ci),
            ratio=None if level is None else (level.observed_expected, level.ci),
            gate=gate,
        )


@dataclass(frozen=True)
class Prediction:
    """One entry of the catalogue as it came out of this run; `limits` are sentences of its own for
    its card.

    gain_p
        How likely a gain over the best simpler rival as large as that on the test date is by chance
        (two-sided; 1 for a loss); None where no rival was asked.
    evidence_months
        Over how many months the evidence looked, where it is that of a shorter horizon; None: over
        its own.
    """

    key: str
    status: Status
    why: Reason | str = ""
    horizon_months: int | None = None
    population: int = 0
    evidence: Evidence | None = None
    gate: Gate = "none"
    grade: Grade = "none"
    winner: str = ""
    candidates: tuple[Candidate, ...] = ()
    pooled_weight: float | None = None
    seconds: float = 0.0
    limits: tuple[Reason | str, ...] = ()
    evidence_months: int | None = None
    gain_p: float | None = None

    @property
    def tested_months(self) -> int | None:
        """Over how many months the evidence looked."""
        return self.evidence_months or self.horizon_months

    @property
    def shown(self) -> Shown:
        """What may be said of its order, level and horizon."""
        months = self.tested_months
        return (
            Shown(months=months)
            if self.evidence is None
            else self.evidence.shown(months, self.gate)
        )

    @property
    def order(self) -> Order:
        """Whether later data showed that it ranks better than chance."""
        return self.shown.order


@dataclass(frozen=True)
class RankScore:
    """How one rule ordered the branches: means over customers of hit rate, reciprocal rank and
    NDCG, first 3 places.

    rule
        ``popularity``, ``co_ownership`` or ``model``.
    mean, ci
        Per measure, with 95 % intervals (bootstrap over customers).
    """

    rule: str
    mean: tuple[float, ...]
    ci: tuple[Interval, ...]


@dataclass(frozen=True)
class Ranking:
    """The order of the branches on the latest closed date, over the customers who took at least
    one.

    customers, purchases
        Who took something, and how many branches they took.
    gain, gain_ci
        NDCG of the model minus that of popularity, both among what was open to the customer; 95 %.
    delivered
        Whose order is used, ``model`` or ``popularity``, as chosen on the date before.
    """

    test_date: date
    customers: int
    purchases: int
    scores: tuple[RankScore, ...]
    gain: float
    gain_ci: Interval
    delivered: str


@dataclass(frozen=True)
class Contribution:
    """One feature's contribution to one customer's score, in log-odds; worded by the report."""

    customer: int
    key: str
    feature: str
    contribution: float
    value: float | None


@dataclass(frozen=True)
class Backtest:
    """What the churn model would have said on an earlier day of everyone in force then: learned
    only from before it.

    as_of
        The test date of the twelve months: the latest as-of date whose outcome is known.
    scores
        customer u32 (ascending), ``churn_12m`` and ``churn_preventable_12m`` Float64 (null without
        known reasons; of recorded causes, so that an unknown reason is none of them). Nothing was
        announced as far as an export can tell.
    branch_lapse
        As `ModelRun.branch_lapse`, made to cohere, for the customers of that day; None where it has
        another test date.
    branch_purchase
        As `ModelRun.branch_purchase`, without ``order``, for the customers of that day; None as
        `branch_lapse`.
    """

    as_of: date
    scores: pl.DataFrame
    branch_lapse: pl.DataFrame | None = None
    branch_purchase: pl.DataFrame | None = None


@dataclass(frozen=True)
class Profile:
    """A readable group with an elevated chance, proven on a later date than those it was found on.

    goal, branch
        ``retention`` (leaves within 12 months, not by a natural cause or the insurer) or
        ``product`` (takes a policy in `branch`, not held now, within 12 months).
    conditions
        Keys of ``configs/profiles.toml``, all of which hold; ``holds.auto`` where one unfolds per
        branch.
    customers, events, rate, base_rate
        On `test_date`: who was in the group, to how many it happened, and the rates of the group
        and of all asked.
    lift, lift_ci
        `rate` / `base_rate` on `test_date` with its 95 % interval.
    customers_now
        In the group at X.
    """

    goal: Literal["retention", "product"]
    branch: str | None
    conditions: tuple[str, ...]
    test_date: date
    customers: int
    events: int
    rate: float
    base_rate: float
    lift: float
    lift_ci: Interval
    customers_now: int


@dataclass(frozen=True)
class Profiles:
    """The profiles that hold on `test_date`; rules `looked` at, `found` on training dates and
    `dropped` again.
    """

    shown: tuple[Profile, ...]
    looked: int
    found: int
    dropped: int
    test_date: date


@dataclass(frozen=True)
class GroupWeight:
    """What one group of features is worth on later data.

    share, ci
        The part of what the model knows beyond the base rate (log loss) that is lost when the group
        is shuffled among customers, with its 95 % interval. Groups overlap, so the shares need not
        add up to 1.
    """

    group: str
    share: float
    ci: Interval


@dataclass(frozen=True)
class LocalEffect:
    """How the chance moves with one feature: (value, chance more or less than the mean, low, high),
    95 % intervals.
    """

    feature: str
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Determinants:
    """What goes together with an outcome in the portfolio, measured on the customers of the test
    date: association, no cause.
    """

    key: str
    test_date: date
    population: int
    events: int
    groups: tuple[GroupWeight, ...]
    effects: tuple[LocalEffect, ...]


@dataclass(frozen=True)
class ModelRun:
    """Everything that the models say as of X.

    scores
        customer u32 (ascending, every customer in force at X) + one Float32 column per modelled key
        (text for a class); null = not eligible.
    survival
        customer u32, month i32 (1..12, then 24, 36, ... to the horizon), ``alive`` Float64 (chance
        that the relation still exists), ``natural``, ``insurer``, ``preventable`` Float64
        (cumulative chance of having left by that cause). alive + natural + insurer + preventable =
        1 to 1e-9.
    branch_lapse
        customer u32, branch str, ``probability`` Float64: at least one of the policies in this
        branch lapses within 12 months.
    branch_purchase
        customer u32, branch str, ``probability`` Float64: takes a policy in this branch, not held
        now, within 12 months; ``order`` Float64 (may be absent): the chance that decides in which
        order a customer's branches stand, where that is not the probability itself (see `ranking`).
    curve
        portfolio curve over the lifetime: ``years`` of tenure, ``share`` still a customer with its
        95 % interval (``low``, ``high``), and the shares that left by ``natural``, ``insurer``,
        ``preventable`` and ``unknown`` cause; all Float64, the share and the four causes add up to
        one.
    cohorts
        per band of tenure ``lower`` <= years < ``upper`` (null: open) at ``test_date``:
        ``customers``, how many had ``left`` a year later, and the share that was expected to by the
        ``model``, by ``sbg`` and by one ``constant`` rate, all as known on that date; then at X
        ``customers_now`` and the mean remaining lifetime ``years_model`` and ``years_sbg``. Empty
        without a test date.
    definitions
        per ``definition`` of churn (``chosen``: the one that is set): of ``customers`` at
        ``test_date`` how many ``left`` within 12 months and how many ``changed`` class compared
        with the chosen one; of ``customers_now`` how many stand in the ``top`` tenth and how many
        of those (``top_changed``) not in that of the chosen one (null with too few events). Empty
        without a closed year.
    winback
        customer u32 (former customers of the last three years, ascending) + a Float32 column per
        modelled key.
    predictions
        one per catalogue entry that this room is responsible for, in catalogue order.
    whole
        what churn and its causes show of the whole relation, where ``[churn] definition`` is
        another one: `survival` and `backtest` are its, and money stands on its gates. Empty where
        `predictions` are of the whole relation.
    reasons
        the strongest reasons per customer for ``churn_12m``, heaviest first (highest risks first,
        at most 2,000 customers).
    importance
        (key, feature, share of gain) for the report.
    ranking
        How well the branches that could be taken were ordered; None where that could not be judged.
    standing
        To how many customers each branch is open at X and why not to the others:
        `BranchRows.standing`.
    effects
        Per branch the difference in churn between holders and comparable others; see
        `comparable.effects`.
    backtest
        What was said a year ago, to hold against what happened; None with too short a history.
    profiles
        Readable groups with an elevated chance; None without dates to judge them on.
    determinants
        For the entries that ask for it, what goes together with them.
    """

    as_of: date
    scores: pl.DataFrame
    survival: pl.DataFrame
    branch_lapse: pl.DataFrame
    branch_purchase: pl.DataFrame
    curve: pl.DataFrame
    predictions: tuple[Prediction, ...]
    reasons: tuple[Contribution, ...] = ()
    importance: tuple[tuple[str, str, float], ...] = ()
    findings: tuple[Finding, ...] = ()
    cohorts: pl.DataFrame | None = None
    definitions: pl.DataFrame | None = None
    winback: pl.DataFrame | None = None
    determinants: tuple[Determinants, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    ranking: Ranking | None = None
    standing: pl.DataFrame | None = None
    effects: pl.DataFrame | None = None
    backtest: Backtest | None = None
    profiles: Profiles | None = None
    whole: tuple[Prediction, ...] = ()
