import torch
from torch.nn import functional as F
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelP6P7

from stvit_video.dense.pyramid import Pyramid

CHANNELS = (3, 5, 7, 8)
SIZES = ((24, 36), (12, 18), (6, 9), (3, 5))


def some_maps():
    torch.manual_seed(0)
    return [torch.randn(2, channels, *size) for channels, size in zip(CHANNELS, SIZES, strict=True)]


def conv(x, layer):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size[0] // 2)


def test_levels_by_the_definition():
    """Top-down sums of 1x1 convolutions, nearest cells repeated, and a 3x3 convolution on each."""
    neck, maps = Pyramid(CHANNELS, 6), some_maps()
    sums = [conv(features, block[0]) for features, block in zip(maps, neck.fpn.inner_blocks, strict=True)]
    for i in (2, 1, 0):
        rows, columns = sums[i].shape[2:]
        row = torch.arange(rows) * sums[i + 1].shape[2] // rows
        column = torch.arange(columns) * sums[i + 1].shape[3] // columns
        sums[i] = sums[i] + sums[i + 1][:, :, row][:, :, :, column]
    wanted = [conv(total, block[0]) for total, block in zip(sums, neck.fpn.layer_blocks, strict=True)]
    wanted.append(wanted[-1][:, :, ::2, ::2])
    for level, one in zip(neck(maps), wanted, strict=True):
        torch.testing.assert_close(level, one)
    assert neck.strides((4, 8, 16, 32)) == [4, 8, 16, 32, 64]


def test_a_pyramid_without_coarser_levels_has_as_many_as_the_backbone():
    with_p6, neck = Pyramid(CHANNELS, 6), Pyramid(CHANNELS, 6, coarser=False)
    neck.load_state_dict(with_p6.state_dict())
    levels = neck(some_maps())
    assert len(levels) == 4
    for level, one in zip(levels, with_p6(some_maps())[:4], strict=True):
        assert torch.equal(level, one)
    assert neck.strides((4, 8, 16, 32)) == [4, 8, 16, 32]


def test_retinanets_levels_by_each_rule():
    maps = some_maps()
    for p6_of_p5 in (False, True):
        for relu in (False, True):
            neck = Pyramid(CHANNELS, 8, first=1, convolutions=True, p6_of_p5=p6_of_p5, relu_before_p7=relu)
            levels = neck(maps)
            p6 = F.conv2d(levels[2] if p6_of_p5 else maps[3], neck.p6.weight, neck.p6.bias, stride=2, padding=1)
            p7 = F.conv2d(p6.clamp(min=0) if relu else p6, neck.p7.weight, neck.p7.bias, stride=2, padding=1)
            torch.testing.assert_close(levels[3], p6)
            torch.testing.assert_close(levels[4], p7)
            assert [level.shape[2:] for level in levels[:3]] == [features.shape[2:] for features in maps[1:]]
    assert neck.strides((4, 8, 16, 32)) == [8, 16, 32, 64, 128]


def test_torchvisions_rule_equals_torchvisions_neck():
    theirs = FeaturePyramidNetwork(list(CHANNELS[1:]), 8, LastLevelP6P7(8, 8))
    neck = Pyramid(CHANNELS, 8, first=1, convolutions=True, p6_of_p5=True)
    state = {f"fpn.{key}".replace("fpn.extra_blocks.", ""): value for key, value in theirs.state_dict().items()}
    neck.load_state_dict(state)
    maps = some_maps()
    wanted = theirs({str(i): features for i, features in enumerate(maps[1:])}).values()
    for level, one in zip(neck(maps), wanted, strict=True):
        torch.testing.assert_close(level, one)


def test_maps_of_one_cell():
    neck = Pyramid(CHANNELS, 6, first=1, convolutions=True)
    levels = neck([torch.randn(1, c, s, s) for c, s in zip(CHANNELS, (8, 4, 2, 1), strict=True)])
    assert [tuple(level.shape[2:]) for level in levels] == [(4, 4), (2, 2), (1, 1), (1, 1), (1, 1)]
