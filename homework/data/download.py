"""Downloads a file: tries several mirrors several times, shows progress and checks the contents."""

from __future__ import annotations

import http.client
import io
import time
import urllib.request
from collections.abc import Callable, Sequence

from homework.errors import HomeworkError
from homework.progress import progress_bar

ROUNDS = 3
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 16


class DownloadError(HomeworkError):
    """No mirror delivered the file; the message has one line per mirror."""


def download(
    urls: Sequence[str],
    *,
    check: Callable[[bytes], None] | None = None,
    rounds: int = ROUNDS,
    pause: float | None = None,
) -> bytes:
    """Downloads a file from the first of `urls` that delivers it.

    Tries every mirror in turn, and the whole list up to `rounds` times with growing pauses.

    Args:
        urls: the file's addresses, best first.
        check: raises a `HomeworkError` if the contents are damaged; then the next mirror is tried.
        rounds: how often to try the list.
        pause: seconds before the second round; doubled before each further one.

    Raises:
        DownloadError: every attempt failed.
    """
    failures: dict[str, str] = {}
    wait = PAUSE_SECONDS if pause is None else pause
    for attempt in range(rounds):
        if attempt:
            time.sleep(wait * 2 ** (attempt - 1))
        for url in urls:
            try:
                contents = _fetch(url)
                if check is not None:
                    check(contents)
            except (OSError, http.client.HTTPException, HomeworkError) as error:
                failures[url] = f"{url}: {error}"
            else:
                return contents
    raise DownloadError("\n".join(failures.values()))


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "homework"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        buffer = io.BytesIO()
        name = url.rsplit("/", 1)[-1]
        with progress_bar(total, name, unit="B", unit_scale=True) as bar:
            while chunk := response.read(CHUNK):
                buffer.write(chunk)
                bar.update(len(chunk))
    contents = buffer.getvalue()
    if total is not None and len(contents) != total:
        raise OSError(f"the connection was lost after {len(contents):,} of {total:,} bytes")
    return contents
