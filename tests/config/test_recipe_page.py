import pytest

from stvit_video.config.recipe_page import read_recipe, recipe_index, recipe_page

TEXT = """# @package _global_
# torchrun --nproc_per_node 4 -m stvit_video.train +experiment=x data.root=/data/x init_from=w.pth
# python -m stvit_video.sweep multirun/x
# A set | of clips in train/<class>/*.mp4. From weights of
# +experiment=k400.
# hardware: 4 GPUs of 16 GB (estimated)
# GMACs a view: 0.05, of the dense model 0.13
# not yet run by us. Published: 77.5
# (5 clips), optim.lr=1e-3, untested.
defaults:
  - override /data: csv
# kept
"""
SETTINGS = {
    "data": {"batch_size": 6, "num_repeats": 2, "source": "csv", "num_frames": 8, "crop_size": 64},
    "model": {"name": "stvit_video_deit_tiny", "num_tokens": 16},
    "optim": {"lr": 2e-4, "lr_reference_batch": 12, "warmup_epochs": None},
    "trainer": {"accumulate_grad_batches": 5, "max_epochs": 7},
    "protocol": {"name": "mvit", "num_clips": 5, "num_crops": 1},
}


def test_a_recipe_from_the_head_of_its_file():
    recipe = read_recipe("x", TEXT, SETTINGS)
    assert [command.split()[0] for command in recipe.commands] == ["torchrun", "python"]
    assert (recipe.title, recipe.notes) == (
        "A set | of clips in train/<class>/*.mp4",
        "From weights of +experiment=k400.",
    )
    assert (recipe.hardware, recipe.gmacs) == ("4 GPUs of 16 GB (estimated)", "0.05, of the dense model 0.13")
    assert recipe.published == "Published: 77.5 (5 clips), optim.lr=1e-3, untested."
    assert recipe.text == "defaults:\n  - override /data: csv\n# kept\n"
    assert (recipe.batch.videos, recipe.batch.clips) == (60, 120)  # 3 videos x 4 GPUs x 5, twice each


def test_the_page_of_a_recipe_that_was_not_run():
    page = recipe_page(read_recipe("x", TEXT, SETTINGS))
    assert page.startswith("# x\n\nA set | of clips in train/&lt;class>/\\*.mp4. From weights of `+experiment=k400`.\n")
    assert "**Not run by us.**" in page
    assert "<!-- docs-test: compose -->\n```bash\ntorchrun --nproc_per_node 4" in page
    assert "| data | `data=csv`; 8 frames, 64 pixels |" in page
    assert "effective batch 120 = 3/GPU x 4 GPU x 5 accumulate x 2 repeats (60 videos); lr 1.0e-3 (scaled" in page
    assert "| epochs | 7 |\n| test protocol | `mvit`, clips x crops: 5 x 1 |" in page
    assert "## Published\n\nPublished: 77.5 (5 clips), `optim.lr=1e-3`, untested." in page


def test_a_recipe_that_was_run_leads_to_its_results():
    text = TEXT.replace("# not yet run by us. Published: 77.5\n# (5 clips), optim.lr=1e-3, untested.\n", "")
    recipe = read_recipe("x", text, SETTINGS, results="results/x.md")
    page = recipe_page(recipe)
    assert "**Run by us**: [results](../results/x.md)." in page
    assert "Not run" not in page
    assert "## Published" not in page
    (row,) = (line for line in recipe_index([recipe]).splitlines() if line.startswith("| [x]"))
    assert row == (
        "| [x](x.md) | A set \\| of clips in train/&lt;class>/\\*.mp4 | 0.05 | 120 | 7 | [yes](../results/x.md) |"
    )


def test_a_head_without_a_command():
    with pytest.raises(ValueError, match=r"conf/experiment/x.yaml does not say its command"):
        read_recipe("x", "# @package _global_\n# A set.\ndefaults: []\n", SETTINGS)


def test_the_page_of_a_detector_tells_its_head_and_sizes():
    head = {"name": "retinanet", "detections": 70, "score_threshold": 0.1, "nms_threshold": 0.6}
    augment, data = {"short_sides": None}, {**SETTINGS["data"], "short_side": 240, "long_side": 999}
    settings = {key: value for key, value in SETTINGS.items() if key != "protocol"}
    page = recipe_page(read_recipe("x", TEXT, settings | {"head": head, "data": data, "augment": augment}))
    assert "| data | `data=csv`; short side of 240 pixels |\n" in page
    assert "| head | `head=retinanet` |\n" in page
    assert (
        "| test protocol | short side of 240 pixels, long side of at most 999; 70 detections from score 0.1, NMS 0.6 |"
    ) in page
    augment["short_sides"] = [200, 240]
    page = recipe_page(read_recipe("x", TEXT, settings | {"head": head, "data": data, "augment": augment}))
    assert "short side of one of 200, 240 pixels" in page


def test_the_page_of_a_segmenter_tells_its_crops_and_windows():
    head = {"name": "upernet", "window": None}
    data = {**SETTINGS["data"], "short_side": 240, "long_side": 999, "crop_size": 96}
    settings = {key: value for key, value in SETTINGS.items() if key != "protocol"} | {"data": data, "augment": {}}
    page = recipe_page(read_recipe("x", TEXT, settings | {"head": head}))
    assert "| data | `data=csv`; crops of 96 pixels |\n| model |" in page
    test = "| test protocol | short side of 240 pixels, long side of at most 999; "
    assert f"{test}the whole picture at once |" in page
    assert f"{test}windows of 64 pixels |" in recipe_page(
        read_recipe("x", TEXT, settings | {"head": head | {"window": 64}})
    )
