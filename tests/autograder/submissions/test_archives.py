"""Names in zips are read as they were written; archives with too many entries are not listed."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from autograder.submissions import archives
from autograder.submissions.archives import files_in, in_archive, is_archive, zip_members


def zip_with(name: bytes) -> zipfile.ZipFile:
    """A zip whose one file has this name, without the flag for UTF-8."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("n" * len(name), b"x")
    return zipfile.ZipFile(io.BytesIO(data.getvalue().replace(b"n" * len(name), name)))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("J\u00f6rg M\u00fcller/vae.ipynb".encode(), "J\u00f6rg M\u00fcller/vae.ipynb"),
        ("Danie\u0308l.ipynb".encode(), "Danie\u0308l.ipynb"),
        ("J\u00f6rg.ipynb".encode("cp437"), "J\u00f6rg.ipynb"),
        (b"ada.ipynb", "ada.ipynb"),
    ],
)
def test_names_in_utf_8_without_its_flag_are_read(written: bytes, read: str) -> None:
    [found] = in_archive(zip_members(zip_with(written)), "", 0)
    assert found.path == read and found.read() == b"x"


def test_archives_are_known_by_their_ending() -> None:
    assert all(map(is_archive, ("a.zip", "a.TAR.GZ", "a.tgz", "a.tar")))
    assert not any(map(is_archive, ("a.gz", "zip", "a.zip.txt", "a.7z")))


def zip_of_entries(number: int, name: str = "{}", extra: bytes = b"") -> bytes:
    """A zip with this number of empty entries."""
    directory = b""
    for n in range(number):
        path = name.format(n).encode()
        header = struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(path), len(extra), 0, 0, 0, 0, 0
        )
        directory += header + path + extra
    count = min(number, 0xFFFF)
    return directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), 0, 0)


def tar_of_folders(number: int) -> bytes:
    """A tar archive with this number of folders."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for n in range(number):
            info = tarfile.TarInfo(f"{n}")
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
    return data.getvalue()


MOST = 1_000
WIDE = zip_of_entries(MOST + 1)
AT = WIDE.index(b"PK\5\6")
TOO_MANY = {
    "files.zip": WIDE,
    "folders.zip": zip_of_entries(MOST + 1, "{}/"),
    "ignored files.zip": zip_of_entries(MOST + 1, ".{}"),
    "a false number.zip": WIDE[: AT + 8] + b"\1\0\1\0" + WIDE[AT + 12 :],
    "bytes before.zip": b"x" * 5_000 + WIDE,
    "a comment.zip": WIDE[:-2] + b"\xe8\3" + b"x" * 1_000,
    "long extra fields.zip": zip_of_entries(3, extra=b"\0\0\0\0" * 300),
    "a large directory.zip": zip_of_entries(MOST, "{}" + "n" * 600),
    "folders.tar": tar_of_folders(MOST + 1),
    "folders.tgz": gzip.compress(tar_of_folders(MOST + 1)),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_an_archive_with_too_many_entries_is_not_listed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(*_: object) -> None:
        raise AssertionError("the entries were listed")

    monkeypatch.setattr(archives, "MAX_ENTRIES", MOST)
    monkeypatch.setattr(archives, "zip_members", listed)
    monkeypatch.setattr(zipfile, "ZipInfo", listed)
    (tmp_path / name).write_bytes(TOO_MANY[name])
    [found] = files_in(tmp_path)
    assert found.fault.startswith("was not opened: ")


def test_the_limit_is_that_of_all_archives_of_a_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", MOST)
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:
        archive.writestr("a.zip", zip_of_entries(MOST // 2, "{}/"))
        archive.writestr("b.tar", tar_of_folders(MOST // 2))
    for name, data in {"1.zip": inside.getvalue(), "2.zip": zip_of_entries(9)}.items():
        (tmp_path / name).write_bytes(data)
    faults = {found.path.partition("/")[2]: found.fault for found in files_in(tmp_path) if found.fault}
    assert set(faults) == {"1.zip/b.tar", "2.zip"}, "one opened the whole, the next is too many"


def test_as_many_entries_as_the_limit_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", MOST)
    (tmp_path / "1.zip").write_bytes(zip_of_entries(MOST, "{}.ipynb"))
    assert len(files_in(tmp_path)) == MOST
