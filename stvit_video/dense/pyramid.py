"""The neck of a dense model: maps of a backbone to maps of equal channels, and coarser ones behind them."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import FeaturePyramidNetwork


class Pyramid(nn.Module):
    """Feature pyramid network, with coarser levels for detectors.

    Args:
        channels: of every map of the backbone, finest first.
        out_channels: of every map of the pyramid.
        first: the first map that is used.
        coarser: whether coarser levels follow.
        convolutions: whether P6 and P7 are made by convolutions, for RetinaNet; else the last map is subsampled to P6.
        p6_of_p5: whether P6 is made from P5 rather than from the backbone's last map.
        relu_before_p7: whether P7 is made from P6 behind a ReLU.

    Source: Lin et al. 2017 (Feature Pyramid Networks); Lin et al. 2017 (RetinaNet).
    """

    def __init__(
        self,
        channels: Sequence[int],
        out_channels: int,
        *,
        first: int = 0,
        coarser: bool = True,
        convolutions: bool = False,
        p6_of_p5: bool = False,
        relu_before_p7: bool = True,
    ) -> None:
        super().__init__()
        self.first, self.coarser, self.convolutions = first, coarser, convolutions
        self.p6_of_p5, self.relu_before_p7 = p6_of_p5, relu_before_p7
        self.fpn = FeaturePyramidNetwork(list(channels[first:]), out_channels)
        if convolutions:
            self.p6 = nn.Conv2d(out_channels if p6_of_p5 else channels[-1], out_channels, 3, stride=2, padding=1)
            self.p7 = nn.Conv2d(out_channels, out_channels, 3, stride=2, padding=1)
            for conv in (self.p6, self.p7):
                nn.init.kaiming_uniform_(conv.weight, a=1)
                nn.init.constant_(conv.get_parameter("bias"), 0)

    def strides(self, of_maps: Sequence[int]) -> list[int]:
        """Pixels of a cell, of every map of the pyramid.

        Args:
            of_maps: the same of every map of the backbone.
        """
        behind = (2 if self.convolutions else 1) if self.coarser else 0
        return [*of_maps[self.first :], *(of_maps[-1] * 2 ** (i + 1) for i in range(behind))]

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps (B, C_i, H_i, W_i) of a backbone -> maps (B, out_channels, H_i, W_i) of the pyramid, finest first."""
        named = {str(i): features for i, features in enumerate(maps[self.first :])}
        levels = list(self.fpn(named).values())
        if not self.coarser:
            return levels
        if not self.convolutions:
            return [*levels, F.max_pool2d(levels[-1], kernel_size=1, stride=2)]
        p6 = self.p6(levels[-1] if self.p6_of_p5 else maps[-1])
        return [*levels, p6, self.p7(F.relu(p6) if self.relu_before_p7 else p6)]
