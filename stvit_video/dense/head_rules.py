"""Where published detectors compute differently: a rule for each origin of weights, stored with the weights."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HeadRule:
    """How the parts of a detector compute.

    Args:
        rounded_anchors: anchors at the centre of a cell have whole coordinates, and sides between octaves are whole.
        steps_of_picture: cells are (picture // map) pixels apart, not the stride of the level.
        padding_takes_part: anchors over the padding of a batch are candidates and negatives.
        own_truth: an anchor that is the best one of a true box belongs to that box, not to the box it overlaps most.
        rpn_best_iou, dense_best_iou, region_best_iou: least IoU at which the best anchor, or region, of a true box is
            positive below the threshold; None = never. "dense" is RetinaNet.
        aligned_pooling: RoIAlign shifts by half a cell.
        pooling_samples: samples along a side of a cell of RoIAlign; 0 = as many as the region has pixels there.
        exact_masks: masks are pasted, and their targets cut out, in continuous coordinates.
        p6_of_p5: RetinaNet's P6 is computed from P5, not from the backbone's last map.
        relu_before_p7: RetinaNet's P7 sees P6 behind a ReLU.
        candidates_are_pairs: RetinaNet keeps the best pairs of anchor and class, not the best anchors.
        region_keeps_flat, dense_keeps_flat: boxes without area, such as those beyond the picture's edge, can be
            detections.
        scaled_towers: fresh convolutions of proposals and of RetinaNet suit the width of the neck, see `init_towers`.
        loss_of_picture: RetinaNet divides by the positives of a picture and averages over pictures, not over a batch.
    """

    rounded_anchors: bool = False
    steps_of_picture: bool = False
    padding_takes_part: bool = False
    own_truth: bool = False
    rpn_best_iou: float | None = 1e-3
    dense_best_iou: float | None = 1e-3
    region_best_iou: float | None = None
    aligned_pooling: bool = True
    pooling_samples: int = 2
    exact_masks: bool = True
    p6_of_p5: bool = False
    relu_before_p7: bool = True
    candidates_are_pairs: bool = True
    region_keeps_flat: bool = False
    dense_keeps_flat: bool = False
    scaled_towers: bool = True
    loss_of_picture: bool = False


HEAD_RULES: dict[str, HeadRule] = {
    "ours": HeadRule(),
    "mmdet": HeadRule(
        padding_takes_part=True,
        own_truth=True,
        rpn_best_iou=0.3,
        dense_best_iou=0.0,
        region_best_iou=0.5,
        pooling_samples=0,
        relu_before_p7=False,
        candidates_are_pairs=False,
        region_keeps_flat=True,
        scaled_towers=False,
        dense_keeps_flat=True,
    ),
    "torchvision": HeadRule(
        rounded_anchors=True,
        steps_of_picture=True,
        padding_takes_part=True,
        rpn_best_iou=0.0,
        dense_best_iou=0.0,
        aligned_pooling=False,
        exact_masks=False,
        p6_of_p5=True,
        scaled_towers=False,
        dense_keeps_flat=True,
        loss_of_picture=True,
    ),
}
