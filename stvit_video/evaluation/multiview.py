"""Multi-view evaluation: each listed video once, its views through the model, the views' scores combined.

Nothing is substituted here: a video that could not be read is listed in `errors` with its reason and takes no
part in any number, and the counts used/listed travel with the result.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.evaluation.view_average import NonFiniteLogitsError, require_average


@dataclass(frozen=True)
class MultiViewResult:
    """Per-view logits of the N videos that could be read, and the reason for each one that could not.

    Attributes:
        view_logits: (N, V, num_classes) float32, V = clips x crops views; (0, 0, 0) if nothing was read.
        labels: (N,) int64 class indices; with several labels a video (N, num_classes), nonzero = has the label.
        indices: (N,) int64, position of each video in the manifest.
        clip_starts_seconds: (N, V) float64, when each view begins.
        crops: (N, V) int64, which crop each view is (0, 1, ... along the long side).
        errors: manifest position -> reason, for each listed video that could not be used.
        num_distinct_views: manifest position -> how many views of this video differ from one another, for those
            videos where the loader told that some are equal.
    """

    view_logits: Tensor
    labels: Tensor
    indices: Tensor
    clip_starts_seconds: Tensor
    crops: Tensor
    errors: dict[int, str] = field(default_factory=dict)
    num_distinct_views: dict[int, int] = field(default_factory=dict)

    @property
    def num_used(self) -> int:
        """Number of videos that have logits."""
        return len(self.indices)

    @property
    def num_listed(self) -> int:
        """Number of videos that came, readable or not."""
        return len(self.indices) + len(self.errors)


def aggregate_views(view_logits: Tensor, *, average: str = "prob", multi_label: bool = False) -> Tensor:
    """Combine the views of each video into one score per class.

    Args:
        view_logits: (N, V, num_classes).
        average: "prob" = softmax of each view, then the mean over views (probabilities);
            "logit" = the mean of the logits (not normalised).
        multi_label: True = a video can have several labels, so "prob" takes the sigmoid in place of the softmax.

    Returns:
        (N, num_classes) scores.

    Raises:
        ValueError: unknown `average`, no views, or not three axes.
    """
    require_average(average)
    if view_logits.dim() != 3 or view_logits.shape[1] == 0:
        raise ValueError(f"view_logits must be (videos, views >= 1, classes), got {tuple(view_logits.shape)}")
    if average == "prob":
        view_logits = view_logits.sigmoid() if multi_label else view_logits.softmax(dim=-1)
    return view_logits.mean(dim=1)  # (N, num_classes)


def evaluate_views(
    model: nn.Module,
    batches: Iterable[Mapping[str, Any]],
    *,
    device: torch.device | str,
    prepare: Callable[[Tensor], Tensor] | None = None,
    max_views_per_forward: int = 16,
    autocast_dtype: torch.dtype | None = None,
    names: Sequence[str] | None = None,
    allow_empty: bool = False,
) -> MultiViewResult:
    """Run every view of every video through the model; the model's mode is put back afterwards.

    Args:
        model: maps (B, C, T, H, W) to logits (B, num_classes); already on `device`.
        batches: dicts as a DataLoader over `ViewDataset` gives them: views (B, V, C, T, H, W), label (B,),
            index (B,), error (B strings, "" = fine), clip_starts_seconds and crops (V tensors of B values,
            which is how the default collation stacks lists, or one (B, V) tensor). Where there is also "same_as"
            (B, V), for each view the first view of its video that equals it, equal views are computed once.
        prepare: what is done to (B, C, T, H, W) views on the device before the model sees them, e.g. the
            normalisation of a `DeviceTransform`; None = nothing.
        max_views_per_forward: upper bound of views in one call of the model (memory).
        autocast_dtype: e.g. torch.bfloat16 for mixed precision; None = the model's own precision.
        names: by manifest position, what to call a video in an error message; None = "video <index>".
        allow_empty: True = no batches give an empty result, as on a process that has no share of the videos.

    Returns:
        The logits of the readable videos, in the order in which they came.

    Raises:
        NonFiniteLogitsError: a logit is NaN or infinite.
        ValueError: no batches, a video came twice, or the number of views changes between batches.
    """
    if max_views_per_forward < 1:
        raise ValueError(f"max_views_per_forward must be at least 1, got {max_views_per_forward}")
    was_training = model.training
    model.eval()
    score = partial(
        _forward,
        model,
        device=torch.device(device),
        prepare=prepare or (lambda views: views),
        max_views_per_forward=max_views_per_forward,
        autocast_dtype=autocast_dtype,
    )
    parts: list[MultiViewResult] = []
    try:
        for batch in batches:
            part = _evaluate_batch(batch, score)
            _check_finite(part, names)
            parts.append(part)
    finally:
        model.train(was_training)
    return join_results((parts or [_empty()]) if allow_empty else parts)


def join_results(parts: Sequence[MultiViewResult]) -> MultiViewResult:
    """One result of many, in the order of the parts; empty parts carry their errors only.

    Raises:
        ValueError: no parts, a video came twice, or the number of views differs between parts.
    """
    if not parts:
        raise ValueError("nothing to evaluate: not one batch came")
    errors: dict[int, str] = {}
    num_distinct_views: dict[int, int] = {}
    for part in parts:
        errors.update(part.errors)
        num_distinct_views.update(part.num_distinct_views)
    used = [part for part in parts if part.num_used > 0] or [parts[0]]
    counts = sorted({part.view_logits.shape[1] for part in used})
    if len(counts) > 1:
        raise ValueError(f"every video must have the same number of views, got {counts}")
    result = MultiViewResult(
        view_logits=torch.cat([part.view_logits for part in used]),
        labels=torch.cat([part.labels for part in used]),
        indices=torch.cat([part.indices for part in used]),
        clip_starts_seconds=torch.cat([part.clip_starts_seconds for part in used]),
        crops=torch.cat([part.crops for part in used]),
        errors=errors,
        num_distinct_views=num_distinct_views,
    )
    _check_once(result, num_came=sum(part.num_listed for part in parts))
    return result


def in_manifest_order(result: MultiViewResult) -> MultiViewResult:
    """The same result with its videos, and its errors, sorted by their positions in the manifest."""
    order = result.indices.argsort()
    return MultiViewResult(
        view_logits=result.view_logits[order],
        labels=result.labels[order],
        indices=result.indices[order],
        clip_starts_seconds=result.clip_starts_seconds[order],
        crops=result.crops[order],
        errors=dict(sorted(result.errors.items())),
        num_distinct_views=dict(sorted(result.num_distinct_views.items())),
    )


def _empty() -> MultiViewResult:
    """What a process without any video has to tell."""
    none = torch.zeros(0, dtype=torch.int64)
    starts, crops = torch.zeros(0, 0, dtype=torch.float64), torch.zeros(0, 0, dtype=torch.int64)
    return MultiViewResult(torch.zeros(0, 0, 0), none, none, starts, crops)


def _evaluate_batch(batch: Mapping[str, Any], score: Callable[[Tensor], Tensor]) -> MultiViewResult:
    """The result of one batch; `score` gives logits (M, num_classes) and never sees views of unreadable videos."""
    errors = {int(i): text for i, text in zip(batch["index"], batch["error"], strict=True) if text}
    keep = torch.tensor([not text for text in batch["error"]], dtype=torch.bool)  # True = readable
    views = batch["views"][keep]  # (n, V, C, T, H, W)
    n, V = views.shape[:2]
    same_as = batch["same_as"][keep] if "same_as" in batch else torch.arange(V).expand(n, V)  # (n, V)
    is_new = same_as == torch.arange(V)  # (n, V) True = no earlier view of the video equals it
    if n == 0:
        logits = torch.zeros(0, 0, 0)
    else:
        distinct = views.flatten(0, 1) if is_new.all() else views[is_new]
        flat = score(distinct)  # (M, num_classes)
        place = (is_new.flatten().cumsum(0) - 1).unflatten(0, (n, V))  # (n, V) of a new view among the distinct ones
        logits = flat[place.gather(1, same_as)]  # (n, V, num_classes)
    return MultiViewResult(
        view_logits=logits,
        labels=batch["label"][keep],
        indices=batch["index"][keep],
        clip_starts_seconds=_by_video(batch["clip_starts_seconds"]).to(torch.float64)[keep],
        crops=_by_video(batch["crops"]).to(torch.int64)[keep],
        errors=errors,
        num_distinct_views={
            int(i): count
            for i, count in zip(batch["index"][keep], is_new.sum(dim=1).tolist(), strict=True)
            if count < V
        },
    )


@torch.inference_mode()
def _forward(
    model: nn.Module,
    views: Tensor,
    *,
    device: torch.device,
    prepare: Callable[[Tensor], Tensor],
    max_views_per_forward: int,
    autocast_dtype: torch.dtype | None,
) -> Tensor:
    """(M, C, T, H, W) views -> (M, num_classes) float32 logits on the CPU, a bounded number at a time."""
    mixed = torch.autocast(device.type, dtype=autocast_dtype) if autocast_dtype is not None else nullcontext()
    with mixed:
        logits = [model(prepare(part.to(device))).float().cpu() for part in views.split(max_views_per_forward)]
    return torch.cat(logits)


def _by_video(values: Tensor | Sequence[Tensor]) -> Tensor:
    """(B, V) from what collation made of B lists of V numbers: V tensors of (B,)."""
    return values if isinstance(values, Tensor) else torch.stack(list(values), dim=1)


def _check_finite(part: MultiViewResult, names: Sequence[str] | None) -> None:
    """Refuse NaN and infinity: such a score would sort as a prediction like any other."""
    bad = ~torch.isfinite(part.view_logits).flatten(1).all(dim=1)  # (n,) True = has a bad logit
    if part.num_used == 0 or not bad.any():
        return
    which = [int(i) for i in part.indices[bad]]
    called = [names[i] if names is not None else f"video {i}" for i in which]
    raise NonFiniteLogitsError(
        f"the model gives NaN or infinite logits for {', '.join(called)}; "
        f"check the checkpoint (did its training diverge?) or evaluate without mixed precision"
    )


def _check_once(result: MultiViewResult, *, num_came: int) -> None:
    """Each video once: a sampler that pads or repeats would weigh some videos double."""
    distinct = set(result.indices.tolist()) | set(result.errors)
    if len(distinct) != num_came:
        raise ValueError(
            f"{num_came} items came for {len(distinct)} distinct videos; evaluation takes each video exactly "
            f"once (use no sampler that repeats or pads)"
        )
