"""Semantic FPN: the maps of a pyramid brought to the finest one, added, and a label for each cell."""

from collections.abc import Sequence

from torch import Tensor, nn

from stvit_video.dense.map_layers import PixelClassifier, conv_norm
from stvit_video.dense.map_logits import resized_logits
from stvit_video.dense.pyramid import Pyramid
from stvit_video.dense.segmenter import Segmenter
from stvit_video.dense.segmenter_options import SemanticFpnOptions


class DoubledLevel(nn.Module):
    """A map of a pyramid brought to the sides of the finest one.

    Args:
        in_channels: of the map.
        channels: of every convolution.
        doublings: how often the sides are doubled, behind a convolution each time; 0 = one convolution alone.
    """

    def __init__(self, in_channels: int, channels: int, *, doublings: int) -> None:
        super().__init__()
        self.doublings = doublings
        self.convs = nn.ModuleList(
            conv_norm(channels if step else in_channels, channels) for step in range(max(1, doublings))
        )

    def forward(self, features: Tensor) -> Tensor:
        """A map (B, in_channels, H, W) -> (B, channels, 2**doublings * H, 2**doublings * W)."""
        for conv in self.convs:
            features = conv(features)
            if self.doublings:
                features = resized_logits(features, (2 * features.shape[-2], 2 * features.shape[-1]))
        return features


class SemanticFpnHead(nn.Module):
    """A pyramid whose maps are doubled, behind a convolution each time, until all are as large as the finest.

    Args:
        channels: of the backbone's maps, finest first, each of half the sides of the one before.
        num_classes: of the logits.
        options: of the head.

    Source: Kirillov et al. 2019 (Panoptic Feature Pyramid Networks); mmsegmentation, fpn_head.py, whose pyramid goes
        without the convolutions that follow a sum, and which norms by batches, not by groups.
    """

    def __init__(self, channels: Sequence[int], num_classes: int, *, options: SemanticFpnOptions) -> None:
        super().__init__()
        self.neck = Pyramid(channels, options.neck_channels, coarser=False)
        inner, outer = options.neck_channels, options.head_channels
        self.levels = nn.ModuleList(
            DoubledLevel(inner, outer, doublings=doublings) for doublings in range(len(channels))
        )
        self.classifier = PixelClassifier(outer, num_classes, dropout=options.dropout)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C_i, H_i, W_i) -> logits (B, num_classes, H_0, W_0)."""
        pyramid = self.neck(maps)
        return self.classifier(sum(level(features) for level, features in zip(self.levels, pyramid, strict=True)))


class SemanticFpn(Segmenter):
    """A backbone with a Semantic FPN.

    Args:
        backbone, channels, num_classes, rule: see `Segmenter`.
        options: of the head.
    """

    options: SemanticFpnOptions

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: SemanticFpnOptions, rule: str
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.map_head = SemanticFpnHead(channels, num_classes, options=options)
