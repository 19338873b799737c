"""Two browsers at once on one server: what one records the other sees, and the later of two chooses."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import uvicorn

from akb.live.feedback.events import events_of
from akb.live.serving.app import PortalServer
from akb.live.serving.guard import Door
from akb.live.serving.people import revoke
from tests.live import served_book
from tests.live.served_book import HOSTILE, NORTH, customers, made_book, token
from tests.report.browser import Browser
from tests.report.test_report_browser import chromium  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from akb.live.book import ClientBook

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

READY = "document.documentElement?.dataset.ready"
ENTRY = "document.querySelector('#token')"


class Running:
    """A server in a thread, which can be ended and begun again under the same address."""

    def __init__(self, book: ClientBook) -> None:
        self.book, self.port = book, 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def begin(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        app = PortalServer(self.book).app(Door("127.0.0.1", self.port))
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._socket.close()


@pytest.fixture
def book(tmp_path: Path) -> ClientBook:
    return made_book(tmp_path / "book")


@pytest.fixture
def server(book: ClientBook) -> Iterator[Running]:
    running = Running(book)
    running.begin()
    yield running
    running.end()


@pytest.fixture(scope="module")
def both(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Browser]]:  # noqa: F811
    made = [Browser(chromium, tmp_path_factory.mktemp(f"profile{n}")) for n in range(2)]
    for each in made:
        each.device(1280, 900)
    yield made[0], made[1]
    for each in made:
        each.close()


def enter(browser: Browser, server: Running, own: str) -> None:
    browser.open("about:blank")
    browser.open(server.address, ENTRY)
    browser.type("#token", own)
    browser.click("#entry button")
    browser.wait(READY)


def card(browser: Browser, name: str) -> None:
    browser.run("location.hash = '#list/all'")
    browser.wait("document.querySelector('#search')")
    find(browser, name)
    browser.run("document.querySelector('#search').value = ''")
    browser.click(".rows tbody a")
    browser.wait("document.querySelector('#status-form')")


def find(browser: Browser, text: str) -> None:
    browser.run(f"(() => {{ const s = document.querySelector('#search'); s.value = {json.dumps(text)};"
                " s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    browser.wait("document.querySelectorAll('.rows tbody tr:not(.air)').length === 1")


def save(browser: Browser, status: str, note: str = "") -> None:
    browser.run(f"document.querySelector('#status').value = '{status}'")
    browser.type("#note", note)
    browser.click("#status-form button[type=submit]")


def posted(browser: Browser) -> int:
    return sum(each["request"]["method"] == "POST" for each in browser.events("Network.requestWillBeSent"))


def history(browser: Browser) -> list[str]:
    return list(browser.run("[...document.querySelectorAll('#history li')].map((e) => e.innerText)"))


def test_two_advisers_see_each_other_and_the_later_chooses(
    both: tuple[Browser, Browser], server: Running, book: ClientBook
) -> None:
    ann, bea = both
    who = customers(NORTH)[3]
    number = served_book.relation_of()[who]
    enter(ann, server, token(book, "Ann", NORTH))
    enter(bea, server, token(book, "Bea", NORTH, HOSTILE, relations=True))
    assert ann.text(".tiles dd") != bea.text(".tiles dd")  # one office, two offices
    card(ann, who)
    card(bea, number)
    assert (ann.text("h1"), bea.text("h1")) == (who, number)
    bea.type("#note", "half a sentence")
    save(ann, "appointment", "dinsdag <b>10:00</b>")
    bea.wait("document.querySelector('#history')")
    assert "Afspraak" in history(bea)[0]
    assert "dinsdag <b>10:00</b> · Ann" in history(bea)[0]
    assert "Een ander heeft deze klant intussen bijgewerkt (Afspraak" in bea.text("#notice")
    assert bea.run("document.querySelector('#note').value") == "half a sentence"
    bea.run("document.querySelector('#notice').hidden = true")
    save(bea, "spoken")
    bea.wait("!document.querySelector('#notice').hidden")
    assert "Ann" in bea.text("#notice")
    assert events_of(book).height == 1  # she has seen it, and has not chosen yet
    bea.run("document.querySelector('#notice').hidden = true")
    save(bea, "spoken")
    ann.wait("document.querySelectorAll('#history li').length === 2")
    assert "Bea" in ann.text("#notice")
    assert events_of(book)["by"].to_list() == ["Ann", "Bea"]
    # on a list the other's status comes while somebody types, and takes nothing away from him
    ann.run("location.hash = '#list/all'")
    ann.wait("document.querySelector('#search')")
    find(ann, who)
    ann.run("document.querySelector('#search').focus()")
    save(bea, "sold")
    ann.wait("document.querySelector('.rows td.status').innerText.includes('Verkocht')")
    assert ann.run("document.activeElement.id") == "search"
    assert ann.run("document.querySelector('#search').value") == who
    # a second click before the answer is no second status
    bea.wait("document.querySelector('#notice').innerText.includes('Vastgelegd')")
    before = posted(bea)
    bea.run("(() => { const b = document.querySelector('#status-form [type=submit]'); b.click(); b.click(); })()")
    bea.wait("document.querySelectorAll('#history li').length === 4")
    assert events_of(book).height == 4
    assert posted(bea) == before + 1
    for each in both:
        kept = each.run("document.cookie + JSON.stringify(localStorage)")
        assert "akb-" not in kept
        assert number not in each.run("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        assert all(url.startswith(server.address) for url in each.requests())
        assert each.complaints() == []


def test_a_wrong_token_and_one_that_is_taken_back(
    both: tuple[Browser, Browser], server: Running, book: ClientBook
) -> None:
    ann, _ = both
    own = token(book, "Ann", NORTH)
    ann.open("about:blank")
    ann.open(server.address, ENTRY)
    ann.type("#token", "akb-none")
    ann.click("#entry button")
    ann.wait("document.querySelector('#entry [role=alert]:not([hidden])')")
    assert "klopt niet" in ann.text("#entry [role=alert]")
    enter(ann, server, own)
    ann.reload(READY)  # the tab has kept it
    card(ann, customers(NORTH)[0])
    with book.transaction() as state:  # as when the customers of a newer run are of other offices
        state.execute("""UPDATE people SET offices = '["West"]'""")
    save(ann, "spoken", "belt terug")
    ann.wait("document.querySelector('#notice').innerText.includes('niet meer van uw kantoor')")
    asked = ann.run("performance.getEntriesByType('resource').length")
    ann.wait(f"performance.getEntriesByType('resource').length > {asked}")
    assert "niet meer van uw kantoor" in ann.text("#notice")  # a poll takes no sentence away
    assert ann.run("document.querySelector('#note').value") == "belt terug"
    assert events_of(book).height == 0
    revoke(book, "Ann")
    ann.wait(ENTRY)
    assert ann.run("sessionStorage.length") == 0
    assert ann.run(f"document.body.innerText.includes({json.dumps(customers(NORTH)[0][:6])})") is False


def test_without_a_server_nothing_is_said_to_be_kept(
    both: tuple[Browser, Browser], server: Running, book: ClientBook
) -> None:
    ann, _ = both
    enter(ann, server, token(book, "Ann", NORTH))
    card(ann, customers(NORTH)[5])
    server.end()
    save(ann, "spoken", "belt terug")
    ann.wait("document.querySelector('#notice').innerText.includes('Geen verbinding')")
    assert ann.run("document.querySelector('#note').value") == "belt terug"
    assert events_of(book).height == 0
    server.begin()
    ann.wait("document.querySelector('#notice').hidden")
    ann.click("#status-form button[type=submit]")
    ann.wait("document.querySelector('#history')")
    assert events_of(book)["note"].to_list() == ["belt terug"]
