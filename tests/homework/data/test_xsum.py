"""XSum is found, checked, chosen from, fetched in the hub's format, or its absence explained."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from homework.data import download, xsum
from homework.data.pairs import Pairs
from homework.data.stories import stories
from homework.errors import DataError
from homework.profiles import Run

FULL = Run("summarization", "full", torch.device("cpu"), 0)
REAL = os.environ.get("HOMEWORK_DATA", "")  # before a fixture unsets it
COUNTS = {"train": 30, "validation": 5, "test": 4}


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)


def rows(split: str) -> list[dict[str, str]]:
    return [
        {"id": f"{split}/{n}", "document": f"Story {n} of {split} – “it rained”\u2028again.", "summary": f"Rain {n}."}
        for n in range(COUNTS[split])
    ]


def local(folder: Path) -> Path:
    """The three files as an institute would have them."""
    (folder / "xsum").mkdir(parents=True)
    for split in COUNTS:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(split))
        (folder / "xsum" / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return folder / "xsum"


def hub(folder: Path, monkeypatch: pytest.MonkeyPatch, leave_out: str = "") -> None:
    """A folder that looks like the hub's parquet export, and is loaded in its stead."""
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

    for split in COUNTS:
        path = folder / "default" / split / "0000.parquet"
        path.parent.mkdir(parents=True)
        table = pa.Table.from_pylist(rows(split))
        pq.write_table(table.drop_columns([leave_out]) if leave_out else table, path)
    monkeypatch.setattr(xsum, "HUB_NAME", str(folder))


def test_local_files_are_read_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = local(tmp_path / "shared")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    data = stories(FULL)
    assert data.name == "XSum"
    assert (len(data.train), len(data.validation), len(data.test)) == (30, 5, 4)
    assert data.train.documents[3] == rows("train")[3]["document"]
    assert data.test.summaries == tuple(row["summary"] for row in rows("test"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not (tmp_path / "cache").exists()


def test_a_file_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (local(tmp_path / "shared") / "validation.jsonl").unlink()
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
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
def test_damage_is_told_with_its_place(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(contents)
    with pytest.raises(DataError, match=message) as caught:
        xsum.read_pairs(path)
    assert str(path) in str(caught.value)
    assert "Delete this file" in str(caught.value)


def test_empty_texts_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(
        '{"document": "", "summary": "b"}\n\n{"document": "a", "summary": "b"}\n{"document": "a", "summary": ""}'
    )
    assert xsum.read_pairs(path) == Pairs(("a",), ("b",))


def test_the_choice_is_fixed_without_repetition_and_spread_out() -> None:
    kept = xsum.choice(1000, 100, "train")
    assert kept == xsum.choice(1000, 100, "train") == sorted(set(kept))
    assert len(kept) == 100
    assert kept[:5] == [3, 10, 25, 30, 53]  # of all machines and versions
    assert kept != xsum.choice(1000, 100, "test")
    assert 400 < sum(kept) / 100 < 600
    assert xsum.choice(3, 100, "train") == [0, 1, 2]


def test_the_hub_is_asked_once_and_the_choice_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_a_changed_hub_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(tmp_path / "hub", monkeypatch, leave_out="summary")
    with pytest.raises(DataError, match="has changed"):
        stories(FULL)
    assert not list((tmp_path / "cache" / "xsum").glob("*.jsonl"))


def test_a_damaged_parquet_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(tmp_path / "hub", monkeypatch)
    (tmp_path / "hub" / "default" / "test" / "0000.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="could not be downloaded"):
        stories(FULL)


def test_a_shaky_connection_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_without_network_it_says_what_to_do() -> None:
    with pytest.raises(DataError, match="could not be downloaded from the hub") as caught:
        stories(FULL)
    for way_out in ("network connection", "HOMEWORK_DATA=<folder>", "HOMEWORK_PROFILE=mini"):
        assert way_out in str(caught.value)


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    hub(tmp_path / "hub", monkeypatch)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="HOMEWORK_CACHE"):
        xsum._save(Pairs(("a",), ("b",)), tmp_path / "cache" / "train.jsonl")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.skipif(
    not (Path(REAL) / "xsum").is_dir() or not REAL, reason="HOMEWORK_DATA names no folder with real stories"
)
def test_real_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_DATA", REAL)
    data = stories(FULL)
    assert len(data.train) >= 1_000
    assert min(len(data.validation), len(data.test)) >= 100
    words = sum(len(text.split()) for text in data.test.documents) / len(data.test)
    assert 100 < words < 1_000
    assert 10 < sum(len(text.split()) for text in data.test.summaries) / len(data.test) < 40
