"""From the samples of a data set to a batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import default_collate

from stvit_video.data.transforms.train_transform import CroppedClip


def clip_item(results: Sequence[CroppedClip]) -> dict[str, Any]:
    """ "clip" and "draws" of the repeats of one video."""
    clips = [result.clip for result in results]
    return {"clip": clips[0] if len(clips) == 1 else torch.stack(clips), "draws": [result.draw for result in results]}


def collate_clips(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make a batch of `ClipDataset` items; the R repeats of a video stand one behind the other.

    Returns:
        "clip" (B * R, C, T, H, W) uint8, and "draws", a list of B * R; "label" (B * R,) int64, of a multi-label list
        (B * R, num_classes) float32; "index" (B * R,) int64; "num_skipped" (B,) int64, of each video, not of
        each clip; "skipped", the (index, text) of all videos that were passed over.
    """
    draws = [draw for item in items for draw in item["draws"]]
    skipped = [skip for item in items for skip in item["skipped"]]
    apart = ("draws", "skipped")
    batch = default_collate([{key: value for key, value in item.items() if key not in apart} for item in items])
    if batch["clip"].ndim == 6:
        num_repeats = batch["clip"].shape[1]
        batch["clip"] = batch["clip"].flatten(0, 1)  # (B * R, C, T, H, W)
        batch["label"] = batch["label"].repeat_interleave(num_repeats, dim=0)
        batch["index"] = batch["index"].repeat_interleave(num_repeats)
    return batch | {"draws": draws, "skipped": skipped}


def collate_views(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make a batch of `ViewDataset` items.

    Returns:
        "views" (B, V, C, T, H, W); "label" (B,) int64, of a multi-label list (B, num_classes) float32;
        "index" (B,) int64; "error", B texts; "seconds" (B,) float64; "clip_starts_seconds" (B, V) float64;
        "crops" and "same_as" (B, V) int64.
    """
    return {
        "views": torch.stack([item["views"] for item in items]),
        "label": torch.stack([torch.as_tensor(item["label"]) for item in items]),
        "index": torch.tensor([item["index"] for item in items]),
        "error": [item["error"] for item in items],
        "seconds": torch.tensor([item["seconds"] for item in items], dtype=torch.float64),
        "clip_starts_seconds": torch.tensor([item["clip_starts_seconds"] for item in items], dtype=torch.float64),
        "crops": torch.tensor([item["crops"] for item in items]),
        "same_as": torch.tensor([item["same_as"] for item in items]),
    }
