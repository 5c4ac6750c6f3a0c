"""Modules can be imported by the names of earlier releases, which notebooks, pickles and checkpoints use."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import homework
from homework.old_names import NEW_NAMES

PACKAGE = Path(homework.__file__).parent
RELEASE_0_1 = """
    arguments atomic bands batches cache_names checkpoints checks cifar10_files colab comparison data download errors
    figures folders hub_models identity judge log matrices mnist_files notebook_names personal pictures plots precision
    profiles ranking_panel rater reward_model rouge rouge_scores scalars seeds shapes source_hash span_corruption
    stories story_grammar summarizer surfaces tiny_t5 torchvision_compat trainer training unet xsum
""".split()
NOTEBOOKS_0_1 = """
    arguments:modules_may_change,watched batches:batches_by_length cache_names:accept_both_cache_names
    checks:close,fresh,part colab:use_drive hub_models:from_pretrained judge:CONFIDENT,SHARE,judge_samples,train_judge
    log:SubmissionLog matrices:side_by_side personal:draws_for pictures:pictures_for precision:autocast
    ranking_panel:RankingPanel,rankings_file rater:Ranked,liking,simulated_rankings reward_model:reward_model
    rouge:Rouge rouge_scores:rouge_scores shapes:draw_shapes stories:Pairs,Stories,stories
    summarizer:saved_summarizer_folder,summarizer_name surfaces:surface tiny_t5:t5_name trainer:fit,settings unet:UNet
    data:digits,mnist,embedded_digits,Digits,DataError plots:curves,image_grid,heatmap,bars,scatter training:Loop
""".split()
"""Modules and the names that notebooks import from them or use of them."""


@pytest.mark.parametrize("name", RELEASE_0_1)
def test_every_way_to_import_an_old_name_gives_the_same_module(name: str) -> None:
    module = importlib.import_module(NEW_NAMES.get(f"homework.{name}", f"homework.{name}"))
    assert importlib.import_module(f"homework.{name}") is module
    names: dict[str, object] = {}
    exec(f"import homework.{name} as a\nimport homework.{name}\nfrom homework import {name} as b", names)
    exec(f"c = homework.{name}", names)
    assert names["a"] is names["b"] is names["c"] is module
    assert module.__spec__ is not None and module.__spec__.name == module.__name__


def test_everything_that_notebooks_of_release_0_1_import_exists() -> None:
    exec("from homework import data, plots, reference, student, training", {})
    for module, names in (entry.split(":") for entry in NOTEBOOKS_0_1):
        exec(f"from homework.{module} import {names}", {})


def test_a_pickle_may_name_a_class_by_its_old_module() -> None:
    from homework.data.pairs import Pairs
    from homework.models.unet import UNet

    assert pickle.loads(b"chomework.unet\nUNet\n.") is UNet
    assert pickle.loads(b"chomework.stories\nPairs\n.") is Pairs


def test_a_file_left_behind_by_an_older_release_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "unet.py").write_text("raise SystemExit('stale')")
    code = f"import homework; homework.__path__.insert(0, {str(tmp_path)!r}); import homework.unet as unet; unet.UNet"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_uses_the_new_names_only() -> None:
    old = re.compile(rf"\b({'|'.join(map(re.escape, NEW_NAMES))})\b")
    for path in PACKAGE.rglob("*.py"):
        if path.name != "old_names.py":
            assert not old.search(path.read_text(encoding="utf-8")), path


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'homework\.no_such_module'"):
        importlib.import_module("homework.no_such_module")
