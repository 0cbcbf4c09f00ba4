import re

import pytest

from stvit_video.models.checkpoints.grids import PositionGrid
from stvit_video.models.checkpoints.metadata import (
    check_metadata,
    check_resume,
    checkpoint_metadata,
    dense_description,
    segmenter_metadata,
)
from stvit_video.models.checkpoints.state_dict import CheckpointError


def metadata(**changes):
    parts = {
        "model_name": "deit_tiny",
        "model_options": {"num_tokens": (2, 3), "depth": 5},
        "classes": ("a", "b", "c"),
        "preprocessing": {"num_frames": 4, "mean": [0.5, 0.5, 0.5]},
        "protocol": {"num_clips": 2, "num_crops": 3, "average": "prob"},
        "config": {"seed": 0},
        "position_grid": PositionGrid((7, 5), 1),
    }
    return checkpoint_metadata(**{**parts, **changes})


def test_what_was_written_is_accepted():
    assert check_metadata(metadata(), source="x") == metadata()


@pytest.mark.parametrize("found", [None, 5, {}, metadata() | {"format": 0}])
def test_no_metadata_of_our_format(found):
    with pytest.raises(CheckpointError, match=r"'x.ckpt' .*which model .*load_checkpoint"):
        check_metadata(found, source="'x.ckpt'")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "model.name (no str), model.options (no dict);"),
        (
            {"model": {"name": 3, "options": {}}},  # the whole sentence, once for its family
            "'x.ckpt' lacks parts of its 'stvit_video' entry: model.name (no str); "
            "give a file as stvit_video.train wrote it",
        ),
        ({"classes": 3}, "classes (no list)"),
        ({"classes": [1, 2]}, "classes (no list of names)"),
        ({"preprocessing": []}, "preprocessing (no dict)"),
        ({"protocol": {"num_clips": 1, "average": "prob"}}, "protocol.num_crops (no int)"),
        ({"config": None}, "config (no dict)"),
    ],
)
def test_parts_that_are_missing_or_of_another_type(changes, message):
    with pytest.raises(CheckpointError, match=re.escape(message)):
        check_metadata(metadata() | changes, source="'x.ckpt'")


def test_every_part_is_needed():
    for key in metadata():
        if key not in ("versions", "format", "multi_label", "held_back", "position_grid", "task"):
            with pytest.raises(CheckpointError, match=f"lacks .*'stvit_video' entry: {key}"):
                check_metadata({k: v for k, v in metadata().items() if k != key}, source="x")


def test_equal_settings_resume():
    now = metadata(model_options={"depth": 5, "num_tokens": [2, 3]}, protocol={"num_clips": 9}, config={"seed": 1})
    assert check_resume(metadata(), now) is None


def test_classes_in_another_form_of_the_same_text_resume():
    then = metadata(classes=("e\u0301cole", "a\u00a0b", "c"))
    assert check_resume(then, metadata(classes=("\u00e9cole", "a b", "c"))) is None
    with pytest.raises(CheckpointError, match=r"classes \[..., 'c'\] \(3\), .*\[..., 'd'\] \(3\)"):
        check_resume(then, metadata(classes=("\u00e9cole", "a b", "d")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("a", "d", "c")}, r"checkpoint .*classes \[..., 'b', 'c'\] \(3\), .*\[..., 'd', 'c'\] \(3\)"),
        ({"classes": ("a", "b")}, r"checkpoint .*classes \[..., 'c'\] \(3\), .*\[...\] \(2\)"),
        ({"classes": tuple("vwxyz")}, r"checkpoint .*classes \['a', 'b', 'c'\] \(3\), .*\['v', 'w', 'x', ...\] \(5\)"),
        ({"model_name": "deit_base"}, "checkpoint .*model 'deit_tiny', this training 'deit_base'"),
        (
            {"model_options": {"num_tokens": 6, "depth": 5}},  # the whole sentence, once for its family
            r"^training can't go on from this checkpoint: the checkpoint has the model option num_tokens=\(2, 3\), "
            "this training num_tokens=6; resume with the settings it was trained with, or to start from its weights "
            r"use init_from=\.\.\. instead of ckpt_path$",
        ),
        ({"model_options": {"num_tokens": (2, 3)}}, "checkpoint .*option depth=5, this training depth=12"),
        (
            {"model_options": {"num_tokens": (2, 3), "depth": 5, "pool": "cls"}},
            "checkpoint .*option pool=None, this training pool='cls'",
        ),
        (
            {"preprocessing": {"num_frames": 8, "mean": [0.5, 0.5, 0.5]}},
            "checkpoint .*preprocessing num_frames=4, this training num_frames=8",
        ),
    ],
)
def test_the_first_difference_stops_a_resume(changes, message):
    with pytest.raises(CheckpointError, match=message):
        check_resume(metadata(), metadata(**changes))


def test_resume_from_a_checkpoint_without_metadata():
    with pytest.raises(CheckpointError, match="the checkpoint .*which model"):
        check_resume(None, metadata())


def test_checkpoints_of_before_are_of_one_label_a_video():
    old = {key: value for key, value in metadata().items() if key != "multi_label"}
    assert check_metadata(old, source="x")["multi_label"] is False
    assert check_metadata(metadata(multi_label=True), source="x")["multi_label"] is True
    assert check_resume(old, metadata()) is None
    with pytest.raises(CheckpointError, match=r"'stvit_video' entry: multi_label \(no bool\)"):
        check_metadata(old | {"multi_label": "yes"}, source="x")
    with pytest.raises(CheckpointError, match="checkpoint .*one label a video, this training .*several labels"):
        check_resume(old, metadata(multi_label=True))


@pytest.mark.parametrize(
    "grid", [5, {"sizes": [7, 5]}, {"sizes": "75", "num_class_tokens": 1}, {"sizes": [7.0], "num_class_tokens": 0}]
)
def test_a_grid_of_positions_that_is_none(grid):
    with pytest.raises(CheckpointError, match="lacks parts .*position_grid"):
        check_metadata(metadata() | {"position_grid": grid}, source="'x.ckpt'")


def test_the_grid_of_positions_is_plain_values():
    assert metadata()["position_grid"] == {"sizes": [7, 5], "num_class_tokens": 1}
    assert metadata(position_grid=None)["position_grid"] is None


def test_videos_that_were_held_back_stay_held_back():
    old = {key: value for key, value in metadata().items() if key != "held_back"}
    assert check_metadata(old, source="x")["held_back"] is None
    check_resume(old, metadata())
    held = metadata(held_back=("run/a.mp4", "run/b.mp4"))
    assert check_metadata(held, source="x")["held_back"] == ["run/a.mp4", "run/b.mp4"]
    check_resume(held, held)
    with pytest.raises(CheckpointError, match=r"held_back \(no list of names\)"):
        check_metadata(old | {"held_back": "run/a.mp4"}, source="x")
    with pytest.raises(CheckpointError, match=r"held back 2 .* this training 1, of which 1 .*run/a\.mp4 .*split\.csv"):
        check_resume(held, metadata(held_back=("run/b.mp4",)))
    with pytest.raises(CheckpointError, match="divided no folder"):
        check_resume(old, held)
    with pytest.raises(CheckpointError, match="held back from one folder"):
        check_resume(held, old)


def of_segmenter(**changes):
    description = {
        "head": "semantic_fpn",
        "head_rule": "ours",
        "backbone": {"name": "casvit_xs", "options": {"depths": [1, 1, 2, 1]}},
        "num_classes": 3,
        "options": {"dropout": 0.1, "window": None},
    }
    parts = {"classes": ("a", "b", "c"), "preprocessing": {"short_side": 512}, "config": {"seed": 0}}
    return description, segmenter_metadata(description=description | changes, **parts)


def test_a_segmenter_is_described_by_its_metadata():
    description, written = of_segmenter()
    assert written["task"] == "semantic"
    assert check_metadata(written, source="x", tasks=("semantic",)).items() >= written.items()
    assert dense_description(written) == description
    for key in ("head", "head_rule", "head_options"):
        with pytest.raises(CheckpointError, match=f"lacks .*'stvit_video' entry: {key}"):
            check_metadata({k: v for k, v in written.items() if k != key}, source="x", tasks=("semantic",))
    with pytest.raises(CheckpointError, match="task=semantic, .*task=detection or instance"):
        check_metadata(written, source="x", tasks=("detection", "instance"))


def test_a_segmenter_resumes_with_the_same_head_alone():
    _, then = of_segmenter()
    assert check_resume(then, then) is None
    for changes, message in (
        ({"head": "upernet"}, "head 'semantic_fpn', this training 'upernet'"),
        ({"options": {"dropout": 0.2, "window": None}}, "head option dropout=0.1, this training dropout=0.2"),
        ({"head_rule": "mmseg"}, "head_rule 'ours', this training 'mmseg'"),
    ):
        with pytest.raises(CheckpointError, match=message):
            check_resume(then, of_segmenter(**changes)[1])
