import pytest
import torch
from torch import nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.shared_cost import gmacs_per_frame
from stvit_video.models import create_model
from stvit_video.tokens.key_frames import clip_tokens

SIZES = {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "features_only": True}


class Clip(nn.Module):
    """All frames of a clip (1, 3, T, H, W) at once."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, clip):
        frames = clip[0].movedim(1, 0)
        return self.model(frames, shared=clip_tokens(len(frames), clip_frames=len(frames)))


def test_the_mean_over_a_run_is_what_all_of_its_frames_cost_together():
    model = create_model("stvit_r_casvit_xs", **SIZES)
    for key_every in (3, 5):
        expected = count_gmacs(Clip(model), (3, key_every, 64, 96)) / key_every
        found = gmacs_per_frame(model, picture_size=(64, 96), key_every=key_every)
        assert found == pytest.approx(expected, rel=1e-9)
    assert found < gmacs_per_frame(model, picture_size=(64, 96)) == count_gmacs(model, (3, 64, 96))


def test_what_can_not_be_counted():
    with pytest.raises(ValueError, match="key_every"):
        gmacs_per_frame(torch.nn.Identity(), picture_size=(64, 96), key_every=0)
    with pytest.raises(ValueError, match=r"key_every.*stvit_r_"):
        gmacs_per_frame(create_model("casvit_xs", **SIZES), picture_size=(64, 96), key_every=2)
