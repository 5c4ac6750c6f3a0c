"""The generated stories are the same everywhere; the summary tells their content, not their first sentence."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from statistics import mean

import pytest
from rouge_score.rouge_scorer import RougeScorer

from homework.data.stories import SIZES, UNLABELLED, Story, embedded_stories, labelled, stories, unlabelled
from homework.data.story_grammar import grammar
from homework.profiles import Profile
from tests.homework.conftest import a_run

SHA256 = "4daf13c5a9e614b6c2352521e0876ed91db2381eb5a8e4c7f9ef278358c134c2"
"""Of all stories and summaries. If it changes, the tiny T5 has to be built anew and every number measured on it."""


@pytest.fixture(scope="module")
def parts() -> dict[str, list[Story]]:
    return labelled()


@pytest.fixture(scope="module")
def further() -> list[Story]:
    return unlabelled()


@pytest.fixture(scope="module")
def every(parts: dict[str, list[Story]]) -> list[Story]:
    return [story for part in parts.values() for story in part]


def words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text)


@pytest.mark.parametrize("profile", ["mini", "grade"])
def test_mini_and_grade_get_the_embedded_stories(profile: Profile, parts: dict[str, list[Story]]) -> None:
    data = stories(a_run("summarization", profile))
    assert (data.name, len(data.train), len(data.validation), len(data.test)) == ("embedded stories", 4000, 400, 400)
    assert data.test.documents == tuple(story.document for story in parts["test"])
    assert data.train.summaries == tuple(story.summary for story in parts["train"])
    assert "4,000 training, 400 validation and 400 test" in repr(data) and repr(data.test) == "Pairs(400)"
    assert data == stories(a_run("rlhf", profile, 7))


def test_the_stories_are_the_same_everywhere(every: list[Story], further: list[Story]) -> None:
    text = "".join(f"{story.document}\n{story.summary}\n" for story in (*every, *further))
    assert hashlib.sha256(text.encode()).hexdigest() == SHA256


def test_the_parts_are_disjoint(every: list[Story], further: list[Story]) -> None:
    assert len(every) == sum(SIZES.values())
    assert len(further) == UNLABELLED == 20_000
    assert len({story.document for story in (*every, *further)}) == len(every) + UNLABELLED
    facts = {story.facts for story in every}
    assert len(facts) == len(every)
    assert facts.isdisjoint(story.facts for story in further)


def test_stories_and_summaries_are_short_and_clean(every: list[Story], further: list[Story]) -> None:
    for story in (*every, *further):
        assert 4 <= len(story.sentences) <= 6
        assert story.document == " ".join(story.sentences)
        assert len(re.findall(r"[\w-]+|[^\w\s]", story.document)) <= 95  # 96 tokens with the end token
        assert len(re.findall(r"[\w-]+|[^\w\s]", story.summary)) <= 23
        for sentence in (*story.sentences, story.summary):
            assert sentence[0].isupper() or sentence[0].isdigit()
            assert sentence.endswith(".")
            assert not re.search(r"[{}]|  |\ba [aeiou]", sentence)


def test_the_main_event_is_told_once_in_any_of_four_sentences(every: list[Story]) -> None:
    for story in every:
        assert story.sentences.count(story.sentences[story.main]) == 1
    places = Counter(story.main for story in every)
    assert set(places) == {0, 1, 2, 3}
    assert all(0.2 < count / len(every) < 0.3 for count in places.values())
    kinds = Counter(story.kind for story in every)
    assert len(kinds) == len(grammar().kinds) == 16
    assert all(0.7 < 16 * count / len(every) < 1.3 for count in kinds.values())


def test_a_story_contains_all_names_and_numbers_of_its_summary(every: list[Story]) -> None:
    numbers = set(grammar().words["number"])
    for story in every:
        said = {word.lower() for word in words(story.document)}
        first, *rest = words(story.summary)
        for word in rest:
            if word[0].isupper() or word[0].isdigit() or word in numbers:
                assert word.lower() in said, story
        assert first.lower() in said or not any(first in listed for listed in grammar().words.values()), story


def test_a_summary_uses_other_words_than_the_sentence_that_tells_the_event(every: list[Story]) -> None:
    scorer = RougeScorer(["rouge2", "rougeL"], use_stemmer=True)
    scores = [scorer.score(story.summary, story.sentences[story.main]) for story in every[:400]]
    assert mean(score["rougeL"].fmeasure for score in scores) < 0.35
    assert mean(score["rouge2"].fmeasure for score in scores) < 0.15
    assert not any(story.summary in story.document for story in every)


def test_the_first_sentence_is_a_poor_summary() -> None:
    test = embedded_stories().test
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    pairs = zip(test.summaries, test.documents, strict=True)
    lead = [scorer.score(summary, document.split(". ")[0] + ".")["rougeL"].fmeasure for summary, document in pairs]
    assert 0.15 < mean(lead) < 0.3


def test_many_stories_mention_older_events_or_events_elsewhere(every: list[Story]) -> None:
    rules = grammar()
    with_older = [any(past in story.document for past in rules.words["past"]) for story in every]
    with_others = [any(said in story.document for said in rules.elsewhere) for story in every]
    assert 0.65 < mean(with_older) < 0.85
    assert 0.2 < mean(with_others) < 0.4


def test_the_vocabulary_is_small_and_all_in_the_unlabelled_stories(every: list[Story], further: list[Story]) -> None:
    unlabelled_words = {word for story in further for word in words(story.document)}
    assert len(unlabelled_words) < 700
    for story in every:
        assert unlabelled_words.issuperset(words(story.document) + words(story.summary))
