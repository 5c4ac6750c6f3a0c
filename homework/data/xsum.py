"""XSum, BBC news stories with one-sentence summaries: from a local folder, the cache, or the hub.

Source: Narayan, Cohen and Lapata (2018), Don't give me the details, just the summary! Topic-aware convolutional neural
networks for extreme summarization.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from homework.atomic import disk_is_full
from homework.data import download
from homework.data.folders import cache_folder, data_folder, save, unsaved
from homework.data.pairs import Pairs, Stories
from homework.errors import DataError

HUB_NAME: Final = "EdinburghNLP/xsum"
HUB_REVISION: Final = "refs/convert/parquet"
"""The hub's own conversion; the data set's loading script no longer runs."""

SIZES: Final = {"train": 20_000, "validation": 1_000, "test": 1_000}
"""Number of stories in use: a fixed choice of 204,045, 11,332 and 11,334."""

SEED: Final = 0


def xsum() -> Stories:
    """A fixed choice of at most 20,000 training, 1,000 validation and 1,000 test stories.

    They are read from `$HOMEWORK_DATA/xsum/{train,validation,test}.jsonl` (one object with `document` and `summary` per
    line), else from the cache (`$HOMEWORK_CACHE/xsum`, else `~/.cache/homework/xsum`), else downloaded from the hub
    into the cache. Pairs with an empty text are left out.

    Raises:
        DataError: XSum is not available, is damaged or cannot be saved.
    """
    paths = _local_files() or _cached_files() or _downloaded_files()
    parts = {split: chosen(read_pairs(path), split) for split, path in paths.items()}
    return Stories(parts["train"], parts["validation"], parts["test"], "XSum")


def read_pairs(path: Path) -> Pairs:
    """The stories of a file with one JSON object per line.

    Args:
        path: each object has the texts `document` and `summary`; other entries are ignored.

    Raises:
        DataError: the file cannot be read, a line is damaged, or it contains no story.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check its permissions.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is damaged: it is not UTF-8 ({error}). {_ANEW}") from error
    rows = [_row(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    return _pairs(rows, str(path))


def chosen(pairs: Pairs, split: str) -> Pairs:
    """A fixed choice of a split's stories in their order, as many as `SIZES` says; all if there are fewer.

    Args:
        pairs: the whole split.
        split: `train`, `validation` or `test`.
    """
    kept = choice(len(pairs), SIZES[split], split)
    return Pairs(tuple(pairs.documents[i] for i in kept), tuple(pairs.summaries[i] for i in kept))


def choice(length: int, wanted: int, split: str) -> list[int]:
    """Indices of the stories in use, in ascending order: the same ones on every machine.

    Args:
        length: number of stories.
        wanted: largest number to choose.
        split: each split has its own choice.
    """
    source, left = random.Random(f"{SEED} {split}"), list(range(length))
    for place in range(min(wanted, length)):  # the first `wanted` steps of a shuffle
        other = place + int(source.random() * (length - place))
        left[place], left[other] = left[other], left[place]
    return sorted(left[:wanted])


_ANEW: Final = "Delete this file and run the cell again; if it is not in the cache, replace it with a good copy."


def _row(line: str, where: str) -> tuple[str, str]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: damaged, this is not JSON ({error}). {_ANEW}") from error
    if not isinstance(found, dict):
        raise DataError(f"{where}: expected an object with `document` and `summary`. {_ANEW}")
    for name in ("document", "summary"):
        if not isinstance(found.get(name), str):
            raise DataError(f"{where}: the text `{name}` is missing. {_ANEW}")
    return found["document"], found["summary"]


def _pairs(rows: Sequence[tuple[str, str]], where: str) -> Pairs:
    rows = [row for row in rows if row[0].strip() and row[1].strip()]
    if not rows:
        raise DataError(f"{where}: it contains no story. {_ANEW}")
    documents, summaries = zip(*rows, strict=True)
    return Pairs(documents, summaries)


def _local_files() -> dict[str, Path] | None:
    folder = data_folder("xsum")
    if folder is None or not folder.is_dir():
        return None
    paths = {split: folder / f"{split}.jsonl" for split in SIZES}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise DataError(
            f"{folder}: {', '.join(missing)} missing. Put the three files {', '.join(p.name for p in paths.values())} "
            "there, or unset HOMEWORK_DATA: then XSum is downloaded."
        )
    return paths


def _cached_paths() -> dict[str, Path]:
    return {split: cache_folder("xsum") / f"{split}-{size}-{SEED}.jsonl" for split, size in SIZES.items()}


def _cached_files() -> dict[str, Path] | None:
    paths = _cached_paths()
    return paths if all(path.is_file() for path in paths.values()) else None


def _downloaded_files() -> dict[str, Path]:
    cache = cache_folder("xsum")
    print(f"XSum is downloaded from the hub once (about 300 MB); the stories in use are then kept in {cache}.")
    temporary, paths = cache / "hub", _cached_paths()
    whole = _from_hub(temporary)
    for split, path in paths.items():
        if split not in whole or not {"document", "summary"} <= set(whole[split].column_names):
            raise DataError(
                f"{HUB_NAME} (revision {HUB_REVISION}) has changed: there is no split {split!r} with the columns "
                f"`document` and `summary`. {_OFFLINE}"
            )
        some = whole[split].select(choice(len(whole[split]), SIZES[split], split))
        _save(_pairs(list(zip(some["document"], some["summary"], strict=True)), f"{HUB_NAME}, {split}"), path)
        del some
    del whole
    shutil.rmtree(temporary, ignore_errors=True)  # ten times larger than the chosen stories
    return paths


_OFFLINE: Final = (
    "What to do, one of:\n"
    "- check the network connection and run this cell again;\n"
    "- put train.jsonl, validation.jsonl and test.jsonl, with one object with `document` and `summary` per line, into "
    "<folder>/xsum and set HOMEWORK_DATA=<folder>;\n"
    "- set HOMEWORK_PROFILE=mini and restart the notebook: it then works with embedded stories, offline."
)


def _from_hub(temporary: Path) -> Any:
    import datasets

    failure: Exception | None = None
    for attempt in range(download.ROUNDS):
        if attempt:
            time.sleep(download.PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return datasets.load_dataset(HUB_NAME, revision=HUB_REVISION, cache_dir=str(temporary))
        except Exception as error:  # a lost connection raises other errors in other versions of the hub's client
            if disk_is_full(error):
                raise unsaved(temporary, error, 2 * 10**9) from error
            failure = error
    raise DataError(
        "XSum is neither in $HOMEWORK_DATA nor in the cache, and it could not be downloaded from the hub "
        f"({type(failure).__name__}: {failure}).\n{_OFFLINE}"
    ) from failure


def _save(pairs: Pairs, path: Path) -> None:
    rows = zip(pairs.documents, pairs.summaries, strict=True)
    lines = [json.dumps({"document": document, "summary": summary}, ensure_ascii=False) for document, summary in rows]
    save(("\n".join(lines) + "\n").encode(), path)
