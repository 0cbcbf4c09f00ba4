import pytest
import torch
from torch import nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.shared_cost import frames_per_second, gmacs_per_frame
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


class Whole(nn.Module):
    """A backbone and something behind it."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone, self.head = backbone, nn.Conv2d(8, 5, 3)

    def forward(self, pictures):
        return self.head(self.backbone(pictures)[0])


def test_the_mean_over_a_run_is_what_all_of_its_frames_cost_together():
    model = create_model("stvit_r_casvit_xs", **SIZES)
    whole = Whole(model)
    alone = gmacs_per_frame(model, whole, picture_size=(64, 96))
    assert alone == (count_gmacs(model, (3, 64, 96)), count_gmacs(whole, (3, 64, 96)))
    for key_every in (3, 5):
        expected = count_gmacs(Clip(model), (3, key_every, 64, 96)) / key_every
        found = gmacs_per_frame(model, whole, picture_size=(64, 96), key_every=key_every)
        assert found == pytest.approx((expected, expected + alone[1] - alone[0]), rel=1e-9)
        assert found < alone


def test_counting_leaves_the_backbone_in_eval_mode():
    model = create_model("stvit_r_casvit_xs", **SIZES).eval()
    gmacs_per_frame(model, Whole(model).eval(), picture_size=(64, 96), key_every=3)
    assert not any(module.training for module in model.modules())


def test_what_can_not_be_counted():
    with pytest.raises(ValueError, match="key_every"):
        gmacs_per_frame(nn.Identity(), nn.Identity(), picture_size=(64, 96), key_every=0)
    dense = create_model("casvit_xs", **SIZES)
    with pytest.raises(ValueError, match=r"key_every.*stvit_r_"):
        gmacs_per_frame(dense, dense, picture_size=(64, 96), key_every=2)


def test_a_run_of_frames_is_timed(monkeypatch):
    """Runs of a key frame and 2 more, each 4 times, the first of which does not count; 1.5 seconds each."""
    asked, clock = [], iter([second for run in range(4) for second in (10.0 * run, 10.0 * run + 1.5)])
    monkeypatch.setattr("stvit_video.inference.dense_cost.time.perf_counter", lambda: next(clock))

    def answer(frame, shared):
        asked.append((tuple(frame.shape), list(shared.rows)))
        shared.recovered_from(torch.zeros(len(shared.rows), 1) if shared.rows else None)

    device = torch.device("cpu")
    assert frames_per_second(answer, picture_size=(5, 7), device=device, key_every=3) == pytest.approx(2.0)
    assert asked == [((1, 3, 5, 7), rows) for rows in ([0], [], [])] * 4
