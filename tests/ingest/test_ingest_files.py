"""The same office in every file format, and files that are no export."""

from datetime import date
from pathlib import Path

import pytest
from ingest_exports import (
    HEADINGS,
    KEY,
    TODAY,
    X,
    assert_reconciles,
    assert_same,
    codes,
    office,
    policy,
    read,
    reasons,
    text_of,
    write,
    write_excel,
    write_parquet,
)  # fmt: skip

from akb.config import Settings
from akb.core.errors import AkbError
from akb.ingest import read_portfolio


@pytest.fixture(scope="module")
def rows():
    return office(120)


@pytest.fixture(scope="module")
def plain(rows, tmp_path_factory):
    return read(write(tmp_path_factory.mktemp("plain"), rows))


@pytest.fixture(scope="module")
def accented(rows):
    return [{**row, "Maatschappij": "Brûlé & Zonen €"} for row in rows]


@pytest.fixture(scope="module")
def told(accented, tmp_path_factory):
    return read(write(tmp_path_factory.mktemp("accented"), accented))


def test_the_format_of_our_own_export(plain, rows):
    assert plain.as_of == X
    assert plain.rows.read == len(rows) == plain.policies.height
    assert_reconciles(plain)
    assert set(HEADINGS) == set(plain.sources[0].columns)
    assert None not in plain.sources[0].columns.values()
    assert plain.policies["premium_cents"].null_count() == 0
    assert plain.history.commission == "given"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encodings_and_separators_change_nothing(accented, told, tmp_path, encoding, separator):
    other = read(write(tmp_path, accented, "anders.csv", encoding=encoding, separator=separator))
    assert_same(told, other, findings=False)
    assert codes(told) ^ codes(other) <= {"AKB-D023"}
    assert ("AKB-D023" in codes(other)) == (encoding in ("cp1252", "utf-16-le"))


def test_excel_and_parquet_give_the_same_portfolio(rows, plain, tmp_path):
    assert_same(plain, read(write_excel(tmp_path, rows)))
    assert_same(plain, read(write_excel(tmp_path, rows, "titel.xlsx", title=True)))
    assert_same(plain, read(write_parquet(tmp_path, rows)))


def test_the_order_of_rows_and_columns_changes_nothing(rows, plain, tmp_path):
    assert_same(plain, read(write(tmp_path, rows[::-1])))
    assert_same(plain, read(write(tmp_path, rows, "kolommen.csv", headings=HEADINGS[::-1])))


def test_a_file_may_be_cut_in_two(rows, plain, tmp_path):
    halves = [write(tmp_path, rows[::2], "een.csv"), write(tmp_path, rows[1::2], "twee.csv", separator=",")]
    assert_same(plain, read(*halves))
    overlapping = read(write(tmp_path, rows, "alles.csv"), halves[0])
    assert_same(plain, overlapping, findings=False)
    assert reasons(overlapping) == {"duplicate": len(rows[::2])}


def test_files_alone_are_read_with_a_key_and_never_without(rows, plain, tmp_path):
    path = write(tmp_path, rows)
    assert_same(plain, read_portfolio([path], Settings(), key=KEY, today=TODAY))
    with pytest.raises(TypeError, match="key"):
        read_portfolio([path], Settings(), today=TODAY)


def test_line_ends_title_rows_and_blank_lines(rows, plain, tmp_path):
    text = text_of(rows)
    forms = {
        "unix": text.replace("\r\n", "\n"),
        "mac": text.replace("\r\n", "\r"),
        "titel": "Export polissen kantoor Breda\r\n\r\n" + text,
        "sep": "sep=;\r\n" + text,
        "leeg": text.replace("\r\n", "\r\n\r\n"),
        "staart": text + ";" * (len(HEADINGS) - 1) + "\r\n\r\n",
        "puntkomma": text.replace("\r\n", ";\r\n"),
        "quotes": "\r\n".join(";".join(f'"{cell}"' for cell in line.split(";")) for line in text.strip().split("\r\n")),
    }
    for name, form in forms.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(form, "utf-8", newline="")
        assert_same(plain, read(path), findings=True)


def test_ragged_rows_are_put_aside_with_their_line(rows, tmp_path):
    lines = text_of(rows).strip().split("\r\n")
    lines[4] += ";te veel"
    lines[8] = ";".join(lines[8].split(";")[:5])
    path = tmp_path / "ragged.csv"
    path.write_text("\r\n".join(lines), "utf-8", newline="")
    found = read(path)
    assert found.rejects.select("line", "reason").rows() == [(5, "ragged"), (9, "ragged")]
    assert "AKB-D030" in codes(found)
    assert_reconciles(found)


def test_quotes_line_breaks_and_stray_quotes(rows, tmp_path):
    lines = text_of(rows).strip().split("\r\n")
    cells = lines[3].split(";")
    cells[3] = '"De Vaart\nOnderlinge; afdeling ""Noord"""'
    lines[3] = ";".join(cells)
    stray = lines[6].split(";")
    stray[12] = 'Anna "de Grote'
    lines[6] = ";".join(stray)
    lines[9] += ";;x"
    path = tmp_path / "quotes.csv"
    path.write_text("\r\n".join(lines), "utf-8", newline="")
    found = read(path)
    assert found.rows.read == len(rows)
    assert found.rejects.select("line", "reason").rows() == [(11, "ragged")]  # one line further for the line break
    assert 'De Vaart\nOnderlinge; afdeling "Noord"' in found.policies["insurer"].to_list()
    assert 'Anna "de Grote' in found.policies["adviser"].to_list()


def broken(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that are no export, and a word that the error must hold."""
    good = text_of(office(5)).split("\r\n")
    contents: dict[str, tuple[bytes, str]] = {
        "empty.csv": (b"", "empty"),
        "blank.csv": (b"\n\n  \n", "empty"),
        "report.csv": (b"%PDF-1.7 whatever", "PDF"),
        "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(200), "picture"),
        "binary.csv": (bytes(range(256)) * 20, "binary"),
        "page.csv": (b"<!DOCTYPE html><html><body>login</body></html>", "web page"),
        "headings.csv": (good[0].encode(), "no rows"),
        "one.csv": (b"tekst\nregel\nregel\n", "one column"),
        "unknown.csv": (b"a;b;c\n1;2;3\n", "no headings recognised"),
        "data.csv": (b"000123;P55;01-02-2020\n000124;P56;01-02-2021\n", "looks like data"),
        "no_start.csv": (b"Relatienummer;Polisnummer;Branche\n1;2;Auto\n", "start"),
        "no_policy.csv": (b"Relatienummer;Ingangsdatum;Branche\n1;01-01-2020;Auto\n", "policy"),
        "no_dates.csv": (
            "\r\n".join([good[0], *[line.replace("-20", "/x20") for line in good[1:] if line]]).encode(),
            "are no date",
        ),
        "wide.csv": ((";".join(f"k{i}" for i in range(2500)) + "\n").encode(), "2,500 columns"),
        "damaged.xlsx": (b"PK\x03\x04 not a workbook", "damaged"),
        "damaged.parquet": (b"PAR1 not parquet", "damaged"),
        "contacts.csv": (b"Relatienummer;Datum;Kanaal\n1;01-01-2020;Telefoon\n", "none of the files holds policies"),
        "nobody.csv": (text_of([{**policy(1), "Relatienummer": ""}]).encode(), "no usable row"),
    }
    for name, (data, _) in contents.items():
        (folder / name).write_bytes(data)
    cases = {name: (folder / name, word) for name, (_, word) in contents.items()}
    return cases | {"missing": (folder / "polisen.csv", "no file"), "folder": (folder, "folder")}


CASES = (
    "empty.csv", "blank.csv", "report.csv", "picture.csv", "binary.csv", "page.csv", "headings.csv", "one.csv",
    "unknown.csv", "data.csv", "no_start.csv", "no_policy.csv", "no_dates.csv", "wide.csv", "damaged.xlsx",
    "damaged.parquet", "contacts.csv", "nobody.csv", "missing", "folder",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_export_ends_in_one_sentence(case, tmp_path):
    path, word = broken(tmp_path)[case]
    with pytest.raises(AkbError, match=word) as caught:
        read(path)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert "000123" not in str(caught.value)
    assert "P55" not in str(caught.value)


def test_errors_suggest(tmp_path):
    path = write(tmp_path, office(5))
    with pytest.raises(AkbError, match=r"did you mean 'polissen\.csv'"):
        read(tmp_path / "polisen.csv")
    with pytest.raises(AkbError, match=r"polissen\.csv"):
        read(tmp_path)
    near = [{("Ingangsdatm" if k == "Ingangsdatum" else k): v for k, v in row.items()} for row in office(5)]
    with pytest.raises(AkbError, match='start = "Ingangsdatm"'):
        read(write(tmp_path, near, "near.csv"))
    with pytest.raises(AkbError, match="named twice"):
        read(path, path)
    with pytest.raises(AkbError, match="did you mean 'policies'"):
        read(roles={"polices": path})
    with pytest.raises(AkbError, match="did you mean 'start'"):
        read(path, settings=Settings(ingest={"columns": {"policies": {"strat": "Ingangsdatum"}}}))
    with pytest.raises(AkbError, match="not among the headings; did you mean 'Ingangsdatum'"):
        read(path, settings=Settings(ingest={"columns": {"policies": {"start": "Ingangsdatun"}}}))
    with pytest.raises(AkbError, match="did you mean 'inboedel'"):
        read(path, settings=Settings(ingest={"branches": {"x": "inboedl"}}))
    with pytest.raises(AkbError, match="future"):
        read(path, as_of=date(2030, 1, 1))
    with pytest.raises(AkbError, match="before the first policy"):
        read(path, as_of=date(1990, 1, 1))


def test_settings_win_over_what_akb_would_find(tmp_path):
    rows = [
        {
            "nr": r["Relatienummer"],
            "kenmerk": r["Polisnummer"],
            "vanaf": r["Ingangsdatum"],
            "wat": "Iets aparts",
            "eur": "1.234",
        }
        for r in office(40)
    ]
    columns = {"customer": "nr", "policy": "kenmerk", "start": "vanaf", "branch": "wat", "premium": "EUR"}
    settings = Settings(
        ingest={
            "columns": {"policies": columns},
            "branches": {"iets aparts": "cyber"},
            "decimal": ".",
            "premium_basis": "gross",
        }
    )
    found = read(write(tmp_path, rows), settings=settings)
    assert found.policies["branch"].unique().to_list() == ["cyber"]
    assert found.policies["premium_cents"].unique().to_list() == [102]  # 1.234 euros with 21 % tax
