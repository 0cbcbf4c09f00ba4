"""What every detector is: a backbone, a neck and a head that answers alike in training and in use."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.dense.anchors import Size, anchors_over, cell_anchors, grid_anchors, steps
from stvit_video.dense.box_codes import scale_boxes
from stvit_video.dense.box_targets import checked_sizes, checked_targets
from stvit_video.dense.dense_model import DenseModel
from stvit_video.dense.head_rules import HEAD_RULES, HeadRule
from stvit_video.dense.options import DetectorOptions
from stvit_video.dense.padding import padded, places_by_padding
from stvit_video.dense.pyramid import Pyramid
from stvit_video.dense.rpn import AnchorSet
from stvit_video.tokens.shared_tokens import SharedTokens

Target = Mapping[str, Tensor]


class Detector(DenseModel):
    """Boxes of objects in pictures.

    A head sets `neck` and says how it comes to `losses`, `outputs` and detections. All draws of a training step come
    from the generator that `losses` is given, or torch's own on the CPU.

    Args:
        backbone: from pictures (B, 3, H, W) to maps (B, C_i, H_i, W_i) at strides 4, 8, 16, ..., finest first.
        channels: of every map.
        num_classes: classes of objects.
        options: of the head.
        rule: "ours", "mmdet" or "torchvision", see `stvit_video.dense.head_rules`.

    Raises:
        ValueError: an unknown rule.
    """

    rules = HEAD_RULES
    rule: HeadRule
    options: DetectorOptions
    neck: Pyramid
    has_masks = False

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: DetectorOptions, rule: str
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.boxes_left_out = 0  # true boxes above max_boxes, of all calls of `losses`

    @property
    def level_strides(self) -> list[int]:
        """Pixels of a cell, of every map of the pyramid."""
        return self.neck.strides(self.map_strides)

    def level_sides(self) -> list[list[float]]:
        """Sides of the anchors of every level of the pyramid, in pixels."""
        raise NotImplementedError(f"{type(self).__name__} does not say which anchors it has")

    def maps(self, pictures: Tensor, shared: SharedTokens | None = None) -> tuple[Tensor, list[Tensor], Tensor]:
        """Pictures (B, 3, H, W) of any size to the pyramid; for `shared` see `DenseModel.backbone_maps`.

        Returns:
            The pictures padded with zeros, right and bottom, to a multiple of 32 of at least 64; the maps of the
            pyramid, finest first; a zero that keeps the maps in the graph that the pyramid leaves out.
        """
        whole = padded(pictures)
        maps = self.backbone_maps(whole, shared)
        unused = sum((features.flatten()[:1].float().sum() * 0 for features in maps[: self.neck.first]), start=0.0)
        return whole, self.neck(maps), torch.as_tensor(unused, device=pictures.device)

    def anchors(self, maps: Sequence[Tensor], padded: Tensor, sizes: Sequence[Size]) -> AnchorSet:
        """The anchors of a batch.

        Args:
            maps: of the pyramid.
            padded: the padded pictures (B, 3, H, W).
            sizes: height and width of each picture within the padding.
        """
        rule, device = self.rule, padded.device
        grids: list[Size] = [(features.shape[-2], features.shape[-1]) for features in maps]
        picture: Size = (padded.shape[-2], padded.shape[-1])
        boxes = []
        for sides, grid, stride in zip(self.level_sides(), grids, self.level_strides, strict=True):
            cell = cell_anchors(sides, self.options.anchor_ratios, rounded=rule.rounded_anchors).to(device)
            step = steps(grid, stride=stride, picture=picture, of_picture=rule.steps_of_picture)
            boxes.append(grid_anchors(cell, grid=grid, step=step))
        usable = None
        if not rule.padding_takes_part:
            common: dict[str, Any] = {"grids": grids, "strides": self.level_strides, "num_anchors": len(cell)}
            usable = torch.stack([anchors_over(size, **common) for size in sizes]).to(device)
        return AnchorSet(boxes=torch.cat(boxes), counts=[len(level) for level in boxes], usable=usable)

    def checked(
        self, pictures: Tensor, sizes: Sequence[Size], targets: Sequence[Target], generator: torch.Generator | None
    ) -> list[dict[str, Tensor]]:
        """The targets that are trained on: without crowds, and no more than `max_boxes` of a picture.

        Raises:
            ValueError: pictures, sizes or targets do not fit together; the picture's place in the batch is named.
        """
        checked_sizes(pictures, sizes)
        kept, left_out = checked_targets(
            targets,
            sizes,
            num_classes=self.num_classes,
            with_masks=self.has_masks,
            max_boxes=self.options.max_boxes,
            generator=generator,
        )
        self.boxes_left_out += left_out
        return kept

    def losses(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        targets: Sequence[Target],
        *,
        generator: torch.Generator | None = None,
        shared: SharedTokens | None = None,
    ) -> dict[str, Tensor]:
        """The losses of a batch; their sum is minimised.

        Args:
            pictures: (B, 3, H, W) normalised, padded with zeros right and bottom.
            sizes: height and width of each picture within the padding.
            targets: of each picture "boxes" (N, 4) x1, y1, x2, y2 in its pixels, "labels" (N,) int64 from 0, "masks"
                (N, h, w) of its size for heads with masks, and "crowd" (N,) bool where some boxes are no targets.
            generator: source of all draws, on the CPU; None = torch's own on the CPU.
            shared: the semantic tokens that frames of clips share; None = each picture has its own.

        Returns:
            Scalars by name. Every parameter that is trained has a gradient, whatever the targets.

        Raises:
            ValueError: pictures, sizes or targets do not fit together.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its losses are")

    def detect(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size] | None = None,
        *,
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """The objects of every picture; batch norms and dropout are as the module's mode says, so call eval() first.

        A picture gets what it gets alone, whatever else is in the batch: those that alone would be padded to the same
        size run together, cut to it.

        Args:
            pictures: (B, 3, H, W) normalised, padded with zeros right and bottom.
            sizes: height and width of each picture within the padding.
            original_sizes: height and width of each picture as it was before it was resized; None = `sizes`.
            shared: the semantic tokens that frames of videos share, see `KeyFrames.shared`; None = each picture has its
                own.

        Returns:
            For every picture, best first: "boxes" (N, 4) in pixels of the original, "scores" (N,), "labels" (N,)
            int64 from 0, and of heads with masks "masks" (N, height, width) bool of the original's size.

        Raises:
            ValueError: sizes do not fit the pictures, or the backbone has no tokens to share.
        """
        checked_sizes(pictures, sizes)
        originals, found = list(original_sizes or sizes), dict[int, dict[str, Tensor]]()
        for (height, width), places in places_by_padding(sizes).items():
            alike = pictures[torch.tensor(places, device=pictures.device)][..., :height, :width]
            part = None if shared is None else shared.part(places, views=[(height, width)] * len(places))
            parts = self.detect_alike(alike, [sizes[i] for i in places], [originals[i] for i in places], part)
            found.update(zip(places, parts, strict=True))
        return [found[i] for i in range(len(sizes))]

    def detect_alike(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size],
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """As `detect`, of pictures (B, 3, H, W) that all have the padding that they have alone; not checked."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it detects")


def to_original(found: dict[str, Tensor], *, size: Size, original: Size) -> dict[str, Tensor]:
    """Detections with their boxes in the picture's original size."""
    return {**found, "boxes": scale_boxes(found["boxes"], size=size, wanted=original)}
