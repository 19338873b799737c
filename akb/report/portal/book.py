"""``actions/actions.xlsx``: a sheet per adviser with the customers to contact, and three for all of
them together.

Who is only spoken to when he calls, and who gets a message, have a sheet each; the last one is for
the consultant.

At most twelve columns, of which the last two are for the adviser;
`akb.store.feedback.read_workbook` reads them back."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from akb.report.files.sheets import ListSheet
from akb.report.files.tables import in_words, neutral, rows_in_words
from akb.report.files.workbook import Styles, new_workbook, sheet_name, write_guide
from akb.report.portal import work
from akb.report.portal.document import worker
from akb.store.feedback import NOTE, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from akb.report.portal.facts import PortalFacts

HEADS = (
    "customer", "kind", "action", "why", "policies", "renewal", "clv", "churn", "who", "before",
    "status", "result",
)  # fmt: skip
SIDE = (
    "customer", "list", "reason", "kind", "policies", "clv", "churn", "adviser", "office",
    "sub_office", "manager",
    "service",
)  # fmt: skip
_WIDTHS = {
    "customer": 22, "action": 44, "why": 70, "who": 24, "renewal": 14, "before": 13, "clv": 17,
    "churn": 12,
    "status": 17, "result": 40, "reason": 36, "list": 22, "adviser": 20, "office": 18,
    "sub_office": 20, "manager": 22,
}  # fmt: skip
_WIDTH = 11
_RESERVED = ("history",)
_ORANGE = "#B4501B"
_FEW_DERIVED = 0.05
"""From this share of policies with a commission of our making on, the workbook says that it is an
assumption.
"""


def actions_workbook(facts: PortalFacts) -> bytes:
    """Return the workbook; the same run gives the same bytes."""
    target = io.BytesIO()
    words = facts.words
    book = new_workbook(target, facts.context, words.text("book_text.workbook"))
    styles = Styles(book)
    pages = _pages(facts, _rows(facts, work.TODO))
    pages += [
        (words.name("list", name), _rows(facts, name)) for name in (work.CALLING, work.MESSAGES)
    ]
    side = _side_rows(facts)
    names = _sheet_names([*(adviser for adviser, _ in pages), words.text("book_text.consultant")])
    rows = [
        (name, str(mine.height), _where(mine))
        for name, (_, mine) in zip(names, pages, strict=False)
    ]
    rows.append((names[-1], str(side.height), words.text("book_text.consultant_title")))
    write_guide(
        book,
        styles,
        words.text("book_text.guide"),
        words.text("book_text.workbook"),
        _guide(facts),
        rows=rows,
    )
    for name, (_, mine) in zip(names, pages, strict=False):
        _adviser_sheet(facts, book.add_worksheet(name, ListSheet), styles, mine)
    sheet = book.add_worksheet(names[-1], ListSheet)
    _sheet(sheet, styles, SIDE, [_side_head(facts, name) for name in SIDE], side)
    sheet.set_tab_color(_ORANGE)  # so that nobody hands it round unseen
    book.close()
    return target.getvalue()


def _guide(facts: PortalFacts) -> list[str]:
    """Return how to read the workbook, of which run it is, and what could not be delivered."""
    words, context = facts.words, facts.context
    lines = [
        words.text("book_text.guide_what", as_of=words.day(context.as_of)),
        words.text("book_text.guide_code"),
        words.text("book_text.guide_consultant"),
        words.text("book_text.guide_rules"),
        words.text("book_text.guide_bands"),
        words.text("book_text.guide_lists"),
    ]
    if context.bundle.no_pseudonyms:
        lines.pop(1)
    derived = (context.held["commission_source"] == "derived").fill_null(value=False).mean()
    if context.has_commission and isinstance(derived, float) and derived > _FEW_DERIVED:
        lines.append(words.text("book_text.assumed_commission"))
    for name, why in work.withheld(context).items():
        lines.append(words.text("book_text.withheld", list=words.name("list", name), why=why))
    lines.append(words.text("book_text.run", run=facts.run))
    return lines


def _rows(facts: PortalFacts, name: str) -> pl.DataFrame:
    return facts.lists[name].join(facts.people, on="customer", how="left", maintain_order="left")


def _pages(facts: PortalFacts, todo: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Return adviser and his rows, by name; those of advisers who may not be named stand together
    at the end.
    """
    out = [
        (str(name), todo.filter(pl.col("adviser") == name))
        for name in todo["adviser"].drop_nulls().unique().sort()
    ]
    rest = todo.filter(pl.col("adviser").is_null())
    if rest.height or not out:
        out.append(
            (
                facts.words.text("book_text.other") if out else facts.words.name("list", work.TODO),
                rest,
            )
        )
    return out


def _where(rows: pl.DataFrame) -> str:
    """Return office, sub-office and manager of an adviser's customers, as far as they are the same
    for most.
    """
    pages = []
    for name in ("office", "sub_office", "manager"):
        most = rows[name].drop_nulls().value_counts(sort=True).head(1)
        if most.height and most["count"][0] > rows.height / 2:
            pages.append(str(most[name][0]))
    return " · ".join(pages)


def _adviser_sheet(
    facts: PortalFacts, sheet: ListSheet, styles: Styles, mine: pl.DataFrame
) -> None:
    words, day = facts.words, pl.lit(facts.context.as_of)
    mine = mine.join(
        facts.renewals.select("customer", "days"),
        on="customer",
        how="left",
        maintain_order="left",
    )
    rows = mine.select(
        pl.col("shown").alias("customer"),
        _kind(facts, mine),
        action_sentences(facts, mine, lambda key: words.name("action", key)).alias("action"),
        facts.why.sentences(mine["customer"], words).alias("why"),
        "policies",
        (day + pl.duration(days=pl.col("days"))).alias("renewal"),
        _band(facts, mine, "clv"),
        _band(facts, mine, "churn"),
        rows_in_words(mine.select("done_by", "done_level"), partial(_who, facts)).alias("who"),
        (day + pl.duration(days=pl.col("before"))).alias("before"),
        pl.lit(None, dtype=pl.String).alias("status"),
        pl.lit(None, dtype=pl.String).alias("result"),
    )
    _sheet(sheet, styles, HEADS, [words.text(f"book_head.{name}") for name in HEADS], rows)
    last = max(rows.height, 1)
    for name in ("status", "result"):
        place = HEADS.index(name)
        sheet.set_column(place, place, _WIDTHS[name], styles.input)
    labels = [words.name("status", key) for key in STATUSES]
    sheet.data_validation(
        1,
        HEADS.index("status"),
        last,
        HEADS.index("status"),
        {"validate": "list", "source": labels},
    )
    limit = {"validate": "length", "criteria": "<=", "value": NOTE}
    sheet.data_validation(1, HEADS.index("result"), last, HEADS.index("result"), limit)


def _kind(facts: PortalFacts, rows: pl.DataFrame) -> pl.Series:
    kind = rows["kind"].replace("", None).fill_null("unknown")
    return in_words(kind, lambda key: facts.words.name("kind", str(key)))


def _band(facts: PortalFacts, rows: pl.DataFrame, name: str) -> pl.Series:
    band = rows_in_words(rows.select(name), lambda code: facts.words.band(name, code or 0))
    return band.alias(name)


def _who(facts: PortalFacts, name: str | None, level: str | None) -> str:
    """Return who does it, and at which level."""
    who = [worker(facts, name), facts.words.name("level", level) if level else ""]
    return ", ".join(part for part in who if part)


def action_sentences(
    facts: PortalFacts, rows: pl.DataFrame, name: Callable[[str], str]
) -> pl.Series:
    """Return ``Behouden: gesprek door de binnendienst; bespreek opstal`` of every row, the action
    as it is named.
    """
    words = facts.words

    def sentence(action: str, contact: str | None, branch: str | None) -> str:
        said = name(action)
        if contact:
            by = words.contact(contact)
            said = f"{said}: {by[0].lower()}{by[1:]}"
        if branch:
            said = f"{said}; {words.text('page.discuss', branch=words.branch_inside(branch))}"
        return said

    return rows_in_words(rows.select("action", "contact", "branch"), sentence)


def _side_rows(facts: PortalFacts) -> pl.DataFrame:
    """Return who is not to be contacted: the control group, who has cancelled, and who does not fit
    in the hours.
    """
    words = facts.words
    announced = facts.lists["announced"].select("customer", list=pl.lit("announced"))
    parts = {
        "control": work.control_rows(facts.context),
        "announced": announced,
        "waiting": work.waiting(facts.context),
    }
    found = (
        pl.concat(
            table.select("customer", "list", reason=pl.lit(reason))
            for reason, table in parts.items()
        )
        .join(
            facts.people.drop("list", "reason", strict=False),
            on="customer",
            maintain_order="left",
        )
        .unique("customer", keep="first", maintain_order=True)
    )
    return found.with_columns(
        pl.col("shown").alias("customer"),
        in_words(found["list"], lambda key: words.name("list", str(key))),
        in_words(found["reason"], lambda key: words.name("stop_short", str(key))),
        _kind(facts, found),
        _band(facts, found, "clv"),
        _band(facts, found, "churn"),
        in_words(found["service"], lambda key: words.name("service", str(key)) if key else None),
    ).select(SIDE)


def _side_head(facts: PortalFacts, name: str) -> str:
    table = "book_side" if name in facts.words.tree["book_side"] else "book_head"
    return facts.words.text(f"{table}.{name}")


def _sheet(
    sheet: ListSheet,
    styles: Styles,
    columns: Sequence[str],
    heads: Sequence[str],
    rows: pl.DataFrame,
) -> None:
    """Write headings and rows, with filters and a heading that stays and is printed on every
    page.
    """
    for place, (column, head) in enumerate(zip(columns, heads, strict=True)):
        sheet.set_column(place, place, _WIDTHS.get(column, _WIDTH))
        sheet.write_string(0, place, neutral(head), styles.head)
    numbers = [styles.rank] * len(columns)
    sheet.write_table(rows, numbers, styles.wrap, styles.day)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(rows.height, 1), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _sheet_names(wanted: Sequence[str]) -> list[str]:
    """Return names that sheets may have, each once whatever the case."""
    taken: set[str] = {"leeswijzer", "guide", *_RESERVED}
    out = []
    for name in wanted:
        legal = sheet_name(name)
        number = 1
        while legal.lower() in taken:
            number += 1
            legal = f"{sheet_name(name)[:27]} {number}"
        taken.add(legal.lower())
        out.append(legal)
    return out
