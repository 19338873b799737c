"""The portal in Chromium: lists, cards, status and feedback, and a file that Python reads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.core.errors import AkbError
from akb.report.context import Context
from akb.report.portal import PortalFacts, portal_facts
from akb.report.portal.page import render
from akb.store import columns
from akb.store.feedback import read_feedback, written
from tests.report import fixtures
from tests.report.browser import Browser
from tests.report.test_report_browser import chromium  # noqa: F401
from tests.store.test_store_feedback import BAD, GOOD, HEAD, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

READY = "document.documentElement?.dataset.ready"
MANY = 50_000
CHECKED = 40


@pytest.fixture(scope="module")
def portal() -> PortalFacts:
    planned = fixtures.with_plan(fixtures.full())
    people = planned.portfolio.customers.with_columns(
        manager=pl.when(pl.col("customer") % 2 == 0).then(pl.lit("A. den Zuilhoven")).otherwise(pl.lit("B. Bos")),
        sub_office=pl.when(pl.col("customer") % 3 == 0).then(pl.lit("=Eindhoven")),
    )
    return portal_facts(Context(replace(planned, portfolio=replace(planned.portfolio, customers=people))))


@pytest.fixture(scope="module")
def folder(portal: PortalFacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("portal")
    (made / "portal.html").write_text(render(portal, portal.people), "utf-8")
    english = PortalFacts(portal.context, "en")
    (made / "english.html").write_text(render(english, english.people), "utf-8")
    return made


@pytest.fixture(scope="module")
def running(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:  # noqa: F811
    made = Browser(chromium, tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def browser(running: Browser, folder: Path) -> Iterator[Browser]:
    """A page with nothing recorded; nothing may have been said, thrown, refused or asked for in the end."""
    running.device(1280, 900)
    (folder / "blank.html").write_text("<p>")
    running.open(folder / "blank.html")  # leaving a page with work on it has its own words
    running.run("localStorage.clear()")
    running.open(folder / "portal.html", READY)
    yield running
    assert running.complaints() == []
    assert running.requests() == []


def go(browser: Browser, place: str) -> None:
    browser.run(f"location.hash = {json.dumps(place)}")
    browser.wait(f"document.querySelector('#menu a[aria-current]') && location.hash === {json.dumps(place)}")
    shape = {"#dashboard": ".tiles", "#list": ".rows", "#customer": ".card .why"}[place.split("/", maxsplit=1)[0]]
    browser.wait(f"document.querySelector({json.dumps(shape)})")


def record(browser: Browser, row: int, status: str, note: str = "") -> None:
    go(browser, f"#customer/{row}")
    browser.run(f"document.querySelector('#status').value = '{status}'")
    browser.type("#note", note)
    browser.click("#status-form button[type=submit]")
    browser.wait("document.querySelector('#history') && !document.querySelector('#notice').hidden")


def exported(browser: Browser, folder: Path) -> Path:
    browser.downloads_to(folder)
    go(browser, "#dashboard")
    browser.run("document.querySelector('#notice').hidden = true")
    browser.click("#export")
    browser.wait("!document.querySelector('#notice').hidden")
    for _ in range(200):
        found = list(folder.glob("akb-feedback-*.csv"))
        if found and found[0].stat().st_size:
            return found[0]
        browser.run("new Promise((done) => setTimeout(done, 20))")
    raise AssertionError("nothing was downloaded")


def take(browser: Browser, path: Path, button: str = "#import") -> str:
    go(browser, "#dashboard")
    browser.run("document.querySelector('#notice').hidden = true")
    browser.click(button)
    browser.choose_file("#file", path)
    browser.wait("!document.querySelector('#notice').hidden")
    return browser.text("#notice")


@pytest.mark.parametrize("name", ["portal", "english"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_page_opens_without_a_word(browser: Browser, folder: Path, name: str, dark: bool) -> None:
    browser.device(1280, 900, dark=dark)
    browser.open(folder / f"{name}.html", READY)
    for place in ("#dashboard", "#list/next_best_action", "#list/all", "#customer/3"):
        go(browser, place)
    nameless = """[...document.querySelectorAll("button, a, input, select, textarea")].filter((e) =>
        !(e.innerText || e.ariaLabel || e.labels?.length || e.title)).map((e) => e.outerHTML)"""
    assert browser.run(nameless) == []
    names = browser.run("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(names) == len(set(names))


def test_the_policy_refuses_what_is_not_the_pages_own(running: Browser, folder: Path) -> None:
    """A control: an inline handler and a picture from elsewhere are refused, and the test sees it."""
    page = (folder / "portal.html").read_text("utf-8")
    hostile = page.replace("<main", '<img src="https://example.invalid/x.png" onerror="window.hit = 1"><main', 1)
    (folder / "hostile.html").write_text(hostile, "utf-8")
    running.open(folder / "hostile.html", READY)
    assert running.run("window.hit") is None
    assert any("Content Security Policy" in said for said in running.complaints())


def test_a_hostile_name_is_text(browser: Browser) -> None:
    go(browser, "#list/next_best_action")
    browser.click("details.filter[data-name=office] summary")
    browser.wait("document.querySelector('details.filter[data-name=office] input')")
    assert fixtures.HOSTILE in browser.text("details.filter[data-name=office] .choices")
    assert browser.run("document.querySelectorAll('#view script').length") == 0


def rows_shown(browser: Browser) -> tuple[int, int]:
    told = re.findall(r"[\d.]+", browser.text("#rows"))
    return int(told[0].replace(".", "")), int(told[1].replace(".", ""))


def test_filters_count_and_chips_take_them_away(browser: Browser, portal: PortalFacts) -> None:
    go(browser, "#list/next_best_action")
    todo = portal.lists["next_best_action"].join(portal.people, on="customer")
    assert rows_shown(browser) == (todo.height, todo.height)
    for name in ("manager", "kind"):
        browser.click(f"details.filter[data-name={name}] summary")
        browser.wait(f"document.querySelector('details.filter[data-name={name}] input')")
        browser.click(f"details.filter[data-name={name}] input[data-code='1']")
    both = todo.filter((pl.col("manager") == "A. den Zuilhoven") & (pl.col("kind") == "private"))
    assert rows_shown(browser) == (both.height, todo.height)
    assert browser.text("details.filter[data-name=manager] summary") == "Commerciële manager (1)"
    chips = browser.run("[...document.querySelectorAll('.chip')].map((e) => e.innerText)")
    assert chips == ["Commerciële manager: A. den Zuilhoven ×", "Relatietype: Particulier ×"]
    shown = browser.run("[...document.querySelectorAll('.rows td.manager')].map((e) => e.innerText)")
    assert set(shown) == {"A. den Zuilhoven"}
    browser.click(".chip")
    assert rows_shown(browser)[0] == todo.filter(pl.col("kind") == "private").height
    browser.click("#clear")
    assert rows_shown(browser)[0] == todo.height


def test_search_sort_and_rank(browser: Browser, portal: PortalFacts) -> None:
    go(browser, "#list/next_best_action")
    first = portal.lists["next_best_action"].join(portal.people, on="customer").sort("rank")["shown"][0]
    assert browser.text(".rows tbody th") == first[:10]
    assert browser.run("document.querySelector('.rows tbody th').title") == "Plaats 1 op de lijst"
    browser.click(".rows th.churn button")
    assert browser.run("document.querySelector('.rows th.churn').getAttribute('aria-sort')") == "ascending"
    bands = browser.run("[...document.querySelectorAll('.rows td.churn')].map((e) => e.innerText)")
    assert bands[0] == "> 20 %"
    browser.type("#search", first[2:9].lower())
    assert rows_shown(browser)[0] == 1
    browser.click(".rows tbody a")
    browser.wait("document.querySelector('.card')")
    assert browser.text("h1") == first
    browser.run("history.back()")
    browser.wait("document.querySelector('#search')?.value")
    assert rows_shown(browser)[0] == 1  # what was chosen is still chosen


def processor(browser: Browser) -> float:
    """Return the milliseconds that the page's thread has had since it was opened."""
    found = browser.ask("Performance.getMetrics")["metrics"]
    return 1000 * float(next(each["value"] for each in found if each["name"] == "TaskDuration"))


def test_fifty_thousand_rows_do_not_lag(browser: Browser, folder: Path) -> None:
    page = (folder / "portal.html").read_text("utf-8")
    found = columns._BLOCK.search(page)
    assert found is not None
    few = json.loads(found[2])
    times = MANY // len(few["customer"]["d"]) + 1
    made = {}
    for name, column in few.items():
        rows = (columns.unpacked(column) * times)[:MANY]
        if column["t"] == "text":
            made[name] = columns.text([f"K-{place:016X}" for place in range(MANY)])
        elif name.startswith("rank_"):
            made[name] = columns.fixed(range(1, MANY + 1))
        elif "n" in column:
            flat = [value for row in rows for value in row]
            made[name] = columns.ragged([len(row) for row in rows], flat, column["t"])
        else:
            flat = rows if column["w"] == 1 else [value for row in rows for value in row]
            made[name] = columns.fixed(flat, column["w"], column["t"])
    large = folder / "large.html"
    large.write_text(page[: found.start(2)] + columns.script_json(made) + page[found.end(2) :], "utf-8")
    assert large.stat().st_size <= 450 * MANY + 200_000
    browser.ask("Performance.enable", timeDomain="threadTicks")  # of the processor: a busy machine is no slow page
    browser.open(large, READY)
    assert processor(browser) <= 3000
    go(browser, "#list/next_best_action")
    assert rows_shown(browser) == (MANY, MANY)
    assert browser.run("document.querySelectorAll('.rows tbody tr').length") < 60
    browser.run("document.querySelector('.rows').scrollTop = 1e9")
    browser.wait(f"document.querySelector('.rows tbody tr[aria-rowindex=\"{MANY + 1}\"]')")
    for text in ("k-00", "k-0000000000000", "k-000000000000001"):
        browser.run(f"(() => {{ const s = document.querySelector('#search'); s.value = '{text}';"
                    " s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    browser.click("details.filter[data-name=kind] summary")
    browser.wait("document.querySelector('details.filter[data-name=kind] input')")
    spent = []
    for _ in range(8):
        before = processor(browser)
        browser.click("details.filter[data-name=kind] input[data-code='1']")
        spent.append(processor(browser) - before)
    assert browser.run("performance.getEntriesByName('filter').length") >= 8
    assert sorted(spent)[len(spent) // 2] <= 100


def test_the_card_says_what_the_sheet_says(browser: Browser, portal: PortalFacts) -> None:
    why = portal.why.sentences(portal.people["customer"], portal.words)
    for row in range(0, CHECKED):
        go(browser, f"#customer/{row}")
        assert browser.text(".why") == why[row]
    texts = browser.run("[...document.querySelectorAll('.part h2')].map((e) => e.innerText)")
    assert texts == [
        "Wat te doen", "Volgende beste polissen", "Wat de klant heeft", "Verlengkalender", "Wat ontbreekt",
        "Waarde door de tijd", "Verwerkingsstatus",
    ]  # fmt: skip


def test_the_card_shows_offers_and_gaps(browser: Browser, portal: PortalFacts) -> None:
    customer = portal.offers.filter(pl.col("ban"))["customer"][0]
    go(browser, f"#customer/{portal.people['customer'].to_list().index(customer)}")
    told = browser.text(".is-nbp table")
    mine = portal.offers.filter(pl.col("customer") == customer)
    assert [portal.words.branch(branch) in told for branch in mine["branch"]] == [True] * mine.height
    assert "provisieverbod" in told
    assert ("€ 87" in told) == (mine.height > 1)


def test_status_and_feedback_survive_reload_export_and_import(browser: Browser, folder: Path, tmp_path: Path) -> None:
    browser.type("#name", "=Anna")
    browser.run("document.querySelector('#name').dispatchEvent(new Event('change'))")
    record(browser, 2, "appointment", '=belt; "dinsdag" \'é')
    go(browser, "#customer/2")
    browser.click("#give-feedback")
    browser.wait("document.querySelector('#modal').open")
    browser.click("#feedback-form button[type=submit]")
    assert browser.run("document.querySelector('#modal').open")  # one type has to be chosen
    browser.click("#modal input[value=clv_too_high]")
    browser.type("#feedback-note", "x" * 230)
    assert browser.run("document.querySelector('#feedback-note').value.length") == 225
    browser.click("#feedback-form button[type=submit]")
    browser.wait("!document.querySelector('#modal').open")
    browser.reload(f"({READY}) && document.querySelector('#status')?.value === 'appointment'")
    assert browser.asked_to_stay() == 1
    made = exported(browser, tmp_path)
    browser.reload(f"({READY}) && document.querySelector('#export')")
    assert browser.asked_to_stay() == 1  # it is in a file now
    run = browser.run("JSON.parse(document.getElementById('akb-run').textContent).run")
    read = read_feedback(made, run)
    assert [(each.event, each.status, each.kind, each.by, each.mode) for each in read] == [
        ("status", "appointment", None, "=Anna", "inform"),
        ("feedback", None, "clv_too_high", "=Anna", None),
    ]
    assert read[0].note == '=belt; "dinsdag" \'é'
    assert made.read_bytes() == written(read)  # the same bytes from both sides
    browser.run("localStorage.clear()")
    browser.open(folder / "portal.html", READY)
    assert "2 regels overgenomen" in take(browser, made)
    assert "0 regels overgenomen, 2 stonden er al" in take(browser, made)
    go(browser, "#customer/2")
    assert browser.run("document.querySelector('#status').value") == "appointment"


def test_both_sides_refuse_the_same_files(browser: Browser, tmp_path: Path) -> None:
    run = browser.run("JSON.parse(document.getElementById('akb-run').textContent).run")
    for name, (good, bad, words) in BAD.items():
        line = GOOD.replace(good, bad, 1)
        lines = [text.replace("R-0123456789ab", run) for text in (line, GOOD)]
        path = tmp_path / "f.csv"
        path.write_bytes(("\ufeff" + "\r\n".join([HEAD, *lines]) + "\r\n").encode())
        with pytest.raises(AkbError) as refused:
            read_feedback(path, run)
        told = take(browser, path)
        place = re.search(r"row (\d+)(?:, column (\w+))?", words)
        assert place is not None
        expected = f"rij {place[1]}" + (f", kolom {place[2]}" if place[2] else "")
        assert "Niets overgenomen" in told, name
        assert expected in told, (name, told, refused.value.message)
    assert browser.run("Object.keys(localStorage).filter((key) => localStorage[key].includes('K-7F3A'))") == []


def test_what_python_writes_the_page_takes(browser: Browser, portal: PortalFacts, tmp_path: Path) -> None:
    notes = ["'=1", "=1", "a;b", 'zegt "ja"', "", "é😀", ","]
    events = [event(run=portal.run, customer=portal.people["shown"][7], note=note) for note in notes]
    path = tmp_path / "f.csv"
    path.write_bytes(written(events))
    assert f"{len(notes)} regels overgenomen" in take(browser, path)
    assert exported(browser, tmp_path / "out").read_bytes() == path.read_bytes()


def test_the_later_of_two_sees_the_earlier(browser: Browser, portal: PortalFacts) -> None:
    go(browser, "#customer/4")
    other = dict.fromkeys(HEAD.split(";"), "") | {
        "schema": "akb.feedback/1", "run": portal.run, "customer": portal.people["shown"][4], "by": "Bea",
        "recorded": "2026-01-05T09:30:00Z", "event": "status", "status": "sold",
    }  # fmt: skip
    kept = json.dumps({"events": [other], "handed": []})
    browser.run(f"localStorage.setItem('akb.portal/1:{portal.run}', {json.dumps(kept)})")
    browser.run("document.querySelector('#status').value = 'spoken'")
    browser.click("#status-form button[type=submit]")
    browser.wait("!document.querySelector('#notice').hidden")
    assert "Verkocht, Bea" in browser.text("#notice")
    assert browser.run(f"JSON.parse(localStorage['akb.portal/1:{portal.run}']).events.length") == 1
    browser.click("#status-form button[type=submit]")
    browser.wait("document.querySelectorAll('#history li').length === 2")


def test_relation_numbers_are_joined_in_memory_alone(browser: Browser, portal: PortalFacts, tmp_path: Path) -> None:
    people = portal.context.bundle.portfolio.customers
    numbers = people.select(customer="pseudonym", relation="relation")
    path = tmp_path / "customers.csv"
    path.write_text(numbers.write_csv())
    assert "relatienummers gekoppeld" in take(browser, path, "#relations")
    shown = dict(numbers.iter_rows())
    go(browser, "#list/all")
    name = portal.people["shown"][0]
    assert browser.text(".rows tbody th") == shown[name]
    browser.type("#search", shown[name])
    assert rows_shown(browser)[0] == 1
    record(browser, 0, "spoken")
    kept = browser.run("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert shown[name] not in kept
    assert name in kept
    browser.reload(f"({READY}) && document.querySelector('h1').innerText === {json.dumps(name)}")
    path.write_text("a,b\n1,2\n")
    assert "kolommen customer en relation ontbreken" in take(browser, path, "#relations")


def test_a_phone_shows_everything_within_its_width(browser: Browser, folder: Path) -> None:
    browser.device(390, 844, phone=True)
    browser.open(folder / "portal.html", READY)
    for place in ("#dashboard", "#list/next_best_action", "#customer/3"):
        go(browser, place)
        wide = """[...document.querySelectorAll("main *")].filter((e) => !e.closest(".filters, svg, .hidden")
            && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((e) => e.outerHTML)"""
        assert browser.run(wide) == [], place
        assert browser.run("document.documentElement.scrollWidth") == 390, place
