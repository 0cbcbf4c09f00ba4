"""Rows of an eval ledger: from its tensors to columns and back, with every row checked on the way back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stvit_video.evaluation.ledger.eval_ledger import NUM_SHOWN, Ledger, LedgerError, LedgerInfo, make_ledger
from stvit_video.evaluation.multiview import MultiViewResult


def row_schema(pa: ModuleType) -> Any:
    """Columns of the file; a view has no error, a missing video has nothing but its id, its labels and its error.

    Args:
        pa: the module pyarrow.
    """
    return pa.schema(
        [
            pa.field("video_id", pa.string(), nullable=False),
            pa.field("labels", pa.list_(pa.int32()), nullable=False),
            pa.field("clip_index", pa.int32()),
            pa.field("crop_index", pa.int32()),
            pa.field("start_seconds", pa.float64()),
            pa.field("logits", pa.list_(pa.float32())),
            pa.field("error", pa.string()),
        ]
    )


def columns_of(ledger: Ledger, start: int, stop: int, *, pa: ModuleType) -> dict[str, Any]:
    """Columns of the videos at the manifest positions start .. stop - 1, as `row_schema` names them.

    Args:
        pa: the module pyarrow.
    """
    result, num_crops = ledger.result, ledger.info.num_crops
    num_views = ledger.info.num_clips * num_crops
    place = {index: n for n, index in enumerate(result.indices.tolist()) if start <= index < stop}
    used = [place[index] for index in range(start, stop) if index in place]
    # a row for each view; view None = the video is missing
    rows = [(p, view) for p in range(start, stop) for view in (range(num_views) if p in place else (None,))]
    seconds = iter(result.clip_starts_seconds[used].flatten().tolist())
    return {
        "video_id": [ledger.video_ids[p] for p, _ in rows],
        "labels": [list(ledger.labels[p]) for p, _ in rows],
        "clip_index": [None if view is None else view // num_crops for _, view in rows],
        "crop_index": [None if view is None else view % num_crops for _, view in rows],
        "start_seconds": [None if view is None else next(seconds) for _, view in rows],
        "logits": _lists(result.view_logits[used], [view is None for _, view in rows], pa=pa),
        "error": [result.errors[p] if view is None else None for p, view in rows],
    }


def _lists(logits: Tensor, is_missing: Sequence[bool], *, pa: ModuleType) -> Any:
    """Logits (n, V, num_classes) as n * V lists, with a null between them wherever a row is missing."""
    lengths = np.where(np.asarray(is_missing, dtype=bool), 0, logits.shape[-1])
    offsets = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
    values = logits.flatten().to(torch.float32).numpy()
    mask = pa.array(list(is_missing), type=pa.bool_())  # True = null
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, type=pa.float32()), mask=mask)


@dataclass
class _Video:
    """The rows of one video: for each of its views the time and the number among the rows with logits."""

    labels: tuple[int, ...]
    views: dict[int, tuple[float, int]] = field(default_factory=dict)
    error: str | None = None


def ledger_from_tables(tables: Iterable[Any], *, info: LedgerInfo, num_videos: int, source: Path) -> Ledger:
    """The ledger that the rows of all tables make; their order does not matter but for the order of the videos.

    Args:
        tables: pyarrow tables with the columns of `row_schema`; one at a time is looked at.
        info: what the file says of its logits.
        num_videos: how many videos the file says it lists.
        source: the file, for messages.

    Raises:
        LedgerError: a row is not possible, a view comes twice or is missing, or a video is missing.
    """
    videos: dict[str, _Video] = {}  # in the order in which the ids first come
    logits = [np.zeros((0, len(info.classes)), dtype=np.float32)]
    num_read = 0
    try:
        for table in tables:
            logits.append(_logits(table["logits"], len(info.classes)))
            _add_rows(videos, table, info, num_read=num_read)
            num_read += len(logits[-1])
        if len(videos) != num_videos:
            raise LedgerError(f"it lists {num_videos} videos and holds rows of {len(videos)}")
        result = _result(videos, np.concatenate(logits), info)
        labels = [video.labels for video in videos.values()]
        return make_ledger(result, video_ids=list(videos), labels=labels, info=info)
    except LedgerError as error:
        raise LedgerError(f"{source} is not usable: {error}") from error


def _add_rows(videos: dict[str, _Video], table: Any, info: LedgerInfo, *, num_read: int) -> None:
    """Put a table's rows to their videos; `num_read` rows with logits came before."""
    names = ("video_id", "labels", "clip_index", "crop_index", "start_seconds", "error")
    has_logits = table["logits"].is_valid().to_pylist()
    for row in zip(*(table[name].to_pylist() for name in names), has_logits, strict=True):
        video_id, labels, clip, crop, seconds, error, is_read = row
        if video_id is None or labels is None:
            raise LedgerError("a row has no video id or no labels")
        video = videos.setdefault(video_id, _Video(tuple(labels)))
        if video.labels != tuple(labels):
            raise LedgerError(f"{video_id} has the labels {list(video.labels)} in one row and {labels} in another")
        if is_read:
            _add_view(video, video_id, clip, crop, info=info)
            video.views[clip * info.num_crops + crop] = (float("nan") if seconds is None else seconds, num_read)
            num_read += 1
        elif not error or video.error is not None:
            raise LedgerError(f"{video_id} needs logits in each row, or one row with an error and no other")
        video.error = video.error or error


def _add_view(video: _Video, video_id: str, clip: int | None, crop: int | None, *, info: LedgerInfo) -> None:
    """Refuse a view that the protocol does not have, and one that is there already."""
    if clip is None or crop is None or not (0 <= clip < info.num_clips and 0 <= crop < info.num_crops):
        raise LedgerError(
            f"{video_id} has logits of clip {clip}, crop {crop}; "
            f"the protocol has {info.num_clips} clips x {info.num_crops} crops, counted from 0"
        )
    if clip * info.num_crops + crop in video.views:
        raise LedgerError(f"{video_id} has clip {clip}, crop {crop} twice")


def _logits(column: Any, num_classes: int) -> np.ndarray:
    """Rows that hold logits, (M, num_classes) float32."""
    lengths = {length for chunk in column.chunks for length in chunk.value_lengths().drop_null().unique().to_pylist()}
    if lengths - {num_classes}:
        raise LedgerError(f"a row has {min(lengths - {num_classes})} logits for {num_classes} classes")
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]  # leaves nulls out
    flat = np.concatenate([np.zeros(0, dtype=np.float32), *parts]).astype(np.float32, copy=False)
    if not np.isfinite(flat).all():
        raise LedgerError("a logit is missing, NaN or infinite")
    return flat.reshape(-1, num_classes)


def _result(videos: dict[str, _Video], logits: np.ndarray, info: LedgerInfo) -> MultiViewResult:
    """Tensors of the videos that have logits; each of these must have all its views."""
    num_views = info.num_clips * info.num_crops
    both = [video_id for video_id, video in videos.items() if video.views and video.error is not None]
    if both:
        raise LedgerError(f"{', '.join(both[:NUM_SHOWN])}: a video has logits or an error, not both")
    used = {p: video for p, video in enumerate(videos.values()) if video.error is None}
    for video_id, video in videos.items():
        if video.error is None and len(video.views) < num_views:
            absent = next(view for view in range(num_views) if view not in video.views)
            raise LedgerError(
                f"{video_id} has {len(video.views)} of {num_views} views; clip {absent // info.num_crops}, "
                f"crop {absent % info.num_crops} is not there"
            )
    views = [[video.views[view] for view in range(num_views)] for video in used.values()]
    rows = np.array([[row for _, row in each] for each in views], dtype=np.int64).reshape(len(used), num_views)
    in_order = np.array_equal(rows.ravel(), np.arange(len(logits)))  # as they are written; spares a copy
    by_view = logits if in_order else logits[rows.ravel()]
    starts = [[seconds for seconds, _ in each] for each in views]
    return MultiViewResult(
        view_logits=torch.from_numpy(by_view).reshape(*rows.shape, logits.shape[1]),  # (N, V, num_classes)
        labels=torch.zeros(len(used), dtype=torch.int64),  # make_ledger puts them in
        indices=torch.tensor(list(used), dtype=torch.int64),
        clip_starts_seconds=torch.tensor(starts, dtype=torch.float64).reshape(len(used), num_views),
        crops=torch.arange(info.num_crops).repeat(info.num_clips).expand(len(used), num_views),
        errors={p: video.error for p, video in enumerate(videos.values()) if video.error is not None},
    )
