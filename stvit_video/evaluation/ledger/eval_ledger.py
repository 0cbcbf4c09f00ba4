"""The eval ledger: the logits of every view of every listed video, from which protocols are computed later.

`ledger_file` writes and reads it, `offline` computes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from stvit_video.evaluation.multiview import MultiViewResult, in_manifest_order
from stvit_video.evaluation.view_average import AVERAGES

NUM_SHOWN = 3


class LedgerError(ValueError):
    """A ledger is damaged or incomplete, or does not hold what is asked of it."""


@dataclass(frozen=True, kw_only=True)
class LedgerInfo:
    """What the logits of a ledger mean.

    Attributes:
        classes: label names in the order of the logits.
        model: name of the model.
        protocol: of the stored views: num_clips, num_crops, average ("prob" or "logit"), and name where it has
            one; may hold more.
        preprocessing: frames, sizes, mean and deviation; short_side is needed.
        multi_label: True = a video can have no label, or several.
        commit: of the code that evaluated; None = not known.
        versions: of the libraries in use, by name.

    Raises:
        LedgerError: a value is missing or not possible.
    """

    classes: tuple[str, ...]
    model: str
    protocol: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    multi_label: bool = False
    commit: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise LedgerError(f"a ledger needs 2 or more distinct classes, got {list(self.classes)}")
        for name in ("num_clips", "num_crops"):
            value = self.protocol.get(name)
            if not isinstance(value, int) or value < 1:
                raise LedgerError(f"the protocol's {name}={value!r} must be a whole number of at least 1")
        if self.protocol.get("average") not in AVERAGES:
            raise LedgerError(f"the protocol's average={self.protocol.get('average')!r} must be one of {AVERAGES}")
        if not isinstance(self.preprocessing.get("short_side"), int):
            raise LedgerError("the preprocessing must hold short_side, a whole number of pixels")

    @property
    def num_clips(self) -> int:
        """Stored clips of a video."""
        return int(self.protocol["num_clips"])

    @property
    def num_crops(self) -> int:
        """Stored crops of a clip."""
        return int(self.protocol["num_crops"])


@dataclass(frozen=True, eq=False)
class Ledger:
    """Every listed video once: with the logits of all its views, or with the reason why there are none.

    Attributes:
        info: what the logits mean.
        video_ids: of all listed videos, in the manifest's order; unique.
        labels: class indices of all listed videos; one each, unless `info.multi_label`.
        result: logits by video and view, in the manifest's order; a view's number is clip * num_crops + crop.
            Which views are equal is not kept: `evaluate_ledger` finds it.
    """

    info: LedgerInfo
    video_ids: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    result: MultiViewResult

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """Video id and reason of each listed video without logits."""
        return tuple((self.video_ids[index], reason) for index, reason in sorted(self.result.errors.items()))


def make_ledger(
    result: MultiViewResult,
    *,
    video_ids: Sequence[str],
    labels: Sequence[int] | Sequence[Sequence[int]],
    info: LedgerInfo,
) -> Ledger:
    """A ledger of what `evaluate_views` or `evaluate_distributed` gives.

    Args:
        result: of all listed videos, in any order.
        video_ids: by manifest position.
        labels: class index, or class indices, by manifest position.

    Raises:
        LedgerError: a listed video is neither in the logits nor in the errors, or something does not fit.
    """
    several = tuple((label,) if isinstance(label, int) else tuple(label) for label in labels)
    _check_list(video_ids, several, info)
    came = set(result.indices.tolist()) | set(result.errors)
    absent = sorted(set(range(len(video_ids))) - came)
    if absent or len(came) != len(video_ids):
        named = ", ".join([video_ids[index] for index in absent[:NUM_SHOWN]])
        raise LedgerError(
            f"{len(video_ids)} videos are listed and {len(came)} were evaluated"
            + (f"; {named} and possibly others are missing" if absent else "")
            + "; bring the results of all processes together first (evaluate_distributed)"
        )
    result = in_manifest_order(result)
    _check_views(result, info)
    targets = used_labels(several, result.indices, info)
    return Ledger(info, tuple(video_ids), several, replace(result, labels=targets, num_distinct_views={}))


def used_labels(labels: Sequence[Sequence[int]], indices: Tensor, info: LedgerInfo) -> Tensor:
    """Labels of the videos that have logits.

    Args:
        labels: class indices by manifest position.
        indices: (N,) manifest positions.

    Returns:
        (N,) int64; of a multi-label ledger (N, num_classes) bool, True = has the label.
    """
    chosen = [labels[index] for index in indices.tolist()]
    if not info.multi_label:
        return torch.tensor([label for (label,) in chosen], dtype=torch.int64)
    targets = torch.zeros(len(chosen), len(info.classes), dtype=torch.bool)
    for row, several in zip(targets, chosen, strict=True):
        row[list(several)] = True
    return targets


def select_views(
    ledger: Ledger, *, clips: Sequence[int] | None = None, crops: Sequence[int] | None = None
) -> MultiViewResult:
    """The result of a protocol that looks at some of the stored views only.

    Args:
        clips: which clips, counted from 0; None = all.
        crops: which crops of each of these clips, counted from 0; None = all.

    Raises:
        LedgerError: one is not stored, comes twice, or none is chosen.
    """
    info, result = ledger.info, ledger.result
    chosen_clips = _chosen("clip", clips, stored=info.num_clips)
    chosen_crops = _chosen("crop", crops, stored=info.num_crops)
    if result.num_used == 0:
        return result
    views = [clip * info.num_crops + crop for clip in chosen_clips for crop in chosen_crops]
    return replace(
        result,
        view_logits=result.view_logits[:, views],  # (N, V, num_classes)
        clip_starts_seconds=result.clip_starts_seconds[:, views],
        crops=result.crops[:, views],
    )


def _chosen(what: str, numbers: Sequence[int] | None, *, stored: int) -> list[int]:
    if numbers is None:
        return list(range(stored))
    held = ", ".join(map(str, range(stored)))
    for number in numbers:
        if not 0 <= number < stored:
            raise LedgerError(f"{what} {number} is not stored; the ledger holds {what} {held} of each video")
    if not numbers or len(set(numbers)) < len(numbers):
        given = ",".join(map(str, numbers)) or "none"
        raise LedgerError(f"{what}s {given} can't be averaged; choose each of {held} at most once, and at least one")
    return list(numbers)


def _check_list(video_ids: Sequence[str], labels: Sequence[Sequence[int]], info: LedgerInfo) -> None:
    if len(video_ids) != len(labels) or len(set(video_ids)) < len(video_ids):
        raise LedgerError(
            f"{len(video_ids)} video ids ({len(set(video_ids))} distinct) came with {len(labels)} labels; "
            "each video needs an id of its own and its label"
        )
    for video_id, several in zip(video_ids, labels, strict=True):
        if any(not 0 <= label < len(info.classes) for label in several) or len(set(several)) < len(several):
            raise LedgerError(f"{video_id} has the labels {list(several)}; use each of 0..{len(info.classes) - 1} once")
        if len(several) != 1 and not info.multi_label:
            raise LedgerError(f"{video_id} has {len(several)} labels; only a multi_label ledger takes other than one")


def _check_views(result: MultiViewResult, info: LedgerInfo) -> None:
    expected = (info.num_clips * info.num_crops, len(info.classes))
    if result.num_used and tuple(result.view_logits.shape[1:]) != expected:
        raise LedgerError(
            f"the result has (views, classes) {tuple(result.view_logits.shape[1:])}, but {info.num_clips} clips x "
            f"{info.num_crops} crops of {len(info.classes)} classes make {expected}"
        )
    crops = torch.arange(info.num_crops).repeat(info.num_clips)
    if result.num_used and not bool((result.crops == crops).all()):
        raise LedgerError(f"the views of a video must be in the order of clips, their crops being {crops.tolist()}")
