"""The settings of heads of dense models, with their ranges and what they are by each rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from stvit_video.dense.box_codes import BOX_LOSSES
from stvit_video.layers.numbers import flag, is_list, number, whole_number


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """What all heads have.

    Args:
        norm_eval: whether the backbone's batch norms keep their statistics in training.

    Raises:
        ValueError: a value out of its range.
    """

    norm_eval: bool = False

    def __post_init__(self) -> None:
        flag("norm_eval", self.norm_eval)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def plain(self) -> dict[str, Any]:
        """All settings as plain values, as a checkpoint keeps them."""
        return {name: list(value) if is_list(value) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class DetectorOptions(HeadOptions):
    """What all detectors have.

    Args:
        neck_channels: channels of the pyramid's maps.
        anchor_ratios: heights over widths of the anchors.
        score_threshold: least score of a detection, from 0 to 1.
        nms_threshold: IoU from which on the weaker one of two detections of a class is dropped.
        detections: most detections of a picture.
        max_boxes: most true boxes of a picture that are trained on in a step; of more, so many are drawn.
    """

    neck_channels: int = 256
    anchor_ratios: Sequence[float] = (0.5, 1.0, 2.0)
    score_threshold: float = 0.05
    nms_threshold: float = 0.5
    detections: int = 100
    max_boxes: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("neck_channels", "detections", "max_boxes"):
            self._set(name, whole_number(name, getattr(self, name)))
        for name in ("score_threshold", "nms_threshold"):
            self._set(name, _share(name, getattr(self, name)))
        self._set("anchor_ratios", _positives("anchor_ratios", self.anchor_ratios))


@dataclass(frozen=True, kw_only=True)
class RegionOptions(DetectorOptions):
    """What Faster, Mask and Cascade Mask R-CNN have.

    Args:
        anchor_scale: side of the anchors over the stride of their level.
        rpn_nms: IoU from which on the weaker one of two proposals of a level is dropped.
        train_candidates, test_candidates: proposals of a level before that, in training and in use.
        train_proposals, test_proposals: proposals of a picture after that.
        rpn_samples: anchors of a picture that the proposals are trained on.
        rpn_positives: at most this share of them is positive.
        rpn_box_loss: "l1", "smooth_l1" or "giou".
        head_channels: channels of the fully connected layers of the box heads.
        region_samples: regions of a picture that the box heads are trained on.
        region_positives: at most this share of them is positive.
        region_box_loss: as rpn_box_loss, for the box heads.
        region_box_weight: factor of that loss.
        mask_channels: channels of the mask heads.
        mask_threshold: least probability of a pixel of an object.
        stage_ious: least IoU of a positive region, for each stage.
        stage_weights: factor of the losses of each stage.
        conv_heads: whether box heads have four convolutions with batch norm and one fully connected layer; else two
            fully connected layers.
    """

    anchor_scale: float = 8.0
    rpn_nms: float = 0.7
    train_candidates: int = 2000
    test_candidates: int = 1000
    train_proposals: int = 1000
    test_proposals: int = 1000
    rpn_samples: int = 256
    rpn_positives: float = 0.5
    rpn_box_loss: str = "l1"
    head_channels: int = 1024
    region_samples: int = 512
    region_positives: float = 0.25
    region_box_loss: str = "l1"
    region_box_weight: float = 1.0
    mask_channels: int = 256
    mask_threshold: float = 0.5
    stage_ious: Sequence[float] = (0.5,)
    stage_weights: Sequence[float] = (1.0,)
    conv_heads: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("train_candidates", "test_candidates", "train_proposals", "test_proposals"):
            self._set(name, whole_number(name, getattr(self, name)))
        for name in ("rpn_samples", "head_channels", "region_samples", "mask_channels"):
            self._set(name, whole_number(name, getattr(self, name)))
        for name in ("rpn_nms", "rpn_positives", "region_positives", "mask_threshold"):
            self._set(name, _share(name, getattr(self, name)))
        for name in ("anchor_scale", "region_box_weight"):
            self._set(name, _positive(name, getattr(self, name)))
        self._set("stage_ious", tuple(_share("stage_ious", iou) for iou in _positives("stage_ious", self.stage_ious)))
        self._set("stage_weights", _positives("stage_weights", self.stage_weights))
        _check_loss("rpn_box_loss", self.rpn_box_loss)
        _check_loss("region_box_loss", self.region_box_loss)
        flag("conv_heads", self.conv_heads)
        if len(self.stage_ious) != len(self.stage_weights):
            raise ValueError(
                f"stage_ious={self.stage_ious} and stage_weights={self.stage_weights} are of different lengths; give "
                f"one number for each stage in both"
            )


@dataclass(frozen=True, kw_only=True)
class DenseOptions(DetectorOptions):
    """What RetinaNet has.

    Args:
        anchor_scale: side of the smallest anchors over the stride of their level.
        scales: anchors of an octave.
        positive_iou: least IoU of a positive anchor with its true box.
        negative_iou: IoU below which an anchor is background; between both it is ignored.
        candidates: most candidates of a level before weaker ones are dropped.
        box_loss: "l1", "smooth_l1" or "giou".
        focal_alpha: weight of positive anchors in the focal loss.
        focal_gamma: how far the focal loss turns to what is not learnt yet; 0 = cross-entropy.
    """

    anchor_scale: float = 4.0
    scales: int = 3
    positive_iou: float = 0.5
    negative_iou: float = 0.4
    candidates: int = 1000
    box_loss: str = "l1"
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scales", "candidates"):
            self._set(name, whole_number(name, getattr(self, name)))
        for name in ("positive_iou", "negative_iou", "focal_alpha"):
            self._set(name, _share(name, getattr(self, name)))
        self._set("anchor_scale", _positive("anchor_scale", self.anchor_scale))
        self._set("focal_gamma", number("focal_gamma", self.focal_gamma))
        _check_loss("box_loss", self.box_loss)
        if self.negative_iou > self.positive_iou or self.focal_gamma < 0:
            raise ValueError(
                f"negative_iou={self.negative_iou} must be at most positive_iou={self.positive_iou}, and "
                f"focal_gamma={self.focal_gamma} at least 0"
            )


def build_options(kind: type[HeadOptions], *, head: str, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """The settings of a head: those given, and the defaults of head and rule for the rest.

    Raises:
        ValueError: a setting that the head does not have, or a value out of its range.
    """
    known = sorted(field.name for field in fields(kind))
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{head} has no option {', '.join(map(repr, unknown))}; it takes {', '.join(known)}")
    return kind(**{**defaults, **given})


def _share(name: str, value: Any) -> float:
    if not 0.0 <= (converted := number(name, value)) <= 1.0:
        raise ValueError(f"{name}={value!r} is not possible; give a number from 0 to 1")
    return converted


def _positive(name: str, value: Any) -> float:
    if (converted := number(name, value)) <= 0:
        raise ValueError(f"{name}={value!r} is not possible; give a number above 0")
    return converted


def _positives(name: str, values: Any) -> tuple[float, ...]:
    if not is_list(values) or not values:
        raise ValueError(f"{name}={values!r} is not possible; give a list of numbers above 0")
    return tuple(_positive(name, value) for value in values)


def _check_loss(name: str, value: Any) -> None:
    if value not in BOX_LOSSES:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(BOX_LOSSES)}")
