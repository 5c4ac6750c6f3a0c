"""Zip archives of which the same files give the same bytes, whenever and on whatever machine they are made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping

_UNIX = 3
_EXECUTABLE, _PLAIN_FILE = 0o100755, 0o100644


def zip_of(files: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """A zip of these files, in order of name and without times.

    Args:
        files: path inside the archive → content.
        executable: the paths among them that may be run.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)  # says 1980, the first year that a zip knows
            entry.create_system = _UNIX  # else the executable bits would not count
            entry.external_attr = (_EXECUTABLE if name in executable else _PLAIN_FILE) << 16
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return data.getvalue()
