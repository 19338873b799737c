"""Every data finding: a case that fires, one that must not, one where it does not apply."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from datetime import date

import pytest
from ingest_exports import Row, X, codes, finding, office, policy, read, write

from akb.config import Settings
from akb.core.wording.text import texts


@dataclass(frozen=True)
class Case:
    """An export and how it is read."""

    rows: list[Row]
    more: dict[str, list[Row]] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    as_of: date | None = X
    encoding: str = "utf-8-sig"
    name: str = "polissen.csv"
    go_on: bool = False

    def codes(self, folder) -> set[str]:
        return codes(self.read(folder))

    def read(self, folder):
        files = [write(folder, self.rows, self.name, encoding=self.encoding)]
        files += [write(folder, rows, name) for name, rows in self.more.items()]
        return read(*files, settings=self.settings, as_of=self.as_of, go_on=self.go_on)


GOOD = office(120)
VOLMACHT = Settings(client={"type": "volmacht"})
PAST = date(2023, 6, 30)


def each(**changes: str) -> list[Row]:
    return [row | {heading.replace("_", " "): value for heading, value in changes.items()} for row in GOOD]


def without(*headings: str) -> list[Row]:
    return [{heading: cell for heading, cell in row.items() if heading not in headings} for row in GOOD]


def renamed(**headings: str) -> list[Row]:
    return [{headings.get(heading.replace(" ", "_"), heading): cell for heading, cell in row.items()} for row in GOOD]


def half(heading: str, value: str = "") -> list[Row]:
    return [row | {heading: value} if place % 2 else row for place, row in enumerate(GOOD)]


def plus(*rows: Row) -> list[Row]:
    return [*GOOD, *rows]


def never(word: str) -> list[Row]:
    """The word that stands for no end."""
    return [row if row["Einddatum"] else row | {"Einddatum": word} for row in GOOD]


def moved(reason: str, share: int = 3) -> list[Row]:
    """A third of the running policies ends on one day."""
    rows = []
    for place, row in enumerate(office(300)):
        running = not row["Einddatum"] and int(row["Ingangsdatum"][-4:]) < 2022
        gone = {"Einddatum": "01-04-2024", "Royementsreden": reason} if running and place % share == 0 else {}
        rows.append(row | gone)
    return rows


def bought() -> list[Row]:
    return plus(*(policy(5000 + n, Ingangsdatum="01-05-2021") for n in range(80)))


def status(**last: str) -> list[Row]:
    rows = [row | {"Status": "Actief", "Wijzigingsdatum": ""} for row in GOOD]
    return [*rows, policy(1, Polisnummer="S1") | {"Status": "Geroyeerd", "Wijzigingsdatum": ""} | last]


def since(day: date) -> list[Row]:
    return office(400, recorded=day)


def deliveries(rows: list[Row], *, other: bool = False) -> list[Row]:
    """The same book on two days, or another book on the first one."""
    first = [
        row | {"Peildatum": "31-10-2025"} | ({"Polisnummer": "X" + row["Polisnummer"]} if other else {}) for row in rows
    ]
    return [*first, *(row | {"Peildatum": "30-11-2025"} for row in rows)]


def lapsed() -> list[Row]:
    return [row | {"Status": "Geroyeerd" if row["Einddatum"] else "Actief"} for row in GOOD]


ENDLESS = [row for row in GOOD if not row["Einddatum"]]
CLAIM = {"Relatienummer": "000001", "Meldingsdatum": "01-02-2024", "Schadebedrag": "100,00"}
PREMIUM = {
    "Polisnummer": next(r for r in GOOD if not r["Einddatum"])["Polisnummer"],
    "Premie vanaf": "01-03-2024",
    "Premie per jaar": "100,00",
}
RISEN = [PREMIUM, PREMIUM | {"Premie vanaf": "01-03-2025", "Premie per jaar": "110,00"}]
STRANGE = PREMIUM | {"Polisnummer": "bestaat niet"}
plain = Case(GOOD)
ALL = Settings(time={"keep_ended_years": 0})
HOMES = Settings(client={"unit": "household"})
OLD = [policy(900 + n, Polisnummer=f"OUD{n}", Ingangsdatum="01-01-2010", Einddatum="01-05-2017") for n in range(6)]


def citizen(number: int) -> str:
    """A number of nine digits that passes the eleven-test, and is nobody's."""
    digits = f"{9000000 + 37 * number:08d}"
    last = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), digits, strict=True)) % 11
    return citizen(number + 5000) if last == 10 else f"{digits}{last}"


def gone_to_another(count: int) -> list[Row]:
    rows = [row for row in office(300) if not row["Einddatum"]]
    left = {"Einddatum": "05-03-2025", "Royementsreden": "Overgang naar andere tussenpersoon"}
    return [
        row | (left | {"Einddatum": f"0{place % 9 + 1}-03-2025"} if place < count else {})
        for place, row in enumerate(rows)
    ]


def swapped(rows: list[Row]) -> list[Row]:
    """The rows as an American Excel leaves them: days up to the 12th are real dates with their halves swapped."""

    def halves(text: str) -> str:
        return f"{text[6:]}-{text[:2]}-{text[3:5]} 00:00:00" if text and int(text[:2]) <= 12 else text

    return [
        row | {name: halves(row[name]) for name in ("Ingangsdatum", "Einddatum", "Hoofdvervaldatum")} for row in rows
    ]


def at_home(street: int = 1) -> list[Row]:
    return [
        row | {"Postcode": "4811 AB", "Huisnummer": str(1 + int(row["Relatienummer"]) // 2 * street)} for row in GOOD
    ]


USUAL = {
    "Aansprakelijkheid particulier": 50,
    "Inboedel": 130,
    "Woonhuis": 300,
    "Personenauto": 600,
    "Doorlopende reis": 85,
}


def usual(times: float, form: str = "{:.2f}", **changes: str) -> list[Row]:
    """Premiums about as high as is usual in their branch, or so many times as high."""
    return [
        row
        | {
            "Premie per jaar": form.format(USUAL.get(row["Branche"], 500) * times * (0.8 + n % 5 / 10)).replace(
                ".", ","
            )
        }
        | {k.replace("_", " "): v for k, v in changes.items()}
        for n, row in enumerate(GOOD)
    ]


def by_instalment(**terms: str) -> list[Row]:
    """A premium per instalment, the same whatever the term: terms as written by number of months."""
    rows = [
        {"Premie per termijn" if name == "Premie per jaar" else name: cell for name, cell in row.items()}
        for row in GOOD
    ]
    return [row | {"Termijn": terms[f"m{row['Termijn']}"], "Premie per termijn": "10,00"} for row in rows]


def numbered(number: str, every: int = 5) -> list[Row]:
    """The relations of every so many-th row are one and the same number."""
    return [row | {"Relatienummer": number} if n % every == 0 else row for n, row in enumerate(GOOD)]


def packaged(
    *, whole: bool = False, part: bool = False, number: bool = True, share: tuple[float, ...] = (1,)
) -> list[Row]:
    """Every customer's policies are a package, perhaps with a row of its own or numbers of the parts."""
    rows: list[Row] = []
    for customer in sorted({row["Relatienummer"] for row in GOOD}):
        mine = [row for row in GOOD if row["Relatienummer"] == customer]
        mine = [*mine, mine[0] | {"Premie per jaar": "77,00", "Ingangsdatum": "01-02-2019", "Einddatum": ""}]
        mine = [row | {"Einddatum": "", "Royementsreden": ""} for row in mine] if whole else mine
        mine = [
            row | {"Maatschappij": "De Vaart"} | ({"Volgnummer": str(n)} if part else {}) for n, row in enumerate(mine)
        ]
        total = sum(round(100 * float(row["Premie per jaar"].replace(",", "."))) for row in mine)
        total *= share[int(customer) % len(share)]  # after a discount
        running = {"Einddatum": "", "Royementsreden": ""}
        head = mine[0] | {"Branche": "Pakket", "Premie per jaar": f"{total / 100:.2f}".replace(".", ",")} | running
        named = [row | {"Polisnummer": f"PK{customer}"} for row in ([head, *mine] if whole else mine)]
        rows += named if number else mine
    return rows


def two_versions(count: int) -> list[Row]:
    """Running policies with a second running row under the same number, branch and insurer."""
    twins = [row for row in GOOD if not row["Einddatum"]][:count]
    return plus(*(row | {"Ingangsdatum": "01-06-2024", "Premie per jaar": "99,00"} for row in twins))


BACK = CLAIM | {"Schadebedrag": "-80,00"}
SECOND = [
    {name: row[name] for name in ("Relatienummer", "Polisnummer", "Ingangsdatum", "Premie per jaar")}
    for row in GOOD[:20]
]

DASHED = [row | {"Polisnummer": f"{row['Polisnummer'][:1]}-{row['Polisnummer'][1:]}"} for row in GOOD[:60]]


def paid(heading: str, instalments: int) -> list[Row]:
    """Every other policy paid monthly, with one premium a branch, and a part of it under the heading."""
    names = sorted({row["Branche"] for row in GOOD})
    return [
        row | {heading: f"{(240 + 60 * names.index(row['Branche'])) / (instalments if place % 2 else 1):.2f}".replace(".", ","),
               "Termijn": "1" if place % 2 else "12"}
        for place, row in enumerate(without("Provisie per jaar"))
    ]  # fmt: skip


def far(day: str) -> list[Row]:
    return [row | {"Einddatum": row["Einddatum"] or day} for row in GOOD]


# code: fires, must not fire, does not apply
CASES: dict[str, tuple[Case, Case, Case]] = {
    "AKB-D001": (Case(half("Maatschappij")), plain, Case(without("Maatschappij"))),
    "AKB-D002": (Case(plus(GOOD[0])), plain, Case(plus(GOOD[0] | {"Polisnummer": "anders"}))),
    "AKB-D003": (Case(since(date(2024, 12, 1))), plain, Case(ENDLESS)),
    "AKB-D005": (Case(ENDLESS), plain, Case(without("Einddatum"))),
    "AKB-D006": (Case(since(date(2022, 1, 1))), Case(since(date(2008, 1, 1)), settings=ALL), Case(ENDLESS)),
    "AKB-D007": (Case(plus(policy(1, Ingangsdatum="31-02-2020"))), plain, Case(plus(policy(1, Ingangsdatum="")))),
    "AKB-D008": (Case(plus(policy(1, Einddatum="01-01-2018"))), plain, Case(plus(policy(1, Einddatum="01-03-2019")))),
    "AKB-D009": (Case(plus(*(policy(n, Polisnummer=f"R{n}", Branche="Ruimtereis") for n in range(1, 8)))), plain, Case(without("Branche"))),
    "AKB-D010": (Case(without("Branche")), plain, Case(each(Branche="Ruimtevaart"))),
    "AKB-D011": (Case(without("Provisie per jaar")), plain, Case(without("Provisie per jaar", "Premie per jaar"))),
    "AKB-D012": (Case(without("Provisie per jaar", "Premie per jaar")), plain, Case(without("Provisie per jaar"))),
    "AKB-D013": (Case(each(Royementsreden="")), plain, Case(without("Royementsreden"))),
    "AKB-D014": (Case(moved("")), plain, Case(moved("Opzegging klant"))),
    "AKB-D015": (Case(bought()), plain, Case([policy(n, Ingangsdatum="01-05-2021") for n in range(1, 90)])),
    "AKB-D016": (Case(plus(policy(1, Polisnummer="A", Einddatum="01-02-2026"))), plain, Case(plus(policy(1, Polisnummer="A", Einddatum="01-02-2026")), as_of=PAST)),
    "AKB-D017": (Case(plus(policy(1, Polisnummer="A", Ingangsdatum="01-02-2026"))), plain, Case(plus(policy(1, Polisnummer="A", Ingangsdatum="01-02-2026")), as_of=PAST)),
    "AKB-D018": (Case(plus(policy(900, Geboortejaar="1900"), policy(901, Geboortejaar="2026"))), plain, Case(without("Geboortejaar"))),
    "AKB-D019": (Case(plus(policy(900, Polisnummer="A"), policy(900, Polisnummer="B", Geboortejaar="1951"))), plain, Case(without("Geboortejaar", "Soort relatie"))),
    "AKB-D020": (Case(plus(policy(1, Ingangsdatum=""))), plain, Case(plus(policy(1, Polisnummer="A", Ingangsdatum="01-01-2024")), as_of=PAST)),
    "AKB-D021": (Case(each(Premie_per_jaar="1.234", Provisie_per_jaar="100")), plain, Case(each(Premie_per_jaar="1.234", Provisie_per_jaar="100"), settings=Settings(ingest={"decimal": ","}))),
    "AKB-D022": (Case([policy(n, Ingangsdatum=f"0{n % 9 + 1}/0{n % 7 + 1}/2021") for n in range(60)]), Case([policy(n, Ingangsdatum=f"{n % 27 + 1}/0{n % 7 + 1}/2021") for n in range(60)]), plain),
    "AKB-D023": (Case(each(Adviseur="René"), encoding="cp1252"), Case(each(Adviseur="René")), Case(each(Adviseur="René"), encoding="cp1252", settings=Settings(ingest={"encoding": "cp1252"}))),
    "AKB-D024": (Case(without("Soort relatie")), plain, Case([policy(n, Geboortejaar="", Soort_relatie="", Branche="Auto") for n in range(9)])),
    "AKB-D025": (Case(plus(policy(900), policy(900, Ingangsdatum="01-03-2021"))), plain, Case(plus(policy(900), policy(900)))),
    "AKB-D026": (Case(half("Premie per jaar", "veel")), plain, Case(half("Premie per jaar", ""))),
    "AKB-D027": (Case([r | ({"Royementsreden": "Zomaar iets"} if r["Einddatum"] else {}) for r in GOOD]), plain, Case(without("Royementsreden"))),
    "AKB-D028": (Case(GOOD, as_of=None), plain, Case(GOOD, as_of=PAST)),
    "AKB-D029": (
        Case([{("Premie" if k == "Premie per jaar" else k): v for k, v in policy(n, Termijn=("1", "12")[n % 2], Branche="Auto", Premie_per_jaar=("50", "600")[n % 2]).items()} for n in range(90)]),
        Case([{("Premie" if k == "Premie per jaar" else k): v for k, v in policy(n, Termijn=("1", "12")[n % 2], Branche="Auto").items()} for n in range(90)]),
        Case([policy(n, Termijn=("1", "12")[n % 2], Branche="Auto", Premie_per_jaar=("50", "600")[n % 2]) for n in range(90)]),
    ),
    "AKB-D080": (plain, Case(without("Provisie per jaar", "Premie per jaar")), Case(without("Provisie per jaar", "Premie per jaar", "Termijn"))),
    "AKB-D081": (plain, Case(GOOD, settings=Settings(ingest={"premium_basis": "net"})), Case(without("Provisie per jaar", "Premie per jaar"))),
    "AKB-D082": (Case(plus(policy(1, Polisnummer="C1", Provisie_per_jaar="-24,10"))), plain, Case(without("Provisie per jaar"))),
    "AKB-D083": (Case(plus(policy(1, Polisnummer="C1", Provisie_per_jaar="0,00"))), plain, Case(without("Provisie per jaar"))),
    "AKB-D084": (Case(each(Fee="25,00")), Case(each(Fee="25,00"), settings=Settings(ingest={"fee_for": "policy"})), plain),
    "AKB-D085": (Case(each(Fee="25,00")), Case(each(Fee="0,00")), plain),
    "AKB-D086": (Case(each(Afsluitprovisie="250,00")), Case(each(Afsluitprovisie="0,00")), plain),
    "AKB-D140": (Case(plus(policy(1, Polisnummer="S1", Branche="Serviceabonnement"))), plain, Case(plus(policy(1, Polisnummer="S1", Branche="Serviceabonnement", Einddatum="01-03-2024")))),
    "AKB-D087": (Case(GOOD, settings=VOLMACHT), Case(each(Tekencommissie="5,00"), settings=VOLMACHT), plain),
    "AKB-D088": (Case(GOOD, settings=Settings(client={"type": "verzekeraar"})), plain, Case(GOOD, settings=VOLMACHT)),
    "AKB-D089": (Case(each(Tekencommissie="5,00")), plain, Case(each(Tekencommissie="5,00"), settings=VOLMACHT)),
    "AKB-D031": (Case(GOOD, {"s.csv": [CLAIM | {"Relatienummer": "777777"}]}), Case(GOOD, {"s.csv": [CLAIM]}), plain),
    "AKB-D032": (Case(GOOD, {"s.csv": [CLAIM, CLAIM | {"Meldingsdatum": "10-12-2025"}]}), Case(GOOD, {"s.csv": [CLAIM]}), Case(GOOD, {"s.csv": [CLAIM]}, as_of=PAST)),
    "AKB-D033": (Case(plus(policy(1, Einddatum="01-03-2019"))), plain, Case(without("Einddatum", "Royementsreden"))),
    "AKB-D034": (Case(status()), Case(status(Wijzigingsdatum="01-02-2024")), plain),
    "AKB-D035": (Case([row | {"Contractvervaldatum": "01-01-2024"} for row in without("Einddatum")]), Case(without("Einddatum")), Case([row | {"Contractvervaldatum": "01-01-2024"} for row in GOOD])),
    "AKB-D036": (Case(without("Einddatum")), plain, Case(ENDLESS)),
    "AKB-D037": (Case(without("Royementsreden")), plain, Case(without("Royementsreden", "Einddatum"))),
    "AKB-D038": (Case(status(Wijzigingsdatum="01-02-2024")), Case(status(Einddatum="01-02-2024")), plain),
    "AKB-D039": (Case(without("Adviseur", "Kantoor")), plain, Case(renamed(Adviseur="Producent"))),
    "AKB-D040": (Case(since(date(2024, 6, 1))), plain, Case(ENDLESS)),
    "AKB-D041": (Case(since(date(2023, 6, 1))), plain, Case(ENDLESS)),
    "AKB-D042": (Case(since(date(2022, 9, 1))), plain, Case(ENDLESS)),
    "AKB-D043": (Case(since(date(2020, 1, 1))), Case(since(date(2023, 6, 1))), Case(ENDLESS)),
    "AKB-D044": (Case(GOOD, as_of=PAST), plain, Case(GOOD, as_of=None)),
    "AKB-D045": (Case(office(60, as_of=date(2025, 9, 1))), plain, Case(office(60, as_of=date(2025, 9, 1)), as_of=None)),
    "AKB-D046": (Case(plus(policy(1, Polisnummer="1,23E+12"))), plain, Case(plus(policy(1, Polisnummer="E123")))),
    "AKB-D049": (Case([row | {"Seniority": "4"} for row in GOOD]), plain, Case([row | {"Leeftijd": "4"} for row in GOOD])),
    "AKB-D050": (Case(deliveries(GOOD)), plain, Case([row | {"Peildatum": "30-11-2025"} for row in GOOD])),
    "AKB-D051": (Case(deliveries(GOOD, other=True)), Case(deliveries(GOOD)), plain),
    "AKB-D052": (Case([*lapsed(), policy(1, Polisnummer="S1", Einddatum="01-02-2024") | {"Status": "Actief"}]), Case(lapsed()), Case(each(Status="Actief"))),
    "AKB-D055": (
        Case(GOOD, as_of=None, name="polissen_2025-03.csv"),
        Case(GOOD, as_of=None, name="polissen 20251215.csv"),
        Case(GOOD, as_of=PAST, name="polissen_2025-03.csv"),
    ),
    "AKB-D090": (Case(each(Peildatum="30-06-2024"), as_of=None), Case(GOOD, as_of=None), Case(each(Peildatum="30-06-2024"))),
    "AKB-D091": (Case(never("#N/B"), go_on=True), Case(never(""), go_on=True), Case(never("#N/B"), settings=Settings(ingest={"empty": ["#N/B"]}))),
    "AKB-D092": (Case(each(Hoofdvervaldatum="ieder jaar")), plain, Case(without("Hoofdvervaldatum"))),
    "AKB-D070": (Case(at_home(), settings=HOMES), Case(at_home()), plain),
    "AKB-D071": (Case(GOOD, settings=HOMES), Case(at_home(), settings=HOMES), plain),
    "AKB-D072": (Case(at_home(0), settings=HOMES), Case(at_home(), settings=HOMES), Case(at_home(0))),
    "AKB-D073": (Case(plus(*OLD)), Case([*plus(*OLD), *(row | {"Polisnummer": f"L{n}", "Einddatum": ""} for n, row in enumerate(OLD))]), Case(plus(*OLD), settings=ALL)),
    "AKB-D074": (Case(gone_to_another(20)), Case(gone_to_another(3)), Case(ENDLESS)),
    "AKB-D060": (Case(GOOD, {"premies.csv": RISEN}), Case(GOOD, {"premies.csv": [PREMIUM]}), plain),
    "AKB-D061": (Case(GOOD, {"premies.csv": [PREMIUM]}), Case(GOOD, {"premies.csv": RISEN}), plain),
    "AKB-D062": (Case(GOOD, {"premies.csv": [*RISEN, STRANGE]}), Case(GOOD, {"premies.csv": RISEN}), plain),
    "AKB-D063": (Case(GOOD, {"s.csv": [CLAIM | {"Relatienummer": CLAIM["Relatienummer"].lstrip("0")}]}), Case(GOOD, {"s.csv": [CLAIM]}), plain),
    "AKB-D064": (Case(half("Maatschappij", "DE VAART")), Case(each(Maatschappij="DE VAART")), Case(without("Maatschappij"))),
    "AKB-D056": (Case(swapped(office(200))), plain, Case(office(200), settings=Settings(ingest={"date_format": "%d-%m-%Y"}))),
    "AKB-D057": (
        Case(plus(policy(1, Polisnummer="A", Einddatum="01-03-45"))),
        Case(plus(policy(1, Polisnummer="A", Einddatum="01-03-2045"))),
        Case(without("Einddatum")),
    ),
    "AKB-D058": (Case(each(Soort_relatie="Coöperatie")), plain, Case(without("Soort relatie", "Termijn", "Incassowijze"))),
    "AKB-D065": (Case([r if r["Einddatum"] else r | {"Einddatum": r["Ingangsdatum"][:6] + "2027"} for r in GOOD]), plain, Case(ENDLESS)),
    "AKB-D110": (Case(each(Termijn="4")), Case(each(Termijn="3")), Case(without("Termijn"))),
    "AKB-D111": (Case(by_instalment(m1="1", m12="12")), Case(by_instalment(m1="1", m12="3")), Case(by_instalment(m1="maand", m12="jaar"))),
    "AKB-D112": (Case(half("Premie per jaar", "GBP 120,00")), Case(half("Premie per jaar", "EUR 120,00")), Case(without("Premie per jaar"))),
    "AKB-D113": (Case(half("Premie per jaar", "1,2E+02")), Case(half("Premie per jaar", "120,00")), Case(without("Premie per jaar"))),
    "AKB-D114": (Case(plus(policy(1, Polisnummer="C1", Premie_per_jaar="10,00 C"), policy(2, Polisnummer="C2", Premie_per_jaar="9,00 D"), policy(3, Polisnummer="C3", Premie_per_jaar="8,00 D"))), Case(each(Premie_per_jaar="10,00 D")), plain),
    "AKB-D115": (Case(usual(100, "{:.0f}")), Case(usual(1, "{:.0f}")), Case(usual(100))),
    "AKB-D116": (Case(usual(12)), Case(usual(1)), Case(without("Premie per jaar"))),
    "AKB-D117": (Case([row | {"Relatienummer": row["Relatienummer"].lstrip("0") + ".0"} for row in GOOD]), Case([row | {"Relatienummer": row["Relatienummer"] + ".1"} for row in GOOD]), plain),
    "AKB-D118": (Case(plus(policy(1, Relatienummer="1001.1", Polisnummer="D1"), policy(1, Relatienummer="100.11", Polisnummer="D2"))), Case(plus(policy(1, Relatienummer="1.001", Polisnummer="D1"), policy(1, Relatienummer="1001", Polisnummer="D2"))), plain),
    "AKB-D119": (Case(numbered("1,00001E+11")), Case(numbered("1,00001E+05")), plain),
    "AKB-D120": (Case(numbered("0")), Case(plus(policy(0, Relatienummer="0", Polisnummer="Z0"))), plain),
    "AKB-D121": (Case([row | {"Geboortejaar": "1970"} for row in numbered("K77")]), Case(plus(*(policy(1, Polisnummer=f"V{n}") for n in range(9)))), plain),
    "AKB-D122": (Case(GOOD, {"top.csv": SECOND}), Case(GOOD, {"top.csv": [row | {"Polisnummer": "S" + row["Polisnummer"]} for row in SECOND]}), plain),
    "AKB-D123": (Case(packaged(whole=True)), Case(packaged()), plain),
    "AKB-D124": (Case(packaged(part=True)), Case(packaged(number=False)), plain),
    "AKB-D125": (Case(two_versions(30)), Case(two_versions(2)), Case([row | {"Versie": str(n)} for n, row in enumerate(two_versions(30))])),
    "AKB-D126": (Case(GOOD, {"s.csv": [CLAIM, BACK]}), Case(GOOD, {"s.csv": [CLAIM]}), plain),
    "AKB-D127": (Case(packaged(whole=True, share=(0.85, 0.9, 0.95))), Case(packaged(whole=True, share=(0.95,))), Case(packaged())),
    "AKB-D128": (Case([row | {"Premie per jaar": "-" + row["Premie per jaar"]} for row in GOOD]), Case(half("Premie per jaar", "-12,00")), Case(without("Premie per jaar"))),
    "AKB-D129": (Case(paid("Premie per jaar", 12)), Case(paid("Premie per jaar", 1)), Case(without("Premie per jaar"))),
    "AKB-D130": (Case(renamed(Premie_per_jaar="Brutopremie")), Case([row | {"Premievrij": "N"} for row in without("Premie per jaar")]), plain),
    "AKB-D131": (Case(GOOD, {"top.csv": DASHED}), Case(GOOD, {"top.csv": DASHED[:5]}), plain),
    "AKB-D132": (Case(half("Adviseur", "#VERW!")), Case(half("Adviseur", "#1 Advies")), Case(without("Adviseur"))),
    "AKB-D133": (Case(far("01-01-2099")), Case(far("01-01-2027")), Case(without("Einddatum"))),
    "AKB-P001": (Case([row | {"Achternaam": "Jansen", "IBAN": "NL00"} for row in GOOD]), plain, Case(each(Postcode="4811"))),
    "AKB-P002": (Case(half("Maatschappij", "anna@devaart.nl")), plain, Case(half("Achternaam", "anna@devaart.nl"))),
    "AKB-P003": (Case([row | {"Relatienummer": citizen(int(row["Relatienummer"]))} for row in GOOD]), Case([row | {"Relatienummer": f"9{row['Relatienummer']}11"} for row in GOOD]), plain),
    "AKB-P004": (Case([row | {"Adviseur": f"J. de {'Vries' + chr(97 + int(row['Relatienummer']) % 26) + chr(97 + int(row['Relatienummer']) // 26)}"} for row in GOOD]), Case(each(Adviseur="J. de Vries")), Case(without("Adviseur"))),
    "AKB-P005": (Case([*each(Mailing="J"), policy(900) | {"Mailing": "code 7"}]), Case(each(Mailing="Nooit")), plain),
    "AKB-P007": (Case(half("Mailing")), Case(half("Mailing", "N")), Case(without("Mailing"))),
    "AKB-P008": (Case(each(**{"Bezwaar marketing": "zie dossier"})), Case(each(**{"Bezwaar marketing": "N"})), Case(without("Mailing"))),
    "AKB-P009": (Case(each(AVG="bezwaar gemaakt")), Case(each(AVG="geen bezwaar")), plain),
    "AKB-P006": (Case(each(Mailing="code 7")), Case([*each(Mailing="J"), policy(900) | {"Mailing": "code 7"}]), plain),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_it_fires(code, tmp_path):
    found = finding(CASES[code][0].read(tmp_path), code)
    assert found.sentence().endswith(".")
    assert "None" not in found.sentence()
    assert found.remedy()
    assert found.share is None or 0 <= found.share <= 1


def other_than_plain(place: int) -> list[str]:
    """The codes whose case at that place is an export of its own."""
    return [code for code, cases in CASES.items() if cases[place] is not plain]


@pytest.mark.parametrize("code", other_than_plain(1))
def test_it_does_not_fire(code, tmp_path):
    assert code not in CASES[code][1].codes(tmp_path)


@pytest.mark.parametrize("code", other_than_plain(2))
def test_it_does_not_apply(code, tmp_path):
    assert code not in CASES[code][2].codes(tmp_path)


def test_the_plain_export_raises_none_of_those_that_it_stands_for(tmp_path):
    silent = {code for code, (_, *others) in CASES.items() if plain in others}
    assert len(silent) > 50
    assert not silent & plain.codes(tmp_path)


def test_ragged_rows(tmp_path):  # AKB-D030
    path = write(tmp_path, GOOD)
    assert "AKB-D030" not in codes(read(path))
    path.write_bytes(path.read_bytes() + b"1;2;3\r\n")
    assert finding(read(path), "AKB-D030").count == 1


def test_files_in_an_archive_that_are_no_tables(tmp_path):  # AKB-D047
    path = write(tmp_path, GOOD)
    assert "AKB-D047" not in codes(read(path))
    archive = tmp_path / "levering.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.write(path, "polissen.csv")
    assert "AKB-D047" not in codes(read(archive))
    with zipfile.ZipFile(archive, "a") as files:
        files.writestr("leesmij.txt", "Deze export is van vandaag.")
    assert finding(read(archive), "AKB-D047").count == 1


def test_customers_that_the_file_does_not_name(tmp_path):  # AKB-D048
    headings = "ID;Date_start_contract;Date_last_renewal;Date_next_renewal;Date_lapse;Type_risk;Date_birth;Date_driving_licence;Distribution_channel"
    same = "{};01/03/2019;01/03/2025;01/03/2026;;3;01/07/1960;01/07/1980;0"
    other = same.replace("1960", "1961")
    rows = [same.format(9), same.format(10), other.format(11), same.format(12)]
    path = tmp_path / "jaren.csv"
    path.write_text("\n".join([headings, *rows]))
    found = read(path, as_of=X)
    assert finding(found, "AKB-D048").count == 3
    assert found.customers["relation"].to_list() == ["11", "12", "9"]  # no value of what they agree on
    numbered = [f"{headings};Relatienummer", *(f"{row};R{place}" for place, row in enumerate(rows))]
    path.write_text("\n".join(numbered))
    found = read(path, as_of=X)
    assert "AKB-D048" not in codes(found)
    assert found.customers.height == 4
    assert "AKB-D048" not in codes(read(write(tmp_path, GOOD)))


def test_every_text_has_a_test():
    words = {code for code in texts("findings") if code.startswith(("AKB-D", "AKB-P"))}
    assert words == {*CASES, "AKB-D030", "AKB-D047", "AKB-D048", "AKB-D093", "AKB-D094"}


def test_counts_are_counted(tmp_path):
    assert finding(CASES["AKB-D002"][0].read(tmp_path), "AKB-D002").count == 1
    assert finding(CASES["AKB-D008"][0].read(tmp_path), "AKB-D008").count == 1
    assert finding(CASES["AKB-D018"][0].read(tmp_path), "AKB-D018").count == 2
    unknown = finding(CASES["AKB-D009"][0].read(tmp_path), "AKB-D009")
    assert unknown.count == 7
    assert "Ruimtereis" in unknown.sentence()
    incomplete = finding(CASES["AKB-D001"][0].read(tmp_path), "AKB-D001")
    assert incomplete.share == pytest.approx(0.5, abs=0.01)
    assert "maatschappij" in incomplete.sentence()
    assert "50" in incomplete.sentence()
