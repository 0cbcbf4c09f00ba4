"""Peers have the published cost, by a counter of torch's own, and ours counts their small copies alike."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import video

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.model_benchmark.peer_models import (
    FramesFirst,
    slow_r50,
    slowfast_r50,
    timm_image,
    torchvision_video,
    transformers_video,
    x3d,
)
from stvit_video.model_benchmark.peer_rows import PEERS, SMALL

# GMACs at an input: torchvision's own metadata; pytorchvideo's model zoo and the X3D paper; VideoMAE's model zoo;
# mmaction2 of TimeSformer; the ViViT paper; timm's DeiT and Swin as in their papers
PUBLISHED = {
    **{
        name: (getattr(video, weights).DEFAULT.meta["_ops"], PEERS[name].own_input)
        for name, weights in {
            "swin3d_t": "Swin3D_T_Weights",
            "swin3d_s": "Swin3D_S_Weights",
            "swin3d_b": "Swin3D_B_Weights",
            "mvit_v1_b": "MViT_V1_B_Weights",
            "mvit_v2_s": "MViT_V2_S_Weights",
            "s3d": "S3D_Weights",
            "r2plus1d_18": "R2Plus1D_18_Weights",
            "r3d_18": "R3D_18_Weights",
        }.items()
    },
    "x3d_s": (1.96, (13, 160, 160)),
    "x3d_m": (4.73, (16, 224, 224)),
    "slow_r50": (54.52, (8, 256, 256)),
    "slowfast_r50": (65.71, (32, 256, 256)),
    "videomae_small": (57, (16, 224, 224)),
    "videomae_base": (180, (16, 224, 224)),
    "timesformer_base": (196, (8, 224, 224)),
    "vivit_base": (455.2, (32, 224, 224)),
    "timm_deit_tiny": (1.26, (224, 224)),
    "timm_deit_small": (4.6, (224, 224)),
    "timm_deit_base": (17.6, (224, 224)),
    "timm_swin_tiny": (4.5, (224, 224)),
    "timm_swin_small": (8.7, (224, 224)),
    "timm_swin_base": (15.4, (224, 224)),
}


def products_of(model: torch.nn.Module, size: tuple[int, ...], device: str = "cpu") -> float:
    """GMACs of convolutions, matrix products and attention, by torch's counter."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, 3, *size, device=device))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize("name", PEERS)
def test_peers_have_the_published_cost(name):
    gmacs, size = PUBLISHED[name]
    with torch.device("meta"):
        model = PEERS[name].build(size, 400 if len(size) == 3 else 1000)
    assert products_of(model, size, "meta") == pytest.approx(gmacs, rel=0.015)


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (torchvision_video("swin3d_t"), (4, 64, 96)),
        pytest.param(torchvision_video("mvit_v2_s"), (16, 224, 224), marks=pytest.mark.slow),  # it takes no other size
        (torchvision_video("r2plus1d_18"), (4, 32, 48)),
        (x3d, (4, 64, 64)),
        (slow_r50, (4, 64, 96)),
        (slowfast_r50, (8, 64, 96)),
        (transformers_video("VideoMAE", **SMALL, num_hidden_layers=2), (4, 64, 96)),
        (transformers_video("Timesformer", **SMALL, num_hidden_layers=2), (4, 64, 64)),
        (transformers_video("Vivit", **SMALL, num_hidden_layers=2), (4, 64, 64)),
        (timm_image("swin_tiny_patch4_window7_224"), (64, 96)),
    ],
)
def test_our_counter_misses_none_of_their_operations(build, size):
    model = build(size, 5).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, *size)).shape == (1, 5)
    counted, products = count_gmacs(model, (3, *size)), products_of(model, size)
    assert products <= counted <= 1.06 * products  # ours counts normalisations, too: most in X3D


def test_both_pathways_see_the_clip():
    model = slowfast_r50((8, 64, 64), 5).eval()
    clip = torch.randn(1, 3, 8, 64, 64, generator=torch.Generator().manual_seed(0))
    seen = []
    model.model.register_forward_pre_hook(lambda module, inputs: seen.extend(part.clone() for part in inputs[0]))
    with torch.no_grad():
        model(clip)
    assert torch.equal(seen[0], clip[:, :, [0, 4]])
    assert torch.equal(seen[1], clip)
    with pytest.raises(ValueError, match="6 frames .*multiple of 4"):
        slowfast_r50((6, 64, 64), 5)


def test_transformers_get_frames_before_channels():
    class Noting(torch.nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> object:
            self.seen = pixel_values
            return type("Output", (), {"logits": pixel_values.sum(dim=(1, 2, 3, 4))})

    inner, clip = Noting(), torch.arange(2 * 3 * 4 * 5 * 7).view(2, 3, 4, 5, 7)
    FramesFirst(inner)(clip)
    assert torch.equal(inner.seen, clip.permute(0, 2, 1, 3, 4))
