"""Semantic FPN against its definition, written a second time: sums over taps, cells repeated, lines mixed."""

import torch
from drawn_maps import enlarged, shaken

from stvit_video.dense.segmenter_options import SemanticFpnOptions
from stvit_video.dense.semantic_fpn import DoubledLevel, SemanticFpnHead

CHANNELS = (5, 6, 7, 9)
OPTIONS = SemanticFpnOptions(neck_channels=8, head_channels=11)


def convolved(x, weight, bias=None):
    """A map (C, h, w) by a kernel (D, C, k, k), tap by tap, with zeros around."""
    reach, (_, height, width) = weight.shape[-1] // 2, x.shape
    around = torch.zeros(len(x), height + 2 * reach, width + 2 * reach)
    around[:, reach : reach + height, reach : reach + width] = x
    total = torch.zeros(len(weight), height, width) if bias is None else bias[:, None, None].repeat(1, height, width)
    for i in range(weight.shape[-1]):
        for j in range(weight.shape[-1]):
            total = total + torch.einsum("dc,chw->dhw", weight[..., i, j], around[:, i : i + height, j : j + width])
    return total


def normed(x, state, key):
    """Batch norm by its statistics, then ReLU."""
    mean, var, weight, bias = (
        state[f"{key}.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
    )
    return ((x - mean) / (var + 1e-5) ** 0.5 * weight + bias).clamp(min=0)


def slow_head(maps, state):
    """Logits (K, h, w) of maps (C_i, h_i, w_i), from the weights by their names."""
    above, pyramid = None, []
    for i in reversed(range(len(maps))):
        inner, layer = f"neck.fpn.inner_blocks.{i}.0", f"neck.fpn.layer_blocks.{i}.0"
        level = convolved(maps[i], state[f"{inner}.weight"], state[f"{inner}.bias"])
        if above is not None:
            level = level + above.repeat_interleave(2, 1).repeat_interleave(2, 2)
        above = level
        pyramid.insert(0, convolved(level, state[f"{layer}.weight"], state[f"{layer}.bias"]))
    total = 0
    for i, level in enumerate(pyramid):
        for step in range(max(1, i)):
            key = f"levels.{i}.convs.{step}"
            level = normed(convolved(level, state[f"{key}.0.weight"]), state, f"{key}.1")
            if i:
                level = enlarged(level, (2 * level.shape[1], 2 * level.shape[2]))
        total = total + level
    return convolved(total, state["classifier.conv.weight"], state["classifier.conv.bias"])


def test_the_definition():
    torch.manual_seed(0)
    head = shaken(SemanticFpnHead(CHANNELS, 4, options=OPTIONS))
    maps = [torch.randn(2, channels, 24 // 2**i, 16 // 2**i) for i, channels in enumerate(CHANNELS)]
    with torch.no_grad():
        found = head(maps)
        for row in range(2):
            torch.testing.assert_close(found[row], slow_head([one[row] for one in maps], head.state_dict()))


def test_numbers_of_convolutions():
    head = SemanticFpnHead(CHANNELS, 4, options=OPTIONS)
    assert [len(level.convs) for level in head.levels] == [1, 1, 2, 3]
    assert [level.doublings for level in head.levels] == [0, 1, 2, 3]
    assert not any("extra" in key or ".p6" in key for key in head.state_dict())


def test_a_level_is_as_large_as_the_finest():
    x = torch.randn(1, 3, 2, 5)
    assert [tuple(DoubledLevel(3, 4, doublings=n)(x).shape[1:]) for n in (0, 1, 3)] == [
        (4, 2, 5),
        (4, 4, 10),
        (4, 16, 40),
    ]


def test_parameters_of_mmsegmentations_head_of_150_classes():
    """Its convolutions and norms, counted by hand: 7 of 3x3, neck apart."""
    head = SemanticFpnHead(CHANNELS, 150, options=SemanticFpnOptions())
    convolutions = 4 * 256 * 128 * 9 + 3 * 128 * 128 * 9
    norms, classifier = 7 * 2 * 128, 150 * 128 + 150
    lateral, output = sum(c * 256 + 256 for c in CHANNELS), 4 * (256 * 256 * 9 + 256)
    assert sum(p.numel() for p in head.parameters()) == convolutions + norms + classifier + lateral + output
