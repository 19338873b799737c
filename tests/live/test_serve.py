"""`akb serve` over HTTP: who sees what, who comes too late, what is kept and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from akb.live.feedback.events import event_row, events_of, insert_events, recorded_contacts
from akb.live.feedback.story import import_feedback
from akb.live.serving.app import PortalServer
from akb.live.serving.guard import Door
from akb.live.serving.people import people_of, revoke
from akb.live.serving.tables import audit_rows
from akb.store import columns
from akb.store.feedback import Feedback, checked_event, written
from tests.live import served_book
from tests.live.served_book import HOSTILE, NORTH, PORT, WEST, customers, made_book, put_run, token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from akb.live.book import ClientBook

HOME = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def book(tmp_path: Path) -> ClientBook:
    return made_book(tmp_path / "book")


@pytest.fixture
def server(book: ClientBook) -> PortalServer:
    return PortalServer(book)


@pytest.fixture
def client(server: PortalServer) -> Iterator[TestClient]:
    with TestClient(server.app(Door("127.0.0.1", PORT)), base_url=HOME) as made:
        yield made


class Page:
    """What somebody's page sends and gets."""

    def __init__(self, client: TestClient, own: str) -> None:
        self.client, self.headers, self.key = client, {"authorization": f"Bearer {own}"}, 0

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers)

    def seen(self) -> set[str]:
        return set(self.get("/api/portal").json()["columns"]["customer"]["d"])

    def events(self, after: int = 0) -> list[list[str]]:
        return list(self.get(f"/api/events?after={after}").json()["events"])

    def send(self, customer: str, before: str = "", key: str = "", **given: Any) -> Any:
        self.key += 1
        event = {"customer": customer, "event": "status", "run": served_book.facts().run, **given}
        if "type" in given:
            event["event"] = "feedback"
        elif "status" not in given:
            event["status"] = "spoken"
        content = {"event": event, "before": before, "key": key or f"{id(self) % 2**64:016x}{self.key:016x}"}
        headers = {**self.headers, "content-type": "application/json"}
        return self.client.post("/api/events", content=json.dumps(content), headers=headers)


def test_the_page_is_the_portals_and_holds_nothing_of_the_client(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    for name in (*customers(NORTH)[:20], NORTH, "De Vries", "Adviseur 0", served_book.facts().run):
        assert name not in answer.text
    policy = answer.headers["content-security-policy"]
    found = {tag: re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL) for tag in ("script", "style")}
    for tag, contents in found.items():
        assert len(contents) == 1
        mark = base64.b64encode(hashlib.sha256(contents[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{mark}'" in policy
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "unsafe" not in policy
    assert policy.replace("; frame-ancestors 'none'", "") in answer.text.replace("&#39;", "'")


def test_every_answer_has_its_headers_and_no_cookie(client: TestClient, book: ClientBook) -> None:
    mine = {"authorization": f"Bearer {token(book, 'Ann', NORTH)}"}
    answers = [
        client.get("/"), client.get("/elsewhere"), client.get("/api/portal"), client.get("/api/portal", headers=mine),
        client.delete("/api/events", headers=mine), client.get("/", headers={"host": "evil.example"}),
        client.post("/api/events", content=b"x" * 9_000, headers=mine),
        client.post("/api/events", content=iter([b"x" * 5_000] * 2), headers=mine),  # of no length beforehand
    ]  # fmt: skip
    assert [each.status_code for each in answers] == [200, 404, 401, 200, 405, 421, 413, 413]
    for each in answers:
        assert each.headers["x-content-type-options"] == "nosniff"
        assert each.headers["cache-control"] == "no-store"
        assert each.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in each.headers["content-security-policy"]
        assert not {"set-cookie", "access-control-allow-origin", "server", "strict-transport-security"} & set(
            each.headers
        )


def test_an_adviser_gets_his_offices_rows_and_nobody_elses(client: TestClient, book: ClientBook) -> None:
    ann, bea = Page(client, token(book, "Ann", NORTH)), Page(client, token(book, "Bea", NORTH, WEST))
    boss = Page(client, token(book, "Boss"))
    assert ann.seen() == set(customers(NORTH))
    assert bea.seen() == set(customers(NORTH) + customers(WEST))
    assert boss.seen() == set(served_book.office_of())
    sent = ann.get("/api/portal").text
    assert not any(name in sent for name in customers(WEST) + customers(HOSTILE))
    assert WEST not in sent
    names = ann.get("/api/portal").json()["run"]["names"]
    assert set(names["office"]) == {"", NORTH}
    mine = served_book.facts().people.filter(pl.col("office") == NORTH)
    assert set(names["adviser"]) - {""} == set(mine["adviser"].drop_nulls())


def test_every_column_is_cut_alike(client: TestClient, book: ClientBook) -> None:
    whole = columns.page_block(served_book.page(), "akb-columns")
    mine = Page(client, token(book, "Ann", WEST)).get("/api/portal").json()["columns"]
    place = {name: row for row, name in enumerate(served_book.columns_of(whole)["customer"])}
    all_, some = served_book.columns_of(whole), served_book.columns_of(mine)
    for row, name in enumerate(some["customer"]):
        assert {key: rows[row] for key, rows in some.items()} == {key: rows[place[name]] for key, rows in all_.items()}


def test_somebody_elses_customer_is_none_at_all(client: TestClient, book: ClientBook) -> None:
    ann, wim = Page(client, token(book, "Ann", NORTH)), Page(client, token(book, "Wim", WEST))
    his = customers(WEST)[0]
    refused, unknown = ann.send(his), ann.send("K-0000000000000000")
    assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
    assert refused.status_code == 404
    assert events_of(book).height == 0
    assert wim.send(his).status_code == 201
    assert len(wim.events()) == 1
    assert ann.events() == []


def test_relation_numbers_are_for_who_may_see_them(client: TestClient, book: ClientBook) -> None:
    ann = Page(client, token(book, "Ann", NORTH)).get("/api/portal")
    may = Page(client, token(book, "Bea", NORTH, relations=True)).get("/api/portal")
    numbers = served_book.relation_of()
    assert "relations" not in ann.json()
    assert not any(f'"{numbers[name]}"' in ann.text for name in customers(NORTH))
    assert may.json()["relations"] == {name: numbers[name] for name in customers(NORTH)}
    (book.runs / "2025-12-31-eda" / "private" / "customers.csv").unlink()
    again = Page(client, token(book, "Cor", WEST, relations=True)).get("/api/portal")
    assert again.json()["relations"] is None  # the page says that they are not there


def test_a_token_is_kept_as_a_hash_and_taken_back_at_once(client: TestClient, book: ClientBook) -> None:
    own = token(book, "Ann", NORTH)
    page = Page(client, own)
    assert page.get("/api/events").status_code == 200
    for path in book.folder.rglob("*"):
        assert not path.is_file() or own.encode() not in path.read_bytes()
    assert client.get("/api/events", headers={"authorization": own}).status_code == 401
    assert client.get("/api/events?token=" + own).status_code == 401
    assert revoke(book, "Ann")
    assert page.get("/api/events").status_code == 401
    assert page.send(customers(NORTH)[0]).status_code == 401
    assert not revoke(book, "Ann")
    again = Page(client, token(book, "Ann", NORTH))
    assert again.get("/api/events").status_code == 200
    assert [each.revoked is None for each in people_of(book)] == [False, True]


def test_the_later_of_two_gets_the_earliers_answer_and_chooses(client: TestClient, book: ClientBook) -> None:
    ann, bea = Page(client, token(book, "Ann", NORTH)), Page(client, token(book, "Bea", NORTH))
    who = customers(NORTH)[0]
    first = ann.send(who, status="appointment", note="dinsdag")
    assert first.status_code == 201
    late = bea.send(who, status="not_interested")
    assert late.status_code == 409
    assert late.json() == first.json()  # the earlier's answer
    assert "appointment" in late.json()["event"]
    assert len(bea.events()) == 1
    chosen = bea.send(who, before=late.json()["event"][0], status="not_interested")
    assert chosen.status_code == 201
    assert [event[8] for event in ann.events()] == ["appointment", "not_interested"]
    assert ann.send(who, before=first.json()["event"][0]).status_code == 409
    assert bea.send(who, type="clv_too_high").status_code == 201  # an opinion is never too late


def test_the_same_request_again_keeps_nothing_twice(client: TestClient, book: ClientBook) -> None:
    ann = Page(client, token(book, "Ann", NORTH))
    key, who = "0" * 32, customers(NORTH)[0]
    first, again = ann.send(who, key=key), ann.send(who, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert events_of(book).height == 1


def test_a_status_is_later_than_the_one_it_follows(client: TestClient, book: ClientBook) -> None:
    """Also in the same second, and after a file from a laptop whose clock is ahead."""
    ann, who = Page(client, token(book, "Ann", NORTH)), customers(NORTH)[0]
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    early = Feedback(run="R-0123456789ab", customer=who, recorded=ahead, event="status", status="planned")
    with book.transaction() as state:
        insert_events(state, [event_row(early, "2026-01-05T09:30:00Z")])
    before = ann.events()[-1][0]
    for status in ("spoken", "quote", "sold"):
        answer = ann.send(who, before=before, status=status)
        assert answer.status_code == 201
        before = answer.json()["event"][0]
    assert events_of(book)["status"].to_list() == ["planned", "spoken", "quote", "sold"]


def test_what_others_bring_in_is_seen_by_its_number(client: TestClient, book: ClientBook) -> None:
    ann, bea = Page(client, token(book, "Ann", NORTH)), Page(client, token(book, "Bea", NORTH))
    last = ann.get("/api/events").json()["last"]
    bea.send(customers(NORTH)[0])
    news = ann.get(f"/api/events?after={last}").json()
    assert [event[5] for event in news["events"]] == ["Bea"]
    assert ann.events(news["last"]) == []
    for wrong in ("-1", "x", "9" * 40, ""):
        assert ann.get(f"/api/events?after={wrong}").status_code == 422


def test_what_is_long_past_stays_in_the_book(book: ClientBook) -> None:
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=200)
    event = Feedback(run="R-0123456789ab", customer=customers(NORTH)[0], recorded=old, event="status", status="stays")
    with book.transaction() as state:
        insert_events(state, [event_row(event, "2026-01-05T09:30:00Z")])
    with TestClient(PortalServer(book).app(Door("127.0.0.1", PORT)), base_url=HOME) as client:
        ann = Page(client, token(book, "Ann", NORTH))
        assert ann.events() == []
        assert ann.send(customers(NORTH)[0]).status_code == 201
    assert events_of(book).height == 2


def test_events_are_those_of_an_import(client: TestClient, book: ClientBook, tmp_path: Path) -> None:
    ann, who = Page(client, token(book, "Ann", NORTH)), customers(NORTH)
    ann.send(who[0], status="spoken", date="2026-01-05", mode="inform", note="=gebeld", list="top_defend")
    ann.send(who[1], type="already_left", note="zegt; hij")
    assert recorded_contacts(book).height == 2  # who was spoken to, and who is said to have left: off the lists
    rows = ann.events()
    names = ("schema", "run", "customer", "recorded", "by", "list", "event", "status", "date", "mode", "type", "note")
    path = tmp_path / "f.csv"
    path.write_bytes(written([checked_event(dict(zip(names, row[1:], strict=True))) for row in rows]))
    done = import_feedback(book, path)
    assert (done["events"], done["new"]) == (2, 0)
    assert done["unknown_runs"] == []


def test_the_duty_of_care_has_what_was_recorded_when_the_server_ends(server: PortalServer, book: ClientBook) -> None:
    with TestClient(server.app(Door("127.0.0.1", PORT)), base_url=HOME) as client:
        Page(client, token(book, "Ann", NORTH)).send(customers(NORTH)[0], status="quote")
    with book.read() as state:
        assert state.execute("SELECT what FROM duty").fetchall() == [("offered",)]


def test_who_asks_too_often_waits_and_the_others_do_not(book: ClientBook) -> None:
    moment = [0.0]
    server = PortalServer(book, clock=lambda: moment[0])
    with TestClient(server.app(Door("127.0.0.1", PORT)), base_url=HOME) as client:
        ann, bea = Page(client, token(book, "Ann", NORTH)), Page(client, token(book, "Bea", NORTH))
        answers = [ann.get("/api/events") for _ in range(65)]
        assert [each.status_code for each in answers] == [200] * 60 + [429] * 5
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert bea.get("/api/events").status_code == 200
        wrong = [client.get("/api/events", headers={"authorization": f"Bearer {n}"}) for n in range(20)]
        assert [each.status_code for each in wrong] == [401] * 12 + [429] * 8
        assert bea.get("/api/events").status_code == 200  # a right token is never kept out by wrong ones
        moment[0] += 1
        assert ann.get("/api/events").status_code == 200
    told = [row["what"] for row in audit_rows(book)]
    assert told.count("limited") == 1
    assert told.count("refused") == 12


def test_the_audit_log_tells_who_did_what_and_names_nobody(client: TestClient, book: ClientBook) -> None:
    ann = Page(client, token(book, "Ann", NORTH, relations=True))
    ann.get("/api/portal")
    first = ann.send(customers(NORTH)[0], note="geheim")
    ann.send(customers(NORTH)[0])
    revoke(book, "Ann")
    ann.get("/api/portal")
    rows = audit_rows(book)
    mark = first.json()["event"][0]
    assert [(row["what"], row["person"], row["event"], row["count"]) for row in rows] == [
        ("started", None, None, None),
        ("added", 1, None, None),
        ("opened", 1, None, len(customers(NORTH))),
        ("relations", 1, None, len(customers(NORTH))),
        ("saved", 1, mark, None),
        ("conflict", 1, mark, None),
        ("revoked", 1, None, None),
        ("refused", None, None, None),
    ]
    text = json.dumps(rows)
    assert not any(word in text for word in ("Ann", "geheim", *served_book.relation_of().values(), *customers(NORTH)))
    for statement in ("UPDATE audit SET what = 'saved'", "DELETE FROM audit", "REPLACE INTO audit SELECT * FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"), book.transaction() as state:
            state.execute("PRAGMA recursive_triggers = ON")
            state.execute(statement)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),  # DNS rebinding: the browser says by which name it came
        ({"host": f"evil.example:{PORT}"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": f"localhost:{PORT}"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"https://127.0.0.1:{PORT}"}, 403),
        ({"origin": HOME}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"content-length": "-1"}, 413),
        ({"content-length": "99999999"}, 413),
    ],
)
def test_a_foreign_page_is_refused(client: TestClient, book: ClientBook, headers: dict[str, str], status: int) -> None:
    mine = {"authorization": f"Bearer {token(book, 'Ann', NORTH)}"}
    assert client.get("/api/events", headers={**mine, **headers}).status_code == status


def test_behind_tls_it_answers_under_its_public_name(server: PortalServer) -> None:
    door = Door("10.0.0.5", PORT, "akb.office.nl")
    with TestClient(server.app(door), base_url="http://akb.office.nl") as client:
        answer = client.get("/", headers={"origin": "https://akb.office.nl"})
        assert answer.status_code == 200
        assert "max-age" in answer.headers["strict-transport-security"]
        assert client.get("/", headers={"origin": "http://akb.office.nl"}).status_code == 403
        assert client.get("/", headers={"host": "other.office.nl"}).status_code == 421


HOSTILE_EVENTS: list[dict[str, Any]] = [
    {"status": "spokn"}, {"status": ["spoken"]}, {"status": {"$gt": ""}}, {"status": None}, {"note": "x" * 226},
    {"note": "a\nb"}, {"note": "a\u2028b"}, {"note": "\ud800"}, {"note": 7}, {"note": ["x"]}, {"date": "2026-02-30"},
    {"date": 20260105}, {"list": "../../etc"}, {"mode": "x"}, {"run": "R-1"}, {"run": ""}, {"event": "feedback"},
    {"run": "R-0123456789ab"},
    {"type": "right", "status": "sold"},
]  # fmt: skip


@pytest.mark.parametrize("given", HOSTILE_EVENTS, ids=lambda given: next(iter(given)))
def test_what_is_no_event_is_refused_and_not_repeated(
    client: TestClient, book: ClientBook, given: dict[str, Any]
) -> None:
    ann = Page(client, token(book, "Ann", NORTH))
    answer = ann.send(customers(NORTH)[0], **given)
    assert answer.status_code == 422, answer.text
    assert events_of(book).height == 0
    assert "xxx" not in answer.text


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 5000, b'{"event":[],"key":"x","before":""}',
     b'{"event":{"customer":1}}', b'{"event":{},"key":"' + b"0" * 32 + b'","before":null}'],
)  # fmt: skip
def test_what_is_no_request_is_refused(client: TestClient, book: ClientBook, content: bytes) -> None:
    headers = {"authorization": f"Bearer {token(book, 'Ann', NORTH)}", "content-type": "application/json"}
    assert client.post("/api/events", content=content, headers=headers).status_code == 422
    headers["content-type"] = "text/plain"  # what a form of another page could send
    assert client.post("/api/events", content=content, headers=headers).status_code == 415


@pytest.mark.parametrize(
    "note", ["=1+1", "'=1", "<script>alert(1)</script>", 'zegt "ja"; é😀', "'; DROP TABLE events; --"]
)
def test_a_hostile_note_comes_back_as_it_was(client: TestClient, book: ClientBook, note: str) -> None:
    ann = Page(client, token(book, "Ann", NORTH))
    assert ann.send(customers(NORTH)[0], note=note).status_code == 201
    assert ann.events()[0][-1] == note
    assert events_of(book)["note"].to_list() == [note]


def test_who_recorded_it_and_when_the_server_says(client: TestClient, book: ClientBook) -> None:
    ann = Page(client, token(book, "Ann", NORTH))
    ann.send(customers(NORTH)[0], by="Bea", recorded="1999-01-01T00:00:00Z", schema="other/9", extra="x")
    row = events_of(book).row(0, named=True)
    assert row["by"] == "Ann"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(row["recorded"])) < timedelta(minutes=5)


def test_a_newer_run_is_served_without_a_restart(client: TestClient, book: ClientBook) -> None:
    ann, who = Page(client, token(book, "Ann", NORTH)), customers(NORTH)[0]
    ann.send(who)
    put_run(book, "2026-01-07-score", run="R-00000000beef", as_of="2026-01-07")
    answer, until = {"run": ""}, time.monotonic() + 30
    while answer["run"] != "R-00000000beef" and time.monotonic() < until:
        time.sleep(1 / 8)  # as often as somebody may ask in the long run
        answer = ann.get("/api/events").json()
    assert answer["run"] == "R-00000000beef"
    assert len(answer["events"]) == 1  # what was recorded of him before is still his
    assert ann.get("/api/portal").json()["run"]["run"] == "R-00000000beef"
    # a page of the run before it still records what its adviser was typing
    assert ann.send(who, before=answer["events"][0][0], status="sold").status_code == 201


def test_a_forgotten_customer_is_served_no_more(book: ClientBook) -> None:
    """The run's page is written again, and nothing moves in the book's state."""
    moment = [0.0]
    server = PortalServer(book, clock=lambda: moment[0])
    with TestClient(server.app(Door("127.0.0.1", PORT)), base_url=HOME) as client:
        ann, gone = Page(client, token(book, "Ann", NORTH)), customers(NORTH)[0]
        assert gone in ann.seen()
        while ann.get("/api/events").status_code == 200 and not server.settled:
            moment[0] += 1
        path = book.runs / "2025-12-31-eda" / "portal.html"
        path.write_text(columns.page_without(path.read_text("utf-8"), frozenset({gone}))[0], "utf-8")
        for _ in range(100):  # polls, which write nothing
            moment[0] += 10
            assert ann.get("/api/events").status_code == 200
            if gone not in server.served.customers:
                break
        assert ann.seen() == set(customers(NORTH)) - {gone}
        assert ann.send(gone).status_code == 404


def test_a_fault_tells_its_place_and_nothing_of_the_client(
    server: PortalServer, book: ClientBook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("K-7F3A90C2D4E1B605 said so")

    monkeypatch.setattr(server.state, "keep", broken)
    app = server.app(Door("127.0.0.1", PORT))
    with TestClient(app, base_url=HOME, raise_server_exceptions=False) as client:
        answer = Page(client, token(book, "Ann", NORTH)).send(customers(NORTH)[0])
    assert answer.status_code == 500
    assert "K-7F" not in answer.text + caplog.text
    assert "ValueError at test_serve.py" in caplog.text
