"""Weights of detectors and segmenters of other projects: told by their keys, renamed to ours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

BACKBONE = "backbone."
MMDET_NECK, TORCHVISION_NECK = "neck.lateral_convs.0.conv.weight", "backbone.fpn.inner_blocks.0."
MMSEG_CLASSIFIER = "decode_head.conv_seg.weight"
Renaming = tuple[str, str]  # a pattern of whole keys, and what it becomes

MMDET: tuple[Renaming, ...] = (
    (r"neck\.lateral_convs\.(\d+)\.conv\.(\w+)", r"neck.fpn.inner_blocks.\1.0.\2"),
    (r"neck\.fpn_convs\.(\d+)\.conv\.(\w+)", r"neck.fpn.layer_blocks.\1.0.\2"),
    (r"rpn_head\.rpn_conv\.(\w+)", r"rpn.head.conv.0.0.\1"),
    (r"rpn_head\.rpn_cls\.(\w+)", r"rpn.head.cls_logits.\1"),
    (r"rpn_head\.rpn_reg\.(\w+)", r"rpn.head.bbox_pred.\1"),
    (r"stages\.(\d+)\.box\.shared_convs\.(\d+)\.conv\.(\w+)", r"stages.\1.box.trunk.\2.0.\3"),
    (r"stages\.(\d+)\.box\.shared_convs\.(\d+)\.bn\.(\w+)", r"stages.\1.box.trunk.\2.1.\3"),
    (r"stages\.(\d+)\.box\.fc_cls\.(\w+)", r"stages.\1.box.classes.\2"),
    (r"stages\.(\d+)\.box\.fc_reg\.(\w+)", r"stages.\1.box.boxes.\2"),
    (r"stages\.(\d+)\.mask\.convs\.(\d+)\.conv\.(\w+)", r"stages.\1.mask.convs.\2.0.\3"),
    (r"stages\.(\d+)\.mask\.upsample\.(\w+)", r"stages.\1.mask.predictor.conv5_mask.\2"),
    (r"stages\.(\d+)\.mask\.conv_logits\.(\w+)", r"stages.\1.mask.predictor.mask_fcn_logits.\2"),
    (r"bbox_head\.cls_convs\.(\d+)\.conv\.(\w+)", r"head.classification_head.conv.\1.0.\2"),
    (r"bbox_head\.reg_convs\.(\d+)\.conv\.(\w+)", r"head.regression_head.conv.\1.0.\2"),
    (r"bbox_head\.retina_cls\.(\w+)", r"head.classification_head.cls_logits.\1"),
    (r"bbox_head\.retina_reg\.(\w+)", r"head.regression_head.bbox_reg.\1"),
)
TORCHVISION: tuple[Renaming, ...] = (
    (r"backbone\.body\.(.+)", r"backbone.\1"),
    (r"backbone\.fpn\.(inner|layer)_blocks\.(\d+)\.(weight|bias)", r"neck.fpn.\1_blocks.\2.0.\3"),  # of old files
    (r"backbone\.fpn\.((?:inner|layer)_blocks\..+)", r"neck.fpn.\1"),
    (r"backbone\.fpn\.extra_blocks\.(p[67]\.\w+)", r"neck.\1"),
    (r"rpn\.head\.conv\.(weight|bias)", r"rpn.head.conv.0.0.\1"),  # of old files
    (r"roi_heads\.box_head\.(.+)", r"stages.0.box.trunk.\1"),
    (r"roi_heads\.box_predictor\.cls_score\.(\w+)", r"stages.0.box.classes.\1"),
    (r"roi_heads\.box_predictor\.bbox_pred\.(\w+)", r"stages.0.box.boxes.\1"),
    (r"roi_heads\.mask_head\.(\d+\..+)", r"stages.0.mask.convs.\1"),
    (r"roi_heads\.mask_predictor\.(.+)", r"stages.0.mask.predictor.\1"),
)
MMSEG_LAYERS = {  # of UPerNet: theirs, each a convolution and its batch norm, and ours
    r"decode_head\.psp_modules\.(\d+)\.1": r"map_head.pooling.convs.\1",
    r"decode_head\.bottleneck": r"map_head.pooling.fuse",
    r"decode_head\.lateral_convs\.(\d+)": r"map_head.laterals.\1",
    r"decode_head\.fpn_convs\.(\d+)": r"map_head.outputs.\1",
    r"decode_head\.fpn_bottleneck": r"map_head.fuse",
    r"auxiliary_head\.convs\.0": r"auxiliary_head.conv",
}
MMSEG: tuple[Renaming, ...] = (
    (r"neck\.lateral_convs\.(\d+)\.conv\.(\w+)", r"map_head.neck.fpn.inner_blocks.\1.0.\2"),
    (r"neck\.fpn_convs\.(\d+)\.conv\.(\w+)", r"map_head.neck.fpn.layer_blocks.\1.0.\2"),
    (r"decode_head\.conv_seg\.(\w+)", r"map_head.classifier.conv.\1"),
    (r"auxiliary_head\.conv_seg\.(\w+)", r"auxiliary_head.classifier.conv.\1"),
)


@dataclass(frozen=True, kw_only=True)
class DenseFormat:
    """Weights of detectors or segmenters of another project.

    Args:
        name: for reports.
        rule: the `head_rule` that they were made with.
        matches: whether a state dict is of it, told by its keys.
        convert: the state dict with our keys; those of the backbone keep the project's names behind "backbone.".
    """

    name: str
    rule: str
    matches: Callable[[Mapping[str, Tensor]], bool]
    convert: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


def convert_mmdet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A detector of mmdet 2 or 3 with our keys; classes and their boxes are in the same order there."""
    staged = {_with_stage(key): value for key, value in state.items()}
    num_levels = sum(key.startswith("neck.fpn_convs.") and key.endswith(".weight") for key in state)
    num_maps = sum(key.startswith("neck.lateral_convs.") and key.endswith(".weight") for key in state)
    behind = {f"neck.fpn_convs.{num_maps + i}.conv.": f"neck.p{6 + i}." for i in range(num_levels - num_maps)}
    converted = {}
    for key, value in staged.items():
        start = next((start for start in behind if key.startswith(start)), None)
        key = _renamed(key, MMDET) if start is None else behind[start] + key.removeprefix(start)
        converted[_with_layer(key, staged)] = value
    return converted


def _with_stage(key: str) -> str:
    """The heads of one stage, and of several, with the stage's number in front."""
    match = re.fullmatch(r"roi_head\.(bbox|mask)_head\.(?:(\d+)\.)?(.+)", key)
    if match is None:
        return key
    return f"stages.{match[2] or 0}.{'box' if match[1] == 'bbox' else 'mask'}.{match[3]}"


def _with_layer(key: str, staged: Mapping[str, Tensor]) -> str:
    """The fully connected layers of a box head, which count on behind its convolutions."""
    match = re.fullmatch(r"(stages\.\d+\.box)\.shared_fcs\.(\d+)\.(\w+)", key)
    if match is None:
        return key
    num_convs = sum(other.startswith(f"{match[1]}.shared_convs.") and ".conv.w" in other for other in staged)
    if num_convs:
        return f"{match[1]}.trunk.{num_convs + 1 + 2 * int(match[2])}.{match[3]}"
    return f"{match[1]}.trunk.fc{6 + int(match[2])}.{match[3]}"


def convert_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A detector of torchvision with our keys: the background comes last, and has no boxes and masks of its own."""
    converted = {}
    for key, value in state.items():
        key = _renamed(_newer(key), TORCHVISION)
        if ".box.classes." in key:
            value = torch.roll(value, -1, dims=0)
        elif ".box.boxes." in key:
            value = value[4:]
        elif ".mask_fcn_logits." in key:
            value = value[1:]
        converted[key] = value
    return converted


def _newer(key: str) -> str:
    """The names of torchvision's first files as those of today."""
    if match := re.fullmatch(r"(roi_heads\.mask_head)\.mask_fcn(\d+)\.(\w+)", key):
        return f"{match[1]}.{int(match[2]) - 1}.0.{match[3]}"
    if match := re.fullmatch(r"(head\.\w+_head\.conv)\.(\d+)\.(weight|bias)", key):
        return f"{match[1]}.{int(match[2]) // 2}.0.{match[3]}"
    return key


def convert_mmseg(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A segmenter of mmsegmentation with our keys: Semantic FPN behind its neck, or UPerNet."""
    return {_mmseg_key(key): value for key, value in state.items()}


def _mmseg_key(key: str) -> str:
    if match := re.fullmatch(r"decode_head\.scale_heads\.(\d+)\.(\d+)\.(conv|bn)\.(\w+)", key):
        step = int(match[2]) // 2  # each convolution has a doubling behind it
        return f"map_head.levels.{match[1]}.convs.{step}.{int(match[3] == 'bn')}.{match[4]}"
    for theirs, ours in MMSEG_LAYERS.items():
        if match := re.fullmatch(rf"{theirs}\.(?P<part>conv|bn)\.(?P<leaf>\w+)", key):
            return f"{match.expand(ours)}.{int(match['part'] == 'bn')}.{match['leaf']}"
    return _renamed(key, MMSEG)


def _renamed(key: str, names: tuple[Renaming, ...]) -> str:
    for pattern, ours in names:
        if match := re.fullmatch(pattern, key):
            return match.expand(ours)
    return key


FORMATS: tuple[DenseFormat, ...] = (
    DenseFormat(name="mmseg", rule="mmseg", matches=lambda state: MMSEG_CLASSIFIER in state, convert=convert_mmseg),
    DenseFormat(
        name="mmdet",
        rule="mmdet",
        matches=lambda state: MMDET_NECK in state and MMSEG_CLASSIFIER not in state,
        convert=convert_mmdet,
    ),
    DenseFormat(
        name="torchvision's detection",
        rule="torchvision",
        matches=lambda state: any(key.startswith(TORCHVISION_NECK) for key in state),
        convert=convert_torchvision,
    ),
)
