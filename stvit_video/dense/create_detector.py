"""Build a detector by the names of its head and its backbone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from stvit_video.dense.detector import FIRST_STRIDE, Detector
from stvit_video.dense.head_rules import head_rule as named_rule
from stvit_video.dense.mask_rcnn import RegionDetector
from stvit_video.dense.options import DenseOptions, DetectorOptions, RegionOptions, build_options
from stvit_video.dense.retinanet import RetinaNet
from stvit_video.layers.numbers import whole_number
from stvit_video.models.registry import build_model, model_options, option_defaults
from stvit_video.utils.docstrings import argument_help

WITH_MAPS = "swin_*, casvit_*, stvit_r_swin_* or stvit_r_casvit_*"
CASCADE = {
    "stage_ious": (0.5, 0.6, 0.7),
    "stage_weights": (1.0, 0.5, 0.25),
    "conv_heads": True,
    "region_box_loss": "giou",
    "region_box_weight": 10.0,
    "rpn_box_loss": "smooth_l1",
    "train_proposals": 2000,
}


@dataclass(frozen=True, kw_only=True)
class Head:
    """A kind of detector.

    Args:
        build: from a backbone and the arguments of `Detector` to the detector.
        options: its settings.
        masks: whether it finds masks.
        defaults: of its settings, where they are not those of their class.
        by_rule: the same by the name of the rule.
    """

    build: Callable[..., Detector]
    options: type[DetectorOptions]
    masks: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    by_rule: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def default_options(self, rule: str) -> dict[str, Any]:
        """The settings that differ from those of their class, by a rule."""
        return {**self.defaults, **self.by_rule.get(rule, {})}


OF_TORCHVISION = {"train_proposals": 2000, "rpn_box_loss": "smooth_l1", "region_box_loss": "smooth_l1"}
HEADS: dict[str, Head] = {
    "faster_rcnn": Head(
        build=partial(RegionDetector, masks=False), options=RegionOptions, by_rule={"torchvision": OF_TORCHVISION}
    ),
    "mask_rcnn": Head(
        build=partial(RegionDetector, masks=True),
        options=RegionOptions,
        masks=True,
        by_rule={"torchvision": OF_TORCHVISION},
    ),
    "cascade_mask_rcnn": Head(
        build=partial(RegionDetector, masks=True), options=RegionOptions, masks=True, defaults=CASCADE
    ),
    "retinanet": Head(build=RetinaNet, options=DenseOptions, by_rule={"torchvision": {"detections": 300}}),
}


def head_of(name: str) -> Head:
    """The head of that name.

    Raises:
        ValueError: no such head.
    """
    if name not in HEADS:
        raise ValueError(f"head={name!r} is unknown; choose one of {', '.join(HEADS)}")
    return HEADS[name]


def head_options(name: str, *, head_rule: str = "ours") -> dict[str, Any]:
    """The settings of a head with the values that they have where left out.

    Raises:
        ValueError: no such head or rule.
    """
    head, _ = head_of(name), named_rule(head_rule)
    return build_options(head.options, head=name, defaults=head.default_options(head_rule), given={}).plain()


def head_option_help(name: str) -> dict[str, str]:
    """What each setting of a head is, in a line.

    Raises:
        ValueError: no such head.
    """
    kinds = [kind for kind in reversed(head_of(name).options.__mro__) if issubclass(kind, DetectorOptions)]
    return {option: text for kind in kinds for option, text in argument_help(kind).items()}


def create_dense(
    head: str,
    *,
    backbone: str,
    num_classes: int,
    head_rule: str = "ours",
    backbone_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> Detector:
    """Build a detector by the names of its head and its backbone, with fresh weights.

    Args:
        head: one of `HEADS`.
        backbone: name of an image model with maps at strides 4 to 32: swin_*, casvit_*, stvit_r_swin_* or
            stvit_r_casvit_*.
        num_classes: classes of objects, without background.
        head_rule: "ours", or that of the project that the weights come from: "mmdet", "torchvision".
        backbone_options: of `create_model` for the backbone.
        options: of the head, see `head_options`.

    Returns:
        The detector; `describe()` gives what builds it again.

    Raises:
        ValueError: an unknown head, rule, backbone or option, a value out of its range, or a backbone without maps.
    """
    kind, given = head_of(head), dict(backbone_options or {})
    named_rule(head_rule)
    num_classes = whole_number("num_classes", num_classes)
    chosen = build_options(kind.options, head=head, defaults=kind.default_options(head_rule), given=options)
    model = build_backbone(backbone, given)
    detector = kind.build(model, channels=map_channels(model), num_classes=num_classes, options=chosen, rule=head_rule)
    detector.description = {
        "head": head,
        "head_rule": head_rule,
        "backbone": {"name": backbone, "options": given},
        "num_classes": num_classes,
        "options": chosen.plain(),
    }
    return detector


def build_described(description: Mapping[str, Any]) -> Detector:
    """The detector that `describe()` told of, with fresh weights.

    Raises:
        ValueError: as `create_dense`; KeyError: a part of the description is missing.
    """
    return create_dense(
        description["head"],
        backbone=description["backbone"]["name"],
        num_classes=description["num_classes"],
        head_rule=description["head_rule"],
        backbone_options=description["backbone"]["options"],
        **description["options"],
    )


def build_backbone(name: str, options: Mapping[str, Any]) -> nn.Module:
    """An image model of that name that answers with its maps.

    Raises:
        ValueError: an unknown name or option, a model for clips, or one without maps of the picture.
    """
    known = model_options(name)
    if "features_only" not in known:
        raise ValueError(f"{name} has no maps at several strides, which detection needs; use {WITH_MAPS}")
    if "video_" in name:
        raise ValueError(f"{name} takes clips, and detection works on pictures; use {WITH_MAPS}")
    settings = {**option_defaults(name), **options}
    if settings["reducer"] != "none" and not settings["recover"]:
        raise ValueError(
            f"{name} does not bring its semantic tokens back to the picture's grid, which detection needs; use "
            f"{name.replace('stvit_', 'stvit_r_', 1)}, or another of {WITH_MAPS}"
        )
    if settings.get("patch_size", FIRST_STRIDE) not in (FIRST_STRIDE, (FIRST_STRIDE,) * 2, [FIRST_STRIDE] * 2):
        raise ValueError(
            f"patch_size={settings['patch_size']!r} is not possible for a detector, whose maps begin at stride "
            f"{FIRST_STRIDE}; leave it at {FIRST_STRIDE}"
        )
    return build_model(name, **{**options, "features_only": True})


def map_channels(model: nn.Module) -> Sequence[int]:
    """Channels of the maps of a model that was built with features_only, finest first."""
    norms = model.get_submodule("norms")
    return [len(norm.weight) for norm in norms.children() if isinstance(norm.weight, nn.Parameter)]
