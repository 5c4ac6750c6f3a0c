"""XSum is found, checked, chosen from, fetched in the hub's format, or its absence explained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from homework.data import download, xsum
from homework.data.pairs import Pairs
from homework.data.stories import stories
from homework.errors import DataError
from tests.homework.conftest import Patch, Printed, a_run, disk_full

FULL = a_run("summarization", "full")
REAL = os.environ.get("HOMEWORK_DATA", "")  # before a fixture unsets it
COUNTS = {"train": 30, "validation": 5, "test": 4}


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)


def rows(split: str) -> list[dict[str, str]]:
    return [
        {"id": f"{split}/{n}", "document": f"Story {n} of {split} – “it rained”\u2028again.", "summary": f"Rain {n}."}
        for n in range(COUNTS[split])
    ]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: Patch) -> Path:
    """The folder with the three files that an institute keeps in its data folder."""
    folder = tmp_path / "shared" / "xsum"
    folder.mkdir(parents=True)
    for split in COUNTS:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(split))
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    return folder


def hub(folder: Path, monkeypatch: Patch, leave_out: str = "") -> None:
    """Makes a folder of the form of the hub's parquet export, which is loaded instead of the hub."""
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

    for split in COUNTS:
        path = folder / "default" / split / "0000.parquet"
        path.parent.mkdir(parents=True)
        table = pa.Table.from_pylist(rows(split))
        pq.write_table(table.drop_columns([leave_out]) if leave_out else table, path)
    monkeypatch.setattr(xsum, "HUB_NAME", str(folder))


def test_local_files_are_read_and_not_changed(tmp_path: Path, local: Path) -> None:
    before = {path.name: path.read_bytes() for path in local.iterdir()}
    data = stories(FULL)
    assert data.name == "XSum"
    assert (len(data.train), len(data.validation), len(data.test)) == (30, 5, 4)
    assert data.train.documents[3] == rows("train")[3]["document"]
    assert data.test.summaries == tuple(row["summary"] for row in rows("test"))
    assert {path.name: path.read_bytes() for path in local.iterdir()} == before
    assert not (tmp_path / "cache").exists()


def test_a_missing_file_is_named(local: Path) -> None:
    (local / "validation.jsonl").unlink()
    with pytest.raises(DataError, match=r"validation\.jsonl missing"):
        stories(FULL)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b'{"document": "a story", "summary": "short"}\n{"document": "a st', r"line 2: damaged"),
        (b'{"document": "a story"}\n', r"line 1: the text `summary` is missing"),
        (b'{"document": 3, "summary": "short"}\n', r"line 1: the text `document` is missing"),
        (b'["a story", "short"]\n', r"line 1: expected an object with"),
        (b"", r"contains no story"),
        (b'{"document": " ", "summary": "short"}\n', r"contains no story"),
        (b'{"document": "\xff", "summary": "short"}\n', r"not UTF-8"),
    ],
)
def test_the_error_of_a_damaged_file_names_its_line(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(contents)
    with pytest.raises(DataError, match=message) as caught:
        xsum.read_pairs(path)
    assert str(path) in str(caught.value) and "Delete this file" in str(caught.value)


def test_empty_texts_are_left_out(tmp_path: Path) -> None:
    lines = ({"document": document, "summary": summary} for document, summary in (("", "b"), ("a", "b"), ("a", "")))
    (tmp_path / "train.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    assert xsum.read_pairs(tmp_path / "train.jsonl") == Pairs(("a",), ("b",))


def test_the_choice_of_stories_is_fixed_without_repetition_and_spread_out() -> None:
    kept = xsum.choice(1000, 100, "train")
    assert kept == xsum.choice(1000, 100, "train") == sorted(set(kept))
    assert len(kept) == 100 and kept[:5] == [3, 10, 25, 30, 53]  # on all machines and versions
    assert kept != xsum.choice(1000, 100, "test")
    assert 400 < sum(kept) / 100 < 600
    assert xsum.choice(3, 100, "train") == [0, 1, 2]


def test_the_hub_is_asked_once_and_the_choice_is_kept(tmp_path: Path, monkeypatch: Patch, capsys: Printed) -> None:
    hub(tmp_path / "hub", monkeypatch)
    monkeypatch.setattr(xsum, "SIZES", {"train": 10, "validation": 5, "test": 5})
    data = stories(FULL)
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 5, 4)
    assert data.train.documents == tuple(rows("train")[n]["document"] for n in xsum.choice(30, 10, "train"))
    assert data.train.summaries[0].startswith("Rain ")
    assert "once" in capsys.readouterr().out
    monkeypatch.setattr(xsum, "HUB_NAME", str(tmp_path / "nowhere"))
    assert stories(FULL) == data
    assert capsys.readouterr().out == ""
    kept = sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert kept == ["test-5-0.jsonl", "train-10-0.jsonl", "validation-5-0.jsonl"]


def test_a_changed_format_of_the_hub_is_an_error(tmp_path: Path, monkeypatch: Patch) -> None:
    hub(tmp_path / "hub", monkeypatch, leave_out="summary")
    with pytest.raises(DataError, match="has changed"):
        stories(FULL)
    assert not list((tmp_path / "cache" / "xsum").glob("*.jsonl"))


def test_a_damaged_parquet_file_is_an_error(tmp_path: Path, monkeypatch: Patch) -> None:
    hub(tmp_path / "hub", monkeypatch)
    (tmp_path / "hub" / "default" / "test" / "0000.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="could not be downloaded"):
        stories(FULL)


def test_a_broken_connection_is_retried(tmp_path: Path, monkeypatch: Patch) -> None:
    import datasets

    hub(tmp_path / "hub", monkeypatch)
    calls: list[str] = []
    real = datasets.load_dataset

    def shaky(*args: Any, **keywords: Any) -> Any:
        calls.append(keywords["revision"])
        if len(calls) < download.ROUNDS:
            raise ConnectionError("reset by peer")
        return real(*args, **keywords)

    monkeypatch.setattr(datasets, "load_dataset", shaky)
    assert len(stories(FULL).test) == 4
    assert calls == ["refs/convert/parquet"] * download.ROUNDS


def test_without_network_the_error_says_what_to_do() -> None:
    with pytest.raises(DataError, match="could not be downloaded from the hub") as caught:
        stories(FULL)
    for way_out in ("network connection", "HOMEWORK_DATA=<folder>", "HOMEWORK_PROFILE=mini"):
        assert way_out in str(caught.value)


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(os, "replace", disk_full)
    with pytest.raises(DataError, match="HOMEWORK_CACHE"):
        xsum._save(Pairs(("a",), ("b",)), tmp_path / "cache" / "train.jsonl")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.skipif(
    not (Path(REAL) / "xsum").is_dir() or not REAL, reason="HOMEWORK_DATA names no folder with real stories"
)
def test_the_real_stories_are_read(monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_DATA", REAL)
    data = stories(FULL)
    assert len(data.train) >= 1_000
    assert min(len(data.validation), len(data.test)) >= 100
    words = sum(len(text.split()) for text in data.test.documents) / len(data.test)
    assert 100 < words < 1_000
    assert 10 < sum(len(text.split()) for text in data.test.summaries) / len(data.test) < 40
