"""Windows that are computed anew: the logits of the model on each clip, also of models that can't be streamed."""

import numpy as np
import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.data.transforms.functional import finish_clips
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.inference.trained_model import CPU, TrainedModel
from stvit_video.streaming.recomputed import RecomputedSteps
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

CASES = {
    "image": ("stvit_deit_tiny", {}, {}),
    "video swin": ("stvit_video_swin_tiny", {}, {}),
    "joint base": ("stvit_video_deit_tiny", {"base_attention": "joint"}, {}),
    "differences": ("stvit_video_deit_tiny", {}, {"frame_difference": True}),
    "streamable": ("stvit_video_deit_tiny", {"depth": 6, "generate_at": 2, "elastic_generate_at": (1, 2)}, {}),
}


def trained(case):
    name, options, sizes = CASES[case]
    return TrainedModel(
        model=short_model(name, **options),
        classes=("a", "b", "c"),
        preprocessing=preprocessing_of(name, **sizes),
        protocol=TestProtocol.named("single"),
        device=CPU,
        config={},
        model_name=name,
    )


def frames_of(model, count):
    size = model.preprocessing.crop_size
    return np.random.default_rng(7).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_model_on_the_window(case):
    model = trained(case)
    recognizer = StreamingRecognizer(RecomputedSteps(model), stride_frames=3)
    frames, window = frames_of(model, 17), model.preprocessing.num_frames
    answers = recognizer.push(frames[:8]) + recognizer.push(frames[8:])
    ends = list(range(window, 18, 3))
    assert [round(30 * seconds) + 1 for seconds, _ in answers] == ends
    clips = [torch.from_numpy(frames[end - window : end]).permute(3, 0, 1, 2) for end in ends]  # (3, T, H, W)
    with torch.inference_mode():
        expected = [model.model(finish_clips(clip[None], model.preprocessing))[0].numpy() for clip in clips]
    np.testing.assert_allclose([logits for _, logits in answers], expected, atol=1e-5, rtol=1e-5)
    assert np.std(expected, axis=0).min() > 1e-3  # windows differ


def test_a_model_that_can_be_streamed_answers_alike():
    model = trained("streamable")
    frames = frames_of(model, 20)
    anew, reused = (StreamingRecognizer(of, stride_frames=4) for of in (RecomputedSteps(model), model))
    for ours, theirs in zip(anew.push(frames), reused.push(frames), strict=True):
        assert ours[0] == theirs[0]
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5, rtol=1e-5)
    for recognizer in (anew, reused):
        recognizer.reset()
        recognizer.set_generate_at(1)
        recognizer.set_num_tokens((1, 2, 2))
    np.testing.assert_allclose(anew.push(frames)[-1][1], reused.push(frames)[-1][1], atol=1e-5, rtol=1e-5)


def test_frames_are_resized_and_cropped():
    model = trained("streamable")
    size = model.preprocessing.crop_size
    small = frames_of(model, 4)
    large = np.zeros((4, 2 * size, 4 * size, 3), dtype=np.uint8)
    large[:, :, size : 3 * size] = small.repeat(2, axis=1).repeat(2, axis=2)
    steps = RecomputedSteps(model)
    found = steps.preprocess(steps.checked(large))
    normalised = finish_clips(found.movedim(0, 1), model.preprocessing).movedim(1, 0)  # (4, 3, size, size)
    torch.testing.assert_close(normalised, StreamingRecognizer(model).model.preprocess(torch.from_numpy(large)))


@pytest.mark.parametrize("wrong", [[1, 2], np.zeros((3, 2, 8, 8), np.float32), np.zeros((2, 8, 8, 4), np.uint8)])
def test_what_is_no_frame(wrong):
    steps = RecomputedSteps(trained("image"))
    with pytest.raises(ValueError, match=r"came as frames; bytes are \(n, H, W, 3\) uint8 RGB, floats are for"):
        steps.checked(wrong)
