"""Images and clips to tokens: patches of 2 axes, tubelets of 3, with one code path."""

from torch import Tensor, nn
from torch.nn import functional as F

AXES = {2: " (height, width)", 3: " (frames of the tubelet, height, width)"}


def check_patches(sizes: tuple[int, ...], patch_size: tuple[int, ...]) -> None:
    """Raise unless patches of `patch_size` tile an input of `sizes`.

    Raises:
        ValueError: a patch without pixels, the number of axes differs, or a size is no multiple of its patch size.
    """
    if any(p < 1 for p in patch_size):
        raise ValueError(f"patch_size={tuple(patch_size)} is not possible; give at least 1 along each axis")
    if len(sizes) != len(patch_size) or any(s % p or s < p for s, p in zip(sizes, patch_size, strict=False)):
        raise ValueError(
            f"input of size {tuple(sizes)} does not divide into patches of {tuple(patch_size)}; "
            f"{len(patch_size)} sizes are needed, each a multiple of the patch's{AXES.get(len(patch_size), '')}"
        )


def patchify(x: Tensor, patch_size: tuple[int, ...]) -> Tensor:
    """Cut the last axes of `x` into patches.

    Args:
        x: (B, C, *sizes) with sizes (H, W) or (T, H, W), each a multiple of its patch size.
        patch_size: pixels (or frames) of a patch along each axis.

    Returns:
        (B, *grid, C * prod(patch_size)), values ordered channel first, then as the axes are.

    Raises:
        ValueError: the number of axes differs, or a size is no multiple of its patch size.
    """
    sizes = tuple(x.shape[2:])
    check_patches(sizes, patch_size)
    num_axes = len(sizes)
    for axis, patch in enumerate(patch_size):
        x = x.unflatten(2 + 2 * axis, (-1, patch))  # (B, C, ..., grid, patch, ...)
    grid_axes = [2 + 2 * a for a in range(num_axes)]
    x = x.permute(0, *grid_axes, 1, *[a + 1 for a in grid_axes])  # (B, *grid, C, *patch)
    return x.flatten(1 + num_axes)


class PatchEmbed(nn.Module):
    """Linear map of every patch (2 axes) or tubelet (3 axes) to a token.

    The weight is kept as a convolution's, so that published image weights load by name; it is applied
    as a matrix product, which gives the same values and is faster than a strided convolution on CPUs.

    Args:
        patch_size: (p_h, p_w) for images or (p_t, p_h, p_w) for clips.
        in_channels: channels of a pixel.
        embed_dim: channels C of a token.

    Attributes:
        by_convolution: whether it is a strided convolution in space, for runtimes whose tensors have few axes.

    Source: Dosovitskiy et al. 2021, section 3.1; Arnab et al. 2021 (ViViT), tubelet embedding.
    """

    by_convolution = False

    def __init__(self, patch_size: tuple[int, ...], *, in_channels: int = 3, embed_dim: int) -> None:
        super().__init__()
        if len(patch_size) not in (2, 3):
            raise ValueError(f"patch_size={patch_size} has {len(patch_size)} axes; give 2 (image) or 3 (video)")
        self.patch_size = tuple(patch_size)
        conv = nn.Conv2d if len(patch_size) == 2 else nn.Conv3d
        self.proj = conv(in_channels, embed_dim, kernel_size=patch_size, stride=patch_size)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, *sizes) -> (B, *grid, C)."""
        if self.by_convolution:
            return self._convolve(x)
        return F.linear(patchify(x, self.patch_size), self.proj.weight.flatten(1), self.proj.bias)

    def _convolve(self, x: Tensor) -> Tensor:
        """As `forward`, in tensors of five axes at most and without a convolution in time, which few runtimes have."""
        check_patches(tuple(x.shape[2:]), self.patch_size)
        if len(self.patch_size) == 2:
            return self.proj(x).movedim(1, -1)
        size, (steps, *strides) = x.shape[3:], self.patch_size
        x = x.flatten(3).unflatten(2, (-1, steps)).transpose(1, 2)  # (B, T, C, p_t, pixels)
        times = x.shape[1]
        x = x.flatten(2, 3).flatten(0, 1).unflatten(-1, size)  # (B * T, C * p_t, *pixels)
        x = F.conv2d(x, self.proj.weight.flatten(1, 2), self.proj.bias, stride=strides)  # (B * T, C, H, W)
        return x.unflatten(0, (-1, times)).movedim(2, -1)
