"""A download that tries several mirrors several times, shows its progress and checks what it got."""

from __future__ import annotations

import http.client
import io
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence

from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from homework.errors import HomeworkError

ROUNDS = 3
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 30.0
CHUNK = 1 << 16


class DownloadError(HomeworkError):
    """No mirror gave the file; the message has one line per mirror."""


def download(
    urls: Sequence[str],
    *,
    check: Callable[[bytes], None] | None = None,
    rounds: int = ROUNDS,
    pause: float | None = None,
) -> bytes:
    """The contents of a file that each of `urls` offers.

    Every mirror is tried in turn, the whole list up to `rounds` times, with a pause in between that grows.

    Args:
        urls: the file's addresses, best first.
        check: raises a `HomeworkError` for contents that are damaged; the next mirror is tried then.
        rounds: how often the list is gone through.
        pause: seconds before the second round; doubled before each further one.

    Raises:
        DownloadError: none of it worked.
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
        with tqdm(total=total, unit="B", unit_scale=True, desc=name, file=sys.stdout, mininterval=0.5) as bar:
            while chunk := response.read(CHUNK):
                buffer.write(chunk)
                bar.update(len(chunk))
    contents = buffer.getvalue()
    if total is not None and len(contents) != total:
        raise OSError(f"the connection broke off after {len(contents):,} of {total:,} bytes")
    return contents
