import sys

import pytest
from made_bundle import write_made_bundle

import stvit_video
from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.inference.recognizer import Recognizer
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter
from stvit_video.trained.load_trained import load_trained
from stvit_video.utils.optional import MissingLibraryError


def test_it_gives_what_the_checkpoint_is_for(tiny_run, tiny_detector, tiny_segmenter):
    detector = stvit_video.load(tiny_detector.checkpoint, device="cpu", short_side=32, detections=7)
    assert type(detector) is TrainedDetector is stvit_video.TrainedDetector
    assert (detector.sizes.short_side, detector.model.options.detections) == (32, 7)
    segmenter = stvit_video.load(tiny_segmenter.checkpoint, device="cpu", short_side=32, window=64)
    assert type(segmenter) is TrainedSegmenter is stvit_video.TrainedSegmenter
    assert (segmenter.sizes.short_side, segmenter.model.options.window) == (32, 64)
    recognizer = stvit_video.load(str(tiny_run.checkpoint), device="cpu", num_clips=1)
    assert type(recognizer) is Recognizer
    assert recognizer.protocol.num_clips == 1


def test_a_setting_of_the_other_kind_is_refused_with_those_that_there_are(tiny_run, tiny_detector, tiny_segmenter):
    with pytest.raises(ValueError, match="num_tokens: .*finds objects; it takes .*short_side, .*nms_threshold"):
        load_trained(tiny_detector.checkpoint, device="cpu", num_tokens=3)
    with pytest.raises(ValueError, match="nms_threshold: .*labels pixels; it takes .*window, window_stride"):
        load_trained(tiny_segmenter.checkpoint, device="cpu", nms_threshold=0.5)
    with pytest.raises(ValueError, match="detections, top: .*labels videos; it takes .*num_tokens"):
        load_trained(tiny_run.checkpoint, device="cpu", detections=3, top=1)


@pytest.mark.parametrize("path", ["/no/where.ckpt", 3, None, ""])
def test_what_is_no_checkpoint_is_one_sentence_before_torch_is_asked_for(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=f"{path}.*give the folder of a bundle or of export_run, or a .ckpt file$"):
        load_trained(path)


def test_other_paths_than_those_of_models(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    bundle = write_made_bundle(tmp_path / "run" / "bundle_onnx")
    (tmp_path / "notes.ckpt").write_text("hello")
    (tmp_path / "run" / "last.ckpt").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    for path, told in {
        "notes.ckpt": "notes.ckpt' is no checkpoint.*; give",
        "empty": "empty' is a folder without bundle.json and without model.safetensors; give",
        "run": "is the folder of a run; give '.*last.ckpt' or '.*bundle_onnx'$",
        "run/bundle_onnx/labels.txt": f"is a file of a bundle; give its folder, '{bundle}'$",
    }.items():
        with pytest.raises(ValueError, match=told):
            load_trained(tmp_path / path)
    with pytest.raises(MissingLibraryError, match="'torch'"):
        load_trained(tmp_path / "run" / "last.ckpt")


def test_of_a_missing_file_that_is_told_before_the_settings():
    with pytest.raises(ValueError, match="^there is no '/no/where.ckpt'"):
        load_trained("/no/where.ckpt", detections=3)
