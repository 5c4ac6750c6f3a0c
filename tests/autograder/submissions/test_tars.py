"""The reader of tar archives agrees with Python's, and ends on whatever bytes it gets."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.submissions import tars
from autograder.submissions.tars import TarError, entries

NAMES = ("a.ipynb", "J\u00f6rg/vae.ipynb", "d/" * 40 + "x.ipynb")
LONG = "d/" * 90 + "x.ipynb"


def tarred(names: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive in memory; it also has a folder and a link."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        for kind, name in ((tarfile.DIRTYPE, "folder"), (tarfile.SYMTYPE, "link")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name, content in names.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_800_000_000
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_regular_files_are_listed_in_each_format(form: int) -> None:
    files = {name: name.encode() * 99 for name in (*NAMES, *([] if form == tarfile.USTAR_FORMAT else [LONG]))}
    data = tarred(files, form)
    found = [entry for entry in entries(data) if entry.is_regular]
    assert {one.name: data[one.start : one.start + one.size] for one in found} == files


@pytest.mark.parametrize("data", [b"", b"\0" * 1024, b"no tar", tarred({"a": b"x"})[:600], b"x" * 5000])
def test_what_is_no_tar_archive_is_an_error(data: bytes) -> None:
    with pytest.raises(TarError):
        list(entries(data))


def test_a_header_with_very_many_records_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = tarred({LONG: b"x"})
    assert LONG in {entry.name for entry in entries(data)}
    monkeypatch.setattr(tars, "_LONGEST_PAX", 100)
    with pytest.raises(TarError, match="a header is too long"):
        list(entries(data))


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=40))
def test_damaged_archives_end(place: int, damage: bytes) -> None:
    data = bytearray(tarred({LONG: b"abc", "b": b"x"}))
    data[place : place + len(damage)] = damage
    try:
        assert len(list(entries(bytes(data)))) < 100
    except TarError:
        pass
