"""The parts of a CAS-ViT: stem, additive token mixer and its block, over tokens on a grid."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from stvit_video.layers.drop_path import DropPath
from stvit_video.layers.mlp import hidden_channels
from stvit_video.models.init import init_linear

HALF_LIMIT = 2.0**12  # sums of 16 such values are still finite in float16
WIDE_LIMIT = 2.0**50  # products of two such values are finite in float32 and bfloat16


def on_frames(layers: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Run convolutions over every image, or every frame of a clip by itself.

    Args:
        layers: (B, C, H, W) -> (B, C', H', W').
        x: (B, H, W, C) or (B, T, H, W, C).

    Returns:
        (B, H', W', C') or (B, T, H', W', C'); in memory channels come last wherever they did before, without a copy.
    """
    maps = layers(x.flatten(0, -4).permute(0, 3, 1, 2))  # (B * T, C', H', W')
    return maps.permute(0, 2, 3, 1).unflatten(0, (-1, *x.shape[1:-3]))


def saturate(x: Tensor) -> Tensor:
    """`x` held inside ± 2^50, in float16 ± 2^12: far outside of anything that a network works with.

    The mixer multiplies activations by each other, so that a huge input would square from block to block.
    """
    limit = HALF_LIMIT if x.dtype == torch.float16 else WIDE_LIMIT
    return x.clamp(-limit, limit)


def depthwise(dim: int) -> nn.Conv2d:
    """A 3x3 convolution of every channel by itself, sizes kept: (B, C, H, W) -> (B, C, H, W)."""
    return nn.Conv2d(dim, dim, 3, padding=1, groups=dim)


def init_convolution(module: nn.Module) -> None:
    """Start linear layers as `init_linear` does, and convolutions as torch does.

    Larger weights square from block to block in the mixers before batch norms have seen any batch.
    """
    if isinstance(module, nn.Conv2d):
        module.reset_parameters()
    else:
        init_linear(module)


class Stem(nn.Module):
    """Two strided convolutions: pixels to maps of a quarter of the height and width, rounded up.

    Args:
        in_channels: channels of a pixel.
        dim: channels C.
    """

    norms_behind: ClassVar[Mapping[str, str]] = {"norm1": "conv1", "norm2": "conv2"}

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, dim // 2, 3, stride=2, padding=1)
        self.norm1 = nn.BatchNorm2d(dim // 2)
        self.conv2 = nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1)
        self.norm2 = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, H/4, W/4)."""
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class Downsample(nn.Module):
    """To half the height and width, rounded up, and other channels; every frame by itself.

    Args:
        in_dim: channels C before.
        out_dim: channels C' behind.
    """

    norms_behind: ClassVar[Mapping[str, str]] = {"norm": "proj"}

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_dim, out_dim, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(out_dim)

    def forward(self, x: Tensor) -> Tensor:
        """([B, T,] H, W, C) -> ([B, T,] H/2, W/2, C')."""
        return on_frames(lambda maps: self.norm(self.proj(maps)), x)


class LocalPerception(nn.Module):
    """A depthwise convolution between two linear maps of the channels: what is near, before tokens mix.

    Args:
        dim: channels C.
    """

    norms_behind: ClassVar[Mapping[str, str]] = {"norm": "conv1"}

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 1)
        self.norm = nn.BatchNorm2d(dim)
        self.depthwise = depthwise(dim)
        self.act = nn.GELU()
        self.conv2 = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return self.conv2(self.act(self.depthwise(self.norm(self.conv1(x)))))


class SpatialGate(nn.Module):
    """Every position times a number in (0, 1), made of its neighbourhood.

    Args:
        dim: channels C.
    """

    norms_behind: ClassVar[Mapping[str, str]] = {"norm": "depthwise"}

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.depthwise = depthwise(dim)
        self.norm = nn.BatchNorm2d(dim)
        self.proj = nn.Conv2d(dim, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x * self.proj(torch.relu(self.norm(self.depthwise(x)))).sigmoid()


class ChannelGate(nn.Module):
    """Every channel times a number in (0, 1), made of the mean over the image or frame.

    Args:
        dim: channels C.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(dim, dim, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x * self.proj(x.mean((2, 3), keepdim=True)).sigmoid()


class Gates(nn.Module):
    """The spatial gate, then that of the channels.

    Args:
        dim: channels C.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.spatial = SpatialGate(dim)
        self.channel = ChannelGate(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return self.channel(self.spatial(x))


class AdditiveMixer(nn.Module):
    """Token mixing of linear cost: gated queries and keys are added, and weigh the values element by element.

    Outside training, where batch norms don't hold magnitudes down, the product is saturated (see `saturate`).

    Args:
        dim: channels C.

    Source: Zhang et al. 2024 (CAS-ViT, arXiv:2408.03703), section 3.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.qkv = nn.Conv2d(dim, 3 * dim, 1, bias=False)
        self.query_gates = Gates(dim)
        self.key_gates = Gates(dim)
        self.depthwise = depthwise(dim)
        self.proj = depthwise(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        q, k, v = self.qkv(x).chunk(3, dim=1)
        product = self.depthwise(self.query_gates(q) + self.key_gates(k)) * v
        return self.proj(product if self.training else saturate(product))


class ConvMlp(nn.Module):
    """Linear, GELU, linear, on every position alone, as 1x1 convolutions.

    Args:
        dim: channels C in and out.
        hidden_dim: channels between the two layers.
    """

    def __init__(self, dim: int, *, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(dim, hidden_dim, 1)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(hidden_dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return self.fc2(self.act(self.fc1(x)))


class MixerBlock(nn.Module):
    """Local perception, additive mixer and MLP, each added to its input; every frame of a clip by itself.

    Args:
        dim: channels C.
        mlp_ratio: hidden channels of the MLP over C.
        drop_path_rate: chance that a sample's mixer or MLP is dropped while training.

    Source: Zhang et al. 2024 (CAS-ViT, arXiv:2408.03703), section 3.
    """

    norms_before: ClassVar[Mapping[str, str]] = {"norm1": "mixer.qkv", "norm2": "mlp.fc1"}

    def __init__(self, dim: int, *, mlp_ratio: float = 4.0, drop_path_rate: float = 0.0) -> None:
        super().__init__()
        self.local = LocalPerception(dim)
        self.norm1 = nn.BatchNorm2d(dim)
        self.mixer = AdditiveMixer(dim)
        self.norm2 = nn.BatchNorm2d(dim)
        self.mlp = ConvMlp(dim, hidden_dim=hidden_channels(dim, mlp_ratio))
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *grid, C), grid (H, W) or (T, H, W)."""
        x = self._bounded(x)
        x = x + on_frames(self.local, x)
        x = x + self.drop_path(on_frames(lambda maps: self.mixer(self._bounded(self.norm1(maps))), x))
        return x + self.drop_path(on_frames(lambda maps: self.mlp(self._bounded(self.norm2(maps))), x))

    def _bounded(self, x: Tensor) -> Tensor:
        """Saturated in float16, outside training alone: the other types are wide enough here."""
        return saturate(x) if x.dtype == torch.float16 and not self.training else x
