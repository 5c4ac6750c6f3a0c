"""The panel in which students rank summaries: clicks, undo, the saved file, and damaged files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from homework.errors import DataError
from homework.models.rater import Ranked, simulated_rankings
from homework.show import ranking_panel
from homework.show.ranking_panel import RankingPanel, load_rankings, rankings_file, save_rankings
from tests.homework.conftest import Patch, Printed, a_run, disk_full

DOCUMENTS = ["first <b>story</b>", "second story", "third story"]
SAMPLES = [[f"{name}{number}" for number in range(4)] for name in "abc"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the rankings."""
    return tmp_path / "rankings.jsonl"


def new_panel(path: Path, seed: int = 0) -> RankingPanel:
    return RankingPanel(DOCUMENTS, SAMPLES, path, seed=seed, pause=0)


def click(panel: RankingPanel, summary: str) -> None:
    """Presses the button that shows this summary, with or without a rank in front."""
    (button,) = [each for each in panel.buttons if each.description.split(". ")[-1] == summary]
    button.click()


def rank(panel: RankingPanel, summaries: list[str]) -> None:
    for summary in summaries:
        click(panel, summary)


def test_clicks_make_a_ranking_that_is_saved_and_the_next_story_appears(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rankings.jsonl"
    panel = new_panel(path)
    assert "0 of 3" in panel.title.value
    assert "&lt;b&gt;" in panel.story.value, "a story is text, not markup"
    assert {button.description for button in panel.buttons} == set(SAMPLES[0])
    rank(panel, ["a2", "a0", "a3"])
    assert not path.exists(), "a ranking that is not complete is not saved"
    click(panel, "a1")
    assert json.loads(path.read_text()) == {"document": DOCUMENTS[0], "summaries": ["a2", "a0", "a3", "a1"]}
    assert "1 of 3" in panel.title.value and "second story" in panel.story.value
    assert panel.rankings() == load_rankings(path) == [Ranked(DOCUMENTS[0], ("a2", "a0", "a3", "a1"))]


def test_its_rankings_have_the_form_of_the_simulated_raters(path: Path) -> None:
    panel = new_panel(path)
    rank(panel, SAMPLES[0])
    simulated = simulated_rankings(DOCUMENTS, SAMPLES, ["x", "y", "z"], seed=0)
    (own,) = panel.rankings()
    assert type(own) is type(simulated[0]) and own.document == simulated[0].document
    assert sorted(own.summaries) == sorted(simulated[0].summaries)


def test_a_later_panel_continues_where_the_first_stopped(path: Path) -> None:
    rank(new_panel(path), SAMPLES[0])
    later = new_panel(path, seed=5)
    assert "second story" in later.story.value
    rank(later, SAMPLES[1])
    rank(later, SAMPLES[2])
    assert "All 3 stories are ranked" in later.title.value
    assert all(button.layout.display == "none" for button in later.buttons)
    later.buttons[0].click()
    assert [ranked.document for ranked in load_rankings(path)] == DOCUMENTS


def test_undo_takes_back_a_click_then_a_whole_story(path: Path) -> None:
    panel = new_panel(path)
    assert panel.undo.disabled
    rank(panel, ["a0", "a1"])
    assert [b.description for b in panel.buttons if b.disabled] != []
    panel.undo.click()
    rank(panel, ["a3", "a1", "a2"])
    assert panel.rankings()[0].summaries == ("a0", "a3", "a1", "a2")
    panel.undo.click()
    assert panel.rankings() == load_rankings(path) == []
    assert "first" in panel.story.value
    panel.undo.click()  # nothing is left to take back
    rank(panel, SAMPLES[0])
    assert panel.rankings()[0].summaries == tuple(SAMPLES[0])


def test_undo_keeps_the_rankings_of_other_documents(path: Path) -> None:
    other = Ranked("a story of another panel", ("x", "y"))
    rank(new_panel(path), SAMPLES[0])
    save_rankings(path, [*load_rankings(path), other])
    panel = new_panel(path)
    panel.undo.click()
    assert load_rankings(path) == [other]
    assert panel.undo.disabled and "first" in panel.story.value
    panel.undo.click()
    assert load_rankings(path) == [other]


def test_late_clicks_for_a_ranked_story_do_not_rank_the_next(path: Path, monkeypatch: Patch) -> None:
    now = 100.0
    monkeypatch.setattr(ranking_panel, "time", SimpleNamespace(monotonic=lambda: now))
    panel = RankingPanel(DOCUMENTS, SAMPLES, path)
    rank(panel, SAMPLES[0])
    for button in panel.buttons:  # what a double click, or a kernel that was busy, sends at once
        button.click()
    assert "1 of 3" in panel.title.value
    assert not any(button.disabled for button in panel.buttons)
    now += 1.0
    rank(panel, SAMPLES[1])
    assert panel.rankings()[1].summaries == tuple(SAMPLES[1])


def test_summaries_are_shuffled_by_the_seed(path: Path) -> None:
    orders = {tuple(button.description for button in new_panel(path, seed).buttons) for seed in range(12)}
    assert len(orders) > 4


def test_equal_summaries_can_both_be_ranked_but_none_twice(path: Path) -> None:
    panel = RankingPanel(["story"], [["same", "same", "other"]], path)
    for number, button in enumerate(panel.buttons, 1):
        button.click()
        button.click()
        assert number == 3 or sum(button.disabled for button in panel.buttons) == number
    assert sorted(panel.rankings()[0].summaries) == ["other", "same", "same"]


@pytest.mark.parametrize("empty", ["", "   ", "\n"])
def test_an_empty_summary_can_be_seen_and_ranked(path: Path, empty: str) -> None:
    # A Button without a description keeps, in the browser, the text it had before; one of blanks has no height.
    panel = RankingPanel(["one", "two"], [["a", "b"], [empty, "c"]], path, pause=0)
    rank(panel, ["a", "b"])
    assert {button.description for button in panel.buttons} == {"(an empty summary)", "c"}
    rank(panel, ["c", "(an empty summary)"])
    assert load_rankings(panel.path)[1].summaries == ("c", empty)


def test_long_texts_are_not_cut_and_have_the_colours_of_the_theme(path: Path) -> None:
    panel = new_panel(path)
    style, title, *_ = panel.widget.children
    assert title is panel.title
    assert style.layout.display == "none" and "white-space: normal" in style.value
    for button in panel.buttons:
        assert "ranking-summary" in button._dom_classes and ".ranking-summary" in style.value
        assert button.style.text_color is None and button.style.button_color is None
        assert button.layout.height is None, "a height of the element itself would win over the style sheet"
    assert "overflow-y: auto" in panel.story.value, "a long story must not push the summaries out of sight"


def test_characters_that_python_takes_for_line_ends_are_read_back(path: Path) -> None:
    made = [Ranked("x\u2028y\u2029z", ("one\x85two", "three\nfour\r\nfive\x0csix"))]
    save_rankings(path, made)
    assert load_rankings(path) == made


@pytest.mark.parametrize("line", ["{", "[]", '{"document": "x"}', '{"document": 1, "summaries": ["a", "b"]}'])
def test_a_damaged_file_is_named_and_not_changed(path: Path, line: str) -> None:
    rank(new_panel(path), SAMPLES[0])
    before = path.read_text() + line + "\n"
    path.write_text(before)
    with pytest.raises(DataError, match=r"line 2 is not a ranking(.|\n)*Nothing was changed"):
        new_panel(path)
    assert path.read_text() == before


def test_a_file_that_is_no_text_is_an_error(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        load_rankings(path)


def test_a_ranking_that_cannot_be_saved_is_reported_and_not_counted(path: Path, monkeypatch: Patch) -> None:
    panel = new_panel(path)
    rank(panel, SAMPLES[0])
    monkeypatch.setattr(os, "replace", disk_full)
    rank(panel, SAMPLES[1])
    assert "disk is full" in panel.message.value
    assert len(panel.rankings()) == len(load_rankings(path)) == 1
    monkeypatch.undo()
    click(panel, "b3")
    assert panel.rankings()[1].summaries == tuple(SAMPLES[1])
    with pytest.raises(DataError, match="cannot be saved"):
        save_rankings(path / "no folder" / "x.jsonl", [])


def test_without_a_notebook_one_line_says_what_to_do(path: Path, capsys: Printed) -> None:
    new_panel(path).show()
    (line,) = capsys.readouterr().out.splitlines()
    assert "RANK_BY_HAND = False" in line


def test_the_file_is_beside_the_checkpoints(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path))
    file = rankings_file(a_run("rlhf"))
    assert file == tmp_path / "rlhf" / "mini" / "rankings.jsonl" and load_rankings(file) == []


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (SAMPLES[:2], "3 documents but 2 groups"),
        ([SAMPLES[0], [], SAMPLES[2]], r"samples\[1\] has 0 summaries"),
        ([SAMPLES[0], ["alone"], SAMPLES[2]], r"samples\[1\] has 1 summaries"),
    ],
)
def test_samples_that_cannot_be_ranked_are_refused(path: Path, samples: list[list[str]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RankingPanel(DOCUMENTS, samples, path)
