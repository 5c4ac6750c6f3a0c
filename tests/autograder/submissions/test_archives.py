"""Names in zips are read as they were written."""

from __future__ import annotations

import io
import zipfile

import pytest

from autograder.submissions.archives import in_archive, is_archive, zip_members


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
