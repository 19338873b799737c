"""The engine's log as the tables that an office would export: numbers, money, texts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from akb.config import load_settings
from akb.sample.calendar import FIRST_YEAR, Days, day_of_month, month_of, to_day, year_of
from akb.sample.parameters import CAUSES, KINDS, NEVER_DAY, tables

if TYPE_CHECKING:
    import polars as pl

    from akb.sample.engine import Policies
    from akb.sample.office import SimulatedOffice

_DRAWS = 21  # random stream of everything that only shows in the export
_BAN_DAY = 15706  # 1-1-2013: no commission on banned lines from then on
TECHNICAL = {
    "omnummering": "Omnummering",
    "overdracht": "Overdracht portefeuille",
    "verhuizing": "Productoverzet",
}


@dataclass(frozen=True)
class NumberedPolicies:
    """Policies as the back office numbers them: one record may go on under several numbers.

    record, part (0 = the first number), start, end, reason (engine code, or minus the technical
    reason's number), insurer."""

    record: NDArray[np.int64]
    part: NDArray[np.int64]
    start: Days
    end: Days
    reason: NDArray[np.int64]
    insurer: NDArray[np.int64]


def relation_numbers(number: NDArray[np.int64]) -> list[str]:
    """Return relation numbers, with leading zeros as back offices print them."""
    return [f"{1000 + 3 * int(n) + (int(n) * 7919) % 3:07d}" for n in number]


def export_tables(book: SimulatedOffice) -> dict[str, pl.DataFrame]:
    """Return ``policies``, ``customers``, ``claims``, ``contacts`` as known on the book's as-of
    date.

    Returns
    -------
    dict of polars.DataFrame
        policies: relation, policy, branch, branch_text, insurer, start_date, end_date (null = open;
        after the as-of date = announced), reason (key, null = none or technical), cause (class),
        reason_text (null where the office filled in nothing), premium_cents, commission_cents (null
        = missing), payment_months, collection (own | insurer), renewal_date, adviser, office.
        customers: relation, kind, birth_year, postcode, adviser, office, no_marketing. claims:
        relation, policy, date, reported, amount_cents, at_fault. contacts: relation, date, channel,
        inbound, subject. Sorted by relation, then date.
    """
    policies = book.all_policies
    parts = _parts(book, policies)
    frame = _policy_frame(book, policies, parts)
    customers = (
        _customer_frame(book)
        .join(frame.select("relation").unique(), on="relation", how="semi")
        .sort("relation")
    )
    return {
        "policies": frame,
        "customers": customers,
        "claims": _claims_frame(book, policies, parts),
        "contacts": _contacts_frame(book),
    }


def _rng(book: SimulatedOffice, stream: int) -> np.random.Generator:
    return np.random.default_rng([book.seed, _DRAWS, stream])


def _parts(book: SimulatedOffice, policies: Policies) -> NumberedPolicies:
    """Cut policies where they got another number or insurer; keep what the office still has on
    record.
    """
    as_of = to_day(book.as_of)
    count = len(policies.start)
    insurer = book.people.insurer[policies.customer, policies.slot].astype(np.int64)
    moved_record, moved_day = book.log.renumberings()
    years = _rng(book, 1).standard_exponential(count) / book.p.book.renumbered
    renumbered = policies.start + np.minimum(years * 365, 36500).astype(np.int32)
    cuts = [
        (np.arange(count), policies.start, np.zeros(count, np.int64), insurer),
        (np.arange(count), renumbered, np.full(count, 1), insurer),
        (
            moved_record.astype(np.int64),
            moved_day,
            np.full(len(moved_record), 3),
            insurer[moved_record],
        ),
    ]
    if book.transfer is not None:
        t = book.transfer
        chosen = np.flatnonzero((policies.slot == t.slot) & (insurer == t.insurer))
        cuts.append(
            (
                chosen,
                np.full(len(chosen), t.day),
                np.full(len(chosen), 2),
                np.full(len(chosen), t.to),
            )
        )
    record, day, why, its_insurer = (np.concatenate(column) for column in zip(*cuts, strict=True))
    keep = (why == 0) | (
        (day > policies.start[record]) & (day < policies.end[record]) & (day <= as_of)
    )
    order = np.flatnonzero(keep)[np.lexsort((why[keep], day[keep], record[keep]))]
    order = order[
        np.append(
            True, (record[order][1:] != record[order][:-1]) | (day[order][1:] != day[order][:-1])
        )
    ]
    cuts_in_order = Cuts(record[order], day[order], why[order], its_insurer[order])
    return _chained(policies, cuts_in_order, to_day(book.ended_from))


@dataclass(frozen=True)
class Cuts:
    """Where policies got a number: record, its day, why (0 = it began), the insurer from then on;
    sorted.
    """

    record: NDArray[np.int64]
    day: Days
    why: NDArray[np.int64]
    insurer: NDArray[np.int64]


def _chained(policies: Policies, cuts: Cuts, ended_from: int) -> NumberedPolicies:
    record, day, why, insurer = cuts.record, cuts.day, cuts.why, cuts.insurer
    first = np.append(True, record[1:] != record[:-1])
    last = np.append(first[1:], True)
    position = np.arange(len(record)) - np.maximum.accumulate(
        np.where(first, np.arange(len(record)), 0)
    )
    next_day, next_why = np.append(day[1:], 0), np.append(why[1:], 0)
    end = np.where(last, policies.end[record], next_day).astype(np.int32)
    reason = np.where(last, policies.reason[record], -next_why)
    # a transferred policy stays with the new insurer under later numbers
    since = np.maximum.accumulate(np.where(first | (why == 2), np.arange(len(record)), 0))
    keep = end >= ended_from
    return NumberedPolicies(
        record[keep],
        position[keep],
        day[keep].astype(np.int32),
        end[keep],
        reason[keep],
        insurer[since][keep],
    )


def _policy_frame(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies
) -> pl.DataFrame:
    import polars as pl

    p = book.p
    customer, slot = policies.customer[parts.record], policies.slot[parts.record]
    premium, commission = _money(book, policies, parts)
    branches = np.array(p.branches)[p.branch_of_slot[slot]]
    office = np.array(p.book.offices)[book.people.office[customer]]
    collection = np.where(book.people.own_collection[customer], "own", "insurer")
    reason, cause, reason_text = _reasons(book, parts)
    frame = pl.DataFrame(
        {
            "relation": relation_numbers(book.people.number[customer]),
            "policy": _policy_numbers(parts),
            "branch": branches,
            "branch_text": _branch_texts(book, parts.record, slot),
            "insurer": np.array(p.book.insurers)[parts.insurer],
            "start_date": pl.Series(parts.start, dtype=pl.Int32).cast(pl.Date),
            "end_date": _dates(parts.end),
            "reason": reason,
            "cause": cause,
            "reason_text": reason_text,
            "premium_cents": premium,
            "commission_cents": commission,
            "payment_months": _payment_months(book, policies)[parts.record],
            "collection": collection,
            "renewal_date": _renewal_dates(book, policies, parts),
            "adviser": [f"ADV{number + 1:02d}" for number in book.people.adviser[customer]],
            "office": office,
        }
    )
    frame = frame.with_columns(
        pl.when(pl.col("commission_cents") >= 0).then("commission_cents").alias("commission_cents")
    )
    return frame.sort("relation", "start_date", "policy")


def _dates(days: Days) -> pl.Series:
    import polars as pl

    series = pl.Series(days, dtype=pl.Int32)
    return series.set(series == int(NEVER_DAY), None).cast(pl.Date)


def _policy_numbers(parts: NumberedPolicies) -> list[str]:
    """Return numbers that are unique and stay: scrambled record number, insurer's letter, number of
    the part.
    """
    scrambled = (parts.record * 48271 + 12345) % 99999989
    letters = "ABCDEFGHJK"
    return [
        f"{letters[i]}{s:08d}" + (f"-{k}" if k else "")
        for i, s, k in zip(parts.insurer, scrambled, parts.part, strict=True)
    ]


def policy_numbers_now(book: SimulatedOffice, record: NDArray[np.int32]) -> list[str]:
    """Return the numbers that policies in force (by record) have on the book's as-of date."""
    parts = _parts(book, book.all_policies)
    last = np.append(parts.record[1:] != parts.record[:-1], True)
    numbers = dict(
        zip(
            parts.record[last].tolist(),
            np.array(_policy_numbers(parts))[last].tolist(),
            strict=True,
        )
    )
    return [str(numbers[r]) for r in record.tolist()]


def _branch_texts(
    book: SimulatedOffice, record: NDArray[np.int64], slot: NDArray[np.int64]
) -> NDArray[np.str_]:
    u = _rng(book, 2).random(int(record.max()) + 1)[record]
    first = np.array([entry.texts[0] for entry in book.p.slot])[slot]
    other = np.array([entry.texts[-1] for entry in book.p.slot])[slot]
    return np.where(u < 0.75, first, other)


def _reasons(
    book: SimulatedOffice, parts: NumberedPolicies
) -> tuple[list[str | None], list[str | None], list[str | None]]:
    """Return (reason key, class, text in the back office) per policy, None where there is none."""
    p = book.p
    keys = list(p.reason)
    u = _rng(book, 3).random((book.log.count, 2))[parts.record]
    technical = list(TECHNICAL.values())
    reasons: list[str | None] = []
    classes: list[str | None] = []
    words: list[str | None] = []
    for code, end, (empty, choice) in zip(
        parts.reason.tolist(), parts.end.tolist(), u.tolist(), strict=True
    ):
        if end == NEVER_DAY:
            reason, text = None, None
        elif code < 0:
            reason, text = None, technical[-code - 1]
        else:
            reason = keys[code - 1]
            texts = p.reason[reason].texts
            text = None if empty < p.book.reason_empty else texts[int(choice**1.5 * len(texts))]
        reasons.append(reason)
        classes.append(CAUSES[tables().reason_class[code]] if reason else None)
        words.append(text)
    return reasons, classes, words


def _money(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return yearly premium and commission in cents as the back office shows them: at the end, or
    today.

    Premiums follow the insurer's indexation up to the last renewal; commission -1 = missing.
    """
    premium = premium_in(book, policies, parts, _last_renewal_year(book, policies, parts))
    missing = _commission_chance(book, parts)[:, 2] < book.p.book.commission_missing
    return premium, np.where(missing, -1, _commission(book, policies, parts, premium))


def _commission_chance(book: SimulatedOffice, parts: NumberedPolicies) -> NDArray[np.float64]:
    """Return three random numbers per part: is the share agreed, how high is it, is the amount
    missing.
    """
    return _rng(book, 5).random((book.log.count, 3))[parts.record]


def _commission(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies, premium: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the yearly commission in cents, whether the back office shows it or not."""
    p = book.p
    u = _commission_chance(book, parts)
    slot = policies.slot[parts.record]
    branches = load_settings().taxonomy()
    rate = np.array([branches[entry.branch].commission for entry in p.slot])[slot]
    rate = rate * (0.92 + 0.03 * parts.insurer)
    rate = np.where(u[:, 0] < p.book.commission_deviating, rate * (0.5 + 0.7 * u[:, 1]), rate)
    banned = np.array([branches[entry.branch].ban for entry in p.slot])[slot]
    old = policies.start[parts.record] < _BAN_DAY
    rate = np.where(banned, np.where(old, 0.03, 0.0), rate)
    return np.asarray(np.rint(premium * rate), np.int64)


def commission_now(book: SimulatedOffice, record: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the yearly commission in cents of policies in force (by record), also where the export
    lacks it.
    """
    policies = book.all_policies
    parts = _parts(book, policies)
    last = np.append(parts.record[1:] != parts.record[:-1], True)
    now = NumberedPolicies(*(getattr(parts, field.name)[last] for field in fields(parts)))
    premium = premium_in(book, policies, now, _last_renewal_year(book, policies, now))
    amount = np.zeros(book.log.count, np.int64)
    amount[now.record] = _commission(book, policies, now, premium)
    return np.asarray(amount[record])


def commission_of_new(book: SimulatedOffice, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the yearly commission in cents [rows, S] to expect of a policy taken now, at today's
    premiums.
    """
    p, people = book.p, book.people
    branches = load_settings().taxonomy()
    own = [branches[entry.branch] for entry in p.slot]
    standard = np.array(
        [0.0 if branch.ban else 100 * branch.premium * branch.commission for branch in own]
    )
    insurer = people.insurer[rows].astype(np.int64)
    level = np.log1p(book.market.rises).cumsum(axis=0)
    grown = np.exp(level[book.as_of.year - FIRST_YEAR] - level[book.anchor[0].year - FIRST_YEAR])
    deviating = 1 - p.book.commission_deviating * (1 - (0.5 + 0.7 / 2))
    size = (
        people.wealth[rows]
        * np.where(people.kind[rows] == 1, 1.5, 1.0)
        * np.exp(p.spread.premium**2 / 2)
    )
    rate = (0.92 + 0.03 * insurer) * deviating * grown[np.arange(len(p.slot)), insurer]
    return np.asarray(size[:, None] * standard * rate)


def premium_in(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies, year: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the yearly premium in cents at the level of a calendar year per part: its last
    renewal's.
    """
    p, people = book.p, book.people
    noise = np.exp(_rng(book, 4).normal(0, p.spread.premium, book.log.count))
    customer, slot = policies.customer[parts.record], policies.slot[parts.record]
    branches = load_settings().taxonomy()
    typical = np.array([branches[entry.branch].premium for entry in p.slot])[slot]
    level = np.log1p(book.market.rises).cumsum(axis=0)
    today = book.anchor[0].year - FIRST_YEAR
    grown = np.exp(
        level[year - FIRST_YEAR, slot, parts.insurer] - level[today, slot, parts.insurer]
    )
    size = np.where(people.kind[customer] == 1, 1.5, 1.0)
    premium: NDArray[np.int64] = np.rint(
        100 * typical * noise[parts.record] * people.wealth[customer] * size * grown
    ).astype(np.int64)
    return premium


def premium_table(book: SimulatedOffice) -> pl.DataFrame:
    """Return the premium history as the back office kept it: policy, date, premium_cents, sorted by
    both.

    From a year before the recorded history on, at the start and at every renewal, also the one at
    which the policy ended: that renewal was not taken."""
    import polars as pl

    policies = book.all_policies
    parts = _parts(book, policies)
    until = np.minimum(parts.end, to_day(book.as_of))
    month, day = _renewal(book, policies, parts.record)
    first = to_day(book.recorded_from) - 365
    began = _last_renewal_year(book, policies, replace(parts, end=parts.start))
    rows = [(parts.start >= first, parts.start, began)]
    for year in range(book.recorded_from.year - 1, book.as_of.year + 1):
        months = (
            ((year - 1970) * 12 + month)
            .astype("datetime64[M]")
            .astype("datetime64[D]")
            .astype(np.int64)
        )
        turn = (months + day - 1).astype(np.int32)
        rows.append(
            (
                (turn > parts.start) & (turn <= until) & (turn >= first),
                turn,
                np.full(len(turn), year),
            )
        )
    numbers = np.array(_policy_numbers(parts))
    columns = [
        pl.DataFrame(
            {
                "policy": numbers[keep],
                "date": pl.Series(since[keep], dtype=pl.Int32).cast(pl.Date),
                "premium_cents": premium_in(book, policies, parts, level)[keep],
            }
        )
        for keep, since, level in rows
    ]
    return pl.concat(columns).sort("policy", "date")


def _renewal(
    book: SimulatedOffice, policies: Policies, record: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return month (0 = January) and day of the main renewal."""
    start = policies.start[record]
    january = book.people.january[policies.customer[record], policies.slot[record]]
    month = np.where(january, 0, month_of(start))
    return month, np.where(january, 1, np.minimum(day_of_month(start), 28))


def _last_renewal_year(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies
) -> NDArray[np.int64]:
    shown = np.minimum(parts.end, to_day(book.as_of)).astype(np.int32)
    month, day = _renewal(book, policies, parts.record)
    passed = month_of(shown) * 32 + day_of_month(shown) >= month * 32 + day
    year = year_of(shown) - ~passed
    return np.asarray(np.maximum(year, year_of(policies.start[parts.record])), np.int64)


def _renewal_dates(book: SimulatedOffice, policies: Policies, parts: NumberedPolicies) -> pl.Series:
    """Return the next main renewal after the as-of date (or after the end of an ended policy)."""
    import polars as pl

    shown = np.minimum(parts.end, to_day(book.as_of)).astype(np.int32)
    month, day = _renewal(book, policies, parts.record)
    passed = month_of(shown) * 32 + day_of_month(shown) >= month * 32 + day
    frame = pl.DataFrame({"year": year_of(shown) + passed, "month": month + 1, "day": day})
    return frame.select(pl.date("year", "month", "day").alias("renewal_date"))["renewal_date"]


def _payment_months(book: SimulatedOffice, policies: Policies) -> NDArray[np.int64]:
    customer_u = _rng(book, 6).random(len(book.people))[policies.customer]
    own_u = _rng(book, 7).random((book.log.count, 2))
    u = np.where(
        own_u[:, 0] < 0.8, customer_u, own_u[:, 1]
    )  # most customers pay everything in the same way
    return np.array([1, 12, 3, 6])[np.searchsorted([0.60, 0.86, 0.94], u, side="right")]


def sub_offices(
    book: SimulatedOffice, office: NDArray[np.int64], number: NDArray[np.int64]
) -> list[str]:
    """Return the sub-office of each customer: two per office, by where the customer lives."""
    names = np.array(book.p.book.offices)[office].tolist()
    return [
        f"{name} {('Noord', 'Zuid')[n * 7919 % 60 >= 30]}"
        for name, n in zip(names, number.tolist(), strict=True)
    ]


def managers(book: SimulatedOffice) -> NDArray[np.int64]:
    """Return the commercial manager of each adviser: one for up to three advisers of one office."""
    office = book.office.adviser_office
    place = np.array(
        [int((office[:adviser] == office[adviser]).sum()) for adviser in range(len(office))]
    )
    return np.asarray(place // 3 * (int(office.max()) + 1) + office, np.int64)


def _customer_frame(book: SimulatedOffice) -> pl.DataFrame:
    import polars as pl

    people = book.people
    area = (
        np.array([1811, 4811, 7411, 2801, 8441, 6041])[people.office % 6]
        + (people.number * 7919) % 60
    )
    letters = "ABCDEGHJKLMNPRSTVWXZ"
    street = [
        letters[(n * 31) % 20] + letters[(n * 17 + n // 20) % 20] for n in people.number.tolist()
    ]
    return pl.DataFrame(
        {
            "relation": relation_numbers(people.number),
            "kind": np.array(KINDS)[people.kind],
            "birth_year": pl.Series(people.birth, dtype=pl.Int32),
            "postcode": [f"{a} {s}" for a, s in zip(area, street, strict=True)],
            "adviser": [f"ADV{number + 1:02d}" for number in people.adviser],
            "office": np.array(book.p.book.offices)[people.office],
            "sub_office": sub_offices(book, people.office, people.number),
            "manager": [f"MAN{number + 1:02d}" for number in managers(book)[people.adviser]],
            "no_marketing": people.opt_out,
        }
    ).with_columns(pl.when(pl.col("birth_year") > 0).then("birth_year").alias("birth_year"))


def _claims_frame(
    book: SimulatedOffice, policies: Policies, parts: NumberedPolicies
) -> pl.DataFrame:
    import polars as pl

    customer, slot, record, day = book.log.claims()
    rng = _rng(book, 8)
    wait = np.minimum(rng.standard_exponential(len(day)) * 6, 90)
    size = np.exp(_rng(book, 9).normal(-0.5, 1.0, len(day)))
    fault = _rng(book, 10).random(len(day)) < 0.45
    amount = np.rint(100 * size * np.array([entry.severity for entry in book.p.slot])[slot]).astype(
        np.int64
    )
    liable = np.array(
        [entry.branch in ("auto", "wagenpark", "avp", "avb") for entry in book.p.slot]
    )[slot]
    numbers = pl.DataFrame(
        {
            "record": parts.record,
            "policy": _policy_numbers(parts),
            "start": parts.start,
            "end": parts.end,
        }
    )
    claims = pl.DataFrame(
        {
            "relation": relation_numbers(customer),
            "record": record.astype(np.int64),
            "day": day.astype(np.int32),
            "known": (day + wait).astype(np.int32),
            "amount_cents": amount,
            "at_fault": pl.Series(fault).set(pl.Series(~liable), None),
        }
    )
    claims = claims.join(numbers, on="record").filter(
        (pl.col("start") <= pl.col("day")) & (pl.col("day") < pl.col("end")),
        pl.col("known") <= to_day(book.as_of),
    )
    claims = claims.filter(pl.col("day") > to_day(book.recorded_from))
    return claims.select(
        "relation",
        "policy",
        pl.col("day").cast(pl.Date).alias("date"),
        pl.col("known").cast(pl.Date).alias("reported"),
        "amount_cents",
        "at_fault",
    ).sort("relation", "date", "policy", "amount_cents")


def _contacts_frame(book: SimulatedOffice) -> pl.DataFrame:
    import polars as pl

    customer, day, kind = book.log.all_contacts()
    u = _rng(book, 11).random((len(day), 2))
    questions = np.array(["Vraag dekking", "Wijziging", "Premie", "Offerte", "Betaling"])
    calls = np.array(["Onderhoudsgesprek", "Offerte", "Wijziging"])
    subject = np.select(
        [kind == 1, kind == 2],
        [np.full(len(day), "Klacht"), calls[(u[:, 0] ** 1.6 * 3).astype(np.int64)]],
        questions[(u[:, 0] * 5).astype(np.int64)],
    )
    channels = np.array(["Telefoon", "E-mail", "Bezoek", "Portaal"])
    preferred = (customer * 7919) % 100 / 100  # most customers keep to a channel of their own
    own = np.where(u[:, 1] < 0.7, preferred, (u[:, 1] - 0.7) / 0.3)
    frame = pl.DataFrame(
        {
            "relation": relation_numbers(customer),
            "date": pl.Series(day, dtype=pl.Int32).cast(pl.Date),
            "channel": channels[np.searchsorted([0.5, 0.83, 0.9], own, side="right")],
            "inbound": kind != 2,
            "subject": subject,
        }
    )
    frame = frame.filter(pl.col("date") > book.recorded_from)
    return frame.sort("relation", "date", "subject", "channel")
