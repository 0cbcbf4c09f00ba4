"""The graphs of a bundle, one or two, give the same logits; and where there is no runtime for them, it is said."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.bundles.stream_pair import StreamPair
from stvit_video.exporting.bundle_graphs import graph_parts, inputs_of, require_runtime, run_here, step_of
from stvit_video.exporting.clip_graph import example_frames

NAME = "stvit_video_deit_tiny"


class Eager:
    """A graph that torch computes."""

    runtime = "torch"

    def __init__(self, module):
        self.module = module

    def __call__(self, frames):
        with torch.no_grad():
            return self.module(torch.from_numpy(np.ascontiguousarray(frames))).numpy()


def trained(name):
    return SimpleNamespace(model=short_model(name), preprocessing=preprocessing_of(name))


def test_one_graph_or_two_give_the_same_logits():
    model = trained(NAME)
    frames = example_frames(model.preprocessing)
    whole = graph_parts(model, frames, streaming=False)
    pair = graph_parts(model, frames, streaming=True)
    assert (list(whole), list(pair)) == (["clip"], ["encode", "decide"])
    assert (step_of(model, streaming=False), step_of(model, streaming=True)) == (None, 2)
    assert pair["encode"].example.shape == (2, 2, 16, 16, 3)
    assert pair["decide"].example.shape[:2] == (2, 2)
    assert not pair["decide"].example.is_inference()
    both = StreamPair(*(Eager(pair[name].module) for name in ("encode", "decide")), frames_per_step=2)
    clips = example_frames(model.preprocessing, batch=3, seed=1).numpy()
    np.testing.assert_allclose(both(clips), Eager(whole["clip"].module)(clips), atol=1e-5)


def test_what_each_graph_is_calibrated_on_leads_to_the_same_logits():
    model = trained(NAME)
    clips = [example_frames(model.preprocessing, seed=seed).numpy()[:1] for seed in range(3)]
    whole = graph_parts(model, example_frames(model.preprocessing), streaming=False)["clip"].module
    pair = graph_parts(model, example_frames(model.preprocessing), streaming=True)
    assert inputs_of(model, clips, "clip") == clips
    steps, tokens = inputs_of(model, clips, "encode"), inputs_of(model, clips, "decide")
    np.testing.assert_array_equal(np.concatenate(steps, axis=1), np.concatenate(clips, axis=1))
    assert {step.shape[:2] for step in steps} == {(1, 2)}
    for clip, given in zip(clips, tokens, strict=True):
        np.testing.assert_allclose(Eager(pair["decide"].module)(given), Eager(whole)(clip), atol=1e-5)


def test_a_model_that_sees_all_frames_at_once_is_not_cut():
    model = trained("stvit_video_swin_tiny")
    with pytest.raises(ValueError, match="step by step"):
        graph_parts(model, example_frames(model.preprocessing), streaming=True)


def test_where_there_is_no_runtime(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    paths = {"clip": tmp_path / "clip.mlpackage"}
    assert run_here(paths, FORMATS["coreml"], precision="fp32", step=None) is None
    monkeypatch.setitem(sys.modules, "coremltools", None)
    require_runtime(FORMATS["coreml"], precision="fp32")
    monkeypatch.setitem(sys.modules, "executorch", None)
    monkeypatch.setitem(sys.modules, "executorch.runtime", None)
    assert run_here({"clip": tmp_path / "clip.pte"}, FORMATS["executorch"], precision="fp32", step=None) is None


def test_a_file_that_the_runtime_cannot_read_is_called_by_its_name(tmp_path):
    (tmp_path / "clip.pt2").write_bytes(b"no graph")
    with pytest.raises(ValueError, match=r"^clip\.pt2 can't be opened by torch") as caught:
        run_here({"clip": tmp_path / "clip.pt2"}, FORMATS["torch_export"], precision="fp32", step=None)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("capabilities", [["FP32"], ["FP32", "BF16"]])
def test_a_precision_that_the_processor_lacks_is_refused_before_the_work(monkeypatch, capabilities):
    core = SimpleNamespace(get_property=lambda device, name: capabilities)
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=lambda: core))
    for precision in ("fp32", "int8", *capabilities[1:]):
        require_runtime(FORMATS["openvino"], precision=precision.lower())
    if "BF16" not in capabilities:
        with pytest.raises(ValueError, match="precision=bf16 .*no bfloat16; export on one with AMX or .*=fp32"):
            require_runtime(FORMATS["openvino"], precision="bf16")
