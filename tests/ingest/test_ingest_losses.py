"""A run that would lose most of itself stops, with the word, its count and the line that maps it; --go-on insists."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingest_exports import Row, assert_reconciles, assert_same, codes, finding, office, policy, read, write

from akb.config import Settings, load_settings
from akb.core.errors import AkbError
from akb.ingest.types import Portfolio

GOOD = office(120)
RUNS = [row for row in GOOD if not row["Einddatum"]]


def never(word: str, most: int | None = None) -> list[Row]:
    """The word instead of no end, on at most so many rows."""
    places = [place for place, row in enumerate(GOOD) if not row["Einddatum"]][:most]
    return [row | {"Einddatum": word} if place in places else row for place, row in enumerate(GOOD)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    return read(write(tmp_path_factory.mktemp("good"), GOOD))


@pytest.mark.parametrize("word", ["#N/B", "#VERW!", "loopt nog", "99-99-9999", "01-01-1980", "wordt\\vervolgd"])
def test_the_line_that_the_refusal_gives_mends_it(tmp_path: Path, sound: Portfolio, word: str) -> None:
    path = write(tmp_path, never(word))
    with pytest.raises(AkbError) as refused:
        read(path)
    assert f"'{word}' stands there {len(RUNS):,} times" in refused.value.message
    assert "Einddatum" in refused.value.message
    lines = refused.value.hint.splitlines()
    settings = tmp_path / "akb.toml"
    settings.write_text("\n".join(line for line in lines if line.startswith(("  [", "  empty"))), "utf-8")
    assert_same(read(path, settings=load_settings(settings)), sound)


def test_going_on_says_so_and_counts_every_row(tmp_path: Path) -> None:
    found = read(write(tmp_path, never("#N/B")), go_on=True)
    assert finding(found, "AKB-D091").severity == "issue"
    assert finding(found, "AKB-D091").count == len(RUNS)
    assert found.rows.rejected == len(RUNS)
    assert_reconciles(found)


@pytest.mark.parametrize(("lost", "refused"), [(len(RUNS) // 2, False), (len(RUNS) // 2 + 1, True)])
def test_half_of_the_running_policies_is_the_boundary(tmp_path: Path, lost: int, refused: bool) -> None:
    path = write(tmp_path, never("#N/B", lost))
    if refused:
        with pytest.raises(AkbError):
            read(path)
    else:
        assert "AKB-D091" not in codes(read(path))


def test_typing_errors_in_a_book_of_ended_policies_are_no_words_for_never(tmp_path: Path) -> None:
    ended = [row for row in office(600, seed=3) if row["Einddatum"]]
    rows = [row | {"Einddatum": f"3{n % 10}-13-20{n % 20:02d}"} if n % 12 == 0 else row for n, row in enumerate(ended)]
    found = read(write(tmp_path, rows))
    assert "AKB-D091" not in codes(found)
    assert finding(found, "AKB-D007").count > 10


def test_a_word_of_one_customer_is_not_shown(tmp_path: Path) -> None:
    rows = [row if row["Einddatum"] else row | {"Relatienummer": "000001", "Einddatum": "Jansen"} for row in GOOD]
    with pytest.raises(AkbError) as refused:
        read(write(tmp_path, rows))
    assert "Jansen" not in str(refused.value)
    assert "Xxxxxx" in str(refused.value)


@pytest.mark.parametrize("heading", ["Relatienummer", "Polisnummer", "Ingangsdatum"])
def test_a_needed_column_of_which_most_is_unreadable(tmp_path: Path, heading: str) -> None:
    cell = "later" if heading == "Ingangsdatum" else ""
    most = [row | {heading: cell} if n % 5 else row for n, row in enumerate(GOOD)]
    with pytest.raises(AkbError, match=heading):
        read(write(tmp_path, most))
    some = [row | {heading: cell} if n % 5 == 0 else row for n, row in enumerate(GOOD)]
    found = read(write(tmp_path, some))
    assert_reconciles(found)
    assert found.rows.rejected == len(some[::5])


def test_a_status_decides_only_where_no_end_does(tmp_path: Path) -> None:
    rows = [row | {"Status": "Q" if row["Einddatum"] else "W"} for row in GOOD]
    assert "AKB-D091" not in codes(read(write(tmp_path, rows)))
    without = [{name: cell for name, cell in row.items() if name != "Einddatum"} for row in rows]
    with pytest.raises(AkbError, match="'W' stands there"):
        read(write(tmp_path, without))


def test_a_day_followed_by_a_fifth_of_the_starts_is_refused(tmp_path: Path) -> None:
    rows = [policy(n, Polisnummer=f"P{n}", Ingangsdatum=nl_day(n), Peildatum="31-12-2020") for n in range(100)]
    few = [row | {"Ingangsdatum": "01-02-2024"} if n < 20 else row for n, row in enumerate(rows)]
    many = [row | {"Ingangsdatum": "01-02-2024"} if n < 21 else row for n, row in enumerate(rows)]
    assert "AKB-D090" in codes(read(write(tmp_path, few)))
    path = write(tmp_path, many)
    with pytest.raises(AkbError) as refused:
        read(path)
    assert "21 policies" in refused.value.message
    assert "--as-of 2024-" in refused.value.hint
    assert "AKB-D091" in codes(read(path, go_on=True))
    assert "AKB-D091" not in codes(read(path, as_of=read(path, go_on=True).as_of))


def nl_day(number: int) -> str:
    return f"{number % 28 + 1:02d}-{number % 12 + 1:02d}-20{10 + number % 10}"


def test_another_column_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    rows = [row | {"Hoofdvervaldatum": "ieder jaar", "Premie per jaar": "zie polis"} for row in GOOD]
    found = read(write(tmp_path, rows))
    named = finding(found, "AKB-D092")
    assert named.severity == "issue"
    assert "Hoofdvervaldatum" in named.sentence()
    assert "Premie per jaar" in named.sentence()
    assert found.sources[0].columns["Hoofdvervaldatum"] is None
    assert found.policies["premium_cents"].null_count() == found.policies.height
    half = [row | {"Hoofdvervaldatum": "ieder jaar"} if n % 2 else row for n, row in enumerate(GOOD)]
    assert "AKB-D092" not in codes(read(write(tmp_path, half)))


def test_words_that_say_nothing_say_nothing_in_any_column(tmp_path: Path) -> None:
    rows = [row | {"Adviseur": "Nog niet ingevuld"} if n % 2 else row for n, row in enumerate(GOOD)]
    empty = [row | {"Adviseur": ""} if n % 2 else row for n, row in enumerate(GOOD)]
    (tmp_path / "empty").mkdir()
    settings = Settings(ingest={"empty": ["nog niet ingevuld"]})
    assert_same(read(write(tmp_path, rows), settings=settings), read(write(tmp_path / "empty", empty)))
