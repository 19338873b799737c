"""Champion against challenger on the newest window that closed since the champion was fitted.

Both say who will leave as from the first day of that window: the champion with its stored models,
which have seen nothing after it; the challenger with models fitted on what was known on that day.
Relations that an adviser worked on within the window are left out, so that neither is praised for
what the office did.

Where the watch on registered ends has flagged a change, no model that was fitted before it can know
of it, and a window that began before it says little. Then the window begins after the change, and
the challenger is fitted on everything that is known today of one half of the customers and judged
on the other half, and the other way round: it has seen the time, never the customer.

The weeks of the watch know the level after a change far better than one window of relations. Once
the champion's hazards are multiplied by what they show, it is judged so, and the challenger with as
many leavers expected: what then decides is not whether the level is off (that is known) but whether
models that have seen the change say it no worse than models that are held up by a factor."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.draws import drawn
from akb.core.wording.text import load_toml
from akb.live.scoring.drift import hazard_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun
    from akb.pipeline import Progress

    Floats = NDArray[np.float64]

HORIZONS = (12, 6, 3, 1)


@dataclass(frozen=True)
class DuelWindow:
    """The window that both are judged on: leaving within so many months from a day."""

    day: date
    months: int

    @property
    def key(self) -> str:
        """The score that is judged."""
        return f"churn_{self.months}m"


@dataclass(frozen=True)
class Duelist:
    """How one of them did: log loss, leavers observed / expected with its 90 % interval, AUC."""

    loss: float
    expected: float
    ratio: float
    low: float
    high: float
    auc: float | None


@dataclass(frozen=True)
class Duel:
    """What the window showed.

    gain, low, high
        Log loss of the champion less that of the challenger, paired by customer, 95 %. Beside what
        customers add by chance it allows for what a window does to all of them at once.
    verdict
        ``won`` (the gain lies above zero by `rule`), ``level`` (the champion's level is off or held
        by the watch, the challenger's is not off, and it is no worse), ``stays`` or ``few`` (too
        few left to tell).
    handed_on
        What the hazards of the challenger were multiplied by to expect as many leavers as a
        champion whose level the watch holds; None where it holds none.
    """

    window: DuelWindow
    customers: int
    left: int
    worked_on: int
    champion: Duelist
    challenger: Duelist
    gain: float
    low: float
    high: float
    verdict: str
    since: str | None = None
    handed_on: float | None = None

    @property
    def level(self) -> float | None:
        """What the hazards of the challenger have to be multiplied by after a change: it learns a
        level from years, and the change is of some months. What the watch knows of it goes on;
        before it knows, what the window shows. None without a change, or where the challenger's
        own interval holds one.
        """
        if self.handed_on is not None:
            return self.handed_on
        differs = self.challenger.low > 1 or self.challenger.high < 1
        return self.challenger.ratio if self.since is not None and differs else None

    @property
    def won(self) -> bool:
        """Whether the challenger takes over."""
        return self.verdict in ("won", "level")

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        window = {"from": self.window.day.isoformat(), "months": self.window.months}
        return {**asdict(self), "window": window, "rule": rule()}


def rule() -> str:
    """Return the rule in words, with the limits that hold."""
    limits = load_toml("live.toml")["retrain"]
    low, high = limits["level"]
    return (
        f"at least {limits['least_left']} relations left in the window, which has at least "
        f"{limits['least_months']} months (after a change one); the challenger wins where "
        f"its gain in log loss lies above zero by more than {_errors_above():.2f} standard errors "
        f"(2.5 % over {limits['looks']} attempts a year), or where observed / expected "
        f"of the champion lies wholly outside {low}–{high} (90 %), that of the challenger does "
        "not, and the 95 % interval of the gain does not lie below zero; after a change that the "
        "watch flagged the window begins after it, and the challenger has learned from other "
        "customers; where the watch already multiplies the champion's hazards, both expect as many "
        "leavers, and a challenger that has seen the change and is no worse wins"
    )


def _errors_above() -> float:
    """Return by how many standard errors a gain has to lie above zero.

    Refitting is tried month after month: at 1.96 each time, one calm year in four would see a
    champion replaced by luck (Bonferroni over the attempts of a year).
    """
    from scipy.stats import norm

    looks = load_toml("live.toml")["retrain"]["looks"]
    return float(norm.ppf(1 - 0.025 / looks))


def newest_window(begin: date, as_of: date, wait_days: int, *, least: int) -> DuelWindow | None:
    """Return the longest window that began on or after a day and is closed; None before the first.

    Parameters
    ----------
    begin
        The day on which the champion was fitted, or of a change after it.
    least
        Months of the shortest window that is looked at: see `least_months`.
    """
    for months in HORIZONS:
        day = add_months(as_of - timedelta(days=wait_days), -months)
        if day >= begin and months >= least:
            return DuelWindow(day, months)
    return None


def first_window_closes(begin: date, wait_days: int, *, least: int) -> date:
    """Return from which day there is a window to judge on."""
    return add_months(begin, least) + timedelta(days=wait_days)


def least_months(*, changed: bool) -> int:
    """Return how many months a window has at least. One month tells a season that models have
    learned badly from nothing; after a change that the watch flagged it is what there is, and the
    level is known from the weeks.
    """
    return HORIZONS[-1] if changed else int(load_toml("live.toml")["retrain"]["least_months"])


def duel(
    champion: StoredRun,
    portfolio: Portfolio,
    window: DuelWindow,
    progress: Progress,
    *,
    since: date | None = None,
    level: float | None = None,
    followed: bool = False,
) -> Duel | None:
    """Return what the window showed; None where one of them has no such score.

    Parameters
    ----------
    since
        From when ends have changed, if the watch flagged a change: the window begins after it.
    level
        What the champion's hazards are multiplied by when it scores.
    followed
        Whether that comes from the watch: a change since the champion was fitted.
    """
    from akb.ingest import earlier

    with progress.stage("the champion on the newest closed window"):
        old = _of_champion(champion, earlier(portfolio, window.day), window, level)
    with progress.stage("the challenger on the newest closed window"):
        new = (
            _of_challenger(champion, earlier(portfolio, window.day), window, progress)
            if since is None
            else _of_halves(champion, portfolio, window, progress)
        )
        if old is None or new is None:
            return None
        happened = _outcomes(champion, portfolio, window)
    both = old.join(new, on="customer").join(happened, on="customer").sort("customer")
    seen = both.filter(pl.col("followed"))
    left = seen["left"].to_numpy().astype(np.float64)
    chances = [seen[name].to_numpy().astype(np.float64) for name in ("champion", "challenger")]
    found = judged(
        window,
        seen["customer"].to_numpy(),
        left,
        (chances[0], chances[1]),
        worked_on=both.height - seen.height,
        followed=followed,
    )
    return found if since is None else replace(found, since=since.isoformat())


def judged(
    window: DuelWindow,
    customers: NDArray[Any],
    left: Floats,
    chances: tuple[Floats, Floats],
    *,
    worked_on: int = 0,
    followed: bool = False,
) -> Duel:
    """Return who won by `rule`; `followed`: the watch holds the champion's level."""
    from akb.models import paired_difference

    limits = load_toml("live.toml")["retrain"]
    factor = _as_many(*chances) if followed else None
    if factor is not None:
        chances = (chances[0], hazard_times(chances[1], factor))
    losses, shock = [_log_loss(left, each) for each in chances], common_shock(window.months)
    gain, paired = paired_difference(losses[0], losses[1], customers)
    # if everybody ends so much more, the gain grows by what the challenger says more of who left
    slope = float((left * (_log_odds(chances[1]) - _log_odds(chances[0]))).mean())
    error = float(np.hypot(paired, slope * shock))
    low, high = gain - 1.96 * error, gain + 1.96 * error
    champion, challenger = (_duelist(left, each, shock) for each in chances)
    floor, ceiling = limits["level"]

    def off(each: Duelist) -> bool:
        return bool(each.high < floor or each.low > ceiling)

    if left.sum() < limits["least_left"]:
        verdict = "few"
    elif gain > _errors_above() * error:
        verdict = "won"
    elif (followed or off(champion)) and not off(challenger) and high > 0:
        verdict = "level"
    else:
        verdict = "stays"
    return Duel(
        window,
        len(left),
        int(left.sum()),
        worked_on,
        champion,
        challenger,
        gain,
        low,
        high,
        verdict,
        handed_on=factor,
    )


def _as_many(champion: Floats, challenger: Floats) -> float:
    """Return what the challenger's hazards are multiplied by so that both expect as many."""
    from scipy.optimize import brentq

    expected = float(champion.sum())

    def excess(log_factor: float) -> float:
        return float(hazard_times(challenger, float(np.exp(log_factor))).sum()) - expected

    widest = np.log(10.0)
    if excess(-widest) >= 0 or excess(widest) <= 0:  # nobody leaves, or nobody stays
        return 1.0
    return float(np.exp(brentq(excess, -widest, widest)))


def common_shock(months: int) -> float:
    """Return the standard deviation of the log of ends over what is expected that a window gives
    all customers at once: a month that is good or bad for everybody says nothing of who is right.

    >>> round(common_shock(1), 3), round(common_shock(12), 3)
    (0.112, 0.058)
    """
    limits = load_toml("live.toml")["retrain"]
    return float(np.hypot(limits["year_shock"], limits["month_shock"] / np.sqrt(months)))


def _duelist(left: Floats, chance: Floats, shock: float) -> Duelist:
    from scipy.stats import chi2

    from akb.models import auc_of

    observed, expected = float(left.sum()), max(float(chance.sum()), 1e-9)
    low = float(chi2.ppf(0.05, 2 * observed)) / 2 if observed else 0.0
    high = float(chi2.ppf(0.95, 2 * (observed + 1))) / 2
    if observed:  # both spreads together, on the log scale
        low, high = (
            observed * float(np.exp(side * np.hypot(np.log(bound / observed), 1.645 * shock)))
            for side, bound in ((-1, low), (1, high))
        )
    auc = auc_of(left, chance) if 0 < observed < len(left) else None
    return Duelist(
        float(_log_loss(left, chance).mean()) if len(left) else 0.0,
        expected,
        observed / expected,
        low / expected,
        high / expected,
        auc,
    )


def _log_odds(chance: Floats) -> Floats:
    p = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def _log_loss(left: Floats, chance: Floats) -> Floats:
    p = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.asarray(-(left * np.log(p) + (1 - left) * np.log(1 - p)))


def _of_champion(
    champion: StoredRun, then: Portfolio, window: DuelWindow, level: float | None
) -> pl.DataFrame | None:
    """What the champion says as from the first day of the window."""
    from akb.live.scoring.story import models_on, settings_for

    seen = champion.read_as_then(then)
    settings = settings_for(champion.settings, champion, seen)
    _, models, _ = models_on(settings, champion, seen, level=level)
    if window.key not in models.scores.columns:
        return None
    return models.scores.select("customer", champion=window.key).drop_nulls()


def _of_challenger(
    champion: StoredRun, then: Portfolio, window: DuelWindow, progress: Progress
) -> pl.DataFrame | None:
    """What models say that were fitted on what was known on the first day of the window."""
    from akb.features import as_of_grid, build_matrix, build_targets, topics_of, without_hindsight
    from akb.models import run_models
    from akb.pipeline import catalogue_of

    then = without_hindsight(replace(then, hidden=None), champion.settings)
    settings = champion.settings.with_branches(then.own_branches)
    dates = as_of_grid(then, settings)
    matrix = build_matrix(then, dates, settings)
    if matrix.frame.is_empty() or window.day not in matrix.dates:
        return None
    entries = _churn_entries(catalogue_of(then, settings, topics_of(then)))
    models = run_models(
        matrix,
        build_targets(then, matrix, settings),
        entries,
        settings,
        as_of=window.day,
        history=then.history,
        progress=progress.detail,
    )
    if window.key not in models.scores.columns:
        return None
    return models.scores.select("customer", challenger=window.key).drop_nulls()


def _churn_entries(entries: Sequence[Entry]) -> list[Entry]:
    return [
        entry
        for entry in entries
        if entry.key.startswith("churn_") and entry.method != "churn_effect"
    ]


def _of_halves(
    champion: StoredRun, portfolio: Portfolio, window: DuelWindow, progress: Progress
) -> pl.DataFrame | None:
    """Return what models say as from the first day of the window that were fitted on all that is
    known today of the other half of the customers.
    """
    from akb.features import as_of_grid, build_matrix, build_targets, topics_of, without_hindsight
    from akb.ingest import earlier
    from akb.models import run_models
    from akb.models.rescoring import StoredModels, score_models
    from akb.pipeline import catalogue_of

    seen = without_hindsight(replace(portfolio, hidden=None), champion.settings)
    settings = champion.settings.with_branches(seen.own_branches)
    entries = _churn_entries(catalogue_of(seen, settings, topics_of(seen)))
    whole = build_matrix(seen, as_of_grid(seen, settings), settings)
    # what features may see is what the fit saw; nothing of the window is in it
    then = replace(earlier(seen, window.day), hidden=seen.hidden)
    then = replace(then, own=seen.own, own_values=seen.own_values)
    matrix = build_matrix(then, [window.day], settings)
    targets = build_targets(then, matrix, settings)
    names = portfolio.customers["pseudonym"].to_list()
    lot = pl.Series(drawn("halves", names) < 0.5).cast(pl.Int8)
    lots = portfolio.customers.select("customer", half=lot)
    parts = []
    for half in (0, 1):
        others = lots.filter(pl.col("half") != half).select("customer")
        taught = replace(whole, frame=whole.frame.join(others, on="customer", how="semi"))
        made = run_models(
            taught,
            build_targets(seen, taught, settings),
            entries,
            settings,
            as_of=seen.as_of,
            history=seen.history,
            progress=progress.detail,
        )
        if window.key not in made.scores.columns:
            return None
        said = score_models(
            matrix,
            targets,
            entries,
            settings,
            StoredModels(made.files, made),
            as_of=window.day,
            history=then.history,
        )
        judged_here = said.scores.join(lots.filter(half=half), on="customer", how="semi")
        parts.append(judged_here.select("customer", challenger=window.key).drop_nulls())
    return pl.concat(parts)


def _outcomes(champion: StoredRun, portfolio: Portfolio, window: DuelWindow) -> pl.DataFrame:
    """Who left within the window, and who can be followed through it."""
    from akb.features import build_matrix, build_targets

    settings = champion.settings.with_branches(portfolio.own_branches)
    seen = champion.read_as_then(portfolio)
    matrix = build_matrix(seen, [window.day], settings)
    relation = build_targets(seen, matrix, settings).relation
    last = add_months(window.day, window.months)
    return relation.select(
        "customer",
        left=(pl.col("end_date") <= last).fill_null(value=False),
        followed=~(pl.col("censored_on") <= last).fill_null(value=False),
    )
