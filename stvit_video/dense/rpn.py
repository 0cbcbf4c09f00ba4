"""Region proposals: where there may be an object of any class."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import batched_nms, clip_boxes_to_image, remove_small_boxes

from stvit_video.dense.anchors import Size
from stvit_video.dense.box_codes import box_loss, decode_boxes
from stvit_video.dense.head_rules import HeadRule
from stvit_video.dense.init_towers import init_towers
from stvit_video.dense.matching import IGNORED, draw_samples, match_boxes
from stvit_video.dense.options import RegionOptions

POSITIVE_IOU, NEGATIVE_IOU = 0.7, 0.3
SMALLEST_SIDE = 1e-3  # of a proposal, in pixels


@dataclass(frozen=True, kw_only=True)
class AnchorSet:
    """The anchors of a batch, level after level.

    Args:
        boxes: (A, 4), the same for every picture.
        counts: anchors of each level.
        usable: (B, A) bool, True = takes part for that picture; None = all do.
    """

    boxes: Tensor
    counts: Sequence[int]
    usable: Tensor | None


class RegionProposals(nn.Module):
    """Two answers at every anchor: is there an object, and how is its box.

    Args:
        channels: of the pyramid's maps.
        num_anchors: of a cell.
        options: of the detector.
        rule: how anchors are matched.

    Source: Ren et al. 2015 (Faster R-CNN).
    """

    def __init__(self, channels: int, num_anchors: int, *, options: RegionOptions, rule: HeadRule) -> None:
        super().__init__()
        self.head = RPNHead(channels, num_anchors)
        if rule.scaled_towers:
            init_towers(self.head.conv)
        self.options, self.rule = options, rule

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Maps (B, C, H_i, W_i) -> logits (B, A) of an object and offsets (B, A, 4) at all anchors."""
        logits, offsets = self.head(list(maps))
        return (
            torch.cat([by_anchor(level, values=1) for level in logits], dim=1).squeeze(-1),
            torch.cat([by_anchor(level, values=4) for level in offsets], dim=1),
        )

    @torch.no_grad()
    def propose(
        self, logits: Tensor, offsets: Tensor, anchors: AnchorSet, sizes: Sequence[Size], *, training: bool
    ) -> list[Tensor]:
        """The best boxes of each picture.

        Args:
            logits: (B, A) as `forward` gives them.
            offsets: (B, A, 4).
            anchors: that they are of.
            sizes: height and width of each picture within the padding.
            training: whether as many are kept as training takes.

        Returns:
            (P_b, 4) for every picture, best first, within the picture.
        """
        options = self.options
        before = options.train_candidates if training else options.test_candidates
        after = options.train_proposals if training else options.test_proposals
        scores = logits.float().sigmoid()
        if anchors.usable is not None:
            scores = scores.masked_fill(~anchors.usable, -1.0)
        best, levels = _best_of_levels(scores, anchors.counts, before)  # (B, K), (K,)
        proposals = []
        for score, offset, places, size in zip(scores, offsets, best, sizes, strict=True):
            kept = places[score[places] >= 0]
            level = levels[score[places] >= 0]
            boxes = clip_boxes_to_image(decode_boxes(offset[kept], anchors.boxes[kept]), size)
            whole = remove_small_boxes(boxes, SMALLEST_SIDE)
            boxes, chosen, level = boxes[whole], score[kept][whole], level[whole]
            proposals.append(boxes[batched_nms(boxes, chosen, level, options.rpn_nms)[:after]])
        return proposals

    def losses(
        self,
        logits: Tensor,
        offsets: Tensor,
        anchors: AnchorSet,
        truth: Sequence[Tensor],
        *,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The losses of the proposals.

        Args:
            logits, offsets, anchors: as for `propose`.
            truth: (N_b, 4) true boxes of each picture.
            generator: source of the samples; None = torch's own on the CPU.

        Returns:
            Scalars "rpn_objects" and "rpn_boxes".
        """
        of_objects, of_boxes, count = logits.new_zeros(()).float(), logits.new_zeros(()).float(), 0
        for i, boxes in enumerate(truth):
            matches = self._matched(boxes, anchors, i)
            positive, negative = draw_samples(
                matches,
                number=self.options.rpn_samples,
                positive_share=self.options.rpn_positives,
                generator=generator,
            )
            drawn = torch.cat([positive, negative])
            wanted = (matches[drawn] >= 0).float()
            of_objects = of_objects + F.binary_cross_entropy_with_logits(
                logits[i, drawn].float(), wanted, reduction="sum"
            )
            nearest, start = boxes[matches[positive]], anchors.boxes[positive]
            of_boxes = of_boxes + box_loss(offsets[i, positive], nearest, start, kind=self.options.rpn_box_loss)
            count += len(drawn)
        return {"rpn_objects": of_objects / max(1, count), "rpn_boxes": of_boxes / max(1, count)}

    def _matched(self, truth: Tensor, anchors: AnchorSet, picture: int) -> Tensor:
        matches = match_boxes(
            truth,
            anchors.boxes,
            positive_iou=POSITIVE_IOU,
            negative_iou=NEGATIVE_IOU,
            best_iou=self.rule.rpn_best_iou,
            own_truth=self.rule.own_truth,
        )
        return matches if anchors.usable is None else matches.masked_fill(~anchors.usable[picture], IGNORED)


def by_anchor(level: Tensor, *, values: int) -> Tensor:
    """The answers of a level, (B, A * values, H, W) -> (B, H * W * A, values)."""
    per_anchor = level.unflatten(1, (-1, values))  # (B, A, values, H, W)
    return per_anchor.permute(0, 3, 4, 1, 2).flatten(1, 3)


def _best_of_levels(scores: Tensor, counts: Sequence[int], limit: int) -> tuple[Tensor, Tensor]:
    """Places (B, K) of the best anchors of each level, and the level (K,) of each."""
    places, levels, start = [], [], 0
    for i, level in enumerate(scores.split(list(counts), dim=1)):
        best = level.topk(min(limit, level.shape[1]), dim=1).indices
        places.append(best + start)
        levels.append(torch.full((best.shape[1],), i, device=scores.device))
        start += level.shape[1]
    return torch.cat(places, dim=1), torch.cat(levels)
