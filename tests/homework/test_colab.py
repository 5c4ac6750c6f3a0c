"""On Colab, checkpoints are saved to the drive and the log is downloaded; tested with a replacement of its package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from homework import colab
from homework.hand_in.log import SubmissionLog
from homework.train.checkpoints import checkpoints_folder
from tests.homework.conftest import Patch, Printed, a_run


class Colab(ModuleType):
    """Colab's package, as far as we use it."""

    def __init__(self) -> None:
        super().__init__("google.colab")
        self.mounted: list[str] = []
        self.downloaded: list[str] = []
        self.failure: Exception | None = None
        self.drive = SimpleNamespace(mount=self._mount)
        self.files = SimpleNamespace(download=self._download)

    def _mount(self, mountpoint: str) -> None:
        if self.failure:
            raise self.failure
        (Path(mountpoint) / "MyDrive").mkdir(parents=True)
        self.mounted.append(mountpoint)

    def _download(self, filename: str) -> None:
        if self.failure:
            raise self.failure
        self.downloaded.append(filename)


@pytest.fixture
def stand_in(monkeypatch: Patch, tmp_path: Path) -> Colab:
    """Makes this process believe that it runs on Colab."""
    fake = Colab()
    monkeypatch.setitem(sys.modules, "google", SimpleNamespace(colab=fake))
    monkeypatch.setitem(sys.modules, "google.colab", fake)
    monkeypatch.setattr(colab, "MOUNT", tmp_path / "drive")
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", "")
    return fake


def test_checkpoints_are_saved_to_the_drive(stand_in: Colab, tmp_path: Path, capsys: Printed) -> None:
    folder = colab.use_drive("course/vae")
    assert folder == tmp_path / "drive" / "MyDrive" / "course" / "vae" and folder.is_dir()
    assert checkpoints_folder() == folder and stand_in.mounted == [str(tmp_path / "drive")]
    assert "course/vae of your drive" in capsys.readouterr().out


def test_without_permission_the_notebook_continues(stand_in: Colab, capsys: Printed) -> None:
    stand_in.failure = ValueError("mount failed")
    assert colab.use_drive() is None
    assert not os.environ["HOMEWORK_CHECKPOINTS"]
    assert "cannot be used (mount failed)" in capsys.readouterr().out


def test_outside_of_colab_nothing_is_mounted_or_downloaded(monkeypatch: Patch, capsys: Printed) -> None:
    monkeypatch.delenv("HOMEWORK_CHECKPOINTS", raising=False)
    assert colab.use_drive() is None
    colab.offer_download(Path("submission_log.json"))
    assert "HOMEWORK_CHECKPOINTS" not in os.environ
    assert capsys.readouterr().out.startswith("This is not Colab")


@pytest.mark.parametrize("folder", ["", "/content", "../up"])
def test_a_folder_elsewhere_than_on_the_drive_is_refused(stand_in: Colab, folder: str) -> None:
    with pytest.raises(ValueError, match="must name a folder on your drive"):
        colab.use_drive(folder)
    assert not stand_in.mounted


def test_writing_the_log_downloads_it(stand_in: Colab, tmp_path: Path, capsys: Printed) -> None:
    path = SubmissionLog(a_run(), student="ada").write(tmp_path / "submission_log.json")
    assert stand_in.downloaded == [str(path)]
    stand_in.failure = RuntimeError("no tab")
    SubmissionLog(a_run(), student="ada").write(tmp_path / "submission_log.json")
    said = capsys.readouterr().out
    assert "The download did not start (no tab)" in said and "download submission_log.json there" in said


def test_grading_downloads_no_log(stand_in: Colab, tmp_path: Path) -> None:
    SubmissionLog(a_run(profile="grade"), student="ada").write(tmp_path / "submission_log.json")
    assert not stand_in.downloaded
