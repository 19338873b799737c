"""Headings, branches and reasons in the words of several back offices."""

import polars as pl
import pytest

from akb.config import Settings
from akb.core.errors import AkbError
from akb.ingest.cells.taxonomy import causes, map_branches, map_reasons, reasons
from akb.ingest.columns.matching import find_role, listed, nearly_policies, recognised, spelled_out
from akb.ingest.money_conventions.questions import says

ANVA = (
    "Polis->Relatienummer", "Polis->Polisnummer", "Polis->Volgnummer", "Polis->Maatschappij", "PolisOms->Maatschappij",
    "PolisOms->Hoofdbranche", "PolisOms->Branche", "Polis->Ingangsdatum", "Polis->Wijzigingsdatum",
    "Polis->Wijzigingsreden", "PolisOms->Wijzigingsreden", "DekkingJaar->Netto premie (=excl.ko",
    "DekkingJaar->Incassoprovisie totaal", "PolisOms->Incassowijze", "RelatieOms->Producent relatie",
    "RelatieOms->Belang", "Relatie->Achternaam", "Relatie->Geboortedatum", "Relatie->Kamer Van Koophandel numme",
    "Relatie->Postcode", "Polis->Kenteken", "RelatieOms->Mailing", "Polis->Termijn",
)  # fmt: skip
AFD1 = """
PP_NUMMER VP_RELNUM PP_BRANCHE PP_INGDAT PP_INGDTW PP_EXPDAT
PP_ENDDATC PP_BTP PP_BETTERM VP_GEBDAT VP_ANAAM VP_BSNR AL_ADATMSG
"""
AFD2 = """
contractNumber policyholderNumber businessLine effectiveDate
effectiveChangeDate expiryDate contractEndDate paymentTermInMonths
"""
MOTOR = "customer_id policy_id branch start_date end_date premium distribution_channel birth_date payment area"


def named(headings, role="policies"):
    found = find_role(tuple(headings), {}, "x.csv")
    assert found.role == role
    return {heading: canonical for heading, canonical in found.named.items() if canonical}, found.dropped


def test_an_anva_like_export():
    names, dropped = named(ANVA)
    assert names == {
        "Polis->Relatienummer": "customer",
        "Polis->Polisnummer": "policy",
        "PolisOms->Maatschappij": "insurer",
        "PolisOms->Branche": "branch",
        "Polis->Ingangsdatum": "start",
        "Polis->Wijzigingsdatum": "changed",
        "PolisOms->Wijzigingsreden": "reason",
        "DekkingJaar->Netto premie (=excl.ko": "premium",
        "DekkingJaar->Incassoprovisie totaal": "commission",
        "PolisOms->Incassowijze": "collection",
        "RelatieOms->Producent relatie": "adviser",
        "RelatieOms->Belang": "office",
        "Relatie->Geboortedatum": "birth_date",
        "Relatie->Postcode": "postcode",
        "RelatieOms->Mailing": "mailing",
        "Polis->Termijn": "term",
        "Polis->Volgnummer": "part",
    }
    assert set(dropped) == {"Relatie->Achternaam", "Relatie->Kamer Van Koophandel numme", "Polis->Kenteken"}


def test_afd_labels_of_both_versions():
    first, dropped = named(AFD1.split())
    assert first["PP_ENDDATC"] == "end"
    assert first["PP_EXPDAT"] == "expiry"  # tacit renewal: no end
    assert first["PP_BTP"] == "premium_term"
    assert first["PP_INGDTW"] == "version_date"  # the start of the last change, not of the policy
    assert set(dropped) == {"VP_ANAAM", "VP_BSNR"}
    second, _ = named(AFD2.split())
    assert second["contractEndDate"] == "end"
    assert second["expiryDate"] == "expiry"
    assert second["effectiveDate"] == "start"


def test_plain_english():
    names, _ = named(MOTOR.split())
    assert names["distribution_channel"] == "office"
    assert names["payment"] == "term"
    assert names["area"] == "region"


@pytest.mark.parametrize(
    ("headings", "role"),
    [
        ("Relatienummer;Polisnummer;Schadedatum;Meldingsdatum;Schadebedrag;Schuld", "claims"),
        ("Relatienummer;Datum;Kanaal;Richting;Onderwerp", "contacts"),
        ("Relatienummer;Soort relatie;Geboortejaar;Postcode;Adviseur;Mailing", "customers"),
        ("Relatienummer;Boekdatum;Soort betaling;Bedrag", "payments"),
    ],
)
def test_roles_are_found_by_columns(headings, role):
    names, _ = named(headings.split(";"), role)
    assert len(names) == headings.count(";") + 1


@pytest.mark.parametrize(
    ("heading", "canonical"),
    [
        ("JAARPREMIE (EUR)", "premium"), ("Jaarpremie in euro's", "premium"), ("Premie (€) p/j", "premium"),
        ("Premie/jr", "premium"), ("Premie per maand", "premium_term"), ("Premie p/m", "premium_term"),
        ("Premie p.m.", "premium_term"), ("Premie (EUR/mnd.)", "premium_term"), ("Premie per mnd", "premium_term"),
        ("Premie p/t", "premium_term"), ("Provisie (EUR/jr)", "commission"), ("Provisie p.m.", "commission_term"),
        ("MAILING J/N", "mailing"), ("Mailing (J/N)", "mailing"),
    ],
)  # fmt: skip
def test_a_unit_in_a_heading_is_understood(heading, canonical):
    names, _ = named(["Relatienummer", "Polisnummer", "Ingangsdatum", heading])
    assert names.get(heading) == canonical


@pytest.mark.parametrize(
    ("heading", "per"),
    [("Premie p/m", "month"), ("Premie (EUR/mnd.)", "month"), ("Provisie p/j", "year"), ("Premie p/t", "instalment")],
)
def test_a_heading_says_per_what(heading, per):
    assert says(heading, "month", "year", "instalment") == per


def test_through_is_no_month():
    assert spelled_out("Geldig t/m") == "Geldig t/m"


def test_every_needed_column_that_is_nearly_there_is_named():
    headings = ("REL. NR.", "MIJ", "POL. NR.", "INGANGSDAT.", "JAARPREMIE (EUR)", "MAILING J/N")
    with pytest.raises(AkbError, match=r'policy = "POL\. NR\."\n  start = "INGANGSDAT\."'):
        raise nearly_policies(headings, {}, find_role(headings, {}, "x.csv"), "x.csv")


def test_names_are_not_taken_for_customers():
    names, dropped = named(
        ["Relatienummer", "Klantnaam", "Naam", "E-mail", "Polisnummer", "Ingangsdatum", "Huisnummer"]
    )
    # the house number is only known to make the key of a household, and dropped at the door (test_ingest_households)
    assert set(names) == {"Relatienummer", "Polisnummer", "Ingangsdatum", "Huisnummer"}
    assert set(dropped) == {"Klantnaam", "Naam", "E-mail"}


def test_a_row_of_data_is_no_row_of_headings():
    assert recognised(["000123", "P1", "01-01-2020"], {}) == 0
    assert "123456" not in listed(["Naam 123456", "x"])
    with pytest.raises(AkbError, match="looks like data") as caught:
        find_role(("000123", "Jansen", "01-01-2020"), {}, "x.csv")
    assert "Jansen" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Aansprakelijkheid particulier", "avp"),
        ("AVP", "avp"),
        ("Aansprakelijkheidsverzekering", "avp"),
        ("Aansprakelijkheidsverzekering bedrijven", "avb"),
        ("Bedrijfsaansprakelijkheid", "avb"),
        ("AVB", "avb"),
        ("Beroepsaansprakelijkheid", "bav"),
        ("Bestuurdersaansprakelijkheid (D&O)", "bca"),
        ("Woonhuis", "opstal"),
        ("Woonhuisverzekering", "opstal"),
        ("Opstal zakelijk", "gebouw_z"),
        ("Personenauto", "auto"),
        ("[0021] Auto", "auto"),
        ("021", "auto"),
        ("WA + beperkt casco", "auto"),
        ("Motorrijtuigen bestelauto", "wagenpark"),
        ("Bestelauto", "wagenpark"),
        ("Kampeerauto WA", "caravan_camper"),
        ("Motorfiets", "motor"),
        ("Rechtsbijstand gezin", "rechtsbijstand"),
        ("Rechtsbijstand verkeer", "rechtsbijstand"),
        ("Rechtsbijstand bedrijf", "rechtsbijstand_z"),
        ("Doorlopende reis", "reis"),
        ("Reisverzekering doorlopend", "reis"),
        ("Inventaris / goederen", "inventaris"),
        ("Ongevallen inzittenden", "ongevallen"),
        ("Collectieve ongevallen", "wga_wia"),
        ("CAR", "car"),
        ("car", "auto"),
        ("van", "wagenpark"),
        ("motorbike", "motor"),
        ("Glasverzekering", "glas_kostbaarheden"),
        ("Ruimtereis", "overig"),
        (None, "overig"),
    ],
)
def test_branches(text, key):
    assert map_branches(pl.Series([text, "Inboedel"], dtype=pl.String), Settings()).keys[0] == key


@pytest.mark.parametrize(
    ("text", "key", "cause"),
    [
        ("Oversluiting elders", "overstap", "preventable"),
        ("Premie te hoog", "overstap", "preventable"),
        ("R8", "overstap", "preventable"),
        ("Opzegging klant", "opzegging_klant", "preventable"),
        ("Opzegging maatschappij", "verzekeraar", "insurer"),
        ("Niet betalen premie", "wanbetaling", "insurer"),
        ("Overlijden verzekeringnemer", "overlijden", "natural"),
        ("Verkoop woning", "verkoop_object", "natural"),
        ("Bedrijfsbeëindiging", "einde_bedrijf", "natural"),
        ("Vertrek buitenland", "emigratie", "natural"),
        ("Verhuizing", "verhuizing", "natural"),
        ("Dubbel verzekerd", "samenvoeging", "natural"),
        ("Omnummering", "technisch", "technical"),
        ("Oversluiten intern", "technisch", "technical"),
        ("Niet doorgegaan", "niet_doorgegaan", "technical"),
        ("Diversen", "onbekend", "unknown"),
        ("Zomaar", None, None),
    ],
)
def test_reasons(text, key, cause):
    found = map_reasons(pl.Series([text]), Settings())
    assert found.keys[0] == key
    assert (causes()[key] if key else None) == cause
    assert bool(found.unknown) == (key is None)


def test_the_clients_own_words_win():
    settings = Settings(
        ingest={"branches": {"Pakket Zeker": "woonpakket"}, "reasons": {"Opzegging klant": "overlijden"}}
    )
    assert map_branches(pl.Series(["PAKKET zeker"]), settings).keys[0] == "woonpakket"
    assert map_reasons(pl.Series(["opzegging klant"]), settings).keys[0] == "overlijden"


def test_taxonomies_are_whole():
    assert set(causes().values()) == {"natural", "insurer", "preventable", "unknown", "technical"}
    assert all(entry["name_nl"] for entry in reasons().values())
    for key, branch in Settings().taxonomy().items():
        for synonym in (branch.name_nl, *branch.synonyms):
            if synonym not in ("car",):
                assert map_branches(pl.Series([synonym]), Settings()).keys[0] == key, synonym
