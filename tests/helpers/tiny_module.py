"""A classification module of one layer, with batches for it; what it logs is kept in `logged`."""

import torch
from torch import nn

from stvit_video.training.module import ClassificationModule
from stvit_video.training.optim import OptimizerRecipe


class Flat(nn.Module):
    """Logits = a linear map of the clip's mean colour."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, clip):
        return self.linear(clip.mean((2, 3, 4)))


def make_module(**changes):
    settings = {
        "num_classes": 4,
        "metadata": {"format": 1},
        "optim": OptimizerRecipe(lr=1e-3, min_lr=0.0, weight_decay=0.05, betas=(0.9, 0.999), warmup_epochs=0.0),
        "label_smoothing": 0.2,
        "max_skipped_fraction": 0.05,
    } | changes
    module = ClassificationModule(Flat(), **settings)
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.__setitem__(name, value)
    return module


def training_batch(num_skipped=0, value=None):
    clip = torch.randn(5, 3, 2, 4, 6) if value is None else torch.full((5, 3, 2, 4, 6), value)
    return {
        "clip": clip,
        "label": torch.tensor([0, 1, 2, 3, 0]),
        "index": torch.arange(5) + 10,
        "num_skipped": torch.tensor([num_skipped, 0, 0, 0, 0]),
        "skipped": [(7, "bad.mp4 is empty")] * num_skipped,
    }
