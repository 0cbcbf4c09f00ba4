"""UPerNet: the whole picture pooled into the coarsest map, a pyramid from there, all maps fused at the finest."""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed, nn

from stvit_video.dense.map_layers import PixelClassifier, PyramidPooling, conv_norm
from stvit_video.dense.map_logits import resized_logits
from stvit_video.dense.segmenter import AUXILIARY_MAP, Segmenter
from stvit_video.dense.segmenter_options import UperNetOptions


class UperNetHead(nn.Module):
    """Logits of all maps of a backbone.

    Args:
        channels: of the backbone's maps, finest first.
        num_classes: of the logits.
        options: of the head.

    Source: Xiao et al. 2018 (Unified Perceptual Parsing for Scene Understanding); mmsegmentation, uper_head.py.
    """

    def __init__(self, channels: Sequence[int], num_classes: int, *, options: UperNetOptions) -> None:
        super().__init__()
        width = options.head_channels
        self.pooling = PyramidPooling(channels[-1], width, cells=options.pool_cells)
        self.laterals = nn.ModuleList(conv_norm(number, width, kernel=1) for number in channels[:-1])
        self.outputs = nn.ModuleList(conv_norm(width, width) for _ in channels[:-1])
        self.fuse = conv_norm(len(channels) * width, width)
        self.classifier = PixelClassifier(width, num_classes, dropout=options.dropout)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C_i, H_i, W_i) -> logits (B, num_classes, H_0, W_0)."""
        sizes = [(features.shape[-2], features.shape[-1]) for features in maps]
        level = self.pooling(maps[-1])
        fused = [resized_logits(level, sizes[0])]
        for i in reversed(range(len(maps) - 1)):
            level = self.laterals[i](maps[i]) + resized_logits(level, sizes[i])
            fused.insert(0, resized_logits(self.outputs[i](level), sizes[0]))
        return self.classifier(self.fuse(torch.cat(fused, dim=1)))


class FcnHead(nn.Module):
    """Logits of one map, behind one convolution.

    Args:
        in_channels: of the map.
        channels: of the convolution.
        num_classes: of the logits.
        dropout: share of the channels that are 0 in a step of the training.

    Source: Long et al. 2015 (Fully Convolutional Networks); mmsegmentation, fcn_head.py.
    """

    def __init__(self, in_channels: int, channels: int, num_classes: int, *, dropout: float) -> None:
        super().__init__()
        self.conv = conv_norm(in_channels, channels)
        self.classifier = PixelClassifier(channels, num_classes, dropout=dropout)

    def forward(self, features: Tensor) -> Tensor:
        """A map (B, C, H, W) -> logits (B, num_classes, H, W)."""
        return self.classifier(self.conv(features))


class UperNet(Segmenter):
    """A backbone with a UPerNet, and an auxiliary head at stride 16 where `auxiliary_weight` is not 0.

    Args:
        backbone, channels, num_classes, rule: see `Segmenter`.
        options: of the head.
    """

    options: UperNetOptions

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: UperNetOptions, rule: str
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.map_head = UperNetHead(channels, num_classes, options=options)
        self.auxiliary_weight = options.auxiliary_weight
        if options.auxiliary_weight:
            self.auxiliary_head = FcnHead(
                channels[AUXILIARY_MAP], options.auxiliary_channels, num_classes, dropout=options.dropout
            )

    def check_batch(self, num_pictures: int) -> None:
        """Raise where the batch norm behind a grid of one cell would see one value.

        Raises:
            ValueError: one picture in training, and no other process whose statistics are shared.
        """
        if num_pictures > 1 or not self.training or 1 not in self.options.pool_cells:
            return
        shared = any(isinstance(module, nn.SyncBatchNorm) for module in self.map_head.modules())
        has_peers = distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
        if shared and has_peers:
            return
        raise ValueError(
            "one picture came for a step of the training, and a batch norm of head=upernet sees one value of it, as "
            "the coarsest map is pooled to one cell; train with data.batch_size=2 or more, or use head=semantic_fpn"
        )
