"""What predictions depend on beside the videos: two results of the same values may stand in one file."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from stvit_video.inference.trained_model import TrainedModel

DIGEST_SHOWN = 12  # characters
Values = Mapping[str, Any]


def made_with(trained: TrainedModel, *, top_k: int, threshold: float | None, features: bool) -> dict[str, Any]:
    """Plain values that JSON can hold, by names that a user knows.

    Args:
        trained: its weights and labels become a digest, so that a copy of the checkpoint is the same.
        top_k: labels of a video, where there is no threshold.
        threshold: least probability of a label.
        features: True = features are kept.
    """
    protocol = trained.protocol
    grid = trained.model.token_grid
    values = {
        "checkpoint": checkpoint_digest(trained),
        "num_tokens": None if grid is None else list(grid.sizes),
        "generate_at": trained.model.generate_at,
        "protocol": protocol.name,
        "num_clips": protocol.num_clips,
        "num_crops": protocol.num_crops,
        "average": protocol.average,
        "top_k": None if threshold is not None else min(top_k, len(trained.classes)),
        "threshold": threshold,
        "features": features,
    }
    return values | trained.preprocessing.to_dict()


def checkpoint_digest(trained: TrainedModel) -> str:
    """SHA-256 of the weights, the labels in order, and the model's name, in hexadecimal digits."""
    digest = hashlib.sha256()
    for text in (trained.model_name, str(trained.multi_label), *trained.classes):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for name, tensor in sorted(trained.model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(memoryview(flat.view(torch.uint8).numpy()))
    return digest.hexdigest()


def describe_differences(then: Values, now: Values) -> str:
    """The values that differ, such as "num_clips=5 then, 1 now"; "" = none do."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return "; ".join(_difference(name, then.get(name), now.get(name)) for name in names)


def _difference(name: str, then: Any, now: Any) -> str:
    if name == "checkpoint":
        return f"another checkpoint (digest {str(then)[:DIGEST_SHOWN]} then, {str(now)[:DIGEST_SHOWN]} now)"
    return f"{name}={_shown(then)} then, {_shown(now)} now"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
