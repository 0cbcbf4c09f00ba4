"""RetinaNet: the class and the box at every anchor, without proposals."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import clip_boxes_to_image, sigmoid_focal_loss

from stvit_video.dense.anchors import Size, octave_sides
from stvit_video.dense.box_codes import box_loss, decode_boxes
from stvit_video.dense.box_heads import select_detections
from stvit_video.dense.box_targets import checked_sizes
from stvit_video.dense.detector import Detector, Target, to_original
from stvit_video.dense.init_towers import init_towers
from stvit_video.dense.matching import IGNORED, match_boxes
from stvit_video.dense.options import DenseOptions
from stvit_video.dense.pyramid import Pyramid
from stvit_video.dense.rpn import AnchorSet
from stvit_video.tokens.shared_tokens import SharedTokens

FIRST_MAP = 1  # of the backbone's maps, that the pyramid begins with


class RetinaNet(Detector):
    """Logits of all classes and offsets of a box at every anchor of a pyramid from stride 8 on.

    Args:
        backbone, channels, num_classes, rule: see `Detector`.
        options: of the head.

    Source: Lin et al. 2017 (Focal Loss for Dense Object Detection).
    """

    options: DenseOptions

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: DenseOptions, rule: str
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.neck = Pyramid(
            channels,
            options.neck_channels,
            first=FIRST_MAP,
            convolutions=True,
            p6_of_p5=self.rule.p6_of_p5,
            relu_before_p7=self.rule.relu_before_p7,
        )
        num_anchors = len(options.anchor_ratios) * options.scales
        self.head = RetinaNetHead(options.neck_channels, num_anchors, num_classes)
        for tower in (self.head.classification_head, self.head.regression_head) if self.rule.scaled_towers else ():
            init_towers(tower.conv)

    def level_sides(self) -> list[list[float]]:
        """Sides of the anchors of every level of the pyramid, in pixels."""
        options, rounded = self.options, self.rule.rounded_anchors
        common: dict[str, Any] = {"scale": options.anchor_scale, "num_sides": options.scales, "rounded": rounded}
        return [octave_sides(stride, **common) for stride in self.level_strides]

    def losses(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        targets: Sequence[Target],
        *,
        generator: torch.Generator | None = None,
        shared: SharedTokens | None = None,
    ) -> dict[str, Tensor]:
        """See `Detector.losses`: "classes" and "boxes". Only boxes above `max_boxes` are drawn."""
        known = self.checked(pictures, sizes, targets, generator)
        padded, maps, zero = self.maps(pictures, shared)
        answers, anchors = self.head(maps), self.anchors(maps, padded, sizes)
        sums = [
            self._picture_sums(answers["cls_logits"][i], answers["bbox_regression"][i], anchors, target, i)
            for i, target in enumerate(known)
        ]
        if self.rule.loss_of_picture:
            shares = [(classes / max(1, count), boxes / max(1, count)) for classes, boxes, count in sums]
            of_classes, of_boxes = (torch.stack(part).mean() for part in zip(*shares, strict=True))
        else:
            count = max(1, sum(count for *_, count in sums))
            of_classes, of_boxes = (torch.stack(part).sum() / count for part in list(zip(*sums, strict=True))[:2])
        return {"classes": of_classes + zero, "boxes": of_boxes}

    def _picture_sums(
        self, logits: Tensor, offsets: Tensor, anchors: AnchorSet, target: Target, picture: int
    ) -> tuple[Tensor, Tensor, int]:
        """The sums of both losses over the anchors of a picture, and the positive anchors."""
        options = self.options
        matches = match_boxes(
            target["boxes"],
            anchors.boxes,
            positive_iou=options.positive_iou,
            negative_iou=options.negative_iou,
            best_iou=self.rule.dense_best_iou,
            own_truth=self.rule.own_truth,
        )
        if anchors.usable is not None:
            matches = matches.masked_fill(~anchors.usable[picture], IGNORED)
        positive, counted = torch.where(matches >= 0)[0], matches != IGNORED
        wanted = torch.zeros_like(logits, dtype=torch.float32)
        wanted[positive, target["labels"][matches[positive]]] = 1.0
        focal: dict[str, Any] = {"alpha": options.focal_alpha, "gamma": options.focal_gamma, "reduction": "sum"}
        of_classes = sigmoid_focal_loss(logits[counted].float(), wanted[counted], **focal)
        nearest = target["boxes"][matches[positive]]
        of_boxes = box_loss(offsets[positive], nearest, anchors.boxes[positive], kind=options.box_loss)
        return of_classes, of_boxes, len(positive)

    def outputs(self, pictures: Tensor, sizes: Sequence[Size], shared: SharedTokens | None = None) -> dict[str, Any]:
        """What the head answers at all A anchors.

        Returns:
            "classes" (B, A, num_classes) logits and "boxes" (B, A, 4) offsets.
        """
        checked_sizes(pictures, sizes)
        return self._answers(self.maps(pictures, shared)[1])

    def picture_outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        """See `DenseModel.picture_outputs`: those of `outputs`."""
        return self._answers(self.maps(pictures)[1])

    def _answers(self, maps: list[Tensor]) -> dict[str, Tensor]:
        answers = self.head(maps)
        return {"classes": answers["cls_logits"], "boxes": answers["bbox_regression"]}

    @torch.no_grad()
    def detect_alike(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size],
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """See `Detector.detect_alike`."""
        padded, maps, _ = self.maps(pictures, shared)
        answers, anchors = self.head(maps), self.anchors(maps, padded, sizes)
        scores, offsets = answers["cls_logits"].float().sigmoid(), answers["bbox_regression"]
        if anchors.usable is not None:
            scores = scores.masked_fill(~anchors.usable[..., None], 0.0)
        found = []
        for i, size in enumerate(sizes):
            part = self._choose(scores[i], offsets[i], anchors, size)
            found.append(to_original(part, size=size, original=original_sizes[i]))
        return found

    def _choose(self, scores: Tensor, offsets: Tensor, anchors: AnchorSet, size: Size) -> dict[str, Tensor]:
        """The detections of a picture, of probabilities (A, num_classes) and offsets (A, 4)."""
        options, start, rows, labels = self.options, 0, [], []
        for level in scores.split(list(anchors.counts)):
            row, label = self._candidates(level)
            rows.append(row + start)
            labels.append(label)
            start += len(level)
        places, classes = torch.cat(rows), torch.cat(labels)
        boxes = clip_boxes_to_image(decode_boxes(offsets[places], anchors.boxes[places]), size)
        limits: dict[str, Any] = {"nms_threshold": options.nms_threshold, "limit": options.detections}
        limits["keep_flat"] = self.rule.dense_keeps_flat
        return select_detections(boxes, scores[places, classes], classes, **limits)

    def _candidates(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Anchors and classes of the best candidates of a level, of probabilities (A, num_classes)."""
        limit, threshold = self.options.candidates, self.options.score_threshold
        if self.rule.candidates_are_pairs:
            rows, labels = torch.where(scores > threshold)
            best = scores[rows, labels].topk(min(limit, len(rows))).indices
            return rows[best], labels[best]
        best = scores.amax(dim=1).topk(min(limit, len(scores))).indices
        rows, labels = torch.where(scores[best] > threshold)
        return best[rows], labels
