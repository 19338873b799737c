"""What is to be done with whom: the lists, the action, who does it, before when, and who is not to
be contacted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.report.portal.holdings import YEAR

if TYPE_CHECKING:
    from akb.report.context import Context

LISTS = (
    "next_best_action", "when_calling", "messages", "top_defend", "next_best_policy", "care_gaps",
    "announced",
    "bleeders", "feeders",
)  # fmt: skip
"""Lists of the portal, in its order; former customers are no customers in force and stand in
winback.csv.
"""
TODO, CALLING, MESSAGES = "next_best_action", "when_calling", "messages"
"""Of the actions: what people begin, what waits until the customer calls, and what needs nobody's
time.
"""
_CALLED = ("top_defend", "next_best_policy")
_NOTICE, _TOO_SOON, _USUAL = 30, 7, 90
"""Days: before a renewal a policy is given up, what is too late to do anything about, and without a
renewal.
"""
_ACTION = {
    "action": pl.String,
    "contact": pl.String,
    "branch": pl.String,
    "done_by": pl.String,
    "done_level": pl.String,
}
STOPS = ("control", "no_marketing", "deceased", "announced")


def lists_of(context: Context) -> dict[str, pl.DataFrame]:
    """Return list -> customer and ``rank`` (from 1) of those who may be contacted for it.

    The control group is on none of them; a list on which a contact is planned for some holds those.
    """
    value = context.bundle.value
    made = dict(value.lists) if value else {}
    drawn = _drawn(made.get(TODO))
    if TODO in made:
        made |= _by_contact(context, made[TODO])
    out = {}
    for name in LISTS:
        frame = made.get(name, pl.DataFrame(schema={"customer": pl.UInt32, "rank": pl.Int64}))
        if name in _CALLED and "contact" in frame.columns and frame["contact"].any():
            frame = frame.filter(pl.col("contact"))
        frame = _open(frame).sort("rank").unique("customer", keep="first", maintain_order=True)
        if name in _CALLED:
            frame = frame.filter(~pl.col("customer").is_in(drawn))
        out[name] = frame.select("customer", rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    return out


def _by_contact(context: Context, actions: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the actions as three lists: to begin, to have ready when the customer calls, to
    send.
    """
    ladder = context.bundle.settings.ladder()
    contact = pl.col("contact") if "contact" in actions.columns else pl.lit(None, dtype=pl.String)
    sent = contact.is_in(
        [key for key, kind in ladder.items() if kind.pool == "automatic"]
    ).fill_null(value=False)
    waits = [
        key for key, kind in ladder.items() if kind.reach == "inbound" and kind.otherwise is None
    ]
    calling = contact.is_in(waits).fill_null(value=False)
    return {
        TODO: actions.filter(~sent & ~calling),
        CALLING: actions.filter(calling),
        MESSAGES: actions.filter(sent & ~calling),
    }


def actions_of(context: Context) -> pl.DataFrame:
    """Return customer, ``action``, ``contact``, ``branch``, ``done_by``, ``done_level`` of those
    who are contacted.
    """
    value = context.bundle.value
    frame = value.lists.get(TODO) if value else None
    if frame is None:
        return pl.DataFrame(schema={"customer": pl.UInt32, **_ACTION})
    frame = _open(frame).sort("rank")
    present = [
        pl.col(name) if name in frame.columns else pl.lit(None).alias(name) for name in _ACTION
    ]
    return frame.select(pl.col("customer"), *present).cast(_ACTION)  # type: ignore[arg-type]


def _open(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a list without the control group."""
    return frame.filter(~pl.col("control")) if "control" in frame.columns else frame


def _drawn(frame: pl.DataFrame | None) -> list[int]:
    """Return the control group of a list."""
    if frame is None or "control" not in frame.columns:
        return []
    return frame.filter(pl.col("control"))["customer"].to_list()


def stops(context: Context, table: pl.DataFrame) -> pl.DataFrame:
    """Return customer and ``stop``: why nobody begins a contact (one of `STOPS`, the first that
    holds), else null.
    """
    value = context.bundle.value
    drawn: set[int] = set()
    for name, frame in (value.lists if value else {}).items():
        if name in LISTS:
            drawn |= set(_drawn(frame))
    drawn -= set(actions_of(context)["customer"])  # care is withheld from nobody
    return table.select(
        "customer",
        stop=pl.when(pl.col("deceased"))
        .then(pl.lit("deceased"))
        .when(pl.col("announced").is_not_null())
        .then(pl.lit("announced"))
        .when(pl.col("no_marketing"))
        .then(pl.lit("no_marketing"))
        .when(pl.col("customer").is_in(sorted(drawn)))
        .then(pl.lit("control")),
    )


def waiting(context: Context) -> pl.DataFrame:
    """Return who is on a list to be called and in nobody's plan: customer, ``list``."""
    value = context.bundle.value
    planned = actions_of(context).select("customer")
    rows = []
    for name in _CALLED:
        frame = value.lists.get(name) if value else None
        if (
            frame is not None
            and {"contact", "control"} <= set(frame.columns)
            and frame["contact"].any()
        ):
            left = frame.filter(~pl.col("contact") & ~pl.col("control")).sort("rank")
            rows.append(
                left.select("customer", list=pl.lit(name)).join(planned, on="customer", how="anti")
            )
    empty = pl.DataFrame(schema={"customer": pl.UInt32, "list": pl.String})
    return pl.concat([empty, *rows]).unique("customer", keep="first", maintain_order=True)


def control_rows(context: Context) -> pl.DataFrame:
    """Return who would have been contacted but for the draw: customer, ``list``."""
    value = context.bundle.value
    rows = []
    for name in (TODO, *_CALLED):
        frame = value.lists.get(name) if value else None
        if frame is not None and "control" in frame.columns:
            rows.append(
                frame.filter(pl.col("control")).sort("rank").select("customer", list=pl.lit(name))
            )
    empty = pl.DataFrame(schema={"customer": pl.UInt32, "list": pl.String})
    return pl.concat([empty, *rows]).unique("customer", keep="first", maintain_order=True)


def deadlines(actions: pl.DataFrame, renewals: pl.DataFrame) -> pl.DataFrame:
    """Return customer and ``before``: within how many days of X the contact is to be made.

    A month before the first renewal, for until then a policy is given up; in the week of a renewal
    it is too late for that one. Without a renewal: a quarter."""
    days = pl.col("days")
    return (
        actions.select("customer")
        .join(
            renewals.select(
                "customer",
                before=pl.when(days >= _NOTICE + _TOO_SOON)
                .then(days - _NOTICE)
                .when(days > _TOO_SOON)
                .then(days)
                .otherwise(pl.lit(_USUAL))
                .clip(1, YEAR),
            ),
            on="customer",
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("before").fill_null(_USUAL))
    )


def withheld(context: Context) -> dict[str, str]:
    """Return list of the portal -> why it is not delivered."""
    return {name: why for name, why in context.withheld.items() if name in LISTS}
