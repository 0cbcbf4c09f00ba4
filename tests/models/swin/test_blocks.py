import pytest
import torch
from torch import nn
from torchvision.models.swin_transformer import PatchMerging as TorchvisionMerging

from stvit_video.models.swin.blocks import (
    ConvStem,
    NormedPatchEmbed,
    PatchMerging,
    cut_window,
    merged_sizes,
    window_makers,
)


@pytest.mark.parametrize("patch_size", [(2, 3), (2, 4, 2)])
def test_patches_are_a_convolution_and_a_norm(patch_size):
    stem = NormedPatchEmbed(patch_size, in_channels=5, embed_dim=7)
    nn.init.normal_(stem.norm.weight)
    x = torch.randn(2, 5, *(n * p for n, p in zip((3, 5, 2), patch_size, strict=False)))
    torch.testing.assert_close(stem(x), stem.norm(stem.proj(x).movedim(1, -1)), atol=1e-5, rtol=1e-5)


def plain_stem(stem):
    """The same weights in torch's own modules."""
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.Hardswish(),
        nn.Conv2d(4, 9, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(9),
        nn.Hardswish(),
    )
    for place, part in ((0, stem.conv1), (1, stem.norm1), (3, stem.conv2), (4, stem.norm2)):
        layers[place].load_state_dict(part.state_dict())
    return layers.train(stem.training)


def test_convolutions_of_images():
    stem = ConvStem((4, 4), embed_dim=9)
    x = torch.randn(2, 3, 8, 20)
    stem(x)  # a step of training, so that the running statistics are no longer those of the start
    stem.eval()
    torch.testing.assert_close(stem(x), plain_stem(stem)(x).movedim(1, -1))
    assert stem(x).shape == (2, 2, 5, 9)


def test_convolutions_of_a_still_clip_equal_those_of_its_image():
    image_stem, stem = ConvStem((4, 4), embed_dim=9).eval(), ConvStem((3, 4, 4), embed_dim=9).eval()
    state = image_stem.state_dict()
    state["conv1.weight"] = state["conv1.weight"][:, :, None].expand(-1, -1, 3, -1, -1) / 3
    state["conv2.weight"] = state["conv2.weight"][:, :, None]
    stem.load_state_dict(state)
    image = torch.randn(2, 3, 8, 12)
    clip = image[:, :, None].expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(stem(clip), image_stem(image)[:, None].expand(-1, 2, -1, -1, -1), atol=1e-5, rtol=1e-5)


def test_convolutions_merge_the_frames_of_a_tubelet_and_no_others():
    stem = ConvStem((2, 4, 4), embed_dim=6).eval()
    clip = torch.randn(1, 3, 6, 8, 12)
    torch.testing.assert_close(stem(clip)[:, 1:2], stem(clip[:, :, 2:4]))


def test_convolutions_that_are_not_possible():
    with pytest.raises(ValueError, match=r"conv_stem .*patch_size=\(2, 4\) and embed_dim=8 .*patch_size=4"):
        ConvStem((2, 2, 4), embed_dim=8)
    with pytest.raises(ValueError, match=r"conv_stem .*embed_dim=1 .*at least 2 channels"):
        ConvStem((4, 4), embed_dim=1)
    with pytest.raises(ValueError, match=r"size \(8, 10\) .*patches of \(4, 4\)"):
        ConvStem((4, 4), embed_dim=2)(torch.zeros(1, 3, 8, 10))


@pytest.mark.parametrize("grid", [(4, 6), (5, 7), (3, 5, 2), (1, 1)])
def test_merging_equals_torchvision(grid):
    merging, reference = PatchMerging(3), TorchvisionMerging(3)
    nn.init.normal_(reference.norm.weight)
    merging.load_state_dict(reference.state_dict())
    x = torch.randn(2, *grid, 3)
    torch.testing.assert_close(merging(x), reference(x))
    assert merging(x).shape[1:-1] == merged_sizes(grid)


def test_merged_sizes_by_hand():
    assert merged_sizes((5, 8)) == (3, 4)
    assert merged_sizes((5, 7, 1)) == (5, 4, 1)


def test_windows_are_cut_to_the_level_and_remember_their_size():
    makers = window_makers(
        6, grid=(3, 9, 4), window=(8, 7, 7), num_heads=2, mlp_ratio=2.0, qkv_bias=False, layer_scale_init=0.5
    )
    assert cut_window((8, 7, 7), (3, 9, 4)) == (3, 7, 4)
    for kind, shifted in (("window", False), ("shifted", True)):
        block = makers[kind](drop_path_rate=0.25)
        attention = block.attn
        assert (attention.window, attention.full_window, attention.shifted) == ((8, 7, 7), (8, 7, 7), shifted)
        assert attention.grid_window == (3, 7, 4)
        assert attention.bias_table.shape == (1, 15, 13, 13, 2)  # whole for clips, cut for images
        assert (block.norm1.eps, block.drop_path.drop_probability, block.attn.qkv.bias) == (1e-5, 0.25, None)
        assert block.ls1.gamma.tolist() == [0.5] * 6
        assert block.mlp.fc1.out_features == 12
