"""Faster R-CNN, Mask R-CNN and Cascade Mask R-CNN: proposals, then one or more stages of box and mask heads."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image

from stvit_video.dense.anchors import Size
from stvit_video.dense.box_codes import decode_boxes
from stvit_video.dense.box_heads import (
    REGION_CELLS,
    BoxHead,
    Sampled,
    box_head_losses,
    sample_regions,
    select_detections,
)
from stvit_video.dense.box_targets import checked_sizes
from stvit_video.dense.cascade import code_weights, refine_regions
from stvit_video.dense.detector import Detector, Target, to_original
from stvit_video.dense.mask_head import MASK_CELLS, MaskHead, mask_loss, mask_probabilities, mask_targets
from stvit_video.dense.options import RegionOptions
from stvit_video.dense.paste import paste_masks
from stvit_video.dense.pyramid import Pyramid
from stvit_video.dense.roi_pooling import pool_regions
from stvit_video.dense.rpn import RegionProposals
from stvit_video.tokens.shared_tokens import SharedTokens


class Stage(nn.Module):
    """The heads of one stage.

    Args:
        channels: of the pyramid's maps.
        num_classes: classes of objects.
        options: of the detector.
        masks: whether there is a mask head.
    """

    def __init__(self, channels: int, num_classes: int, *, options: RegionOptions, masks: bool) -> None:
        super().__init__()
        self.box = BoxHead(channels, options.head_channels, num_classes, convolutions=options.conv_heads)
        self.mask = MaskHead(channels, options.mask_channels, num_classes) if masks else None


class RegionDetector(Detector):
    """Proposals, and stages that classify and refine them; the last one's boxes are the detections.

    Args:
        backbone, channels, num_classes, rule: see `Detector`.
        options: of the head; as many stages as it has `stage_ious`.
        masks: whether every stage has a mask head.

    Source: Ren et al. 2015 (Faster R-CNN); He et al. 2017 (Mask R-CNN); Cai and Vasconcelos 2018 (Cascade R-CNN).
    """

    options: RegionOptions

    def __init__(
        self,
        backbone: nn.Module,
        *,
        channels: Sequence[int],
        num_classes: int,
        options: RegionOptions,
        rule: str,
        masks: bool,
    ) -> None:
        super().__init__(backbone, channels=channels, num_classes=num_classes, options=options, rule=rule)
        self.has_masks = masks
        self.neck = Pyramid(channels, options.neck_channels)
        self.rpn = RegionProposals(options.neck_channels, len(options.anchor_ratios), options=options, rule=self.rule)
        self.stages = nn.ModuleList(
            Stage(options.neck_channels, num_classes, options=options, masks=masks) for _ in options.stage_ious
        )

    def level_sides(self) -> list[list[float]]:
        """Sides of the anchors of every level of the pyramid, in pixels."""
        return [[self.options.anchor_scale * stride] for stride in self.level_strides]

    def _pool(self, maps: Sequence[Tensor], regions: Sequence[Tensor], cells: int) -> Tensor:
        """Pooled regions (R, C, cells, cells), of the levels that the backbone has."""
        levels = len(self.map_strides)
        return pool_regions(
            maps[:levels],
            regions,
            strides=self.map_strides,
            output_size=cells,
            aligned=self.rule.aligned_pooling,
            num_samples=self.rule.pooling_samples,
        )

    def losses(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        targets: Sequence[Target],
        *,
        generator: torch.Generator | None = None,
        shared: SharedTokens | None = None,
    ) -> dict[str, Tensor]:
        """See `Detector.losses`: "rpn_objects", "rpn_boxes", and for every stage "classes", "boxes" and "masks".

        The names of a cascade's stages have their number behind them, from 1.
        """
        known = self.checked(pictures, sizes, targets, generator)
        padded, maps, zero = self.maps(pictures, shared)
        logits, offsets = self.rpn(maps)
        anchors = self.anchors(maps, padded, sizes)
        losses = self.rpn.losses(logits, offsets, anchors, [target["boxes"] for target in known], generator=generator)
        losses["rpn_objects"] = losses["rpn_objects"] + zero
        regions = self.rpn.propose(logits, offsets, anchors, sizes, training=True)
        for number, weight in enumerate(self.options.stage_weights):
            sampled = [self._sample(number, *pair, generator) for pair in zip(regions, known, strict=True)]
            found, regions = self._stage_losses(number, maps, sampled, known, sizes)
            suffix = f"_{number + 1}" if len(self.stages) > 1 else ""
            losses |= {f"{name}{suffix}": weight * loss for name, loss in found.items()}
        return losses

    def _sample(self, number: int, proposals: Tensor, target: Target, generator: torch.Generator | None) -> Sampled:
        return sample_regions(
            proposals,
            target["boxes"],
            positive_iou=self.options.stage_ious[number],
            best_iou=self.rule.region_best_iou if len(self.stages) == 1 else None,
            number=self.options.region_samples,
            positive_share=self.options.region_positives,
            generator=generator,
        )

    def _stage_losses(
        self, number: int, maps: Sequence[Tensor], sampled: Sequence[Sampled], targets: Sequence[Target], sizes: Any
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The losses of a stage, and the regions of every picture for the next one."""
        stage: Any = self.stages[number]
        regions = [part[0] for part in sampled]
        logits, offsets = stage.box(self._pool(maps, regions, REGION_CELLS))
        labels = [_labels(*pair, background=self.num_classes) for pair in zip(sampled, targets, strict=True)]
        wanted = [target["boxes"][numbers] for (_, numbers, _), target in zip(sampled, targets, strict=True)]
        of_classes, of_boxes = box_head_losses(
            logits,
            offsets,
            regions=torch.cat(regions),
            labels=torch.cat(labels),
            wanted=torch.cat(wanted),
            kind=self.options.region_box_loss,
            code_weights=code_weights(number),
        )
        losses = {"classes": of_classes, "boxes": self.options.region_box_weight * of_boxes}
        if stage.mask is not None:
            losses["masks"] = self._mask_loss(stage.mask, maps, sampled, targets)
        if number + 1 == len(self.stages):
            return losses, []
        return losses, self._next_regions(number, logits, offsets, sampled, labels, sizes)

    def _mask_loss(
        self, head: nn.Module, maps: Sequence[Tensor], sampled: Sequence[Sampled], targets: Sequence[Target]
    ) -> Tensor:
        """The loss of the masks of the positive regions."""
        regions = [boxes[: len(numbers)] for boxes, numbers, _ in sampled]
        logits = head(self._pool(maps, regions, MASK_CELLS))
        pairs = list(zip(regions, sampled, targets, strict=True))
        wanted = [
            mask_targets(target["masks"], boxes, numbers, cells=logits.shape[-1], exact=self.rule.exact_masks)
            for boxes, (_, numbers, _), target in pairs
        ]
        labels = [target["labels"][numbers] for _, (_, numbers, _), target in pairs]
        return mask_loss(logits, torch.cat(labels), torch.cat(wanted))

    @torch.no_grad()
    def _next_regions(
        self, number: int, logits: Tensor, offsets: Tensor, sampled: Sequence[Sampled], labels: Any, sizes: Any
    ) -> list[Tensor]:
        """The refined regions of every picture; true boxes join the next stage anew."""
        counts = [len(part[0]) for part in sampled]
        refined = []
        for part, scores, codes, known, size in zip(
            sampled, logits.split(counts), offsets.split(counts), labels, sizes, strict=True
        ):
            boxes = refine_regions(part[0], scores, codes, weights=code_weights(number), size=size, labels=known)
            is_true = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
            is_true[: len(part[2])] = part[2]
            refined.append(boxes[~is_true])
        return refined

    def outputs(self, pictures: Tensor, sizes: Sequence[Size], shared: SharedTokens | None = None) -> dict[str, Any]:
        """What the head answers for as many proposals as in use.

        Returns:
            "objects" (B, A) and "object_boxes" (B, A, 4), logits and offsets at all A anchors; for every stage a list
            item in "regions" (a list of (P_b, 4)), "classes" (P, num_classes + 1) logits with the background last, and
            "boxes" (P, num_classes, 4) offsets.
        """
        checked_sizes(pictures, sizes)
        padded, maps, _ = self.maps(pictures, shared)
        return self._answers(padded, maps, sizes)

    def picture_outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        """See `DenseModel.picture_outputs`: "objects" and "object_boxes" of `outputs`, and the maps to pool from.

        Proposals, pooled regions and what the stages answer to them are no part of it.

        Returns:
            "objects" (B, A), "object_boxes" (B, A, 4) and "map_1" (B, C, H / 4, W / 4), "map_2" and so on.
        """
        _, maps, _ = self.maps(pictures)
        objects, object_boxes = self.rpn(maps)
        pooled_from = {f"map_{i + 1}": maps[i] for i in range(len(self.map_strides))}
        return {"objects": objects, "object_boxes": object_boxes, **pooled_from}

    def _answers(self, padded: Tensor, maps: list[Tensor], sizes: Sequence[Size]) -> dict[str, Any]:
        objects, object_boxes = self.rpn(maps)
        anchors = self.anchors(maps, padded, sizes)
        regions = self.rpn.propose(objects, object_boxes, anchors, sizes, training=False)
        answers: dict[str, Any] = {"objects": objects, "object_boxes": object_boxes}
        answers |= {"regions": [], "classes": [], "boxes": []}
        stages: Any = self.stages
        for number, stage in enumerate(stages):
            counts = [len(boxes) for boxes in regions]
            logits, offsets = stage.box(self._pool(maps, regions, REGION_CELLS))
            for name, value in (("regions", regions), ("classes", logits), ("boxes", offsets)):
                answers[name].append(value)
            parts = (logits.detach().split(counts), offsets.detach().split(counts))
            regions = [
                refine_regions(boxes, scores, codes, weights=code_weights(number), size=size)
                for boxes, scores, codes, size in zip(regions, *parts, sizes, strict=True)
            ]
        return answers

    @torch.no_grad()
    def detect_alike(
        self,
        pictures: Tensor,
        sizes: Sequence[Size],
        original_sizes: Sequence[Size],
        shared: SharedTokens | None = None,
    ) -> list[dict[str, Tensor]]:
        """See `Detector`; the classes are of the mean of all stages' logits, the boxes of the last stage."""
        padded, maps, _ = self.maps(pictures, shared)
        answers = self._answers(padded, maps, sizes)
        regions = answers["regions"][-1]
        counts = [len(boxes) for boxes in regions]
        scores = torch.stack([logits.float() for logits in answers["classes"]]).mean(0).softmax(dim=-1)
        boxes = decode_boxes(answers["boxes"][-1], torch.cat(regions), weights=code_weights(len(self.stages) - 1))
        found = [self._choose(*part) for part in zip(boxes.split(counts), scores.split(counts), sizes, strict=True)]
        masks = self._masks(maps, found) if self.has_masks else None
        return self._finish(found, masks, sizes, original_sizes)

    def _choose(self, boxes: Tensor, scores: Tensor, size: Size) -> dict[str, Tensor]:
        """The detections of a picture, of boxes (P, num_classes, 4) and probabilities (P, num_classes + 1)."""
        rows, labels = torch.where(scores[:, :-1] > self.options.score_threshold)
        boxes = clip_boxes_to_image(boxes[rows, labels], size)
        limits: dict[str, Any] = {"nms_threshold": self.options.nms_threshold, "limit": self.options.detections}
        limits["keep_flat"] = self.rule.region_keeps_flat
        return select_detections(boxes, scores[rows, labels], labels, **limits)

    def _masks(self, maps: Sequence[Tensor], found: Sequence[dict[str, Tensor]]) -> Sequence[Tensor]:
        """Probabilities (N, 28, 28) of the masks of the detections of every picture."""
        pooled = self._pool(maps, [part["boxes"] for part in found], MASK_CELLS)
        stages: Any = self.stages
        logits = [stage.mask(pooled) for stage in stages]
        labels = torch.cat([part["labels"] for part in found])
        return mask_probabilities(logits, labels).split([len(part["labels"]) for part in found])

    def _finish(
        self, found: list[dict[str, Tensor]], masks: Any, sizes: Sequence[Size], original_sizes: Sequence[Size]
    ) -> list[dict[str, Tensor]]:
        """Detections in the pictures' original sizes, masks pasted."""
        finished = []
        for i, (part, size, original) in enumerate(zip(found, sizes, original_sizes, strict=True)):
            part = to_original(part, size=size, original=original)
            if masks is not None:
                common: dict[str, Any] = {"threshold": self.options.mask_threshold, "exact": self.rule.exact_masks}
                part["masks"] = paste_masks(masks[i], part["boxes"], size=original, **common)
            finished.append(part)
        return finished


def _labels(sampled: Sampled, target: Target, *, background: int) -> Tensor:
    """The class (R,) of every sampled region."""
    regions, numbers, _ = sampled
    labels = torch.full((len(regions),), background, dtype=torch.int64, device=regions.device)
    labels[: len(numbers)] = target["labels"][numbers]
    return labels
