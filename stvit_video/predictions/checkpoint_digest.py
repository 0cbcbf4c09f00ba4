"""What tells a checkpoint in use from others: its weights and labels, and where and how many tokens it makes."""

import hashlib
from typing import Any

import torch

from stvit_video.inference.trained_model import TrainedModel


def checkpoint_values(trained: TrainedModel) -> dict[str, Any]:
    """What predictions depend on in a checkpoint, for `made_with`; a copy of the checkpoint has the same values."""
    grid = trained.model.token_grid
    return {
        "checkpoint": checkpoint_digest(trained),
        "num_tokens": None if grid is None else list(grid.sizes),
        "generate_at": trained.model.generate_at,
    }


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
