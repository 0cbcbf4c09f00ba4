"""Weights of detectors, ours and those of mmdet and torchvision, loaded strictly."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from torch import Tensor, nn

from stvit_video.dense.create_detector import HEADS
from stvit_video.dense.dense_model import RULE
from stvit_video.dense.detector import Detector
from stvit_video.dense.formats import BACKBONE, FORMATS, DetectorFormat
from stvit_video.dense.head_rules import HEAD_RULES
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import LoadReport, load_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError, check_keys, shorten, unwrapped
from stvit_video.models.registry import family_of

OURS = "stvit_video detector"
NECK = "neck."
# what depends on the number of classes: beginnings of the last parts of keys
OF_CLASSES = (".box.classes.", ".box.boxes.", ".predictor.mask_fcn_logits.", ".classification_head.cls_logits.")


def load_detector(
    detector: Detector, path_or_content: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load the weights of a detector: every tensor is accounted for in the report, or nothing is loaded.

    Args:
        detector: that receives the weights; its `head_rule` is the one that they were made with.
        path_or_content: a file or exported folder, its content, or a state dict: ours, or of mmdet or torchvision,
            told by their keys.
        new_head: whether the layers whose size is the number of classes stay as they are, for training on others.

    Returns:
        What was recognised and loaded, with the detector's keys.

    Raises:
        CheckpointError: the file can't be read or holds no detector, or one with another head, rule, backbone or
            number of classes.
    """
    content = read_detector(path_or_content)
    state = unwrapped(content)
    form = detector_format(state)
    if form is None and not is_detector(state):
        raise CheckpointError(
            f"the checkpoint holds no detector: its keys are {shorten(list(state))}; give one of a detector that "
            f"was trained here, by mmdet or by torchvision; a backbone alone can start a training (init_from=...)"
        )
    _check_rule(weights_rule(state), detector)
    converted = dict(state) if form is None else form.convert(state)
    name = OURS if form is None else f"{form.name} {head_of_keys(converted)}"
    return _load(detector, converted, name=name, new_head=new_head)


def start_detector(
    detector: Detector, path_or_content: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load what a training starts from: the weights of a detector, or of a backbone or classifier alone.

    Args:
        detector: that receives the weights.
        path_or_content: as `load_detector` or `load_checkpoint` take it. Of a detector for another number of classes
            the layers of that size stay new.
        new_head: whether they stay new in any case.

    Returns:
        What was recognised and loaded, with the detector's keys; of a backbone the keys of neck and head are new.

    Raises:
        CheckpointError: as `load_detector` and `load_checkpoint`.
    """
    content = read_detector(path_or_content)
    state = unwrapped(content)
    form = detector_format(state)
    if form is not None or is_detector(state):
        others = _other_sizes(dict(state) if form is None else form.convert(state), detector)
        return load_detector(detector, content, new_head=new_head or others)
    report = _with_backbone(load_checkpoint(detector.backbone, content, new_head=True))
    return replace(report, new=(*report.new, *_head_keys(detector)))


def read_detector(path_or_content: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a checkpoint, read without running code in it.

    Raises:
        CheckpointError: it can't be read; of a file that holds objects beside its weights, what to do.
    """
    if isinstance(path_or_content, Mapping):
        return path_or_content
    try:
        return read_checkpoint(path_or_content)
    except CheckpointError as error:
        if not isinstance(error.__context__, UnpicklingError):
            raise
        raise CheckpointError(
            f"{error}. A file of mmdet can hold objects of its libraries beside the weights: if you trust it, load it "
            f"where they are installed and save its 'state_dict' and the class names by torch.save into another file"
        ) from None


def class_names(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of the classes that a file of mmdet tells, in the order of the labels; None = it tells none."""
    meta = content.get("meta")
    if not isinstance(meta, Mapping):
        return None
    data = meta.get("dataset_meta")
    names = data.get("classes", data.get("CLASSES")) if isinstance(data, Mapping) else meta.get("CLASSES")
    names = (names,) if isinstance(names, str) else names  # mmdet 2 keeps a single class as a text
    known = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    return tuple(names) if known and names else None


def detector_format(state: Mapping[str, Tensor]) -> DetectorFormat | None:
    """The project whose detector has such keys; None = ours, or no detector."""
    return next((form for form in FORMATS if form.matches(state)), None)


def is_detector(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of a detector of ours."""
    return any(key.startswith(NECK) for key in state) and any(key.startswith(BACKBONE) for key in state)


def weights_rule(state: Mapping[str, Tensor]) -> str | None:
    """The `head_rule` that the weights of a detector were made with; None = they don't tell."""
    if (form := detector_format(state)) is not None:
        return form.rule
    number = int(state[RULE]) if RULE in state else -1
    return list(HEAD_RULES)[number] if 0 <= number < len(HEAD_RULES) else None


def head_of_keys(keys: Mapping[str, Any]) -> str:
    """The name of the head that keys of ours are of, in `create_dense`'s terms."""
    if any(key.startswith("head.classification_head.") for key in keys):
        return "retinanet"
    if any(key.startswith("stages.1.") for key in keys):
        return "cascade_mask_rcnn"
    return "mask_rcnn" if any(key.startswith("stages.0.mask.") for key in keys) else "faster_rcnn"


def _check_rule(stored: str | None, detector: Detector) -> None:
    if stored is not None and stored != detector.head_rule:
        raise CheckpointError(
            f"the weights are of head_rule={stored!r}, the detector has head_rule={detector.head_rule!r}, whose "
            f"anchors and pooling differ; build it with head_rule={stored!r}"
        )


def _load(detector: Detector, state: dict[str, Tensor], *, name: str, new_head: bool) -> LoadReport:
    """Check the heads, load the backbone by its own rules, then load the heads."""
    wanted = {key: value for key, value in detector.state_dict().items() if not key.startswith(BACKBONE)}
    if (theirs := head_of_keys(state)) != (ours := head_of_keys(wanted)):
        boxes = " and task=detection" if HEADS[ours].masks and not HEADS[theirs].masks else ""
        raise CheckpointError(
            f"the weights are of head={theirs}, the detector has head={ours}; use head={theirs}{boxes}, or start a "
            f"training of head={ours} from a classifier with the same backbone (init_from=...)"
        )
    heads = {key: value for key, value in state.items() if not key.startswith(BACKBONE)}
    new = [key for key in wanted if _is_of_classes(key)] if new_head else []
    heads |= {key: wanted[key] for key in (*new, RULE)}
    if not new_head and _other_sizes(state, detector):
        raise CheckpointError(
            f"the weights are for {_num_classes(state)} classes, the detector for {detector.num_classes}; give "
            f"num_classes={_num_classes(state)}, or start a training on other classes from them (init_from=...)"
        )
    check_keys(heads, wanted)
    report = _load_backbone(detector.backbone, {k: value for k, value in state.items() if k.startswith(BACKBONE)})
    detector.load_state_dict(heads, strict=False)
    kept = tuple(key for key in wanted if key not in new)
    return replace(report, format=name, loaded=(*report.loaded, *kept), new=(*report.new, *new))


def _load_backbone(backbone: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Load what stands behind "backbone.", by the rules of its family; of modules of no family key by key."""
    named = {key.removeprefix(BACKBONE): value for key, value in state.items()}
    if family_of(backbone) is not None:
        return _with_backbone(load_checkpoint(backbone, named))
    check_keys(named, backbone.state_dict())
    backbone.load_state_dict(named)
    return _with_backbone(LoadReport("", loaded=tuple(named)))


def _with_backbone(report: LoadReport) -> LoadReport:
    """A report on a backbone in the keys of its detector."""
    return LoadReport(
        report.format,
        loaded=_of_backbone(report.loaded),
        inflated=_of_backbone(report.inflated),
        interpolated=_of_backbone(report.interpolated),
        new=_of_backbone(report.new),
        unused=_of_backbone(report.unused),
    )


def _of_backbone(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(BACKBONE + key for key in keys)


def _head_keys(detector: Detector) -> tuple[str, ...]:
    return tuple(key for key in detector.state_dict() if not key.startswith(BACKBONE))


def _is_of_classes(key: str) -> bool:
    return any(part in key for part in OF_CLASSES)


def _other_sizes(state: Mapping[str, Tensor], detector: Detector) -> bool:
    """Whether weights, by our keys, are for another number of classes."""
    return _num_classes(state) not in (None, detector.num_classes)


def _num_classes(state: Mapping[str, Tensor]) -> int | None:
    """The number of classes, as the layers tell it; None = they don't."""
    if (classes := state.get("stages.0.box.classes.bias")) is not None:
        return len(classes) - 1
    of_classes = state.get("head.classification_head.cls_logits.bias")
    of_boxes = state.get("head.regression_head.bbox_reg.bias")
    return None if of_classes is None or of_boxes is None else 4 * len(of_classes) // max(1, len(of_boxes))
