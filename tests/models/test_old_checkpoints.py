"""A run's checkpoint that an earlier commit wrote: it loads, and gives the logits that it gave then."""

import numpy as np
import pytest
import torch
from golden_files import GOLDEN, golden_fill

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models import model_from_checkpoint

CHECKPOINT = GOLDEN / "checkpoint_032b145.ckpt"
CLASSES = (
    *("move_down", "move_down_left", "move_down_right", "move_left", "move_right", "move_up", "move_up_left"),
    *("move_up_right", "oscillate_horizontal", "oscillate_vertical", "pulse", "rotate"),
)


@pytest.fixture(scope="module")
def answers():
    """The clips (3, 3, 4, 32, 32), and the logits (3, 12) that commit 032b145 gave."""
    stored = np.load(GOLDEN / "checkpoint_032b145.npz")
    clips = golden_fill().image(tuple(stored["shape"]), int(stored["seed"]))
    return clips, torch.from_numpy(stored["logits"])


def test_the_model_gives_the_old_logits(answers):
    clips, logits = answers
    model, metadata = model_from_checkpoint(CHECKPOINT)
    with torch.no_grad():
        torch.testing.assert_close(model(clips), logits, rtol=1e-5, atol=1e-6)
    assert tuple(metadata["classes"]) == CLASSES
    assert metadata["model"]["name"] == "stvit_video_deit_tiny"
    assert metadata["protocol"] == {"name": "uniform", "num_clips": 1, "num_crops": 1, "average": "prob"}


def test_the_classifier_gives_the_old_logits(answers):
    clips, logits = answers
    recognizer = load_recognizer(CHECKPOINT, device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(recognizer.model(clips), logits, rtol=1e-5, atol=1e-6)
    assert recognizer.classes == CLASSES
    assert not recognizer.multi_label
    protocol = recognizer.protocol
    assert (protocol.name, protocol.num_clips, protocol.num_crops, protocol.average) == ("uniform", 1, 1, "prob")
    sizes = recognizer.preprocessing
    assert (sizes.num_frames, sizes.frame_stride, sizes.short_side, sizes.crop_size) == (4, 2, 32, 32)


def test_the_logits_tell_a_changed_weight(answers):
    clips, logits = answers
    model, _ = model_from_checkpoint(CHECKPOINT)
    with torch.no_grad():
        for parameter in model.parameters():
            value = parameter.clone()
            parameter.mul_(1.1).add_(0.01)
            different = (model(clips) - logits).abs().max()
            parameter.copy_(value)
            assert different > 1e-5
