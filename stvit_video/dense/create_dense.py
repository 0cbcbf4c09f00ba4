"""Build a detector or segmenter by the names of its head and its backbone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from torch import nn

from stvit_video.dense.dense_model import FIRST_STRIDE, DenseModel, named_rule
from stvit_video.dense.head_rules import HEAD_RULES
from stvit_video.dense.map_rules import MAP_RULES
from stvit_video.dense.mask_rcnn import RegionDetector
from stvit_video.dense.options import DenseOptions, HeadOptions, RegionOptions, build_options
from stvit_video.dense.retinanet import RetinaNet
from stvit_video.dense.segmenter_options import SemanticFpnOptions, UperNetOptions
from stvit_video.dense.semantic_fpn import SemanticFpn
from stvit_video.dense.true_maps import MOST_CLASSES
from stvit_video.dense.upernet import UperNet
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
    """A kind of dense model.

    Args:
        build: from a backbone and the arguments of `DenseModel` to the model.
        options: its settings.
        kind: what it finds: the boxes of objects, or maps with the label of every pixel.
        masks: whether it finds masks of objects.
        defaults: of its settings, where they are not those of their class.
        by_rule: the same by the name of the rule.
    """

    build: Callable[..., DenseModel]
    options: type[HeadOptions]
    kind: Literal["boxes", "maps"] = "boxes"
    masks: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    by_rule: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def rules(self) -> Mapping[str, Any]:
        """What a `head_rule` of this head can be."""
        return MAP_RULES if self.kind == "maps" else HEAD_RULES

    def default_options(self, rule: str) -> dict[str, Any]:
        """The settings that differ from those of their class, by a rule.

        Raises:
            ValueError: no such rule.
        """
        named_rule(rule, self.rules)
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
    "semantic_fpn": Head(build=SemanticFpn, options=SemanticFpnOptions, kind="maps"),
    "upernet": Head(build=UperNet, options=UperNetOptions, kind="maps"),
}


def head_of(name: str) -> Head:
    """The head of that name.

    Raises:
        ValueError: no such head.
    """
    if name not in HEADS:
        of_boxes, of_maps = (
            ", ".join(name for name, head in HEADS.items() if head.kind == kind) for kind in ("boxes", "maps")
        )
        raise ValueError(
            f"head={name!r} is unknown; choose one of {of_boxes} for boxes, or {of_maps} for the label of every pixel"
        )
    return HEADS[name]


def head_options(name: str, *, head_rule: str = "ours") -> dict[str, Any]:
    """The settings of a head with the values that they have where left out.

    Raises:
        ValueError: no such head or rule.
    """
    head = head_of(name)
    return build_options(head.options, head=name, defaults=head.default_options(head_rule), given={}).plain()


def head_option_help(name: str) -> dict[str, str]:
    """What each setting of a head is, in a line.

    Raises:
        ValueError: no such head.
    """
    kinds = [kind for kind in reversed(head_of(name).options.__mro__) if issubclass(kind, HeadOptions)]
    return {option: text for kind in kinds for option, text in argument_help(kind).items()}


def create_dense(
    head: str,
    *,
    backbone: str,
    num_classes: int,
    head_rule: str = "ours",
    backbone_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Build a detector or segmenter by the names of its head and its backbone, with fresh weights.

    Args:
        head: one of `HEADS`.
        backbone: name of an image model with maps at strides 4 to 32: swin_*, casvit_*, stvit_r_swin_* or
            stvit_r_casvit_*.
        num_classes: classes of objects, without background; or classes of pixels, which background can be one of.
        head_rule: "ours", or that of the project that the weights come from: "mmdet" and "torchvision" of boxes,
            "mmseg" of maps.
        backbone_options: of `create_model` for the backbone.
        options: of the head, see `head_options`.

    Returns:
        A `Detector` for heads of the kind "boxes", a `Segmenter` for those of the kind "maps"; `describe()` gives what
        builds it again.

    Raises:
        ValueError: an unknown head, rule, backbone or option, a value out of its range, or a backbone without maps.
    """
    kind, given = head_of(head), dict(backbone_options or {})
    num_classes = _number_of_classes(num_classes, kind)
    chosen = build_options(kind.options, head=head, defaults=kind.default_options(head_rule), given=options)
    network = build_backbone(backbone, given)
    model = kind.build(network, channels=map_channels(network), num_classes=num_classes, options=chosen, rule=head_rule)
    model.description = {
        "head": head,
        "head_rule": head_rule,
        "backbone": {"name": backbone, "options": given},
        "num_classes": num_classes,
        "options": chosen.plain(),
    }
    return model


def build_described(description: Mapping[str, Any]) -> Any:
    """The detector or segmenter that `describe()` told of, with fresh weights.

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


def _number_of_classes(given: Any, head: Head) -> int:
    """The number of classes; maps have at least 2, and no more than a label of 8 bits can tell."""
    if head.kind == "boxes":
        return whole_number("num_classes", given)
    if (number := whole_number("num_classes", given, minimum=2)) > MOST_CLASSES:
        raise ValueError(
            f"num_classes={number} is not possible for the label of every pixel; give at most {MOST_CLASSES}, as label "
            f"{MOST_CLASSES} marks pixels that are not counted"
        )
    return number


def build_backbone(name: str, options: Mapping[str, Any]) -> nn.Module:
    """An image model of that name that answers with its maps.

    Raises:
        ValueError: an unknown name or option, a model for clips, or one without maps of the picture.
    """
    known = model_options(name)
    if "features_only" not in known:
        raise ValueError(f"{name} has no maps at several strides, which boxes and maps are found on; use {WITH_MAPS}")
    if "video_" in name:
        raise ValueError(f"{name} takes clips, and boxes and maps are found in pictures; use {WITH_MAPS}")
    settings = {**option_defaults(name), **options}
    if settings["reducer"] != "none" and not settings["recover"]:
        raise ValueError(
            f"{name} does not bring its semantic tokens back to the picture's grid, on which boxes and maps are found; "
            f"use {name.replace('stvit_', 'stvit_r_', 1)}, or another of {WITH_MAPS}"
        )
    if settings.get("patch_size", FIRST_STRIDE) not in (FIRST_STRIDE, (FIRST_STRIDE,) * 2, [FIRST_STRIDE] * 2):
        raise ValueError(
            f"patch_size={settings['patch_size']!r} is not possible for a detector or segmenter, whose maps begin "
            f"at stride {FIRST_STRIDE}; leave it at {FIRST_STRIDE}"
        )
    return build_model(name, **{**options, "features_only": True})


def map_channels(model: nn.Module) -> Sequence[int]:
    """Channels of the maps of a model that was built with features_only, finest first."""
    norms = model.get_submodule("norms")
    return [len(norm.weight) for norm in norms.children() if isinstance(norm.weight, nn.Parameter)]
