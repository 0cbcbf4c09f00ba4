"""The two graphs of a bundle as a stream, against the checkpoint that they were exported from."""

import shutil

import numpy as np
import pytest
import torch
from linear_bundle import write_linear_bundle
from made_bundle import sign_again

from stvit_video.bundles.bundle_description import GOLDEN, BundleError
from stvit_video.exporting.write_bundle import write_bundle
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.streaming.bundle_steps import load_bundle_steps
from stvit_video.streaming.step_models import StepModel
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

FORMATS = ["torch_export", pytest.param("onnx", marks=pytest.mark.deploy)]


@pytest.fixture(scope="module", params=FORMATS)
def bundle(request, tiny_run, tmp_path_factory):
    """Of a window of 4 steps."""
    out = tmp_path_factory.mktemp("streams") / "b"
    views = {"num_frames": 8}
    return write_bundle(tiny_run.checkpoint, format=request.param, streaming=True, views=views, out=out, speed=False)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(3).integers(0, 256, (41, 25, 37, 3), dtype=np.uint8)


def test_a_stream_of_the_bundle_is_one_of_the_checkpoint(bundle, tiny_run, frames):
    trained = load_recognizer(tiny_run.checkpoint, device="cpu", num_frames=8)
    ours, theirs = StreamingRecognizer(bundle, stride_frames=2), StreamingRecognizer(trained, stride_frames=2)
    assert isinstance(ours.model, StepModel)
    assert (ours.classes, ours.num_frames, ours.frames_per_step) == (trained.classes, 8, 2)
    assert (ours.multi_label, ours.preprocessing, ours.fps) == (False, trained.preprocessing, 15)
    for start in range(0, 41, 3):
        told, wanted = (stream.push(frames[start : start + 3]) for stream in (ours, theirs))
        assert [seconds for seconds, _ in told] == [seconds for seconds, _ in wanted]
        for (_, logits), (_, others) in zip(told, wanted, strict=True):
            assert (logits.shape, logits.dtype) == ((3,), np.float32)
            np.testing.assert_allclose(logits, others, atol=0.02)  # a byte of the resized frames may be off by 1


def test_without_resizing_it_is_exact(bundle, tiny_run, frames):
    frames = frames[:, :16, :16]
    trained = load_recognizer(tiny_run.checkpoint, device="cpu", num_frames=8, short_side=16)
    steps = load_bundle_steps(bundle, num_threads=1)
    tokens = [steps.encode(part) for part in (frames[:4], frames[4:6], frames[6:8])]
    assert [len(part) for part in tokens] == [2, 1, 1]
    clip = (torch.from_numpy(frames[:8]).permute(3, 0, 1, 2) / 255 - 0.5) / 0.25  # (3, 8, 16, 16)
    np.testing.assert_allclose(steps.decide(np.concatenate(tokens)), trained.logits(clip)[0], atol=1e-4)


def test_what_it_does_not_take(bundle):
    with pytest.raises(ValueError, match="num_threads=0"):
        load_bundle_steps(bundle, num_threads=0)
    steps = load_bundle_steps(bundle, check=False)
    for floats in (np.zeros((3, 2, 16, 16), dtype=np.float32), torch.zeros(3, 2, 16, 16)):
        with pytest.raises(ValueError, match=r"float32 and shape \(3, 2, 16, 16\) .*normalise bytes themselves"):
            steps.checked(floats)
    with pytest.raises(ValueError, match="None of type NoneType came as frames"):
        steps.checked(None)
    with pytest.raises(ValueError, match=r"a list of 2, .* came as frames; .*push np\.stack\(frames\)$"):
        steps.checked([np.zeros((5, 7, 3), dtype=np.uint8)] * 2)
    stream = StreamingRecognizer(steps)
    with pytest.raises(ValueError, match=r"num_tokens=2 can't be set .*export again with num_tokens=2"):
        stream.set_num_tokens(2)
    with pytest.raises(ValueError, match=r"generate_at=2 can't be set .*export again with generate_at=2"):
        stream.set_generate_at(2)


def test_a_bundle_of_whole_clips_is_none_for_streams(tmp_path):
    folder = write_linear_bundle(tmp_path / "b")
    with pytest.raises(BundleError, match=r"labels whole videos .*export again with streaming=true"):
        load_bundle_steps(folder)


def test_the_golden_answer_is_asked_for(bundle, tmp_path):
    folder = shutil.copytree(bundle, tmp_path / "b")
    golden = dict(np.load(folder / GOLDEN))
    np.savez(folder / GOLDEN, **golden | {"logits": golden["logits"] + 1})
    sign_again(folder)
    with pytest.raises(BundleError, match="golden answer"):
        load_bundle_steps(folder)
