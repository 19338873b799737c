"""ZIPs of tables: read as their files, refused where they may do harm."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from ingest_exports import X, assert_reconciles, assert_same, codes, office, read, text_of, write, write_excel

from akb.core.errors import AkbError

ROWS = office(60)
CSV = text_of(ROWS).encode()


def zipped(folder, files: dict[str, bytes], name="export.zip"):
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in files.items():
            archive.writestr(inner, content)
    return path


def test_an_archive_is_its_files(tmp_path):
    claims = b"Relatienummer;Meldingsdatum;Schadebedrag\r\n000001;01-02-2024;100,00\r\n"
    path = zipped(tmp_path, {"map/polissen.csv": CSV, "map/schades.csv": claims})
    loose = [write(tmp_path, ROWS, encoding="utf-8"), tmp_path / "schades.csv"]
    loose[1].write_bytes(claims)
    found, expected = read(path, as_of=X), read(*loose, as_of=X)
    assert_same(found, expected)
    assert_reconciles(found)
    assert [source.name for source in found.sources] == ["export.zip/polissen.csv", "export.zip/schades.csv"]


def test_a_workbook_in_an_archive_is_no_nested_archive(tmp_path):
    book = write_excel(tmp_path, ROWS).read_bytes()
    found = read(
        zipped(tmp_path, {"polissen.xlsx": book, "__MACOSX/._polissen.xlsx": b"\x00", ".DS_Store": b"\x00"}), as_of=X
    )
    assert_same(found, read(write_excel(tmp_path, ROWS), as_of=X))
    assert "AKB-D047" not in codes(found)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"polissen.csv": CSV, "nul.csv": b"0" * 3_000_000}, "100 times its size"),
        ({"../polissen.csv": CSV}, "path outside itself"),
        ({"/etc/polissen.csv": CSV}, "path outside itself"),
        ({"a/../../polissen.csv": CSV}, "path outside itself"),
        ({"C:/polissen.csv": CSV}, "path outside itself"),
        ({"polissen.csv": CSV, "meer.zip": b"PK"}, "archive inside an archive"),
        ({"polissen.csv": CSV, "meer.tar.gz": b"x"}, "archive inside an archive"),
        ({"polissen.csv": CSV, "meer.csv": b"\x1f\x8b\x08" + bytes(range(40))}, "archive inside an archive"),
        ({"leesmij.txt": b"Hallo"}, "holds no table"),
        ({}, "holds no table"),
        ({"schades.csv": b"Relatienummer;Meldingsdatum\r\n1;01-02-2024\r\n"}, "none of the files holds policies"),
        ({"a.csv": b"Kleur;Maat\r\nrood;3\r\n"}, "none of the files holds policies"),
        ({f"{n}.csv": b"" for n in range(1001)}, "holds 1,001 files"),
    ],
)  # fmt: skip
def test_harmful_and_useless_archives_are_refused(files, words, tmp_path):
    with pytest.raises(AkbError, match=words):
        read(zipped(tmp_path, files), as_of=X)


def test_a_zip_under_another_name_is_still_nested(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("polissen.csv", CSV)
    with pytest.raises(AkbError, match="archive inside an archive"):
        read(zipped(tmp_path, {"polissen.csv": CSV, "meer.csv": inner.getvalue()}), as_of=X)


def test_a_protected_archive_is_refused(tmp_path):
    path = zipped(tmp_path, {"polissen.csv": CSV})
    raw = bytearray(path.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 8 : central + 10] = struct.pack("<H", 1)
    path.write_bytes(raw)
    with pytest.raises(AkbError, match="password"):
        read(path, as_of=X)


@pytest.mark.parametrize("place", [60, 200, 900])
def test_a_damaged_archive_is_a_sentence(place, tmp_path):
    path = zipped(tmp_path, {"polissen.csv": CSV})
    raw = bytearray(path.read_bytes())
    raw[place : place + 20] = bytes(20)
    path.write_bytes(raw)
    with pytest.raises(AkbError, match="damaged"):
        read(path, as_of=X)
    path.write_bytes(bytes(raw)[:1500])
    with pytest.raises(AkbError, match="damaged"):
        read(path, as_of=X)


def test_a_size_that_lies_does_not_unpack_more(tmp_path):
    """A bomb that says it is small: no more is read than it says, and the checksum tells."""
    path = zipped(tmp_path, {"polissen.csv": CSV, "nul.csv": b"0" * 3_000_000})
    raw = bytearray(path.read_bytes())
    central = raw.rindex(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<I", 1000)
    path.write_bytes(raw)
    with pytest.raises(AkbError, match="damaged"):
        read(path, as_of=X)
