import json

import pytest

from stvit_video.pages.run_facts import run_facts

VIDEOS = {
    "num_videos_used": 6,
    "num_videos_listed": 7,
    "num_classes": 3,
    "multi_label": False,
    "protocol": {"name": "uniform", "num_clips": 2, "num_crops": 3, "average": "logit"},
    "preprocessing": {"num_frames": 8, "frame_stride": 4, "short_side": 72, "crop_size": 64},
    "model": "stvit_video_deit_tiny",
    "num_tokens": 16,
    "token_grid": [1, 4, 4],
    "reducer": "tome",
    "generate_at": 2,
    "gmacs_per_view": 0.0870345,
    "gmacs_per_video": 0.5222,
    "num_parameters": 716834,
    "inference_clips_per_second": 123.07,
    "commit": "1e9e4f7b65d87bd1754c83a46c4de3e47f5dd5f1+changes",
    "hardware": "AMD EPYC, 1 threads",
    "date": "2026-11-29T13:03:11+00:00",
    "versions": {"stvit_video": "0.1.0", "torch": "2.14"},
    "checkpoint": "last",
    "training": {"seconds": 233.7, "epochs": 32, "clips_per_second": 35.04, "num_skipped": 2, "precision": "32-true"},
}


def facts(result, unit="videos"):
    return {name: value for name, value in run_facts(result, unit=unit) if value is not None}


def test_a_training_of_videos():
    assert facts(VIDEOS) == {
        "Model": "stvit_video_deit_tiny",
        "Tokens": "16 semantic tokens on a grid of 1 x 4 x 4, made by tome, after 2 blocks",
        "Parameters": "0.717 M",
        "GMACs": "0.087 a clip, 0.522 a video",
        "Speed": "123 clips/s in inference",
        "Training": "32 epochs in 3 min 54 s, 35 clips/s, precision 32-true, 2 files could not be read",
        "Checkpoint": "last.ckpt",
        "Evaluated on": "6 of 7 videos, 3 classes",
        "Input": "clips of 8 frames, 4 frames of the video apart, crops of 64 pixels, short side 72",
        "Protocol": "uniform: 2 clips x 3 crops, logits averaged, short side 72",
        "Measured with": "AMD EPYC, 1 thread, 2026-11-29 13:03:11 UTC, commit 1e9e4f7b65d8 with changes, "
        "stvit_video 0.1.0, torch 2.14",
    }


def test_a_dense_image_model_and_several_labels():
    sizes = {"num_frames": 1, "frame_stride": 1, "short_side": 32, "crop_size": 28}
    dense = {"num_tokens": None, "token_grid": None, "reducer": None, "generate_at": None}
    found = facts(VIDEOS | dense | {"multi_label": True, "preprocessing": sizes, "commit": None})
    assert found["Tokens"] == "none, a dense model"
    assert found["Input"] == "single frames, crops of 28 pixels, short side 32"
    assert found["Evaluated on"] == "6 of 7 videos, 3 classes, several labels each"
    assert "commit" not in found["Measured with"]


@pytest.mark.parametrize(
    ("reducer", "count", "place", "words"),
    [
        ("none", None, None, "none, a dense model"),
        ("semantic", None, None, "semantic tokens, as many as the model makes by default of a picture of that size"),
        ("pool", [4, 6], 3, "4 x 6 semantic tokens, made by pool, after 3 blocks"),
    ],
)
def test_tokens_of_a_detector_are_those_of_the_options_of_its_backbone(reducer, count, place, words):
    options = {"reducer": reducer, "num_tokens": count, "generate_at": place}
    assert facts({"detector": {"backbone": {"name": "a", "options": options}}}) == {"Tokens": words}


def test_pictures_are_no_videos_of_one_frame():
    sizes = {"num_frames": 1, "frame_stride": 1, "short_side": 32, "crop_size": 28}
    protocol = {"name": "single", "num_clips": 1, "num_crops": 1, "average": "prob"}
    changes = {"preprocessing": sizes, "protocol": protocol, "inference_clips_per_second": 12345.6}
    found = facts(VIDEOS | changes, unit="pictures")
    assert found["Input"] == "pictures, crops of 28 pixels, short side 32"
    assert found["Evaluated on"] == "6 of 7 pictures, 3 classes"
    assert found["GMACs"] == "0.087 a picture"
    assert found["Speed"] == "12,346 pictures/s in inference"
    assert "35 pictures/s" in found["Training"]


def test_an_untimed_training_has_no_speed():
    training = VIDEOS["training"] | {"clips_per_second": float("nan"), "num_skipped": 0}
    assert facts({"training": training}) == {"Training": "32 epochs in 3 min 54 s, precision 32-true"}


@pytest.mark.parametrize(
    ("accuracy", "words"), [(0.25, "; always saying walk gives a frame accuracy of 0.250"), (None, "")]
)
def test_whole_recordings_have_a_baseline(accuracy, words):
    majority = {"label": "walk", "frame_accuracy": accuracy}
    found = facts({"majority_class": majority, "num_steps": 717, "labelled_seconds": 479.1, "real_time_factor": 18.39})
    assert found["Counted"] == f"717 steps in 7 min 59 s of labelled time{words}"
    assert found["Speed"] == "videos at 18.4 times real time"


def test_of_one_there_is_no_plural():
    training = VIDEOS["training"] | {"epochs": 1, "num_skipped": 1}
    found = facts(
        VIDEOS | {"num_tokens": 1, "token_grid": None, "generate_at": 1, "num_classes": 1, "training": training}
    )
    assert found["Tokens"] == "1 semantic token, made by tome, after 1 block"
    assert found["Evaluated on"].endswith("videos, 1 class")
    assert found["Training"].startswith("1 epoch in ")
    assert found["Training"].endswith(", 1 file could not be read")


def test_nothing_is_known():
    assert facts({"result": "top-1 1.000"}) == {}


@pytest.mark.parametrize(
    ("fixture", "around", "work"),
    [
        ("tiny_detector", "faster_rcnn around casvit_xs", "of them"),
        ("tiny_segmenter", "semantic_fpn around casvit_xs", "of them"),
    ],
)
def test_dense_trainings(request, fixture, around, work):
    run = request.getfixturevalue(fixture)
    found = facts(json.loads((run.folder / "result.json").read_text()), unit="pictures")
    assert found["Model"] == around
    assert found["Tokens"] == "none, a dense model"
    assert work in found["GMACs"]
    assert found["Evaluated on"].startswith("5 of 5 pictures, ")
    assert found["Input"] == "pictures, short side 48, long side at most 64 pixels"
    assert "pictures/s" in found["Speed"]
    assert "pictures/s" in found["Training"]
    assert not any("{" in value for value in found.values())
