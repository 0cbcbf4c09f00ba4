"""Recomputed blocks against kept ones, to the last bit."""

import pytest
import torch
from torch import nn

from stvit_video.models.activation_checkpointing import run_block, set_recompute
from stvit_video.models.factory import create_model

MODELS = [
    ("stvit_video_deit_tiny", {"num_frames": 4, "patch_size": 8, "embed_dim": 12, "num_heads": 2, "depth": 6}),
    ("stvit_r_video_deit_tiny", {"num_frames": 4, "patch_size": 8, "embed_dim": 12, "num_heads": 2, "depth": 7}),
    ("stvit_r_swin_tiny", {"embed_dim": 24, "depths": (1, 1, 6, 1)}),
    ("stvit_video_casvit_xs", {"num_frames": 2, "embed_dims": (8, 12, 16, 20), "depths": (1, 1, 4, 1)}),
]
SLOT = {"generate_at": 2, "num_tokens": 4}
MORE = {"stvit_video_deit_tiny": SLOT | {"elastic": [2, 8, 16]}, "stvit_r_video_deit_tiny": SLOT}


def trained_once(name, options, *, recompute):
    """Output, gradients and state of a model after a step forth and back with dropped paths."""
    torch.manual_seed(0)
    extra = MORE.get(name, {})
    model = create_model(name, image_size=32, num_classes=3, drop_path_rate=0.5, **options, **extra)
    model.recompute_blocks(recompute=recompute)
    torch.manual_seed(1)
    size = (3, 3, options["num_frames"], 32, 32) if "num_frames" in options else (3, 3, 32, 32)
    logits = model(torch.randn(size))
    logits.square().sum().backward()
    gradients = {key: p.grad for key, p in model.named_parameters()}
    return logits, gradients, model.state_dict(), torch.randn(2)


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_outputs_gradients_and_statistics_are_bit_equal(name, options):
    kept, recomputed = (trained_once(name, options, recompute=recompute) for recompute in (False, True))
    assert torch.equal(kept[0], recomputed[0])
    assert list(kept[2]) == list(recomputed[2])
    for part in (1, 2):
        assert all(torch.equal(value, recomputed[part][key]) for key, value in kept[part].items())
    assert torch.equal(kept[3], recomputed[3])  # and so are the random numbers behind it


class Counted(nn.Module):
    """Counts how often it runs, and norms."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.calls = 0

    def forward(self, x, y):
        self.calls += 1
        return self.norm(x) * y


def test_a_block_runs_twice_only_where_it_is_asked_to_and_gradients_are():
    block, x, y = Counted(), torch.randn(5, 3, requires_grad=True), torch.randn(5, 3)
    run_block(block, x, y).sum().backward()
    assert block.calls == 1
    set_recompute(block, recompute=True)
    with torch.no_grad():
        run_block(block, x, y)
    assert block.calls == 2
    before = block.norm.num_batches_tracked.item()
    run_block(block, x, y).sum().backward()
    assert block.calls == 4
    assert block.norm.num_batches_tracked == before + 1
    assert block.norm.momentum == 0.1


def test_a_norm_in_evaluation_keeps_using_its_statistics():
    block, x, y = Counted().eval(), torch.randn(5, 3, requires_grad=True), torch.randn(5, 3)
    wanted = torch.autograd.grad(run_block(block, x, y).square().sum(), x)[0]
    set_recompute(block, recompute=True)
    found = torch.autograd.grad(run_block(block, x, y).square().sum(), x)[0]
    assert torch.equal(wanted, found)
    assert torch.equal(block.norm.running_mean, torch.zeros(3))
