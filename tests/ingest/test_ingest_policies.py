"""Rows to policies: rejects, versions, successors, mass moves, money, customers, events."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_exports import (
    HEADINGS,
    KEY,
    X,
    assert_reconciles,
    assert_same,
    codes,
    euro,
    finding,
    office,
    policy,
    read,
    reasons,
    write,
)  # fmt: skip

from akb.config import Settings
from akb.core.errors import AkbError
from akb.core.privacy.pseudonyms import pseudonym
from akb.ingest.policies.linking import link
from tests.examples import examples


def with_rows(folder, *rows, base=60, **options):
    return read(write(folder, [*office(base), *rows]), **options)


@pytest.mark.parametrize(
    ("changes", "reason", "shape"),
    [
        ({"Relatienummer": " "}, "no_customer", ""),
        ({"Polisnummer": "-"}, "no_policy", "-"),
        ({"Ingangsdatum": ""}, "no_start", ""),
        ({"Ingangsdatum": "31-02-2020"}, "bad_date", "99-99-9999"),
        ({"Einddatum": "Zomer 24"}, "bad_date", "Xxxxx 99"),
        ({"Einddatum": "28-02-2019"}, "ended_before_started", "99-99-9999"),
        ({"Einddatum": "01-03-2019"}, "never_started", "99-99-9999"),
        ({"Einddatum": "01-04-2019", "Royementsreden": "Niet doorgegaan"}, "never_started", "99-99-9999"),
    ],
)
def test_a_row_that_cannot_be_used_is_put_aside_with_its_shape(tmp_path, changes, reason, shape):
    found = with_rows(tmp_path, policy(9000) | changes)
    rejected = found.rejects.filter(pl.col("reason") == reason)
    assert rejected.height == found.rows.rejected == 1
    assert rejected["line"][0] == found.rows.read + 1
    assert rejected["shape"][0] in (shape, " ")
    assert rejected["column"][0] in HEADINGS
    assert_reconciles(found)


def test_offers_and_statuses(tmp_path):
    rows = [{**row, "Status": "Actief", "Wijzigingsdatum": ""} for row in office(60)]
    odd = [
        policy(1, Polisnummer="S1") | {"Status": "Offerte", "Wijzigingsdatum": ""},
        policy(1, Polisnummer="S2") | {"Status": "Geroyeerd", "Wijzigingsdatum": "01-05-2024"},
        policy(1, Polisnummer="S3") | {"Status": "Beëindigd", "Wijzigingsdatum": ""},
        policy(1, Polisnummer="S4") | {"Status": "Premievrij", "Wijzigingsdatum": "01-05-2024"},
    ]
    found = read(write(tmp_path, [*rows, *odd]))
    assert reasons(found) == {"ended_no_date": 1, "offer": 1}
    assert finding(found, "AKB-D038").count == 1
    assert date(2024, 5, 1) in found.policies["end_date"].to_list()


@pytest.mark.parametrize("never", ["31-12-99", "31-dec-99"])
def test_an_end_in_9999_that_was_cut_short_is_no_end(tmp_path, never):
    rows = [row | ({} if row["Einddatum"] else {"Einddatum": never}) for row in office(60)]
    rows.append(policy(900, Ingangsdatum="01-02-1990", Einddatum=never))
    found, whole = (
        read(write(tmp_path, rows)),
        read(write(tmp_path, [*office(60), policy(900, Ingangsdatum="01-02-1990")])),
    )
    assert found.rows.rejected == whole.rows.rejected
    assert found.policies.equals(whole.policies)


def test_an_end_in_1999_stays_one(tmp_path):
    rows = [policy(900 + n, Polisnummer=f"Z{n}", Ingangsdatum="01-02-90", Einddatum="31-12-99") for n in range(9)]
    found = read(write(tmp_path, [*office(60), *rows]), settings=Settings(time={"keep_ended_years": 0}))
    assert found.policies.filter(pl.col("end_date") == date(1999, 12, 31)).height == 9


def test_doubles_and_versions(tmp_path):
    first = policy(1, Polisnummer="V1", Ingangsdatum="01-01-2018", Einddatum="01-01-2020", Branche="Cyber")
    rows = [
        first,
        first,
        first | {"Ingangsdatum": "01-01-2020", "Einddatum": ""},
    ]  # a version that begins where the other ends
    other = policy(1, Polisnummer="V1", Ingangsdatum="01-01-2018", Maatschappij="Duinrand", Branche="Cyber")
    back = policy(2, Polisnummer="V2", Ingangsdatum="01-01-2015", Einddatum="01-01-2018", Branche="Cyber")
    found = with_rows(tmp_path, *rows, other, back, back | {"Ingangsdatum": "01-06-2020", "Einddatum": ""})
    assert reasons(found) == {"duplicate": 1, "version": 1}
    cyber = found.policies.filter(pl.col("branch") == "cyber", pl.col("start_date") < date(2025, 1, 1))
    assert cyber.select("start_date", "end_date").sort("start_date", "end_date", nulls_last=True).rows() == [
        (date(2015, 1, 1), date(2018, 1, 1)),
        (date(2018, 1, 1), None),
        (date(2018, 1, 1), None),
        (date(2020, 6, 1), None),
    ]


@pytest.mark.parametrize(
    ("end", "start", "policies"),
    [("31-12-2021", "01-01-2022", 1), ("01-01-2022", "01-01-2022", 1), ("15-06-2022", "01-01-2022", 1),
     ("30-12-2021", "01-01-2022", 2), ("28-02-2023", "01-03-2023", 1), ("28-02-2024", "01-03-2024", 2)],
)  # fmt: skip
def test_versions_whose_periods_touch_are_one_policy(tmp_path, end, start, policies):
    """A last day of cover and the first day of the next are one period, also over the year and a leap day."""
    old = policy(1, Polisnummer="V1", Ingangsdatum="01-01-2018", Einddatum=end, Branche="Cyber")
    found = with_rows(tmp_path, old, old | {"Ingangsdatum": start, "Einddatum": ""})
    cyber = found.policies.filter(pl.col("branch") == "cyber", pl.col("start_date") < date(2025, 1, 1))
    assert cyber.height == policies
    assert cyber["end_date"].null_count() == 1
    assert cyber["start_date"].min() == date(2018, 1, 1)


def frame(*spells: tuple[int, str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(c, b, date.fromisoformat(s), date.fromisoformat(e) if e else None) for c, b, s, e in spells],
        schema={"customer": pl.UInt32, "branch": pl.String, "start_date": pl.Date, "end_date": pl.Date},
        orient="row",
    )


def test_the_nearest_policy_of_the_same_branch_continues():
    linked = link(
        frame(
            (1, "auto", "2015-01-01", "2020-01-01"),
            (1, "auto", "2020-01-20", None),
            (1, "auto", "2020-01-05", None),
            (1, "avp", "2020-01-01", None),
            (2, "auto", "2020-01-01", None),
        ),
        31,
    )
    assert linked["replaced_on"].to_list() == [date(2020, 1, 5), None, None, None, None]
    assert linked["replaces"].to_list() == [False, False, True, False, False]


def test_one_successor_continues_one_policy_and_none_itself():
    linked = link(
        frame(
            (1, "auto", "2015-01-01", "2020-01-01"),
            (1, "auto", "2015-06-01", "2020-01-01"),
            (1, "auto", "2020-01-01", "2020-01-20"),
            (1, "auto", "2021-01-01", "2021-01-15"),
        ),
        31,
    )
    assert linked["replaced_on"].drop_nulls().to_list() == [date(2020, 1, 1)]
    assert linked["replaces"].sum() == 1


@settings(deadline=None, max_examples=examples(10))
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 90), st.integers(1, 90), st.booleans()), min_size=1, max_size=25
    )
)
def test_links_are_one_to_one_and_within_the_gap(spells):
    origin = date(2020, 1, 1)
    policies = frame(
        *(
            (c, "auto", str(origin + timedelta(days=s)), str(origin + timedelta(days=s + d)) if gone else None)
            for c, s, d, gone in sorted(spells)
        )
    )
    linked = link(policies, 31)
    gap = (linked["replaced_on"] - linked["end_date"]).dt.total_days()
    assert gap.abs().drop_nulls().le(31).all()
    assert (linked["replaced_on"] > linked["start_date"]).drop_nulls().all()
    assert linked["replaced_on"].is_not_null().sum() == linked["replaces"].sum()
    # a successor exists for each link: same customer, that start, itself marked
    taken = linked.filter("replaces").group_by("customer", "start_date").len()
    used = linked.filter(pl.col("replaced_on").is_not_null()).group_by("customer", start_date="replaced_on").len()
    assert taken.sort("customer", "start_date").rows() == used.sort("customer", "start_date").rows()
    # greedy: no unlinked end and unmarked start are left within the gap on or after the end
    free_ends = linked.filter(pl.col("end_date").is_not_null(), pl.col("replaced_on").is_null())
    free_starts = linked.filter(~pl.col("replaces")).select("customer", start="start_date")
    left = free_ends.join(free_starts, on="customer").filter(
        pl.col("start").is_between(pl.col("end_date"), pl.col("end_date") + pl.duration(days=31))
    )
    assert left.is_empty()


def moved(folder, share, day="01-04-2024", insurer=False, **changes):
    rows, gone = [], 0
    for i, row in enumerate(office(400)):
        start = date(*map(int, reversed(row["Ingangsdatum"].split("-"))))
        takes_part = (row["Maatschappij"] == "Duinrand") if insurer else (i % 100 < 100 * share)
        if start < date(2024, 1, 1) and not row["Einddatum"] and takes_part:
            gone += 1
            rows.append(row | {"Einddatum": day} | changes)
        else:
            rows.append(row)
    return read(write(folder, rows), as_of=X), gone


def test_a_mass_move_of_the_office_is_no_churn(tmp_path):
    found, gone = moved(tmp_path, 0.3)
    assert gone > 60
    assert finding(found, "AKB-D014").count >= gone
    assert found.policies.filter(pl.col("end_date") == date(2024, 4, 1))["cause"].unique().to_list() == ["technical"]


def test_a_mass_move_of_one_insurer_is_no_churn(tmp_path):
    found, gone = moved(tmp_path, 0, insurer=True, Royementsreden="")
    day = found.policies.filter(pl.col("end_date") == date(2024, 4, 1))
    assert finding(found, "AKB-D014").count == gone
    assert day.filter(pl.col("insurer") == "Duinrand")["cause"].unique().to_list() == ["technical"]


def test_told_reasons_are_believed_on_a_busy_day(tmp_path):
    found, _ = moved(tmp_path, 0.3, Royementsreden="Opzegging klant")
    assert "AKB-D014" not in codes(found)


def test_a_first_of_january_is_no_mass_move(tmp_path):
    rows = []
    for i, row in enumerate(office(400)):
        start = date(*map(int, reversed(row["Ingangsdatum"].split("-"))))
        leaves = not row["Einddatum"] and i % 12 == 0 and start < date(2021, 1, 1)
        rows.append(row | ({"Einddatum": f"01-01-{2022 + i // 12 % 4}"} if leaves else {}))
    assert "AKB-D014" not in codes(read(write(tmp_path, rows)))


def test_premium_per_instalment_and_gross(tmp_path):
    rows = [{("Premie" if k == "Premie per jaar" else k): v for k, v in row.items()} for row in office(300)]
    truth = read(write(tmp_path, rows, "jaar.csv"))
    monthly = [
        r | {"Premie": euro(round(float(r["Premie"].replace(",", ".")) * 100 / 12))} if r["Termijn"] == "1" else r
        for r in rows
    ]
    found = read(write(tmp_path, monthly, "termijn.csv"))
    assert "AKB-D029" in codes(found)
    assert "AKB-D029" not in codes(truth)
    assert ((found.policies["premium_cents"] - truth.policies["premium_cents"]).abs() <= 6).all()
    told = read(write(tmp_path, monthly, "anders.csv"), settings=Settings(ingest={"premium_per": "year"}))
    assert told.policies["premium_cents"].sum() < 0.8 * truth.policies["premium_cents"].sum()
    gross = read(write(tmp_path, rows, "bruto.csv"), settings=Settings(ingest={"premium_basis": "gross"}))
    ratio = truth.policies["premium_cents"].sum() / gross.policies["premium_cents"].sum()
    assert ratio == pytest.approx(1.21, abs=0.001)


def test_missing_commission_is_derived_and_said(tmp_path):
    rows = [row | {"Provisie per jaar": ""} for row in office(80)]
    rows += [policy(1, Polisnummer="U1", Branche="Uitvaart", Provisie_per_jaar="", Premie_per_jaar="200,00")]
    rows += [policy(1, Polisnummer="N1", Branche="Cyber", Provisie_per_jaar="-12,50")]
    found = read(write(tmp_path, rows))
    assert found.history.commission == "derived"
    by_branch = found.policies.filter(pl.col("commission_source") == "derived")
    reis = by_branch.filter(pl.col("branch") == "reis")
    assert reis["commission_cents"].to_list() == [round(p * 0.25) for p in reis["premium_cents"]]
    assert by_branch.filter(pl.col("branch") == "uitvaart")["commission_cents"].to_list() == [0]
    assert finding(found, "AKB-D082").count == 1  # given back: no recurring commission
    given = Settings(ingest={"negative_commission": "as_is"})
    assert -1250 in read(write(tmp_path, rows), settings=given).policies["commission_cents"].to_list()


def test_customers_take_what_most_rows_say(tmp_path):
    rows = [
        policy(7000, Polisnummer="C1", Geboortejaar="1980", Ingangsdatum="01-01-2015", Adviseur="Oud"),
        policy(
            7000, Polisnummer="C2", Geboortejaar="1981", Ingangsdatum="01-01-2019", Adviseur="Nieuw", Postcode="1012 AB"
        ),
        policy(7000, Polisnummer="C3", Geboortejaar="1981", Ingangsdatum="01-01-2016", Mailing="N", Adviseur=""),
        policy(7001, Polisnummer="C4", Geboortejaar="1890"),
    ]
    found = with_rows(tmp_path, *rows)
    who = found.customers.filter(pl.col("relation") == "007000").row(0, named=True)
    assert (who["birth_year"], who["adviser"], who["no_marketing"]) == (1981, "Nieuw", True)
    assert who["pseudonym"] == pseudonym("007000", KEY)
    assert found.customers.filter(pl.col("relation") == "007001")["birth_year"].to_list() == [None]
    assert finding(found, "AKB-D019").count == 1
    assert finding(found, "AKB-D018").count == 1
    third = found.policies.filter(pl.col("customer") == who["customer"], pl.col("start_date") == date(2016, 1, 1))
    assert third["adviser"].to_list() == ["Nieuw"]
    assert set(found.customers["postcode4"].to_list()) == {"4811"}  # two of three rows
    assert found.customers["customer"].to_list() == list(range(found.customers.height))


def test_a_customers_file_wins_and_unknown_customers_are_put_aside(tmp_path):
    people = [
        {
            "Relatienummer": "000001",
            "Achternaam": "Jansen",
            "Geboortedatum": "05-06-1955",
            "Soort relatie": "ZZP",
            "Overleden": "J",
        }
    ]
    people += [
        {
            "Relatienummer": "999999",
            "Achternaam": "Pietersen",
            "Geboortedatum": "",
            "Soort relatie": "",
            "Overleden": "",
        },
        people[0],
    ]
    found = read(write(tmp_path, office(60)), write(tmp_path, people, "relaties.csv"))
    first = found.customers.row(0, named=True)
    assert (first["kind"], first["birth_year"], first["deceased"]) == ("self_employed", 1955, True)
    assert reasons(found) == {"duplicate": 1, "no_policies": 1}
    source = next(source for source in found.sources if source.role == "customers")
    assert set(source.dropped) == {"Achternaam", "Geboortedatum"}
    assert_reconciles(found)


def test_a_number_that_customers_share_gives_an_event_to_none_of_them(tmp_path):
    """Offices number from 1 per insurer: policy 77 is of two customers, and 88 is twice of one."""
    rows = [*office(60)]
    rows += [policy(number, Polisnummer="77", Branche="Cyber") for number in (1, 2)]
    rows += [policy(3, Polisnummer="88", Branche=branch) for branch in ("Cyber", "Caravan")]
    rows += [policy(4, Polisnummer="99", Branche="Cyber")]
    days = {"77": "01-02-2024", "88": "02-02-2024", "99": "03-02-2024"}
    claims = [
        {"Relatienummer": whose, "Polisnummer": number, "Meldingsdatum": day, "Schadebedrag": "10,00"}
        for number, day in days.items()
        for whose in ("", "000002" if number == "77" else "")
    ]
    found = read(write(tmp_path, rows), write(tmp_path, claims, "s.csv"), as_of=X)
    assert found.claims is not None
    relations = found.customers.select("customer", "relation")
    told = found.claims.join(relations, on="customer").sort("date")
    assert told.select("relation", "date", "branch").rows() == [
        ("000002", date(2024, 2, 1), "cyber"),
        ("000003", date(2024, 2, 2), None),  # whose it is, is certain; of which policy is not
        ("000004", date(2024, 2, 3), "cyber"),
    ]
    assert reasons(found) == {"duplicate": 2, "no_customer": 1}


def test_events_find_their_customer_and_policy(tmp_path):
    rows = [*office(60), policy(1, Polisnummer="Z 1.2", Branche="Cyber")]
    claims = [
        {
            "Relatienummer": "1",
            "Polisnummer": "",
            "Schadedatum": "01-02-2024",
            "Meldingsdatum": "05-02-2024",
            "Schadebedrag": "1.500,00",
            "Schuld": "J",
        },
        {
            "Relatienummer": "000001",
            "Polisnummer": "z12",
            "Schadedatum": "01-02-2024",
            "Meldingsdatum": "",
            "Schadebedrag": "",
            "Schuld": "",
        },
        {
            "Relatienummer": "",
            "Polisnummer": "Z12",
            "Schadedatum": "",
            "Meldingsdatum": "06-02-2024",
            "Schadebedrag": "10,00",
            "Schuld": "N",
        },
        {
            "Relatienummer": "000001",
            "Polisnummer": "",
            "Schadedatum": "",
            "Meldingsdatum": "",
            "Schadebedrag": "10,00",
            "Schuld": "N",
        },
    ]
    contacts = [
        {
            "Relatienummer": "000002",
            "Datum": "03-04-2024",
            "Kanaal": "Telefoon",
            "Richting": "Inkomend",
            "Onderwerp": "Premie",
        },
        {
            "Relatienummer": "000002",
            "Datum": "03-04-2024",
            "Kanaal": "Telefoon",
            "Richting": "Inkomend",
            "Onderwerp": "Premie",
        },
        {"Relatienummer": "000002", "Datum": "04-04-2024", "Kanaal": "Postduif", "Richting": "uit", "Onderwerp": ""},
    ]
    found = read(write(tmp_path, rows), write(tmp_path, claims, "s.csv"), write(tmp_path, contacts, "c.csv"), as_of=X)
    assert found.claims is not None
    assert found.contacts is not None
    assert found.claims.select("branch", "date", "amount_cents", "at_fault").rows() == [
        ("cyber", date(2024, 2, 1), None, None),
        ("cyber", date(2024, 2, 6), 1000, False),
    ]
    assert found.contacts.select("channel", "inbound", "subject").rows() == [
        ("phone", True, "Premie"),
        ("postduif", False, None),
    ]
    assert reasons(found) == {"duplicate": 1, "no_date": 1, "unknown_customer": 1}
    assert_reconciles(found)


def test_one_branch_and_a_dozen_customers_are_fine(tmp_path):
    found = read(write(tmp_path, [policy(n, Branche="Auto") for n in range(1, 13)]))
    assert found.customers.height == 12
    assert found.policies["branch"].unique().to_list() == ["auto"]


CELLS = {
    "Relatienummer": st.sampled_from(["1", "2", "003", "", "x y"]),
    "Polisnummer": st.sampled_from(["P1", "P2", "P3", ""]),
    "Branche": st.sampled_from(["Auto", "AVP", "Iets", ""]),
    "Ingangsdatum": st.sampled_from(["01-01-2019", "2020-02-30", "", "15-06-2020", "01-01-2031", "20210401"]),
    "Einddatum": st.sampled_from(["", "", "01-01-2018", "01-01-2019", "01-06-2022", "zomer", "01-01-2030"]),
    "Premie per jaar": st.sampled_from(["12,50", "1.234", "abc", "", "-3"]),
}


@settings(deadline=None, max_examples=examples(6), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=40), replay=st.booleans(), ragged=st.integers(0, 3)
)
def test_rows_always_reconcile(tmp_path_factory, rows, replay, ragged):
    path = write(tmp_path_factory.mktemp("rows"), rows)
    with path.open("ab") as file:
        file.write(b"te;kort\r\n" * ragged)
    try:
        found = read(path, as_of=date(2021, 6, 1) if replay else None)
    except AkbError as error:
        assert error.hint
        return
    assert_reconciles(found)
    assert found.rows.read == len(rows) + ragged
    assert found.policies.height == found.rows.used
    assert_same(
        found,
        read(write(path.parent, rows[::-1], "om.csv"), as_of=date(2021, 6, 1) if replay else None),
        findings=False,
    )


@settings(deadline=None, max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=300).map(str.encode),
        st.text(alphabet='a;1,"\n\r-', max_size=120).map(str.encode),
    )
)
def test_no_bytes_break_the_reader(tmp_path_factory, noise):
    folder = tmp_path_factory.mktemp("noise")
    good = (folder / "good.csv", write(folder, office(4), "good.csv").read_bytes())
    for name, data in (("raw.csv", noise), ("tail.csv", good[1] + noise)):
        path = folder / name
        path.write_bytes(data)
        try:
            assert_reconciles(read(path))
        except AkbError as error:
            assert str(error)
