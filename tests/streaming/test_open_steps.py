import sys

import pytest
from linear_bundle import onnxruntime_stand_in, write_linear_bundle
from streamed_clips import long_model

from stvit_video.bundles.bundle_description import BundleError
from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.streaming.open_steps import open_steps
from stvit_video.streaming.torch_steps import TorchSteps


def test_checkpoints_recognizers_models_and_what_is_open_already(tiny_run):
    model, sizes = long_model("stvit_video_deit_tiny")
    trained = load_recognizer(tiny_run.checkpoint, device="cpu")
    for given in (tiny_run.checkpoint, str(tiny_run.checkpoint), trained):
        steps = open_steps(given)
        assert isinstance(steps, TorchSteps)
        assert (steps.classes, steps.num_frames) == (trained.classes, 4)
    steps = open_steps(model, preprocessing=sizes)
    assert (steps.model, steps.num_frames) == (model, 16)
    assert open_steps(steps) is steps


def test_what_is_nothing_of_these(tiny_run, tmp_path):
    _, sizes = long_model("stvit_video_deit_tiny")
    with pytest.raises(CheckpointError, match="none.ckpt"):
        open_steps(tmp_path / "none.ckpt")
    for wrong in (None, 3, [tiny_run.checkpoint]):
        with pytest.raises(ValueError, match="can't be streamed; give a checkpoint"):
            open_steps(wrong)
    with pytest.raises(ValueError, match="preprocessing is for a bare model"):
        open_steps(tiny_run.checkpoint, preprocessing=sizes)


def test_a_bundle_of_whole_clips(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())
    folder = write_linear_bundle(tmp_path / "b")
    for given in (folder, str(folder), load_bundle(folder)):
        with pytest.raises(BundleError, match="labels whole videos.*streaming=true"):
            open_steps(given)
