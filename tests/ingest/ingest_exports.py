"""A small office whose export the tests take apart: rows as dicts, written in any form."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from akb.config import Settings
from akb.ingest import read_portfolio
from akb.ingest.types import Portfolio, Sources

KEY = bytes(range(32))
X = date(2025, 11, 30)
TODAY = date(2025, 12, 20)
HEADINGS = (
    "Relatienummer", "Polisnummer", "Branche", "Maatschappij", "Ingangsdatum", "Einddatum", "Royementsreden",
    "Premie per jaar", "Provisie per jaar", "Termijn", "Incassowijze", "Hoofdvervaldatum", "Adviseur", "Kantoor",
    "Soort relatie", "Geboortejaar", "Postcode", "Mailing",
)  # fmt: skip
REASONS = ("Opzegging klant", "Oversluiting elders", "Overlijden", "Verkocht", "Wanbetaling", "Emigratie")
BRANCHES = ("Aansprakelijkheid particulier", "Inboedel", "Woonhuis", "Personenauto", "Doorlopende reis")
Row = dict[str, str]


def nl(day: date | None) -> str:
    return day.strftime("%d-%m-%Y") if day else ""


def euro(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def policy(number: int, **changes: str) -> Row:
    """One complete policy row; `changes` by heading with underscores for spaces."""
    row = {
        "Relatienummer": f"{number:06d}",
        "Polisnummer": f"P{number:07d}",
        "Branche": BRANCHES[number % len(BRANCHES)],
        "Maatschappij": "De Vaart",
        "Ingangsdatum": "01-03-2019",
        "Einddatum": "",
        "Royementsreden": "",
        "Premie per jaar": "120,50",
        "Provisie per jaar": "24,10",
        "Termijn": "12",
        "Incassowijze": "Maatschappij",
        "Hoofdvervaldatum": "01-03-2026",
        "Adviseur": "Anna",
        "Kantoor": "Breda",
        "Soort relatie": "Particulier",
        "Geboortejaar": "1970",
        "Postcode": "4811",
        "Mailing": "J",
    }
    return row | {heading.replace("_", " "): value for heading, value in changes.items()}


def office(customers: int = 250, *, recorded: date = date(2020, 1, 1), seed: int = 1, as_of: date = X) -> list[Row]:
    """A believable office: ends recorded since `recorded`, a tenth of the policies a year, nothing odd."""
    rng = np.random.default_rng(seed)
    rows, number = [], 0
    for customer in range(1, customers + 1):
        birth, business = int(rng.integers(1940, 2000)), rng.random() < 0.1
        for branch in rng.permutation(len(BRANCHES))[: rng.integers(1, 5)]:
            number += 1
            start = date(2009, 1, 1) + timedelta(days=int(rng.integers(0, (as_of - date(2009, 1, 1)).days - 3)))
            end = start + timedelta(days=int(rng.exponential(3650)) + 40)
            if end < recorded:
                start, end = start + timedelta(days=365 * 9), end + timedelta(days=365 * 9)
            gone = end <= as_of and end > recorded
            if start > as_of:
                continue
            rows.append(
                policy(
                    customer,
                    Polisnummer=f"P{number:07d}",
                    Branche=BRANCHES[branch],
                    Maatschappij=("De Vaart", "Duinrand", "Kroonlinde")[int(rng.integers(3))],
                    Ingangsdatum=nl(start),
                    Einddatum=nl(end) if gone else "",
                    Royementsreden=REASONS[int(rng.integers(len(REASONS)))] if gone else "",
                    Premie_per_jaar=euro(int(rng.integers(4000, 90000))),
                    Provisie_per_jaar=euro(int(rng.integers(800, 18000))),
                    Termijn=("1", "12")[int(rng.integers(2))],
                    Hoofdvervaldatum=nl(date(2026, start.month, min(start.day, 28))),
                    Adviseur=("Anna", "Bas")[customer % 2],
                    Soort_relatie="Zakelijk" if business else "Particulier",
                    Geboortejaar="" if business else str(birth),
                )
            )
    return [
        *rows,
        policy(customers + 1, Polisnummer="P9000000", Branche="Cyber", Ingangsdatum=nl(as_of)),
    ]  # X to the day


def text_of(rows: list[Row], *, separator: str = ";", headings: tuple[str, ...] | None = None) -> str:
    headings = headings or tuple(rows[0])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([[row.get(heading, "") for heading in headings] for row in rows])
    return out.getvalue()


def write(
    folder: Path, rows: list[Row], name: str = "polissen.csv", *, encoding: str = "utf-8-sig", **form: object
) -> Path:
    path = folder / name
    path.write_bytes(text_of(rows, **form).encode(encoding))  # type: ignore[arg-type]
    return path


def write_excel(folder: Path, rows: list[Row], name: str = "polissen.xlsx", *, title: bool = False) -> Path:
    import xlsxwriter

    path = folder / name
    book = xlsxwriter.Workbook(path)
    sheet, day_format = book.add_worksheet("Polissen"), book.add_format({"num_format": "dd-mm-yyyy"})
    top = 2 if title else 0
    if title:
        sheet.write(0, 0, "Export van het kantoor")
    sheet.write_row(top, 0, list(rows[0]))
    for place, row in enumerate(rows, start=top + 1):
        for column, (heading, value) in enumerate(row.items()):
            if heading in ("Ingangsdatum", "Einddatum", "Hoofdvervaldatum") and len(value) == 10:
                day, month, year = value.split("-")
                sheet.write_datetime(place, column, _midnight(date(int(year), int(month), int(day))), day_format)
            elif heading in ("Premie per jaar", "Provisie per jaar") and value:
                sheet.write_number(place, column, float(value.replace(",", ".")))
            else:
                sheet.write_string(place, column, value)
    book.add_worksheet("Blad2")
    book.close()
    return path


def _midnight(day: date):
    from datetime import datetime

    return datetime(day.year, day.month, day.day)


def write_parquet(folder: Path, rows: list[Row], name: str = "polissen.parquet") -> Path:
    path = folder / name
    day = {
        c: pl.col(c).replace("", None).str.to_date("%d-%m-%Y")
        for c in ("Ingangsdatum", "Einddatum", "Hoofdvervaldatum")
    }
    money = {
        c: pl.col(c).str.replace(",", ".").cast(pl.Float64, strict=False)
        for c in ("Premie per jaar", "Provisie per jaar")
    }
    pl.DataFrame(rows).with_columns(**day, **money).write_parquet(path)
    return path


def read(*paths: Path, settings: Settings | None = None, **options: object) -> Portfolio:
    options.setdefault("today", TODAY)
    return read_portfolio(Sources(list(paths), KEY, **options), settings or Settings())  # type: ignore[arg-type]


def codes(portfolio: Portfolio) -> set[str]:
    return {finding.code for finding in portfolio.findings}


def finding(portfolio: Portfolio, code: str):
    return next(finding for finding in portfolio.findings if finding.code == code)


def reasons(portfolio: Portfolio) -> dict[str, int]:
    return dict(portfolio.rejects.group_by("reason").len().sort("reason").iter_rows())


def assert_reconciles(portfolio: Portfolio) -> None:
    for source in portfolio.sources:
        assert source.rows.read == source.rows.used + source.rows.rejected
        assert portfolio.rejects.filter(pl.col("file") == source.name).height == source.rows.rejected
        assert source.rows.used >= 0
    assert portfolio.rows.read == portfolio.rows.used + portfolio.rows.rejected
    assert portfolio.rows.rejected == portfolio.rejects.height


def assert_same(one: Portfolio, other: Portfolio, *, findings: bool = True) -> None:
    """The same tables, history and (by default) findings; rows and rejects may differ."""
    assert one.as_of == other.as_of
    for name in ("policies", "customers", "claims", "contacts", "payments", "premiums"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None), name
        if left is not None:
            assert_frame_equal(left, right)
    assert one.history == other.history
    if findings:
        assert [f.as_json() for f in one.findings] == [f.as_json() for f in other.findings]
