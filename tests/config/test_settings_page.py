import re

from stvit_video.config.settings_page import settings_page
from stvit_video.config.unknown_keys import known_settings


def test_every_setting_of_every_command_stands_on_the_page():
    page = settings_page()
    told = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    groups = {"model", "data", "optim", "augment", "trainer", "distill", "protocol", "sweep", "head", "events"}
    for command in ("train", "evaluate", "doctor"):
        options = {name for name in known_settings(command) if not name.startswith("model.") or name == "model.name"}
        assert options - groups <= told
    assert {"model.num_tokens", "model.window_size", "model.embed_dims", "data.clip_sampler"} <= told
    assert {"head.name", "head.head_rule", "head.neck_channels", "head.focal_alpha", "score_threshold"} <= told
    assert {"window", "head.window", "head.auxiliary_weight", "optim.poly_power"} <= told


def test_the_heads_of_all_dense_tasks_are_told_once():
    page = settings_page()
    titles = [line for line in page.splitlines() if line.startswith("## `stvit_video.")]
    assert [line for line in titles if " of a " in line] == [
        "## `stvit_video.train` of a detector or segmenter",
        "## `stvit_video.evaluate` of a detector",
        "## `stvit_video.evaluate` of a segmenter",
    ]
    assert page.count("| `head.name` |") == 1


def test_a_line_has_default_range_and_help():
    page = settings_page()
    assert "| `optim.lr` | `0.001` | a number above 0 | learning rate at the peak, after warm-up |" in page
    assert "| `data.split` | `1` | one of 1, 2, 3 | 1, 2 or 3; results are the mean of the three |" in page
    assert re.search(r"^\| `model.generate_at` \| `null` \| .*blocks before generation", page, re.MULTILINE)
    assert "None" not in re.findall(r"^\| `data.lists`.*", page, re.MULTILINE)[0]
