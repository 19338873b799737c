"""``akb export``: the tasks of a run for another system, and nobody whom the office may not contact."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from akb.cli import run
from akb.core.errors import AkbError, RefusedError
from akb.core.wording.text import configs_dir, texts
from akb.live.book import open_book
from akb.live.feedback.events import import_events
from akb.live.handover.form import read_form, shipped_forms
from akb.live.handover.story import hand_over
from akb.live.handover.tasks import FIELDS, read_tasks
from akb.live.registry import record_run
from akb.store.feedback import Feedback

DOCS = Path(__file__).resolve().parents[2] / "docs" / "export_crm.md"
HEAD: dict[str, str] = texts("tasks")["head"]
X = date(2026, 1, 5)
RUN = "R-0123456789ab"


def name(place: int) -> str:
    return f"K-{place:016X}"


def task(place: int, **given: str) -> dict[str, str]:
    base = {
        "customer": name(place), "rank": str(place), "list": "next_best_action", "kind": "Onderhoud",
        "subject": f"Onderhoud: gesprek {place}", "why": "zegde in maart een polis op", "branch": "Reis",
        "before": "04-02-2026", "adviser": "ADV01", "done_by": "", "level": "adviseur", "office": "Ede",
    }  # fmt: skip
    return base | given


def a_run(folder: Path, *rows: dict[str, str], language: str = "nl") -> Path:
    """A finished run with these tasks, its customers known by relation number 1001, 1002, …"""
    (folder / "actions").mkdir(parents=True)
    (folder / "private").mkdir()
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerow(texts("tasks", language)["head"].values())
    writer.writerows([row[key] for key in HEAD] for row in rows)
    (folder / "actions" / "tasks.csv").write_text("\ufeff" + target.getvalue(), "utf-8", newline="")
    people = [f"{row['customer']},{1000 + place}" for place, row in enumerate(rows, start=1)]
    (folder / "private" / "customers.csv").write_text("\n".join(["customer,relation", *people]) + "\n")
    manifest = {"schema": "akb.manifest/1", "as_of": X.isoformat(), "run": RUN, "settings": {}, "pseudonyms": True,
                "key_id": "k"}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def table(content: bytes, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def status(place: int, value: str, day: date = X) -> Feedback:
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    given = {"run": RUN, "customer": name(place), "recorded": moment}
    kind = {"event": "feedback", "type": value} if value == "already_left" else {"event": "status", "status": value}
    return Feedback.model_validate(given | kind)


def test_salesforce_gets_the_fields_and_values_that_it_documents(tmp_path: Path) -> None:
    rows = [task(place, subject="x" * 300 if place == 1 else f"Zorg {place}") for place in range(1, 7)]
    rows.append(task(7, list="messages"))
    made = hand_over(a_run(tmp_path / "run", *rows), "salesforce")
    found = table(made.content)
    assert list(found[0]) == [
        "AKB_Taak__c", "Contact:Who.AKB_Relatie__c", "Subject", "ActivityDate", "Status", "Priority", "Description",
        "OwnerId",
    ]  # fmt: skip
    assert [row["Contact:Who.AKB_Relatie__c"] for row in found] == [name(place) for place in range(1, 7)]
    assert [row["Priority"] for row in found] == ["High", "High", "Normal", "Normal", "Normal", "Normal"]
    assert {row["ActivityDate"] for row in found} == {"2026-02-04"}
    assert {row["Status"] for row in found} == {"Not Started"}
    assert {row["OwnerId"] for row in found} == {""}  # an adviser's code is no id of a user
    assert len(found[0]["Subject"]) == 255 and found[0]["Subject"].endswith("…")
    assert made.document["left_out"] == {"list": 1}
    assert not made.content.startswith(b"\xef\xbb\xbf")


def test_the_back_office_gets_messages_too_in_the_form_of_dutch_excel(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "run", task(1), task(2, list="messages"))
    made = hand_over(folder, "tasks")
    found = table(made.content, ";")
    assert made.content.startswith(b"\xef\xbb\xbf")
    assert [(row["taak"], row["prioriteit"], row["uiterlijk"]) for row in found] == [
        ("contact", "hoog", "04-02-2026"),
        ("bericht", "laag", "04-02-2026"),
    ]


def test_who_was_spoken_to_or_has_left_is_no_task_of_the_book(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    folder = a_run(book.runs / "2026-01-05-score", *(task(place) for place in range(1, 7)))
    record_run(book, folder)
    events = [
        status(1, "spoken", date(2025, 12, 20)),  # within the days of cooling off
        status(2, "spoken", date(2025, 11, 1)),  # before them
        status(3, "already_left", date(2025, 6, 1)),
        status(4, "planned"),  # nobody has been spoken to yet
        status(5, "not_interested", date(2026, 1, 7)),  # after the run
    ]
    import_events(book, events)
    made = hand_over(folder, "csv", book=book)
    assert [row["customer"] for row in table(made.content)] == [name(2), name(4), name(6)]
    assert made.document["left_out"] == {"list": 0, "contacted": 2, "left": 1, "control_arm": 0}
    assert made.document["tasks"] == 3


def test_the_control_arm_of_a_trial_is_no_task(tmp_path: Path) -> None:
    from akb.live.experiment.assignment import SCHEMA
    from akb.live.experiment.registration import Registration, write_registration

    folder = a_run(tmp_path / "run", task(1), task(2))
    trial = tmp_path / "trial"
    trial.mkdir()
    design: dict[str, Any] = {
        "name": "akb-2026", "started": X, "enrol_until": X, "stop": X, "unit": "customer", "contact": "call",
        "outcome": "relations", "months": 12, "control_share": 0.5, "risk_cuts": (), "gap_days": 31, "lag_days": 30,
        "key_id": "k",
    }  # fmt: skip
    write_registration(trial, Registration(**design))
    arms = [f"{name(1)},{name(1)},control,Ede/0,2026-01-05,,,,,", f"{name(2)},{name(2)},treated,Ede/0,2026-01-05,,,,,"]
    (trial / "assignments.csv").write_text("\n".join([",".join(SCHEMA), *arms]) + "\n")
    assert [row["customer"] for row in table(hand_over(folder, "csv", trial=trial).content)] == [name(2)]
    manifest = json.loads((folder / "manifest.json").read_text()) | {"key_id": "another"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RefusedError, match="pseudonyms"):
        hand_over(folder, "csv", trial=trial)


def test_relation_numbers_come_only_when_asked_and_only_from_who_has_them(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "run", task(1), task(2))
    with (folder / "private" / "customers.csv").open("a") as file:
        file.write(f"{name(2)},2002\n")  # a household
    plain = hand_over(folder, "csv").content.decode()
    assert "1001" not in plain and name(1) in plain
    made = hand_over(folder, "csv", reveal=True)
    assert [(row["customer"], row["relations"]) for row in table(made.content)] == [
        ("1001", "1001"),
        ("1002", "1002 + 2002"),
    ]
    assert name(1) not in made.content.decode() and made.document["revealed"]
    # the name of a task is the customer's in both: a CRM knows next week's file whichever was exported
    assert [row["task"] for row in table(made.content)] == [row["task"] for row in table(plain.encode())]
    shutil.rmtree(folder / "private")
    with pytest.raises(AkbError, match="nobody's relation number"):
        hand_over(folder, "csv", reveal=True)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("form", shipped_forms())
def test_no_cell_is_a_formula(tmp_path: Path, sign: str, form: str) -> None:
    evil = f"{sign}cmd|' /C calc'!A0"
    folder = a_run(tmp_path / "run", task(1, adviser=evil, office=evil, why=evil, branch=evil, subject=f"{evil}\nx"))
    text = hand_over(folder, form).content.decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=read_form(form).separator):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert "\n" not in cell and "\r" not in cell


def test_another_system_is_one_file(tmp_path: Path) -> None:
    block = re.search(r"<!-- a form -->\n```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "ours.toml").write_text(block[1])
    folder = a_run(tmp_path / "run", task(1), task(2), task(3), task(4))
    made = hand_over(folder, str(tmp_path / "ours.toml"))
    rows = table(made.content, ";")
    assert [row["Urgent"] for row in rows] == ["yes", "yes", "no", "no"]
    assert rows[0] | {"Urgent": ""} == {
        "Client": name(1), "Title": "Onderhoud: gesprek 1", "Due": "04-02-2026", "Urgent": "", "State": "open",
    }  # fmt: skip


def test_hubspot_gets_the_values_that_it_documents(tmp_path: Path) -> None:
    rows = table(hand_over(a_run(tmp_path / "run", task(1), task(2), task(3), task(4)), "hubspot").content)
    assert {row["hs_task_status"] for row in rows} == {"NOT_STARTED"}
    assert [row["hs_task_priority"] for row in rows] == ["HIGH", "HIGH", "MEDIUM", "MEDIUM"]
    assert rows[0]["hs_task_subject"] == "Onderhoud: gesprek 1" and rows[0]["hs_timestamp"] == "2026-02-04"


def test_an_owner_is_mapped_in_a_copy_of_the_form(tmp_path: Path) -> None:
    shipped = (configs_dir() / "crm" / "salesforce.toml").read_text("utf-8")
    changed = shipped.replace(
        'field = "adviser", words = {}', 'field = "adviser", words = { ADV01 = "005D0000001AXYz" }'
    )
    assert changed != shipped
    (tmp_path / "own.toml").write_text(changed, "utf-8")
    rows = table(
        hand_over(a_run(tmp_path / "run", task(1), task(2, adviser="ADV02")), str(tmp_path / "own.toml")).content
    )
    assert [row["OwnerId"] for row in rows] == ["005D0000001AXYz", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('schema = "akb.crm/1"\nlabel = "x"\ncolumn = [{ name = "a", field = "custmer" }]', "did you mean 'customer'"),
        ('schema = "akb.crm/1"\nlabel = "x"\ncolumn = [{ name = "a" }]', "a field or a value"),
        ('schema = "akb.crm/1"\nlabel = "x"\ncolumn = [{ name = "a", value = "" }, { name = "a", value = "" }]',
         "same name"),
        ('schema = "akb.crm/1"\nlabel = "x"\nseparater = ";"\ncolumn = [{ name = "a", value = "" }]', "separater"),
        ('schema = "akb.crm/9"\n', "schema akb.crm/9"),
        ("column = [", "cannot be read as TOML"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "ours.toml").write_text(text)
    folder = a_run(tmp_path / "run", task(1))
    code = run(["export", str(folder), "--for", str(tmp_path / "ours.toml"), "--out", str(tmp_path / "x.csv")])
    said = capsys.readouterr().err
    assert code in (2, 3) and words in said and "Traceback" not in said
    assert not (tmp_path / "x.csv").exists()


def test_the_fields_of_the_docs_are_those_of_the_code() -> None:
    part = DOCS.read_text("utf-8").rpartition("Fields: ")[2]
    assert set(re.findall(r"`([a-z_]+)`", part)) >= set(FIELDS)
    assert {"tasks", "csv", "salesforce", "hubspot"} == set(shipped_forms())
    for form in shipped_forms():
        assert f"| `{form}` |" in DOCS.read_text("utf-8")


def test_the_command_writes_for_its_owner_and_leaves_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = open_book(tmp_path / "book")
    record_run(book, a_run(book.runs / "2026-01-05-score", task(1), task(2)))
    import_events(book, [status(1, "spoken")])
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(book.folder), "--dry-run"]) == 0
    assert not list(tmp_path.glob("*.csv")) and not (book.folder / "log.jsonl").exists()
    for _ in range(2):  # the same once more
        assert run(["export", str(book.folder), "--for", "csv"]) == 0
    path = tmp_path / "akb-csv-2026-01-05.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [row["customer"] for row in table(path.read_bytes())] == [name(2)]
    lines = [json.loads(line) for line in (book.folder / "log.jsonl").read_text().splitlines()]
    assert [(each["command"], each["exit"], each["tasks"]) for each in lines] == 2 * [("export", 0, 1)]
    assert name(2) not in (book.folder / "log.jsonl").read_text()
    assert "left out: 1 were spoken to lately" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["run/actions/x.csv", "run/x.csv"])
def test_no_copy_lies_where_akb_keeps_its_files(tmp_path: Path, place: str) -> None:
    a_run(tmp_path / "run", task(1))
    assert run(["export", str(tmp_path / "run"), "--out", str(tmp_path / place), "--quiet"]) == 2
    assert not (tmp_path / place).exists()


def test_the_tasks_of_an_english_run_are_read_too(tmp_path: Path) -> None:
    made = [hand_over(a_run(tmp_path / each, task(1), language=each), "csv").content for each in ("nl", "en")]
    assert made[0] == made[1]


def test_a_run_without_tasks_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = a_run(tmp_path / "run", task(1))
    (folder / "actions" / "tasks.csv").unlink()
    assert run(["export", str(folder)]) == 2
    assert "earlier akb" in capsys.readouterr().err
    (folder / "actions" / "tasks.csv").write_text("iets;anders\n1;2\n")
    with pytest.raises(AkbError, match="as akb wrote it"):
        read_tasks(folder, RUN, X)


def test_the_run_of_an_office_is_exported_without_its_control_group(fitted: Path) -> None:
    found = table(hand_over(fitted, "tasks").content, ";")
    listed = table((fitted / "actions" / "next_best_action.csv").read_bytes(), ";")
    withheld = {row["klant"] for row in listed if row["controlegroep, geen contact"] == "ja"}
    tasks = {row["klant"] for row in found}
    assert withheld and tasks and not withheld & tasks
    assert tasks <= {row["klant"] for row in listed}
