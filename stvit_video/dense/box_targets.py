"""What a detector is trained on: checked, so that a wrong box is named and makes no loss that is not a number."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stvit_video.dense.anchors import Size


def checked_sizes(pictures: Tensor, sizes: Sequence[Any]) -> None:
    """Raise unless there is a size (height, width) within the pictures for each of them.

    Args:
        pictures: (B, 3, H, W).
        sizes: of each picture.

    Raises:
        ValueError: another number of axes, channels or sizes, or a size beyond the padded pictures.
    """
    shape = tuple(pictures.shape)
    if len(shape) != 4 or shape[1] != 3:
        raise ValueError(f"pictures are of shape {shape}; give (B, 3, H, W)")
    if len(sizes) != shape[0]:
        raise ValueError(f"{len(sizes)} sizes came for {shape[0]} pictures; give (height, width) for each")
    for i, (height, width) in enumerate(sizes):
        if not (1 <= height <= shape[2] and 1 <= width <= shape[3]):
            raise ValueError(
                f"size {(height, width)} of picture {i} of the batch does not fit pictures of {shape[2]}x{shape[3]}; "
                f"give its height and width within the padding"
            )


def checked_targets(
    targets: Sequence[Mapping[str, Tensor]],
    sizes: Sequence[Size],
    *,
    num_classes: int,
    with_masks: bool,
    max_boxes: int,
    generator: torch.Generator | None = None,
) -> tuple[list[dict[str, Tensor]], int]:
    """The boxes, labels and masks that are trained on.

    Args:
        targets: of each picture, see `Detector.losses`.
        sizes: height and width of each picture.
        num_classes: labels are below it.
        with_masks: whether masks are needed.
        max_boxes: most boxes of a picture; of more, so many are drawn.
        generator: source of that draw, on the CPU; None = torch's own on the CPU.

    Returns:
        The targets without crowds and without other entries; how many boxes were left out by `max_boxes`.

    Raises:
        ValueError: a target is missing, of another shape, has a box without area or a label out of range.
    """
    if len(targets) != len(sizes):
        raise ValueError(f"{len(targets)} targets came for {len(sizes)} pictures; give one for each")
    kept, left_out = [], 0
    for i, (target, size) in enumerate(zip(targets, sizes, strict=True)):
        names = ("boxes", "labels", "masks") if with_masks else ("boxes", "labels")
        if missing := [name for name in names if name not in target]:
            raise ValueError(
                f"the target of picture {i} of the batch has no {', '.join(missing)}; give {', '.join(names)}"
                + (", or train a head without masks, such as head='faster_rcnn'" if missing == ["masks"] else "")
            )
        _check_target(target, size, picture=i, num_classes=num_classes, names=names)
        chosen = _chosen(target, max_boxes, generator)
        left_out += _num_targets(target) - len(chosen)
        kept.append({name: target[name][chosen] for name in names})
        kept[-1]["boxes"] = kept[-1]["boxes"].float()
    return kept, left_out


def _num_targets(target: Mapping[str, Tensor]) -> int:
    return len(target["boxes"]) - (int(target["crowd"].sum()) if "crowd" in target else 0)


def _chosen(target: Mapping[str, Tensor], max_boxes: int, generator: torch.Generator | None) -> Tensor:
    """Places of the boxes that are no crowds, ascending; of more than `max_boxes` so many are drawn."""
    boxes = target["boxes"]
    places = torch.arange(len(boxes), device=boxes.device)
    places = places[~target["crowd"].bool()] if "crowd" in target else places
    if len(places) > max_boxes:
        drawn = torch.randperm(len(places), generator=generator)[:max_boxes].sort().values
        places = places[drawn.to(places.device)]
    return places


def _check_target(
    target: Mapping[str, Tensor], size: Size, *, picture: int, num_classes: int, names: Sequence[str]
) -> None:
    boxes, labels = target["boxes"], target["labels"]
    wanted = {"boxes": (len(boxes), 4), "labels": (len(boxes),), "masks": (len(boxes), *size)}
    for name in names:
        if tuple(target[name].shape) != wanted[name]:
            raise ValueError(
                f"{name} of picture {picture} of the batch are of shape {tuple(target[name].shape)}; "
                f"give {wanted[name]}"
            )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels of picture {picture} of the batch are {labels.dtype}; give int64")
    is_flat = ~((boxes[:, 2:] > boxes[:, :2]).all(dim=1) & boxes.isfinite().all(dim=1))
    is_unknown = (labels < 0) | (labels >= num_classes)
    if not bool((is_flat | is_unknown).any()):
        return
    if bool(is_flat.any()):
        raise ValueError(
            f"box {boxes[is_flat][0].tolist()} of picture {picture} of the batch has no area; give x1, y1, x2, y2 with "
            f"x1 < x2 and y1 < y2"
        )
    raise ValueError(
        f"label {int(labels[is_unknown][0])} of picture {picture} of the batch is not in 0 to {num_classes - 1}; build "
        f"the detector with num_classes of the data, or number the classes from 0"
    )
