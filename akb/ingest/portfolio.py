"""The story of ingest, top to bottom: files to a `Portfolio`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.errors import AkbError, did_you_mean
from akb.core.findings import in_order
from akb.ingest.as_of.clock import Clock, find_clock
from akb.ingest.as_of.history import find_history, stated_start
from akb.ingest.as_of.run import IngestRun
from akb.ingest.as_of.snapshots import find_snapshots
from akb.ingest.cells.bounds import bounded, bounded_headings
from akb.ingest.cells.texts import packed
from akb.ingest.checks import findings as find
from akb.ingest.checks.door import keep_out_identifiers, keep_out_names, tell_of_citizen_numbers
from akb.ingest.checks.losses import check_columns, check_day, check_rows
from akb.ingest.columns.boxes import with_boxes
from akb.ingest.columns.evidence import ColumnEvidence
from akb.ingest.columns.languages import with_motor_as_car
from akb.ingest.columns.left_out import LeftOut, is_list_of_recoveries, is_lock, lock_error
from akb.ingest.columns.legibility import leave_out_unreadable, without_words
from akb.ingest.columns.matching import (
    ROLES,
    NoRoleError,
    find_role,
    listed,
    map_headings,
    nearly_policies,
    recognised,
    safe_heading,
)
from akb.ingest.columns.notes import Notes, Table, label
from akb.ingest.columns.objections import with_objections
from akb.ingest.columns.own_columns import own_columns, wanted
from akb.ingest.columns.presets import customers_of_runs, find_preset, recoded, with_preset
from akb.ingest.columns.twins import settle_twins
from akb.ingest.customers.households import (
    close_the_door_on_addresses,
    customers_of,
    in_units,
    with_units,
)
from akb.ingest.customers.relations import (
    ATTRIBUTES,
    build_relations,
    guess_kind,
    read_customer_rows,
)
from akb.ingest.files.raw_table import NotATableError
from akb.ingest.files.sources import open_file
from akb.ingest.money_conventions.revenue import (
    say_conventions,
    say_margin,
    say_one_off,
    settle_commission,
    with_fees,
)
from akb.ingest.policies.contracts import (
    known_keys,
    link_by_member,
    one_policy_per_fleet,
    with_contracts,
    with_member_count,
    with_members,
    with_vehicles,
)
from akb.ingest.policies.events import EVENTS, EventOwners, read_events
from akb.ingest.policies.linking import settle_switches, without_mass_days
from akb.ingest.policies.own_branches import own_branches
from akb.ingest.policies.premiums import read_premiums
from akb.ingest.policies.retention import leave_out
from akb.ingest.policies.rows import read_policies, with_causes
from akb.ingest.policies.subscriptions import say_subscriptions
from akb.ingest.repairs.dates import mend_dates
from akb.ingest.repairs.expiry import without_expiries
from akb.ingest.repairs.grouped import fill_down
from akb.ingest.repairs.numbers import settle_numbers, without_unassigned
from akb.ingest.repairs.spelling import one_spelling, without_errors
from akb.ingest.repairs.zeros import restore_zeros
from akb.ingest.types import Portfolio, RowCount, SourceFile, Sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.ingest.files.raw_table import RawTable
    from akb.ingest.repairs.numbers import UnassignedRows
    from akb.ingest.types import History

# of the policy rows, once what they say of their customers stands in the customers
_SPENT = sorted({*ATTRIBUTES} - {"adviser", "office"})


def read_portfolio(
    sources: Sources | Sequence[Path],
    settings: Settings,
    *,
    key: bytes | None = None,
    today: date | None = None,
) -> Portfolio:
    """Read an export.

    Parameters
    ----------
    sources
        Its files, and how they are looked at; or its files alone, with `key` and `today`.
    settings
        The run's settings; ``[ingest]`` says where the export differs from what akb would guess.
    key, today
        As in `Sources`, where files alone are given.

    Returns
    -------
    The canonical tables, sorted by their keys, with rejects, row counts, history and findings.

    Raises
    ------
    AkbError
        If a file cannot be read, no file holds policies, a needed column is missing, no date can be
        read, most of the export would be lost, or no row is usable.
    """
    if not isinstance(sources, Sources):
        if not key:  # without one anybody could work pseudonyms out
            raise TypeError("files alone need a key")
        sources = Sources(sources, key, today=today)
    notes = Notes()
    tables = open_tables(sources, settings, notes)
    return build_portfolio(tables, settings, notes, sources)


def build_portfolio(
    tables: Sequence[Table], settings: Settings, notes: Notes, sources: Sources
) -> Portfolio:
    """Return what opened tables hold; parameters and errors as `read_portfolio`."""
    go_on = sources.go_on
    if not go_on:
        check_rows(tables, notes, go_on=False)  # lines that are no rows
    if not any(table.cells.height for table in tables if table.headings.role == "policies"):
        raise _nothing_usable(tables, notes)
    today = sources.today or date.today()
    settings = with_motor_as_car(tables, settings)
    _as_meant(tables, notes)
    mended, unassigned = _repaired(tables, settings, today)
    leave_out_unreadable(tables, settings, notes)
    check_columns(tables, settings, notes, go_on=go_on)
    _keep_out_persons(tables, settings, notes, sources.key)
    snapshots = find_snapshots(tables, settings)
    clock = find_clock(tables, snapshots, settings, sources.as_of, today)
    without_unassigned(tables, unassigned, clock, settings, notes)
    notes.findings += (
        [] if clock.replay else mended
    )  # in a replay no finding may tell of later rows
    check_day(tables, clock, notes, go_on=go_on)
    branches = own_branches(tables, clock, settings)
    settings = settings.with_branches(branches)
    run = IngestRun(clock, settings, notes)
    rows, dated = read_policies(tables, snapshots, run)
    rows, vehicles = one_policy_per_fleet(rows, clock.as_of, notes)
    rows = with_contracts(rows, settings, notes)
    if rows.is_empty():
        raise _nothing_usable(tables, notes)
    check_rows(tables, notes, go_on=go_on)
    file_rows = read_customer_rows(tables, known_keys(rows), clock, settings, notes)
    relations = with_units(build_relations(rows, file_rows, clock, notes), rows, settings, notes)
    rows, relations, kept_from = leave_out(tables, rows, relations, run)
    if rows.is_empty():
        raise _nothing_usable(tables, notes)
    customers, members = customers_of(relations, rows, sources.key, settings, notes)
    say_conventions(tables, notes)
    say_one_off(tables, notes)
    rows = with_fees(
        rows, tables, clock.as_of, settings, notes
    )  # a fee is a relation's, not a household's
    rows = in_units(rows, relations, tables, notes).drop(_SPENT)
    policies = _canonical(rows, customers)
    members = with_members(members, policies)
    del rows, file_rows, relations  # millions of rows: each copy counts
    own = own_columns(
        tables, policies.select("policy", "customer", "file", "line"), members, settings
    )
    policies = policies.drop("file", "line")
    policies = _settled(policies, run)
    customers = _mark_deceased(guess_kind(customers, policies, settings, notes), policies, clock)
    customers = with_member_count(customers, policies, clock.as_of)
    about = EventOwners(
        members.select("key", "customer"),
        with_vehicles(policies.select("key", "number", "customer", "policy", "branch"), vehicles),
    )
    events = {role: read_events(role, tables, about, run) for role in EVENTS}
    premiums = read_premiums(tables, dated, policies, run)
    stated = [
        day
        for day in (stated_start(tables, snapshots, policies, clock, settings), kept_from)
        if day
    ]
    found = Canonical(
        policies=policies,
        customers=customers,
        relations=members.select("customer", "relation").sort("customer", "relation"),
        events=events,
        premiums=premiums,
        history=find_history(policies, clock.as_of, max(stated, default=None)),
        own_branches=branches,
    )
    return replace(_portfolio(tables, found, run), own=own[0], own_values=own[1])


def _settled(policies: pl.DataFrame, run: IngestRun) -> pl.DataFrame:
    """Return the policies with what they bring, why they ended, and what continues what."""
    clock, settings, notes = run.clock, run.settings, run.notes
    policies = with_causes(settle_commission(policies, settings, notes))
    say_margin(policies, settings, notes)
    say_subscriptions(policies, clock.as_of, notes)
    policies = settle_switches(link_by_member(policies, settings.time.gap_days))
    return without_mass_days(policies, clock, notes)


def _as_meant(tables: Sequence[Table], notes: Notes) -> None:
    """Fill what a report left out, drop errors for names, and hear every objection."""
    fill_down(tables, notes)
    without_errors(tables, notes)
    with_objections(tables, notes)


def _repaired(
    tables: Sequence[Table], settings: Settings, today: date
) -> tuple[list[Finding], list[UnassignedRows]]:
    """Put right what programs did to numbers, names and dates; return what to say of it, and who is
    nobody.
    """
    mended, unassigned = settle_numbers(tables)
    mended += [*restore_zeros(tables), *one_spelling(tables), *mend_dates(tables, settings, today)]
    return [*mended, *without_expiries(tables, settings, today)], unassigned


@dataclass(frozen=True)
class Canonical:
    """The tables of a portfolio before they are checked; see `Portfolio`.

    Parameters
    ----------
    events
        Role -> its events; None without a file of that role.
    """

    policies: pl.DataFrame
    customers: pl.DataFrame
    relations: pl.DataFrame
    events: Mapping[str, pl.DataFrame | None]
    premiums: pl.DataFrame | None
    history: History
    own_branches: Mapping[str, Mapping[str, Any]]


def _keep_out_persons(
    tables: Sequence[Table], settings: Settings, notes: Notes, key: bytes
) -> None:
    """Close the door on addresses, direct identifiers and names before anything else looks at a
    cell.
    """
    close_the_door_on_addresses(tables, settings, key)
    keep_out_identifiers(tables, notes)
    keep_out_names(tables, notes)
    tell_of_citizen_numbers(tables, notes)


def open_tables(
    sources: Sources, settings: Settings, notes: Notes, *, propose: bool = False
) -> list[Table]:
    """Open all files, find their roles, and load the columns that akb uses; `propose` says what
    others may be.

    Raises
    ------
    AkbError
        If a role is unknown or does not fit, a file is named twice or cannot be read, or none holds
        policies.
    """
    files, roles, given = sources.files, sources.roles, settings.ingest.columns
    for name in (*roles, *given):
        if name not in ROLES:
            raise AkbError(
                f"unknown role '{name}'{did_you_mean(name, ROLES)}", f"Roles: {', '.join(ROLES)}."
            )
    wanted: list[tuple[Path, str | None]] = [
        (path, None) for path in files if path not in roles.values()
    ]
    wanted += [(path, role) for role, path in roles.items()]
    if not wanted:
        raise AkbError("no file to read", "Name the export, for example: akb eda polissen.csv")
    seen: set[Path] = set()
    tables: list[Table] = []
    left_out = LeftOut()
    for path, role in wanted:
        if path.resolve() in seen:
            raise AkbError(f"{path} is named twice", "Name every file once.")
        seen.add(path.resolve())
        file = ExportFile(path, role, sources.held.get(path))
        tables += _tables_of(file, settings, notes, left_out, propose=propose)
    if not any(table.headings.role == "policies" for table in tables):
        raise _no_policies(tables, given, left_out)
    left_out.find(notes)
    tables = [with_boxes(table, settings) for table in tables]
    return sorted(
        tables,
        key=lambda table: (ROLES.index(table.headings.role), table.raw.name, table.raw.sha256),
    )


@dataclass(frozen=True)
class ExportFile:
    """A file as it was named: the role that it was given, and its content where that is in
    memory.
    """

    path: Path
    role: str | None
    content: bytes | None


def _tables_of(
    file: ExportFile, settings: Settings, notes: Notes, left_out: LeftOut, *, propose: bool
) -> list[Table]:
    """Return the tables of a file; one that is no table of an export is left out, unless its role
    was given.
    """
    path, role = file.path, file.role
    given, tables = settings.ingest.columns, []
    try:
        if is_lock(path.name):
            raise lock_error(path)
        raws = open_file(
            path,
            settings.ingest,
            lambda row: recognised(bounded_headings(row), given),
            left_out.inside,
            content=file.content,
        )
    except AkbError as error:
        if role or not (isinstance(error, NotATableError) or is_lock(path.name)):
            raise
        left_out.named[path.name] = error
        return []
    for raw in raws:
        why: AkbError | None = None
        try:
            table = _table(raw, settings, role, notes, propose=propose)
            why = None if role else is_list_of_recoveries(table)
        except NoRoleError as error:
            if role:
                raise
            why = error
        if why is None:
            tables.append(table)
        elif raw.optional or (raw.sheet and len(raws) > 1):
            left_out.inside.append(raw.name)
            left_out.errors.append(why)
        else:
            left_out.named[raw.name] = why
    return tables


def _no_policies(
    tables: Sequence[Table], given: Mapping[str, Mapping[str, str]], left_out: LeftOut
) -> AkbError:
    for table in tables:
        nearly = nearly_policies(table.raw.headings, given, table.headings, _where(table.raw))
        if nearly is not None:
            return nearly
    nearest = left_out.nearest()
    if nearest is not None and (
        not tables or (isinstance(nearest, NoRoleError) and nearest.role == "policies")
    ):
        return nearest
    if not tables:
        names = ", ".join(left_out.inside[:8])
        return AkbError(
            "none of the files holds policies", f"Found: {names}. Add the policy export."
        )
    found = ", ".join(f"{table.raw.name} ({table.headings.role})" for table in tables)
    return AkbError(
        f"none of the files holds policies: {found}",
        f"Headings of the first: {listed(tables[0].raw.headings)}. Add the policy export.",
    )


def _table(
    raw: RawTable, settings: Settings, role: str | None, notes: Notes, *, propose: bool
) -> Table:
    """Return a table with its role, its meaning and the cells that akb uses."""
    given, evidence = settings.ingest.columns, ColumnEvidence(raw, settings)
    preset = find_preset(raw.headings)
    named = (
        "customer" in map_headings(raw.headings, "policies", given.get("policies", {})).at
        if preset
        else False
    )
    meant = with_preset(given, preset, raw.headings, named)
    headings = find_role(raw.headings, meant, _where(raw), role, evidence.holds)
    headings = settle_twins(headings, meant.get(headings.role, {}), evidence, notes)
    runs = [raw.headings.index(heading) for heading in preset.customer_runs] if preset else []
    own = wanted(headings)
    loaded = raw.load(list(dict.fromkeys([*headings.at.values(), *runs, *own.values()])))
    at = {
        canonical: pl.col(str(position)).alias(canonical)
        for canonical, position in headings.at.items()
    }
    cells = packed(
        bounded(without_words(loaded.select(*at.values(), "line"), settings.ingest.empty))
    )
    found = evidence.proposals(headings) if propose else {}
    table = Table(
        replace(raw, load=_spent), headings, cells, proposals=found
    )  # lets go of the file's bytes
    table.own = packed(
        bounded(
            loaded.select("line", *(pl.col(str(place)).alias(name) for name, place in own.items()))
        )
    )
    if preset and headings.role == "policies":
        table.dialect["preset"] = preset.name
        if runs and headings.at["customer"] == headings.at["policy"]:
            agreeing = loaded.select(
                pl.col(str(position)).cast(pl.String) for position in sorted(set(runs))
            )
            cells = cells.with_columns(
                customer=customers_of_runs(cells["policy"].cast(pl.String), agreeing)
            )
            notes.find("AKB-D048", "issue", cells["customer"].n_unique(), file=raw.name)
        table.cells = recoded(cells, preset)
    for column, heading in evidence.likely(headings).items():
        shown = safe_heading(heading)[:40]
        notes.find(
            "AKB-D130", "issue", heading=shown, what=label(column), column=column, file=raw.name
        )
    if raw.ragged.height:
        notes.add(table, _ragged(table))
    return table


def _spent(_: Sequence[int]) -> pl.DataFrame:
    raise RuntimeError("this table has been read")


def _where(raw: RawTable) -> str:
    return f"{raw.name}, line {raw.header_line}" if raw.header_line else raw.name


def _ragged(table: Table) -> pl.DataFrame:
    return table.raw.ragged.select(
        file=pl.lit(table.raw.name),
        line="line",
        column=pl.lit(None, dtype=pl.String),
        shape="shape",
        reason=pl.lit("ragged"),
    )


def _nothing_usable(tables: Sequence[Table], notes: Notes) -> AkbError:
    table = next(table for table in tables if table.headings.role == "policies")
    if table.raw.read == 0:
        return AkbError(f"{table.raw.name} has headings but no rows", "Export it again.")
    counts = (
        notes.all_rejects().group_by("reason").len().sort("len", "reason", descending=[True, False])
    )
    why = ", ".join(f"{reason} {count:,}" for reason, count in counts.iter_rows())
    first = notes.all_rejects().head(1)
    column = f" in column '{first['column'][0]}'" if first["column"][0] else ""
    where = f"line {first['line'][0]}: {first['reason'][0]}{column}, shape '{first['shape'][0]}'"
    return AkbError(
        f"{table.raw.name}: no usable row ({why})",
        f"For example {where}. Check the column mapping in [ingest.columns.policies] of akb.toml.",
    )


def _canonical(rows: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Number policies and customers, fall back to the customer's adviser and office."""
    who = customers.select("key", "customer", _adviser="adviser", _office="office")
    policies = rows.join(who, on="key", how="left", maintain_order="left")
    ordered = policies.sort(
        "customer", "branch", "start_date", "number", "insurer", "relation", "member",
        nulls_last=True,
    )  # fmt: skip
    return ordered.with_columns(
        key=pl.coalesce("member", "key"),  # whose row it is in every file
        policy=pl.int_range(pl.len(), dtype=pl.UInt32),
        adviser=pl.coalesce("adviser", "_adviser"),
        office=pl.coalesce("office", "_office"),
    ).drop("_adviser", "_office")


def _mark_deceased(customers: pl.DataFrame, policies: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Mark customers who died: so flagged, or a policy ended by death and none is in force."""
    by_death = policies.filter(pl.col("end_date") <= clock.as_of, pl.col("reason") == "overlijden")[
        "customer"
    ].unique()
    held = policies.filter(pl.col("end_date").is_null() | (pl.col("end_date") > clock.as_of))[
        "customer"
    ].unique()
    gone = by_death.filter(~by_death.is_in(held.implode()))
    return customers.with_columns(
        deceased=pl.col("deceased") | pl.col("customer").is_in(gone.implode())
    )


def _portfolio(tables: Sequence[Table], found: Canonical, run: IngestRun) -> Portfolio:
    """Count the rows, add the findings that need the whole, check the contract."""
    from akb.ingest.checks import schema

    clock, settings, notes = run.clock, run.settings, run.notes
    policies, customers, history = found.policies, found.customers, found.history
    sources = tuple(_source(table) for table in tables)
    rows = RowCount(
        *(
            sum(getattr(source.rows, part) for source in sources)
            for part in ("read", "used", "rejected")
        )
    )
    find.find_rejected(notes, rows)
    find.find_completeness(tables, policies, customers, settings, notes)
    find.find_branches(tables, policies, found.own_branches, settings, notes)
    find.find_words(tables, settings, notes)
    find.find_money(tables, policies, history, notes)
    find.find_ends(tables, policies, history, clock, notes)
    find.find_intermediary(policies, clock, settings, notes)
    find.find_ahead(policies, clock, notes)
    find.find_clock_doubts(tables, clock, notes)
    find.find_dropped(tables, notes)
    find.find_leaking(tables, notes)
    find.find_damage(policies, notes)
    schemas = {
        "claims": schema.ClaimsSchema,
        "contacts": schema.ContactsSchema,
        "payments": schema.PaymentsSchema,
    }
    checked = {
        role: None if frame is None else schema.checked(frame, schemas[role])
        for role, frame in found.events.items()
    }
    return Portfolio(
        as_of=clock.as_of,
        export_day=clock.export_day,
        policies=schema.checked(policies, schema.PoliciesSchema),
        customers=schema.checked(customers, schema.CustomersSchema),
        claims=checked["claims"],
        contacts=checked["contacts"],
        payments=checked["payments"],
        rejects=notes.all_rejects(),
        rows=rows,
        history=history,
        findings=tuple(in_order(notes.findings)),
        sources=sources,
        relations=found.relations,
        premiums=None
        if found.premiums is None
        else schema.checked(found.premiums, schema.PremiumsSchema),
        own_branches=found.own_branches,
    )


def _source(table: Table) -> SourceFile:
    raw = table.raw
    return SourceFile(
        name=raw.name,
        role=table.headings.role,
        sha256=raw.sha256,
        rows=RowCount(raw.read, raw.read - table.rejected, table.rejected),
        dialect={**raw.dialect, **table.dialect},
        columns=table.headings.named,
        dropped=(*table.headings.dropped, *table.dropped),
        assumed=raw.assumed,
    )
