"""What every segmenter is: a backbone and a head that gives each pixel a label, alike in training and in use."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.dense.anchors import Size
from stvit_video.dense.box_targets import checked_sizes
from stvit_video.dense.dense_model import DenseModel
from stvit_video.dense.map_logits import label_pixels, resized_logits
from stvit_video.dense.map_rules import MAP_RULES, MapRule
from stvit_video.dense.padding import own_padding, padded, places_by_padding
from stvit_video.dense.segmenter_options import SegmenterOptions
from stvit_video.dense.sliding_windows import slide, window_places
from stvit_video.dense.true_maps import checked_maps, map_loss
from stvit_video.tokens.shared_tokens import SharedTokens

AUXILIARY_MAP = 2  # of the backbone's maps, at stride 16


class Segmenter(DenseModel):
    """A label for every pixel of pictures.

    A head sets `map_head`, from the backbone's maps to logits at the stride of the first, and may set `auxiliary_head`,
    from the map at stride 16 to logits that are only trained on.

    Args:
        backbone, channels: see `DenseModel`.
        num_classes: classes of pixels, at most 255.
        options: of the head.
        rule: "ours" or "mmseg", see `stvit_video.dense.map_rules`.

    Raises:
        ValueError: an unknown rule.
    """

    rules = MAP_RULES
    rule: MapRule
    options: SegmenterOptions
    map_head: nn.Module
    auxiliary_weight = 0.0

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: SegmenterOptions, rule: str
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.auxiliary_head: nn.Module | None = None

    def answers(self, pictures: Tensor, *, auxiliary: bool, shared: SharedTokens | None = None) -> dict[str, Tensor]:
        """The logits of pictures (B, 3, H, W) of any size, which are padded with zeros as they are alone.

        Args:
            pictures: normalised.
            auxiliary: whether the auxiliary head answers, too.
            shared: see `DenseModel.backbone_maps`.

        Returns:
            "logits" (B, K, h, w) at stride 4 of the padded pictures, and "auxiliary" at stride 16.
        """
        maps = self.backbone_maps(padded(pictures), shared)
        found = {"logits": self.map_head(maps)}
        if auxiliary and self.auxiliary_head is not None:
            found["auxiliary"] = self.auxiliary_head(maps[AUXILIARY_MAP])
        return found

    def losses(
        self, pictures: Tensor, sizes: Sequence[Size], maps: Tensor, *, shared: SharedTokens | None = None
    ) -> dict[str, Tensor]:
        """The losses of a batch; their sum is minimised. Dropout draws from torch's own generator.

        Args:
            pictures: (B, 3, H, W) normalised, padded with zeros right and bottom.
            sizes: height and width of each picture within the padding.
            maps: (B, H, W) int64, labels from 0, 255 = not counted.
            shared: the semantic tokens that frames of clips share; None = each picture has its own.

        Returns:
            "loss_map", and "loss_auxiliary" with its weight where there is an auxiliary head. Every parameter that is
            trained has a gradient, also where no pixel is counted, which gives losses of 0.

        Raises:
            ValueError: pictures, sizes or maps do not fit together, or one picture is too few for a batch norm.
        """
        checked_sizes(pictures, sizes)
        labels = checked_maps(maps, sizes, pictures=pictures, num_classes=self.num_classes)
        self.check_batch(len(pictures))
        answers = self.answers(pictures, auxiliary=True, shared=shared)
        losses = {"loss_map": self._loss(answers["logits"], labels, pictures)}
        if "auxiliary" in answers:
            losses["loss_auxiliary"] = self.auxiliary_weight * self._loss(answers["auxiliary"], labels, pictures)
        return losses

    def check_batch(self, num_pictures: int) -> None:
        """Raise where so many pictures are too few for a step of the training; heads that have such norms say it."""

    def _loss(self, logits: Tensor, labels: Tensor, pictures: Tensor) -> Tensor:
        whole = _pixels(logits, pictures)
        return map_loss(whole, labels, of_all_pixels=self.rule.loss_of_all_pixels)

    def outputs(self, pictures: Tensor, sizes: Sequence[Size], shared: SharedTokens | None = None) -> dict[str, Any]:
        """What the heads answer: the same names in train and eval mode.

        Returns:
            "logits" (B, K, h, w) at stride 4 of the pictures as they are padded alone, and of heads with an auxiliary
            head "auxiliary" (B, K, h / 4, w / 4).
        """
        checked_sizes(pictures, sizes)
        return self.answers(pictures, auxiliary=True, shared=shared)

    def picture_outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        """See `DenseModel.picture_outputs`: "logits" of `outputs`."""
        return self.answers(pictures, auxiliary=False)

    def segment(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size] | None = None,
        *,
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """The labels of every picture; batch norms and dropout are as the module's mode says, so call eval() first.

        A picture gets what it gets alone, whatever else is in the batch: those that alone would be padded to the same
        size run together, cut to it. With the option `window` a picture is looked at in windows.

        Args:
            pictures: (B, 3, H, W) normalised, padded with zeros right and bottom.
            sizes: height and width of each picture within the padding.
            original_sizes: height and width of each picture as it was before it was resized; None = `sizes`.
            shared: the semantic tokens that frames of videos share, see `KeyFrames.shared`; None = each picture has its
                own.

        Returns:
            For every picture "labels" (height, width) uint8 of the original's size and "scores" (height, width)
            float32, the share of that label by softmax.

        Raises:
            ValueError: sizes do not fit the pictures, or the backbone has no tokens to share.
        """
        checked_sizes(pictures, sizes)
        originals, found = list(original_sizes or sizes), dict[int, dict[str, Tensor]]()
        for (height, width), places in places_by_padding(sizes).items():
            alike = pictures[torch.tensor(places, device=pictures.device)][..., :height, :width]
            part = None if shared is None else shared.part(places, views=[(height, width)] * len(places))
            parts = self.segment_alike(alike, [sizes[i] for i in places], [originals[i] for i in places], part)
            found.update(zip(places, parts, strict=True))
        return [found[i] for i in range(len(sizes))]

    @torch.no_grad()
    def segment_alike(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size],
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """As `segment`, of pictures (B, 3, H, W) that all have the padding that they have alone; not checked."""
        window = self.options.window
        logits = self.answers(pictures, auxiliary=False, shared=shared)["logits"] if window is None else None
        found = []
        for i, ((height, width), original) in enumerate(zip(sizes, original_sizes, strict=True)):
            picture = pictures[i : i + 1, :, :height, :width]
            if logits is None:
                whole = self._slide(picture[0], len(pictures), shared, i)
            else:
                whole = _pixels(logits[i : i + 1], picture)[0]
            found.append(label_pixels(whole, (int(original[0]), int(original[1]))))
        return found

    def _slide(self, picture: Tensor, together: int, shared: SharedTokens | None, row: int) -> Tensor:
        """The logits (K, h, w) of a picture (3, h, w), from so many windows at a time.

        Windows share tokens with those at their place of the other frames; the picture is the `row` of `shared`.
        """
        window, stride = self.options.window, self.options.pixels_between_windows
        assert window is not None
        assert stride is not None
        size: Size = (picture.shape[-2], picture.shape[-1])
        places = iter(window_places(size, window=window, stride=stride))

        def run(part: Tensor) -> Tensor:
            views = [(*size, *place) for place in islice(places, len(part))]
            own = None if shared is None else shared.part([row] * len(part), views=views)
            return _pixels(self.answers(part, auxiliary=False, shared=own)["logits"], part)

        return slide(picture, run, window=window, stride=stride, together=together)


def _pixels(logits: Tensor, pictures: Tensor) -> Tensor:
    """Logits (B, K, h, w) of padded pictures -> (B, K, H, W) of the pictures (B, 3, H, W) that were padded."""
    height, width = pictures.shape[-2:]
    tall, wide = own_padding((height, width))
    return resized_logits(logits.float(), (tall, wide))[..., :height, :width]
