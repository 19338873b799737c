"""What amounts mean: the same book written in other ways gives the same cents, and akb says how it knows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from ingest_exports import Row, codes, euro, finding, nl, read, write
from polars.testing import assert_frame_equal

from akb.config import Settings, load_settings
from akb.core.errors import AkbError

TAXONOMY = load_settings().taxonomy()
NAMES = {
    "auto": "Personenauto", "inboedel": "Inboedel", "opstal": "Woonhuis", "reis": "Doorlopende reis",
    "ongevallen": "Ongevallen", "uitvaart": "Uitvaart",
}  # fmt: skip
MONEY = ["premium_cents", "commission_cents", "fee_cents", "signing_cents"]


def book(count: int = 900, *, terms: tuple[int, ...] = (1, 12), seed: int = 4) -> list[dict[str, object]]:
    """Policies with their true net premium a year in cents and their rate of commission in thousandths."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        branch = list(NAMES)[int(rng.integers(len(NAMES)))]
        premium = 12 * int(100 * TAXONOMY[branch].premium * np.exp(rng.normal(0, 0.5)) / 12)
        rate = 0 if TAXONOMY[branch].ban else round(1000 * TAXONOMY[branch].commission)
        made.append(
            {
                "customer": number // 3,
                "number": number,
                "branch": branch,
                "start": date(2015, 1, 1) + timedelta(days=int(rng.integers(0, 3600))),
                "term": int(rng.choice(terms)),
                "premium": premium,
                "rate": rate,
                "commission": round(premium * rate / 1000),
            }
        )
    return made


def rows(policies: list[dict[str, object]], **money) -> list[Row]:
    """The export: `money` says what stands under which heading (underscores for spaces) for a policy."""
    return [
        {
            "Relatienummer": f"{p['customer']:06d}",
            "Polisnummer": f"P{p['number']:07d}",
            "Branche": NAMES[p["branch"]],
            "Maatschappij": "De Vaart",
            "Ingangsdatum": nl(p["start"]),
            "Einddatum": "",
            "Termijn": str(p["term"]),
            **{heading.replace("_", " "): say(p) for heading, say in money.items()},
        }
        for p in policies
    ]


def whole(name):
    return lambda p: euro(p[name])


def instalment(name):
    return lambda p: euro(round(p[name] * p["term"] / 12))


def with_tax(p, cents):
    return round(cents * (1.21 if TAXONOMY[p["branch"]].taxed else 1))


def gross(p):
    return euro(with_tax(p, p["premium"]))


def gross_instalment(p):
    return euro(with_tax(p, p["premium"] * p["term"] / 12))


def percentage(p):
    return f"{p['rate'] / 10:.1f}".replace(".", ",")


def tax(p):
    return euro(with_tax(p, p["premium"]) - p["premium"])


def month(p):
    return euro(p["premium"] // 12)


def fraction(p):
    return f"{p['rate'] / 1000:.3f}"


premium, commission = whole("premium"), whole("commission")
SPELLINGS = {
    "premium per instalment": ({"Premie": instalment("premium"), "Provisie per jaar": commission}, 0),
    "both per instalment": ({"Premie": instalment("premium"), "Provisie": instalment("commission")}, 6),
    "commission per instalment": ({"Premie per jaar": premium, "Provisie": instalment("commission")}, 6),
    "gross": ({"Premie": gross, "Provisie": commission}, 0),
    "gross per instalment": ({"Premie": gross_instalment, "Provisie": commission}, 6),
    "gross beside": ({"Premie": premium, "Premie incl assurantiebelasting": gross, "Provisie": commission}, 0),
    "percentage by heading": ({"Premie": premium, "Provisie %": percentage}, 0),
    "percentage by data": ({"Netto premie per jaar": premium, "Provisie": percentage}, 0),
    "fraction": ({"Netto premie per jaar": premium, "Provisiepercentage": fraction}, 1),
    "month by heading": ({"Maandpremie": month, "Provisie per jaar": commission}, 0),
    "tax beside": ({"Premie": premium, "Assurantiebelasting": tax, "Provisie": commission}, 0),
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    plain = rows(book(), Netto_premie_per_jaar=whole("premium"), Provisie_per_jaar=whole("commission"))
    return read(write(tmp_path_factory.mktemp("truth"), plain))


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_book_gives_the_same_cents(name, truth, tmp_path):
    said, rounding = SPELLINGS[name]
    found = read(write(tmp_path, rows(book(), **said)))
    keys = ["customer", "branch", "start_date"]
    for column in ("premium_cents", "commission_cents"):
        off = (found.policies.sort(keys)[column] - truth.policies.sort(keys)[column]).abs()
        assert off.max() <= rounding, column
    assert_frame_equal(found.policies.drop(*MONEY), truth.policies.drop(*MONEY))
    assert "AKB-D080" in codes(found)


def test_every_reading_says_the_rows_that_told_it(tmp_path):
    found = read(write(tmp_path, rows(book(), Premie=gross_instalment, Provisie=whole("commission"))))
    words = finding(found, "AKB-D080").sentence()
    assert "inclusief assurantiebelasting" in words
    assert "per termijn" in words
    taxed = sum(TAXONOMY[p["branch"]].taxed for p in book())
    assert f"van {taxed}" in words
    assert found.sources[0].dialect["premium_per"] == "instalment"
    assert found.sources[0].dialect["premium_basis"] == "gross"
    assert found.sources[0].dialect["commission_per"] == "year"
    assert "premium_per" in finding(found, "AKB-D029").remedy()


def test_too_little_evidence_says_so_and_one_line_overrides_it(tmp_path):
    few = write(tmp_path, rows(book(12), Premie=whole("premium"), Provisie=whole("commission")))
    found = read(few)
    asked = [f for f in found.findings if f.code == "AKB-D081"]
    lines = {f.params["line"] for f in asked}
    assert lines == {'premium_per = "instalment"', 'premium_basis = "gross"', 'commission_per = "instalment"'}
    assert all(any(line in f.remedy() for line in lines) for f in asked)
    for line, column, times in (
        ("premium_per", "premium_cents", 12), ("commission_per", "commission_cents", 12),
    ):  # fmt: skip
        told = read(few, settings=Settings(ingest={line: "month"}))
        assert told.policies[column].sum() == times * found.policies[column].sum()
        assert line not in {f.params["line"].split()[0] for f in told.findings if f.code == "AKB-D081"}


def test_settings_win_over_headings_and_data(tmp_path):
    path = write(tmp_path, rows(book(), Premie=gross, Provisie=percentage))
    net = read(path, settings=Settings(ingest={"premium_basis": "net", "commission_basis": "amount"}))
    taxed = net.policies.filter(pl.col("branch") == "auto")
    assert taxed["commission_cents"].max() == 1750
    assert taxed["premium_cents"].sum() == sum(with_tax(p, p["premium"]) for p in book() if p["branch"] == "auto")
    term = read(path, settings=Settings(ingest={"premium_per": "instalment"}))
    assert term.policies["premium_cents"].sum() > 3 * net.policies["premium_cents"].sum()


def test_wrong_setting_names_the_setting():
    from akb.config.tables import validated

    with pytest.raises(AkbError, match="premium_basis"):
        validated(Settings, {"ingest": {"premium_basis": "bruto"}}, "akb.toml")
    with pytest.raises(AkbError, match="did you mean 'commission_per'"):
        validated(Settings, {"ingest": {"comission_per": "year"}}, "akb.toml")


def test_rows_known_later_do_not_tell(tmp_path):
    """In a replay the amounts of versions that came later say nothing about what the column means."""
    now = rows(book(300), Premie=whole("premium"), Provisie=whole("commission"))
    now = [row | {"Exportdatum": "30-11-2025"} for row in now]
    then = [row | {"Versiedatum": "01-01-2025"} for row in now]
    later = [row | {"Versiedatum": "01-06-2025", "Premie": "1,00", "Provisie": "999,00"} for row in now] * 3
    one, other = (
        read(write(tmp_path, made, f"{len(made)}.csv"), as_of=date(2025, 3, 1)) for made in (then, then + later)
    )
    assert_frame_equal(one.policies, other.policies)


def fee_rows(fee: str, say) -> list[Row]:
    return rows(book(300), **{"Premie per jaar": whole("premium"), "Provisie per jaar": whole("commission"), fee: say})


def per_customer(p):
    return euro(5_000 + 1_003 * (p["customer"] % 7))


def test_a_fee_per_customer_is_the_same_from_any_file(tmp_path):
    """On every row, under a heading that says so, or in the file of customers: divided to the cent."""
    plain = rows(book(300), Premie_per_jaar=whole("premium"), Provisie_per_jaar=whole("commission"))
    repeated = read(write(tmp_path, fee_rows("Fee", per_customer), "a.csv"))
    headed = read(write(tmp_path, fee_rows("Fee per klant", per_customer), "b.csv"))
    kind = {"Soort relatie": "Particulier"}
    fees = [
        {"Relatienummer": f"{number:06d}", **kind, "fee_jaar": per_customer({"customer": number})}
        for number in range(100)
    ]
    filed = read(write(tmp_path, plain, "c.csv"), write(tmp_path, fees, "relaties.csv"))
    assert_frame_equal(repeated.policies, headed.policies)
    assert_frame_equal(headed.policies.select(*MONEY, "fee_source"), filed.policies.select(*MONEY, "fee_source"))
    whole_fee = headed.policies.group_by("customer").agg(pl.col("fee_cents").sum()).sort("customer")["fee_cents"]
    assert whole_fee.to_list() == [5_000 + 1_003 * (customer % 7) for customer in range(100)]
    spread = headed.policies.group_by("customer").agg(gap=pl.col("fee_cents").max() - pl.col("fee_cents").min())
    assert spread["gap"].max() <= 1
    assert finding(headed, "AKB-D085").params["customers"] == 100


def test_a_fee_per_policy_stays_with_its_policy(tmp_path):
    said = fee_rows("Abonnement per maand", lambda p: euro(100 * (p["number"] % 4)))
    found = read(write(tmp_path, said))
    assert found.policies["fee_cents"].sum() == sum(12 * 100 * (p["number"] % 4) for p in book(300))
    assert set(found.policies["fee_source"].to_list()) == {"policy"}
    told = read(write(tmp_path, said), settings=Settings(ingest={"fee_for": "customer"}))
    assert set(told.policies["fee_source"].to_list()) == {"customer"}


def test_a_former_customers_fee_lies_on_what_ended_last(tmp_path):
    gone = [
        row | {"Einddatum": "01-02-2025" if row["Polisnummer"] != "P0000000" else "01-02-2024"}
        if row["Relatienummer"] == "000000"
        else row
        for row in fee_rows("Fee per klant", per_customer)
    ]
    found = read(write(tmp_path, gone), as_of=date(2025, 6, 1))
    mine = found.policies.filter(pl.col("customer") == 0)
    bears = mine.filter(pl.col("end_date") == date(2025, 2, 1))
    assert bears["fee_cents"].sum() == mine["fee_cents"].sum() == 5_000


@pytest.mark.parametrize(
    ("heading", "say"),
    [
        ("Tekencommissie per jaar", lambda p: euro(round(p["premium"] * 0.05))),
        ("PP_TTEKC", lambda p: euro(round(p["premium"] * 0.05 * p["term"] / 12))),
        ("Tekencommissiepercentage", lambda p: "5"),
    ],
)
def test_signing_fee_as_amount_instalment_or_percentage(heading, say, tmp_path):
    volmacht = Settings(client={"type": "volmacht"})
    found = read(write(tmp_path, fee_rows(heading, say)), settings=volmacht)
    truth = sum(round(p["premium"] * 0.05) for p in book(300))
    assert abs(found.policies["signing_cents"].sum() - truth) <= 6 * 300
    assert "AKB-D087" not in codes(found)


def test_one_off_commission_does_not_come_back(tmp_path):
    found = read(write(tmp_path, fee_rows("Afsluitprovisie", lambda _: "400,00")))
    plain = read(write(tmp_path, fee_rows("Notitie", lambda _: "400,00"), "zonder.csv"))
    assert_frame_equal(found.policies.drop("one_off_cents"), plain.policies.drop("one_off_cents"))
    assert found.policies["one_off_cents"].to_list() == [40_000] * found.policies.height
    assert plain.policies["one_off_cents"].null_count() == plain.policies.height
    assert finding(found, "AKB-D086").count == 300
    assert "Afsluitprovisie" in finding(found, "AKB-D086").sentence()


def changed(say) -> list[Row]:
    return rows(book(300), Premie_per_jaar=whole("premium"), Provisie_per_jaar=say)


def test_negative_commission_is_given_back_turned_or_kept(tmp_path):
    def refunded(p):
        return "-" + euro(p["commission"]) if p["number"] % 10 == 0 and p["commission"] else euro(p["commission"])

    found = read(write(tmp_path, changed(refunded)))
    usual = read(write(tmp_path, changed(whole("commission")), "gewoon.csv"))
    below = sum(p["number"] % 10 == 0 and p["commission"] > 0 for p in book(300))
    assert finding(found, "AKB-D082").count == below
    assert (found.policies["commission_source"] == "derived").sum() == below
    assert found.policies["commission_cents"].to_list() == usual.policies["commission_cents"].to_list()
    kept = read(write(tmp_path, changed(refunded)), settings=Settings(ingest={"negative_commission": "as_is"}))
    assert (kept.policies["commission_cents"] < 0).sum() == below
    turned = read(write(tmp_path, changed(lambda p: "-" + euro(p["commission"])), "min.csv"))
    assert_frame_equal(turned.policies, usual.policies)
    assert "boekhoudteken" in finding(turned, "AKB-D082").sentence()


def test_zero_commission_is_zero_and_told_apart(tmp_path):
    none = changed(lambda p: "0,00" if p["number"] % 5 == 0 else euro(p["commission"]))
    found = read(write(tmp_path, none))
    said = finding(found, "AKB-D083")
    banned = sum(TAXONOMY[p["branch"]].ban for p in book(300))
    assert said.params["ban"] == banned
    assert said.params["rest"] == said.count - banned
    told = read(write(tmp_path, none), settings=Settings(ingest={"zero_commission": "missing"}))
    usual = read(write(tmp_path, changed(whole("commission")), "gewoon.csv"))
    assert told.policies["commission_cents"].to_list() == usual.policies["commission_cents"].to_list()


def test_coverages_below_zero_are_added_up_before_they_are_judged(tmp_path):
    """A discount on a package is a coverage with a negative commission: the policy's sum is what counts."""
    one = rows(
        book(60), Dekking=lambda _: "Basis", Premie_per_jaar=whole("premium"), Provisie_per_jaar=whole("commission")
    )
    less = [row | {"Dekking": "Korting", "Premie per jaar": "-1,00", "Provisie per jaar": "-0,20"} for row in one]
    found = read(write(tmp_path, one + less))
    assert "AKB-D082" not in codes(found) or finding(found, "AKB-D082").count == sum(p["rate"] == 0 for p in book(60))
    auto = found.policies.filter(pl.col("branch") == "auto")
    assert auto["commission_cents"].sum() == sum(p["commission"] - 20 for p in book(60) if p["branch"] == "auto")
