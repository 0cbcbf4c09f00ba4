"""A detector whose frames share semantic tokens: loaded, on one video, on a list of clips, and drawn."""

import json

import numpy as np
import pytest
from PIL import Image
from sharing_run import frames_of, save_sharing, write_clips
from untrained_run import write_drifting

from stvit_video.data.layouts.coco import find_coco_folders
from stvit_video.data.loading.true_objects import true_objects
from stvit_video.detections.picture_scoring import evaluate_pictures
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.predict import main
from stvit_video.tasks.detector_evaluation import evaluate_detections
from stvit_video.tokens.shared_tokens import SharedTokens

CLASSES = ("disc", "square", "triangle")
LENGTHS = {"a": 6, "b": 4}


@pytest.fixture(scope="module")
def checkpoint(tiny_detector, tmp_path_factory):
    return save_sharing(tiny_detector.checkpoint, tmp_path_factory.mktemp("sharing") / "best.ckpt")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("clips"), LENGTHS, classes=CLASSES)


def load(checkpoint, key_every):
    return load_trained_detector(checkpoint, device="cpu", score_threshold=0.01, key_every=key_every)


def in_runs(detector, frames, key_every):
    """Detections of the frames of a video, each run by itself."""
    found = []
    for start in range(0, len(frames), key_every):
        run = frames[start : start + key_every]
        found += detector.detect(run, shared=SharedTokens([0] * len(run)))
    return found


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one["scores"], other["scores"], atol=1e-5)
        np.testing.assert_allclose(one["boxes"], other["boxes"], atol=1e-2)


def alike(scores, others):
    return len(scores) == len(others) and np.allclose(scores, others, atol=2e-4)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_frames_of_a_video_in_calls_of_any_length(checkpoint, batch_size):
    detector, frames = load(checkpoint, 3), frames_of(0, 5)
    look = detector.for_video()
    found = [one for i in range(0, 5, batch_size) for one in look(frames[i : i + batch_size])]
    assert_same(found, in_runs(detector, frames, 3))
    alone = detector.detect(frames)
    assert not alike(found[1]["scores"], alone[1]["scores"])
    assert_same(found[3:4], alone[3:4])  # a key frame


def test_every_frame_alone_is_what_a_detector_gives_without_key_frames(checkpoint):
    detector, frames = load(checkpoint, 1), frames_of(0, 3)
    found, expected = detector.for_video()(frames), detector.detect(frames)
    for one, other in zip(found, expected, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in other)


def scored(detector, data, **settings):
    places = {name: data[name] for name in ("val_json", "val_images")}
    pictures = find_coco_folders("val", known_classes=None, **places)()
    results = DetectionResults(true_objects(pictures, masks=False), classes=detector.classes)
    evaluate_pictures(detector, pictures, results, **settings)
    return results


def test_clips_of_a_list_in_batches_of_any_size_and_by_two_processes(checkpoint, clips, monkeypatch):
    detector = load(checkpoint, 3)
    found = scored(detector, clips, batch_size=3).detections
    expected = [
        one for clip, length in enumerate(LENGTHS.values()) for one in in_runs(detector, frames_of(clip, length), 3)
    ]
    for one, other in zip(found.values(), expected, strict=True):
        np.testing.assert_allclose(one.scores, other["scores"], atol=1e-5)
    whole = scored(detector, clips, batch_size=1).detections
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr("stvit_video.inference.picture_evaluation.rank_and_world_size", lambda rank=rank: (rank, 2))
        share = scored(detector, clips, batch_size=2)
        seen.append(share.num_used)
        for name, one in share.detections.items():
            np.testing.assert_allclose(one.scores, whole[name].scores, atol=1e-5)
    assert seen == list(LENGTHS.values())


@pytest.mark.parametrize(("broken", "runs"), [(3, [[0, 1, 2], [4, 5]]), (4, [[0, 1, 2], [3, 5]])])
def test_a_broken_frame_is_missing_and_the_rule_goes_on_by_place(checkpoint, tmp_path, broken, runs):
    """Frame 3 is a key frame; without it frame 4 is one, and frame 6 is one in any case."""
    data = write_clips(tmp_path, {"a": 7}, classes=CLASSES)
    (tmp_path / "frames" / "a" / f"{broken:04d}.png").write_bytes(b"x")
    detector, frames = load(checkpoint, 3), frames_of(0, 7)
    results = scored(detector, data, batch_size=2)
    assert list(results.errors) == [broken + 1]
    for run in [*runs, [6]]:
        expected = detector.detect([frames[place] for place in run], shared=SharedTokens([0] * len(run)))
        for place, one in zip(run, expected, strict=True):
            np.testing.assert_allclose(results.detections[place + 1].scores, one["scores"], atol=1e-5)


def test_an_evaluation_says_how_often_tokens_are_made_and_what_a_frame_costs(checkpoint, clips, tmp_path):
    values = {"ckpt_path": str(checkpoint), "device": "cpu", "num_workers": 0, "data": clips}
    found = {
        every: evaluate_detections(values | {"key_every": every}, output_dir=tmp_path / str(every)) for every in (1, 4)
    }
    assert [one["key_every"] for one in found.values()] == [1, 4]
    assert found[4]["gmacs_backbone"] < found[1]["gmacs_backbone"]
    saved = [found[1][name] - found[4][name] for name in ("gmacs_backbone", "gmacs_detector")]
    assert saved[0] == pytest.approx(saved[1])
    assert f"a key frame every 4 frames, {found[4]['gmacs_backbone']:.4g} GMACs" in found[4]["result"]
    assert "key frame" not in found[1]["result"]
    assert json.loads((tmp_path / "4" / "result.json").read_text())["key_every"] == 4


def test_what_has_nothing_to_share_is_refused(checkpoint, tiny_detector, tmp_path):
    with pytest.raises(ValueError, match=r"key_every=2: casvit_xs .*stvit_r_"):
        load_trained_detector(tiny_detector.checkpoint, device="cpu", key_every=2)
    with pytest.raises(ValueError, match="key_every=0"):
        load(checkpoint, 0)
    values = {"ckpt_path": str(checkpoint), "device": "cpu", "num_workers": 0, "key_every": 2}
    with pytest.raises(ValueError, match="key_every=2 is for frames of videos, and none of the 5"):
        evaluate_detections(values, output_dir=tmp_path)


def test_a_video_is_drawn_with_key_frames(checkpoint, tmp_path, monkeypatch, capsys):
    """The .jsonl is the same for batches of any size, and another one than without key frames."""
    write_drifting(tmp_path / "street.mp4", seed=0, num_frames=7)
    monkeypatch.chdir(tmp_path)
    words = [f"ckpt_path={checkpoint}", "device=cpu", "threshold=0.001", "street.mp4"]
    lines = {}
    for name, more in {"a": ["batch_size=2", "key_every=4"], "b": ["batch_size=7", "key_every=4"], "c": []}.items():
        assert main([*words, f"out={name}", *more]) == 0
        read = [json.loads(line) for line in (tmp_path / name / "street.jsonl").read_text().splitlines()]
        lines[name] = [[one["score"] for one in line["detections"]] for line in read]
    assert all(map(alike, lines["a"], lines["b"]))
    assert lines["a"] != lines["c"]
    assert alike(lines["a"][4], lines["c"][4])  # a key frame
    Image.fromarray(frames_of(0, 1)[0]).save("photo.png")
    assert main([*words[:2], "photo.png", "key_every=4"]) == 2
    assert "key_every=4 is for videos, and only pictures are named" in capsys.readouterr().err
    assert main([*words, "photo.png", "out=both", "key_every=4"]) == 0
