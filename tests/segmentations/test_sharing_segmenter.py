"""A segmenter whose frames share semantic tokens: loaded, on one video, on a list of clips, and drawn."""

import json

import numpy as np
import pytest
from sharing_run import HEIGHT, WIDTH, frames_of, save_sharing, write_clips
from untrained_run import write_drifting

from stvit_video.evaluation.segmentation.confusion import add_to_confusion
from stvit_video.predict import main
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.tasks.segmenter_evaluation import evaluate_segmentation
from stvit_video.tokens.shared_tokens import SharedTokens

LENGTHS = {"a": 5, "b": 3}


@pytest.fixture(scope="module")
def checkpoint(tiny_segmenter, tmp_path_factory):
    return save_sharing(tiny_segmenter.checkpoint, tmp_path_factory.mktemp("sharing") / "best.ckpt")


def load(checkpoint, key_every, **settings):
    return load_trained_segmenter(checkpoint, device="cpu", key_every=key_every, **settings)


def in_runs(segmenter, frames, key_every):
    """Labels and scores of the frames of a video, each run by itself."""
    found = []
    for start in range(0, len(frames), key_every):
        run = frames[start : start + key_every]
        found += segmenter.segment(run, shared=SharedTokens([0] * len(run)))
    return found


@pytest.mark.parametrize("settings", [{}, {"window": 32, "window_stride": 24}])
def test_frames_of_a_video_in_calls_of_any_length(checkpoint, settings):
    segmenter, frames = load(checkpoint, 3, **settings), frames_of(0, 5)
    look, expected = segmenter.for_video(), in_runs(segmenter, frames, 3)
    found = [one for start in (0, 2, 4) for one in look(frames[start : start + 2])]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one["scores"], other["scores"], rtol=0, atol=2e-6)
    alone = segmenter.segment(frames)
    assert not np.allclose(found[1]["scores"], alone[1]["scores"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[3]["scores"], alone[3]["scores"], rtol=0, atol=2e-6)  # a key frame


def test_an_evaluation_scores_clips_and_says_what_a_frame_costs(checkpoint, tmp_path):
    segmenter = load(checkpoint, 3)
    write_clips(tmp_path, LENGTHS, classes=segmenter.classes)
    (tmp_path / "classes.txt").write_text("\n".join(segmenter.classes))
    places = {"val_images": str(tmp_path / "frames"), "val_maps": str(tmp_path / "maps")}
    data = {"source": "label_maps", "classes": str(tmp_path / "classes.txt"), "sequences": "folders", **places}
    values = {"ckpt_path": str(checkpoint), "device": "cpu", "num_workers": 0, "batch_size": 2, "data": data}
    summary = evaluate_segmentation(values | {"key_every": 3}, output_dir=tmp_path / "out")
    matrix = np.zeros((len(segmenter.classes),) * 2, dtype=np.int64)
    for clip, length in enumerate(LENGTHS.values()):
        for number, found in enumerate(in_runs(segmenter, frames_of(clip, length), 3)):
            truth = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
            truth[10:26, 4 + 7 * number : 20 + 7 * number] = 1
            add_to_confusion(matrix, found["labels"], truth)
    assert summary["aAcc"] == pytest.approx(np.trace(matrix) / matrix.sum(), abs=2e-3)
    assert summary["key_every"] == 3
    alone = evaluate_segmentation(values, output_dir=tmp_path / "alone")
    assert summary["gmacs_backbone"] < alone["gmacs_backbone"]
    assert f"a key frame every 3 frames, {summary['gmacs_backbone']:.4g} GMACs" in summary["result"]
    del data["sequences"]
    with pytest.raises(ValueError, match="key_every=3 is for frames of videos, and none of the 8"):
        evaluate_segmentation(values | {"key_every": 3}, output_dir=tmp_path / "none")


def test_a_dense_backbone_is_refused(tiny_segmenter):
    with pytest.raises(ValueError, match=r"key_every=2: casvit_xs .*stvit_r_"):
        load(tiny_segmenter.checkpoint, 2)


def test_a_video_is_drawn_with_key_frames(checkpoint, tmp_path, monkeypatch):
    write_drifting(tmp_path / "street.mp4", seed=0, num_frames=7)
    monkeypatch.chdir(tmp_path)
    words, lines = [f"ckpt_path={checkpoint}", "device=cpu", "street.mp4"], {}
    for name, more in {"a": ["batch_size=2", "key_every=4"], "b": ["batch_size=7", "key_every=4"], "c": []}.items():
        assert main([*words, f"out={name}", *more]) == 0
        lines[name] = [json.loads(line)["classes"] for line in (tmp_path / name / "street.jsonl").open()]
    assert lines["a"] == lines["b"] != lines["c"]
    assert [lines["a"][key] for key in (0, 4)] == [lines["c"][key] for key in (0, 4)]
