"""The typed tables that leave the ingest room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import polars as pl

    from akb.core.accounts import AccountLine
    from akb.core.findings import Finding


@dataclass(frozen=True)
class Sources:
    """What is read, and from which day it is looked at.

    Parameters
    ----------
    files
        CSV, XLSX or Parquet files, or ZIPs of them, in any order; their roles are found by their
        columns.
    key
        The client's key for pseudonyms.
    as_of
        X; None for the export's own day.
    today
        Dates after it do not count as the export's day; None for the calendar's.
    roles
        Role -> file, for files whose role is given.
    go_on
        Read what is left where most of the export cannot be read.
    held
        File -> its content, for those of `files` that are in memory and not on a disk.
    """

    files: Sequence[Path]
    key: bytes
    as_of: date | None = None
    today: date | None = None
    roles: Mapping[str, Path] = field(default_factory=dict)
    go_on: bool = False
    held: Mapping[Path, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class RowCount:
    """Rows of one or all files; ``read == used + rejected`` always."""

    read: int
    used: int
    rejected: int


@dataclass(frozen=True)
class SourceFile:
    """What was understood of one input file.

    Parameters
    ----------
    name
        File name without its folder.
    role
        ``policies``, ``customers``, ``claims``, ``contacts``, ``payments`` or ``premiums``.
    sha256
        Hash of the bytes.
    rows
        Row reconciliation of this file.
    dialect
        How it was read: format, encoding, separator, decimal sign, date format and so on; words of
        no language.
    columns
        Heading in the file -> canonical column, or None where the column is not used.
    dropped
        Headings that were dropped at the door because they hold direct identifiers.
    assumed
        Keys of `dialect` that nothing in the file proves.
    """

    name: str
    role: str
    sha256: str
    rows: RowCount
    dialect: dict[str, str]
    columns: dict[str, str | None]
    dropped: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """How far back the recorded history reaches.

    Parameters
    ----------
    recorded_from
        First day from which ended policies are recorded; before it the history is left-truncated
        (only survivors are in the file). None if there is no ended policy at all.
    months
        Whole months from `recorded_from` to the as-of date; 0 without ended policies.
    reasons
        At least half of the ends (not technical) have a known reason.
    commission
        ``given``, ``derived`` (premium times the branch's rate) or ``none``; fees and signing fees
        count as given.
    """

    recorded_from: date | None
    months: int
    reasons: bool
    commission: str


@dataclass(frozen=True)
class OwnColumn:
    """A column of the export that has no role: what it holds, and whether features may use it.

    Parameters
    ----------
    key
        Name of its column in `Portfolio.own_values`, and how its features begin: ``col_`` and the
        heading.
    heading
        As in the file.
    form
        ``number`` or ``category``; empty where it is refused for what it holds.
    levels
        Of a category the texts behind the codes, in order.
    refused
        Why it is no feature, as a slug (``without | double | person | day | identifier | many |
        empty | one``; and where it shows who has ended ``ended | running | fades | too_good``);
        empty: it is used.
    """

    key: str
    heading: str
    form: str
    levels: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Portfolio:
    """The clean portfolio as of X.

    Frames are sorted by their keys, so that the order of rows in the files changes nothing.
    Customers and policies are dense integers: ``customer`` in the order of the normalised relation
    number (or of the household's key), ``policy`` in the order (customer, branch, start_date,
    policy number, insurer).

    policies
        A row per contract: policies, and subscriptions (branch `akb.core.relations.SUBSCRIPTION`),
        which are no policies. policy u32, customer u32, branch str (taxonomy key), insurer str?,
        product str?, adviser str?, office str?, start_date Date, end_date Date? (first day without
        cover; after X only for announced ends), reason str? (canonical, only where ended), cause
        str? (``natural | insurer | preventable | unknown | technical``, null while the policy has
        no end), replaced_on Date? (start of the policy that continues this one: same customer and
        branch within G days of the end, renumbering, conversion; then the end is no lapse),
        replaces bool (this policy continues an earlier one: its start is no purchase),
        premium_cents i64? (net, per year), commission_cents i64? (recurring, per year),
        commission_source str? (``given | derived``), fee_cents i64? (fee or subscription, per year;
        a customer's own is divided over the policies that he has), fee_source str? (``policy |
        customer``), signing_cents i64? (signing fee of delegated underwriting, per year),
        profit_cents i64? (profit commission, per year, as it was last), one_off_cents i64?
        (commission at the sale and fees for advice, earned once, at the start), package bool? (part
        of a package, as the export says today; null without such a column; overwritten and without
        dates, so no feature), payment_months i8?, collection str? (``own | insurer``), renewal_date
        Date? (only its day and month mean something; null: the anniversary of the start).
    customers
        customer u32, relation str, pseudonym str, members u32? (of a contract that decides for its
        members: relations with a policy of it in force; null for all others), kind str? (``private
        | business | self_employed``), birth_year i32?, postcode4 str?, adviser str?, office str?,
        sub_office str?, manager str? (commercial manager), region str? (as the office divides its
        area), no_marketing bool, deceased bool. Where the customer is a household, relation is the
        one that speaks for it (`akb.ingest.customers.households`).
    claims
        customer u32, policy u32?, branch str?, date Date (the day it was known), amount_cents i64?,
        at_fault bool?
    contacts
        customer u32, date Date, channel str?, inbound bool?, subject str?
    payments
        customer u32, policy u32?, date Date, kind str (``reminder | reversal | paid``),
        amount_cents i64?
    relations
        customer u32, relation str: every relation number of every customer (one each, unless
        households are the customers); None where nobody made it.
    premiums
        policy u32, date Date (from which the premium holds and was known; never after X),
        premium_cents i64 (net, per year), commission_cents i64? (given only); a row per change,
        sorted by (policy, date). None where no policy has two dated premiums: what the back office
        shows today is no history. A renewal that was not taken is not in it.
    own_branches
        Key -> name, texts: the products that no taxonomy knows and that enough customers share,
        each a branch of its own (`akb.config.Settings.with_branches`).
    own, own_values
        Columns without a role, and per policy what stands in them (as today's row says): policy
        u32, per column of form number i64? (thousandths), of form category u16? (the place in its
        levels). None where there are none.
    hidden
        Canonical columns of today's values that features must not see, because they show who has
        ended or because the client says so; None: not tested yet (`akb.features.hindsight`).
    recorded
        What advisers recorded of customers and the export may not know: customer u32, date Date (of
        a contact; null: none), left bool (said to have left). It keeps customers off lists and is
        never seen by features. With a register of the duty of care also rows with branch (key),
        what (agreed, refused, ...) and said (its day), and with a running experiment rows with arm
        (control, treated). None where nothing was recorded.
    accounts
        Lines of the annual accounts that recurring amounts were brought to, by key; the policies
        then have those of the file as ``commission_file_cents`` and ``fee_file_cents``. None:
        nobody asked, as in what is read.
    rejects
        file str, line i64, column str?, shape str (never a value: ``99-99-9999``), reason str
        (stable slug)

    Rows starting after X are announced (signed) business when X is the export's own day; in a
    replay they are rejected (``after as-of``) and later ends are open."""

    as_of: date
    export_day: date
    policies: pl.DataFrame
    customers: pl.DataFrame
    claims: pl.DataFrame | None
    contacts: pl.DataFrame | None
    payments: pl.DataFrame | None
    rejects: pl.DataFrame
    rows: RowCount
    history: History
    findings: tuple[Finding, ...]
    sources: tuple[SourceFile, ...]
    relations: pl.DataFrame | None = None
    premiums: pl.DataFrame | None = None
    own_branches: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    own: tuple[OwnColumn, ...] = ()
    own_values: pl.DataFrame | None = None
    hidden: tuple[str, ...] | None = None
    recorded: pl.DataFrame | None = None
    accounts: Mapping[str, AccountLine] | None = None

    @property
    def replay(self) -> bool:
        """Whether X lies before the export's own day."""
        return self.as_of < self.export_day
