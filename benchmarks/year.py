"""A simulated office lives a year with akb: every week an export, scores, a team that works the plan, and feedback.

    python -m benchmarks.year [--offices 10] [--futures 5]                      # the watch alone, on weekly counts
    python -m benchmarks.year --whole [--customers 20000] [--weeks 52] [--seeds 1]   # every command as it is

The back office registers ends late (exponential, six days on average; announced ends before their day). From the
month after week 30 on the hazards of lapse and switch are 1.6 times what they were. A team calls so many customers a
week from the plan of that week, control group left alone; a call undoes a fifth of the preventable ends of the twelve
months after it. In week 8 an experiment of three months begins, whose treated arm is called first. Every fourth week
refitting is looked at.

Printed per week: registrations and what was usual, the alarm, the level of the models, who is champion, refusals; at
the end what the experiment measured beside the effect by construction, and what an evaluation of the first run says.
With ``--calm``: only the refitting of the weeks before the change, without scores and team: how often is a champion
replaced where nothing has changed.
Without either: per future of an office false alarms before week 30, the week of the alarm, the level in week 44.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.cli import run
from akb.core.privacy.pseudonyms import client_key, load_or_create_key, pseudonyms
from akb.live.book import open_book
from akb.live.registry import champions_of
from akb.live.scoring.watch import EndsWatch, known_ends, usual_ends, watched
from akb.sample import simulate, write_sample
from akb.sample.calendar import to_day
from akb.sample.living import LivingOffice, weeks_of
from akb.sample.parameters import CAUSES, NEVER_DAY, tables
from akb.sample.records import relation_numbers
from akb.store.feedback import Feedback, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")
CHANGE_WEEK, FOLLOWED_BY = 30, 44
CHANGE_MONTH = 7  # months that pass as before: week 30 ends two days before the seventh does
FACTOR = 1.6
EFFECT = 0.2  # of the preventable ends, undone by a call
EXPERIMENT_WEEK, EXPERIMENT_MONTHS = 8, 3
WAIT = 61  # gap and registration lag, days


START = date(2024, 12, 31)
"""From when the weeks count: all of them lie in the past, as akb takes no export of days to come."""


@dataclass(frozen=True)
class YearOptions:
    """What a year is: how large the office, how many weeks, what a team can do, how often is refitting looked at."""

    customers: int = 20_000
    weeks: int = 52
    calls: int = 150  # a week
    factor: float = FACTOR
    retrain_every: int = 4


@dataclass
class Week:
    """What a week left."""

    number: int
    day: str
    watch: dict[str, Any] | None
    accepted: list[str]
    called: int
    retrained: str = ""


@dataclass
class Year:
    """What a year left: its weeks, the experiment, the evaluation, the champions (why, export)."""

    weeks: list[Week] = field(default_factory=list)
    analysis: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    champions: list[tuple[str, str]] = field(default_factory=list)


class LivingBook:
    """An office, its back office's exports and its book of akb, in a folder."""

    def __init__(self, folder: Path, options: YearOptions, seed: int) -> None:
        self.folder, self.options = folder, options
        made = simulate(options.customers, seed=seed, as_of=START)
        months = int(options.weeks / 4.3) + 2
        drift = np.where(np.arange(months) < CHANGE_MONTH, 1.0, options.factor)
        self.office = LivingOffice(made, months, seed=seed, drift=tuple(drift))
        self.days = weeks_of(made, options.weeks)
        self.book = folder / "book"
        key = client_key(load_or_create_key(open_book(self.book).key_file), "")
        numbers = relation_numbers(self.office.people.number)
        self.rows = {name: row for row, name in enumerate(pseudonyms(numbers, key))}
        self.today = made.as_of
        self.export(made.as_of)
        command("retrain", *self.files, "--from", str(self.book))

    @property
    def files(self) -> list[str]:
        """The files of the newest export, and its day."""
        return [*(str(self.folder / "export" / name) for name in NAMES), "--as-of", self.today.isoformat()]

    def export(self, day: date) -> None:
        """Let the time pass until a day, and write what the back office has on it."""
        while to_day(self.office.lived_until) < to_day(day):
            self.office.live(EFFECT, EFFECT)
        write_sample(self.office.on(day), self.folder / "export", truth=False)
        policies = self.folder / "export" / NAMES[0]
        head, *rows = policies.read_text("utf-8-sig").splitlines()
        stated = [f"{head};Peildatum", *(f"{row};{day:%d-%m-%Y}" for row in rows)]
        policies.write_text("\ufeff" + "\r\n".join(stated) + "\r\n", "utf-8", newline="")
        self.today = day

    def call(self, folder: Path, day: date, first: Sequence[str], never: set[str]) -> int:
        """Let the team work: those of an experiment first, then the plan from its top; record it as feedback."""
        plan = pl.read_csv(folder / "actions" / "next_best_action.csv", separator=";", infer_schema=False)
        open_ = plan.filter(pl.col("controlegroep, geen contact") != "ja")["klant"].to_list()
        chosen = [
            name
            for name in dict.fromkeys([*first, *open_])
            if name in self.rows and name not in never and self.office.begin[self.rows[name]] < 0
        ][: self.options.calls]
        self.office.begin[[self.rows[name] for name in chosen]] = self.office.month
        name = json.loads((folder / "manifest.json").read_text("utf-8"))["run"]
        said = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        events = [
            Feedback.model_validate(
                {
                    "run": name,
                    "customer": each,
                    "recorded": said + timedelta(minutes=place),
                    "by": "team",
                    "event": "status",
                    "status": "spoken",
                }
            )
            for place, each in enumerate(chosen)
        ]
        file = self.folder / f"terugkoppeling-{day}.csv"
        file.write_bytes(written(events))
        command("feedback", "import", str(file), "--to", str(self.book))
        return len(chosen)


def command(*arguments: str) -> int:
    """Run akb in this process; 0, or 3 where it refuses."""
    code = run([*arguments, "--quiet"])
    if code not in (0, 3):
        raise SystemExit(f"akb {arguments[0]} ended with {code}")
    return code


def answer(*arguments: str) -> dict[str, Any]:
    """Run akb with --json; what it printed."""
    kept = StringIO()
    with redirect_stdout(kept):
        code = run([*arguments, "--json"])
    if code not in (0, 3):
        raise SystemExit(f"akb {arguments[0]} ended with {code}")
    found: dict[str, Any] = json.loads(kept.getvalue() or "{}")
    return found


def live_a_year(folder: Path, options: YearOptions, seed: int) -> Year:
    """Let an office live with akb and return what every week left."""
    home, year = LivingBook(folder, options, seed), Year()
    trial = folder / "trial"
    first: list[str] = []
    never: set[str] = set()
    for number, day in enumerate(home.days, start=1):
        home.export(day)
        if command("score", *home.files, "--book", str(home.book)) == 3:
            command("score", *home.files, "--book", str(home.book), "--accept")
        made = home.book / "runs" / f"{day}-score"
        document = json.loads((made / "scored.json").read_text("utf-8"))
        if number == EXPERIMENT_WEEK:
            assigned = ["experiment", "assign", str(made), "--to", str(trial)]
            answer(*assigned, "--months", str(EXPERIMENT_MONTHS))
            arms = pl.read_csv(trial / "assignments.csv")
            first = arms.filter(pl.col("arm") == "treated")["customer"].to_list()
            never = set(arms.filter(pl.col("arm") == "control")["customer"])
        called = home.call(made, day, first, never)
        week = Week(number, day.isoformat(), document["watch"], document["refused"], called)
        if number % options.retrain_every == 0:
            week.retrained = answer("retrain", *home.files, "--from", str(home.book), "--quiet")["outcome"]
        stop = json.loads((trial / "experiment.json").read_text("utf-8"))["stop"] if trial.exists() else "9999"
        if year.analysis is None and day.isoformat() >= stop:
            key = ["--key", str(home.book / "key")]
            year.analysis = answer("experiment", "analyse", str(trial), *home.files, *key, "--quiet")
            never = set()
        year.weeks.append(week)
        print(shown(week), flush=True)
    opened = open_book(home.book)
    year.champions = [(each.why, each.run.as_of) for each in champions_of(opened)]
    oldest = champions_of(opened)[0].run.folder
    key = ["--key", str(home.book / "key"), "--quiet"]
    year.evaluation = answer("evaluate", str(oldest), *home.files, *key)
    return year


def refit_while_calm(folder: Path, options: YearOptions, seed: int) -> None:
    """Print what every refitting before the change says, and the window that decided."""
    home = LivingBook(folder, options, seed)
    for number, day in enumerate(home.days[: CHANGE_WEEK - 1], start=1):
        if number % options.retrain_every:
            continue
        home.export(day)
        found = answer("retrain", *home.files, "--from", str(home.book), "--quiet")
        line = f"seed {seed}, week {number}: {found['outcome']}"
        if "duel" in found:
            duel = found["duel"]
            sides = " and ".join(f"{duel[side]['ratio']:.2f}" for side in ("champion", "challenger"))
            line += f", {duel['window']['months']} months, {duel['left']} left, observed / expected {sides}"
            line += f", gain {duel['gain']:.5f} ({duel['low']:.5f} to {duel['high']:.5f})"
        print(line, flush=True)


def shown(week: Week) -> str:
    """Return a week as a line."""
    if week.watch is None:
        told = "no watch yet"
    else:
        last, level = week.watch["weeks"][-1], week.watch["level"]
        told = f"{last['registered']:5} registered, {last['expected']:6.1f} usual"
        told += f", flagged {week.watch['flagged']}" if week.watch["flagged"] else ""
        told += f", level x {level:.2f}" if level else ""
    more = f", retrain: {week.retrained}" if week.retrained else ""
    refused = f", refused: {week.accepted[0]}" if week.accepted else ""
    return f"week {week.number:2} {week.day}: {told}, {week.called} called{more}{refused}"


def causes_of(office: LivingOffice) -> NDArray[np.int64]:
    """Return the class of the cause of every end, -1 where the back office filled in none."""
    policies, _ = office.all_ends()
    empty = np.random.default_rng(office.book.seed).random(len(policies.end)) < office.book.p.book.reason_empty
    return np.where(empty, -1, tables().reason_class[policies.reason])


def policies_on(day: date, known: tuple[Any, NDArray[np.int32]], first: int, causes: NDArray[np.int64]) -> pl.DataFrame:
    """Return what an export of a day holds of policies, for the watch alone."""
    policies, registered = known
    number = to_day(day)
    end = np.where(registered <= number, policies.end, NEVER_DAY)
    there = (policies.start <= number) & (end >= first)
    ends = pl.Series(end[there], dtype=pl.Int32)
    return pl.DataFrame(
        {
            "start_date": pl.Series(policies.start[there], dtype=pl.Int32).cast(pl.Date),
            "end_date": ends.set(ends == int(NEVER_DAY), None).cast(pl.Date),
        }
    ).with_columns(
        replaced_on=pl.lit(None, dtype=pl.Date),
        cause=pl.Series(np.array([*CAUSES, "unknown"])[causes[there]]),
    )


def counted(office: LivingOffice, weeks: int) -> dict[int, EndsWatch | None]:
    """Return what the watch says before and after the change, on the counts of the back office alone."""
    book, known, causes = office.book, office.all_ends(), causes_of(office)
    began = to_day(book.ended_from)
    then = policies_on(book.as_of, known, began, causes)
    usual = usual_ends(then, book.recorded_from, book.as_of - timedelta(days=WAIT))
    exports, found = [known_ends(then, book.as_of)], dict[int, EndsWatch | None]()
    for number, day in enumerate(weeks_of(book, weeks), start=1):
        now = policies_on(day, known, began, causes)
        exports.append(known_ends(now, day))
        if number in (CHANGE_WEEK, FOLLOWED_BY, weeks):
            found[number] = watched(usual, now, exports)
    return found


def counts(customers: int, offices: range, futures: int, weeks: int) -> None:
    """Print when the watch flags the planted change, over futures of some offices."""
    late: list[int | None] = []
    levels: list[float | None] = []
    false = 0
    for seed in offices:
        book = simulate(customers, seed=seed)
        for future in range(futures):
            drift = np.where(np.arange(14) < CHANGE_MONTH, 1.0, FACTOR)
            office = LivingOffice(book, 14, seed=seed * 1000 + future, drift=tuple(drift))
            while to_day(office.lived_until) < to_day(weeks_of(book, weeks)[-1]):
                office.live()
            found = {number: each for number, each in counted(office, weeks).items() if each is not None}
            quiet = found[CHANGE_WEEK]
            early = [n for n, each in enumerate(quiet.weeks, start=1) if each.rise >= quiet.threshold]
            follows, last = found[FOLLOWED_BY], found[weeks]
            seen = [n for n, each in enumerate(follows.weeks, start=1) if each.rise >= follows.threshold]
            seen = [n for n in seen if n > CHANGE_WEEK]
            false += bool(early)
            late.append(seen[0] - CHANGE_WEEK if seen else None)
            levels.append(follows.level)
            print(f"office {seed}, future {future}: false {early[:1]}, flagged {seen[:1]}, level in week {FOLLOWED_BY} "
                  f"{follows.level}, {last.ratio:.2f} since {last.since} in week {weeks}", flush=True)  # fmt: skip
    soon = sum(each is not None and each <= 4 for each in late)
    level = sum(each is not None for each in levels)
    print(f"{len(late)} futures of {customers:,} customers: flagged within 4 weeks in {soon}, a false alarm before in "
          f"{false}, the level follows by week {FOLLOWED_BY} in {level}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--whole", action="store_true", help="every week with every command")
    parser.add_argument("--calm", action="store_true", help="only refitting, in the weeks before the change")
    parser.add_argument("--offices", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="seed of the first office")
    parser.add_argument("--futures", type=int, default=5)
    given = parser.parse_args()
    if given.calm:
        for seed in range(given.first, given.first + given.seeds):
            folder = Path(tempfile.mkdtemp(prefix="akb-year-"))
            refit_while_calm(folder, YearOptions(given.customers, given.weeks), seed)
        return
    if not given.whole:
        offices = range(given.first, given.first + given.offices)
        counts(given.customers, offices, given.futures, given.weeks)
        return
    for seed in range(given.first, given.first + given.seeds):
        began = time.perf_counter()
        options = YearOptions(given.customers, given.weeks, given.calls)
        year = live_a_year(Path(tempfile.mkdtemp(prefix="akb-year-")), options, seed)
        print(f"seed {seed}: champions {year.champions}, {time.perf_counter() - began:.0f} s")
        if year.analysis is not None:
            print(f"  measured {json.dumps(year.analysis.get('effects', year.analysis), default=str)[:600]}")
            print(f"  by construction a call undoes {EFFECT:.0%} of the preventable ends after it")
        if year.evaluation is not None:
            print(f"  alarms of the evaluation: {year.evaluation.get('alarms')}")


if __name__ == "__main__":
    main()
