"""Weights of detectors and segmenters, ours and those of mmdet, mmseg and torchvision, loaded strictly."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from torch import Tensor, nn

from stvit_video.dense.create_dense import HEADS
from stvit_video.dense.dense_model import RULE, DenseModel
from stvit_video.dense.formats import BACKBONE, FORMATS, DenseFormat
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import LoadReport, load_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError, check_keys, shorten, unwrapped
from stvit_video.models.registry import family_of

OURS = {"boxes": "stvit_video detector", "maps": "stvit_video segmenter"}
WORDS = {"boxes": "detector", "maps": "segmenter"}  # what a head of each kind makes of a backbone
NECK, MAP_HEAD, AUXILIARY_HEAD = "neck.", "map_head.", "auxiliary_head."
# what depends on the number of classes: parts of keys
OF_CLASSES = (
    *(".box.classes.", ".box.boxes.", ".predictor.mask_fcn_logits.", ".classification_head.cls_logits."),
    *("map_head.classifier.", "auxiliary_head.classifier."),
)


def load_dense(
    model: DenseModel, path_or_content: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load the weights of a detector or segmenter: every tensor is accounted for in the report, or nothing is loaded.

    Args:
        model: that receives the weights; its `head_rule` is the one that they were made with.
        path_or_content: a file or exported folder, its content, or a state dict: ours, or of mmdet, mmseg or
            torchvision, told by their keys.
        new_head: whether the layers whose size is the number of classes stay as they are, for training on others.

    Returns:
        What was recognised and loaded, with the model's keys. An auxiliary head is left unused by a model without one.

    Raises:
        CheckpointError: the file can't be read or holds no such model, or one with another head, rule, backbone or
            number of classes.
    """
    content = read_dense(path_or_content)
    state = unwrapped(content)
    form = dense_format(state)
    if form is None and not is_dense(state):
        raise CheckpointError(
            f"the checkpoint holds no detector or segmenter: its keys are {shorten(list(state))}; give one that was "
            f"trained here, by mmdet, mmseg or torchvision; a backbone alone can start a training (init_from=...)"
        )
    converted = dict(state) if form is None else form.convert(state)
    head = head_of_keys(converted)
    _check_head(head, model)
    _check_rule(weights_rule(state), model)
    name = OURS[HEADS[head].kind] if form is None else f"{form.name} {head}"
    return _load(model, converted, name=name, new_head=new_head)


def load_start(
    model: DenseModel, path_or_content: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load what a training starts from: the weights of a detector or segmenter, or of a backbone or classifier alone.

    Args:
        model: that receives the weights.
        path_or_content: as `load_dense` or `load_checkpoint` take it. Of a model for another number of classes the
            layers of that size stay new.
        new_head: whether they stay new in any case.

    Returns:
        What was recognised and loaded, with the model's keys; of a backbone the keys of neck and head are new.

    Raises:
        CheckpointError: as `load_dense` and `load_checkpoint`.
    """
    content = read_dense(path_or_content)
    state = unwrapped(content)
    form = dense_format(state)
    if form is not None or is_dense(state):
        others = _other_sizes(dict(state) if form is None else form.convert(state), model)
        return load_dense(model, content, new_head=new_head or others)
    report = _with_backbone(load_checkpoint(model.backbone, content, new_head=True))
    return replace(report, new=(*report.new, *_head_keys(model)))


def read_dense(path_or_content: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
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
            f"{error}. A file of mmdet or mmseg can hold objects of its libraries beside the weights: if you trust it, "
            f"load it where they are installed and save its 'state_dict' and the class names by torch.save into "
            f"another file"
        ) from None


def class_names(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of the classes that a file of mmdet or mmseg tells, in the order of the labels; None = none."""
    meta = content.get("meta")
    if not isinstance(meta, Mapping):
        return None
    data = meta.get("dataset_meta")
    names = data.get("classes", data.get("CLASSES")) if isinstance(data, Mapping) else meta.get("CLASSES")
    names = (names,) if isinstance(names, str) else names  # mmdet 2 keeps a single class as a text
    known = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    return tuple(names) if known and names else None


def dense_format(state: Mapping[str, Tensor]) -> DenseFormat | None:
    """The project whose detector or segmenter has such keys; None = ours, or none."""
    return next((form for form in FORMATS if form.matches(state)), None)


def is_dense(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of a detector or segmenter of ours."""
    has_head = any(key.startswith((NECK, MAP_HEAD)) for key in state)
    return has_head and any(key.startswith(BACKBONE) for key in state)


def weights_rule(state: Mapping[str, Tensor]) -> str | None:
    """The `head_rule` that the weights of a detector or segmenter were made with; None = they don't tell."""
    if (form := dense_format(state)) is not None:
        return form.rule
    rules = list(HEADS[head_of_keys(state)].rules)
    number = int(state[RULE]) if RULE in state else -1
    return rules[number] if 0 <= number < len(rules) else None


def head_of_keys(keys: Mapping[str, Any]) -> str:
    """The name of the head that keys of ours are of, in `create_dense`'s terms."""
    if any(key.startswith(MAP_HEAD) for key in keys):
        return "upernet" if any(key.startswith("map_head.pooling.") for key in keys) else "semantic_fpn"
    if any(key.startswith("head.classification_head.") for key in keys):
        return "retinanet"
    if any(key.startswith("stages.1.") for key in keys):
        return "cascade_mask_rcnn"
    return "mask_rcnn" if any(key.startswith("stages.0.mask.") for key in keys) else "faster_rcnn"


def _check_head(theirs: str, model: DenseModel) -> None:
    """Raise unless the model has the head that the weights are of."""
    ours = head_of_keys(model.state_dict())
    if theirs == ours:
        return
    task = ""
    if HEADS[theirs].kind != HEADS[ours].kind:
        task = " and task=semantic" if HEADS[theirs].kind == "maps" else " and task=detection"
    elif HEADS[ours].masks and not HEADS[theirs].masks:
        task = " and task=detection"
    raise CheckpointError(
        f"the weights are of head={theirs}, the {WORDS[HEADS[ours].kind]} has head={ours}; use head={theirs}{task}, or "
        f"start a training of head={ours} from a classifier with the same backbone (init_from=...)"
    )


def _check_rule(stored: str | None, model: DenseModel) -> None:
    if stored is not None and stored != model.head_rule:
        raise CheckpointError(
            f"the weights are of head_rule={stored!r}, the model has head_rule={model.head_rule!r}, which computes "
            f"differently; build it with head_rule={stored!r}"
        )


def _load(model: DenseModel, state: dict[str, Tensor], *, name: str, new_head: bool) -> LoadReport:
    """Load the backbone by its own rules, then the head."""
    wanted = {key: value for key, value in model.state_dict().items() if not key.startswith(BACKBONE)}
    heads = {key: value for key, value in state.items() if not key.startswith(BACKBONE)}
    new = [key for key in wanted if _is_of_classes(key)] if new_head else []
    heads |= {key: wanted[key] for key in (*new, RULE)}
    unused = () if any(key.startswith(AUXILIARY_HEAD) for key in wanted) else _auxiliary_keys(heads)
    heads = {key: value for key, value in heads.items() if key not in unused}
    if not new_head and _other_sizes(state, model):
        raise CheckpointError(
            f"the weights are for {_num_classes(state)} classes, the {_word(model)} for {model.num_classes}; give "
            f"num_classes={_num_classes(state)}, or start a training on other classes from them (init_from=...)"
        )
    check_keys(heads, wanted)
    report = _load_backbone(model.backbone, {k: value for k, value in state.items() if k.startswith(BACKBONE)})
    model.load_state_dict(heads, strict=False)
    kept = tuple(key for key in wanted if key not in new)
    told = {"loaded": (*report.loaded, *kept), "new": (*report.new, *new), "unused": (*report.unused, *unused)}
    return replace(report, format=name, **told)


def _word(model: DenseModel) -> str:
    return WORDS[HEADS[head_of_keys(model.state_dict())].kind]


def _auxiliary_keys(state: Mapping[str, Tensor]) -> tuple[str, ...]:
    return tuple(key for key in state if key.startswith(AUXILIARY_HEAD))


def _load_backbone(backbone: nn.Module, state: Mapping[str, Tensor]) -> LoadReport:
    """Load what stands behind "backbone.", by the rules of its family; of modules of no family key by key."""
    named = {key.removeprefix(BACKBONE): value for key, value in state.items()}
    if family_of(backbone) is not None:
        return _with_backbone(load_checkpoint(backbone, named))
    check_keys(named, backbone.state_dict())
    backbone.load_state_dict(named)
    return _with_backbone(LoadReport("", loaded=tuple(named)))


def _with_backbone(report: LoadReport) -> LoadReport:
    """A report on a backbone in the keys of its detector or segmenter."""
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


def _head_keys(model: DenseModel) -> tuple[str, ...]:
    return tuple(key for key in model.state_dict() if not key.startswith(BACKBONE))


def _is_of_classes(key: str) -> bool:
    return any(part in key for part in OF_CLASSES)


def _other_sizes(state: Mapping[str, Tensor], model: DenseModel) -> bool:
    """Whether weights, by our keys, are for another number of classes."""
    return _num_classes(state) not in (None, model.num_classes)


def _num_classes(state: Mapping[str, Tensor]) -> int | None:
    """The number of classes, as the layers tell it; None = they don't."""
    if (classes := state.get("stages.0.box.classes.bias")) is not None:
        return len(classes) - 1
    if (of_pixels := state.get("map_head.classifier.conv.bias")) is not None:
        return len(of_pixels)
    of_classes = state.get("head.classification_head.cls_logits.bias")
    of_boxes = state.get("head.regression_head.bbox_reg.bias")
    return None if of_classes is None or of_boxes is None else 4 * len(of_classes) // max(1, len(of_boxes))
