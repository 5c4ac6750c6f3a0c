"""On Colab: checkpoints on the drive, and the log as a download; tried with a stand-in for Colab's own package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from homework import colab
from homework.hand_in.log import SubmissionLog
from homework.profiles import start
from homework.train.checkpoints import checkpoints_folder


class Colab(ModuleType):
    """Colab's package, as far as we use it."""

    def __init__(self) -> None:
        super().__init__("google.colab")
        self.mounted: list[str] = []
        self.downloaded: list[str] = []
        self.failure: Exception | None = None
        self.drive = ModuleType("google.colab.drive")
        self.files = ModuleType("google.colab.files")
        self.drive.mount = self._mount  # type: ignore[attr-defined]
        self.files.download = self._download  # type: ignore[attr-defined]

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
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Colab:
    """Makes this process believe that it runs on Colab."""
    fake = Colab()
    google = ModuleType("google")
    google.colab = fake  # type: ignore[attr-defined]
    for name, module in {"google": google, "google.colab": fake}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(colab, "MOUNT", tmp_path / "drive")
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", "")
    return fake


def test_checkpoints_go_to_the_drive(stand_in: Colab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = colab.use_drive("course/vae")
    assert folder == tmp_path / "drive" / "MyDrive" / "course" / "vae" and folder.is_dir()
    assert checkpoints_folder() == folder and stand_in.mounted == [str(tmp_path / "drive")]
    assert "course/vae of your drive" in capsys.readouterr().out


def test_without_a_permission_the_notebook_goes_on(stand_in: Colab, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.failure = ValueError("mount failed")
    assert colab.use_drive() is None
    assert not os.environ["HOMEWORK_CHECKPOINTS"]
    assert "cannot be used (mount failed)" in capsys.readouterr().out


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_writing_the_log_offers_its_download(
    stand_in: Colab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "mini")
    path = SubmissionLog(start("vae"), student="ada").write(tmp_path / "submission_log.json")
    assert stand_in.downloaded == [str(path)]
    stand_in.failure = RuntimeError("no tab")
    SubmissionLog(start("vae"), student="ada").write(tmp_path / "submission_log.json")
    said = capsys.readouterr().out
    assert "The download did not start (no tab)" in said and "download submission_log.json there" in said


def test_a_grader_is_offered_no_download(stand_in: Colab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "grade")
    SubmissionLog(start("vae"), student="ada").write(tmp_path / "submission_log.json")
    assert not stand_in.downloaded
