import re

import pytest
import torch

from stvit_video.layers.patch_embed import PatchEmbed, check_patches, patchify


@pytest.mark.parametrize(("patch", "sizes", "grid"), [((2, 3), (6, 15), (3, 5)), ((2, 3, 5), (4, 9, 35), (2, 3, 7))])
def test_equals_strided_convolution(patch, sizes, grid):
    embed = PatchEmbed(patch, in_channels=2, embed_dim=11)
    x = torch.randn(3, 2, *sizes)
    expected = embed.proj(x).movedim(1, -1)
    assert expected.shape == (3, *grid, 11)
    torch.testing.assert_close(embed(x), expected, atol=1e-5, rtol=1e-5)


def test_patchify_by_hand():
    x = torch.arange(24.0).reshape(1, 1, 4, 6)
    patches = patchify(x, (2, 3))
    assert patches.shape == (1, 2, 2, 6)
    assert patches[0, 1, 0].tolist() == [12.0, 13.0, 14.0, 18.0, 19.0, 20.0]


@pytest.mark.parametrize("sizes", [(6, 14), (2, 2), (4,), (2, 3, 3)])
def test_sizes_that_do_not_divide(sizes):
    with pytest.raises(ValueError, match=rf"size {re.escape(str(sizes))} .*patches of \(2, 3\)"):
        patchify(torch.zeros(1, 1, *sizes), (2, 3))


def test_axes_of_the_patch():
    with pytest.raises(ValueError, match=r"patch_size=\(2,\) .*1 axes.* 2 \(image\) or 3"):
        PatchEmbed((2,), embed_dim=3)


def test_patches_without_pixels():
    with pytest.raises(ValueError, match=r"patch_size=\(0, 3\) .*at least 1"):
        check_patches((4, 6), (0, 3))


@pytest.mark.parametrize(("patch_size", "sizes"), [((2, 3), (6, 15)), ((2, 3, 5), (4, 9, 20))])
def test_a_convolution_gives_the_same_tokens(patch_size, sizes):
    embed, x = PatchEmbed(patch_size, in_channels=2, embed_dim=7), torch.randn(3, 2, *sizes)
    expected = embed(x)
    embed.by_convolution = True
    torch.testing.assert_close(embed(x), expected)
    with pytest.raises(ValueError, match="does not divide into patches"):
        embed(x[..., :-1])
