"""Reproducible zip archives: the same files give the same bytes at any time, on any machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping

_UNIX = 3
_EXECUTABLE, _PLAIN_FILE = 0o100755, 0o100644


def zip_of(files: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """A zip of these files, sorted by name and without timestamps.

    Args:
        files: path inside the archive → content.
        executable: the paths that get the executable bit.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)  # dated 1980, the format's first year
            entry.create_system = _UNIX  # else the executable bits are ignored
            entry.external_attr = (_EXECUTABLE if name in executable else _PLAIN_FILE) << 16
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return data.getvalue()
