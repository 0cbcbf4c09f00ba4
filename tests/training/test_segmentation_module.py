"""Losses and scores of a segmenter in training, with a model that answers what a test wants."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.segmentation_module import SegmentationModule, add_maps

TRUE = torch.tensor([[0, 1, 1], [0, 2, 255]], dtype=torch.uint8)


class Answers(nn.Module):
    """The loss is the share of labelled pixels; every pixel gets the brightness of its picture as label."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.seen = []

    def losses(self, pictures, sizes, maps, *, shared=None):
        return {"loss_map": self.weight * (maps != 255).float().mean()}

    def segment(self, pictures, sizes, original_sizes, *, shared=None):
        self.seen.append((len(pictures), sizes))
        return [
            {"labels": torch.full(size, int(one.mean()), dtype=torch.uint8), "scores": torch.ones(size)}
            for one, size in zip(pictures, original_sizes, strict=True)
        ]


@pytest.fixture
def module(monkeypatch):
    """A module as Lightning would hold it."""
    recipe = OptimizerRecipe(lr=1e-3, min_lr=0.0, weight_decay=0.05, betas=(0.9, 0.999), warmup_epochs=0.0)
    given = {"metadata": {}, "optim": recipe, "max_skipped_fraction": 0.05}
    module = SegmentationModule(Answers(), **given, picture_ids=("a", "b"), classes=("x", "y", "z"))
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.__setitem__(name, float(value))
    trainer = SimpleNamespace(sanity_checking=False, current_epoch=0, global_step=7, world_size=1)
    monkeypatch.setattr(SegmentationModule, "trainer", trainer, raising=False)
    monkeypatch.setattr(SegmentationModule, "current_epoch", 0)
    return module


def batch_of(names, brightness, *, errors=("", ""), truth=TRUE):
    return {
        "pictures": torch.stack([torch.full((3, 4, 6), float(value)) for value in brightness]),
        "sizes": [(4, 6)] * len(names),
        "original_sizes": [(2, 3)] * len(names),
        "true_maps": [truth] * len(names),
        "picture_ids": list(names),
        "errors": list(errors[: len(names)]),
    }


def test_the_maps_of_a_batch_reach_the_losses(module):
    batch = {"pictures": torch.zeros(2, 3, 4, 6), "sizes": [(4, 6)] * 2, "maps": torch.full((2, 4, 6), 255)}
    batch["maps"][0] = 1
    batch |= {"index": torch.tensor([4, 5]), "num_skipped": torch.tensor([0, 0]), "skipped": []}
    with torch.no_grad():
        assert float(module.training_step(batch, 0)) == 0.5


def test_scores_are_those_of_all_pixels_that_count(module):
    """Of 10 pixels that count all are taken for y: 4 of them are."""
    module.on_validation_epoch_start()
    for name in "ab":
        module.validation_step(batch_of(name, [1]), 0)
    module.on_validation_epoch_end()
    expected = {"val/mIoU": 0.4 / 3, "val/mAcc": 1 / 3, "val/aAcc": 0.4, "val/num_unreadable": 0.0}
    assert module.logged == pytest.approx(expected)
    assert module.monitor == "val/mIoU"


def test_pictures_without_a_pixel_that_counts_are_logged_as_zero(module):
    module.on_validation_epoch_start()
    module.validation_step(batch_of("ab", (0, 1), truth=torch.full_like(TRUE, 255)), 0)
    module.on_validation_epoch_end()
    assert (module.logged["val/mIoU"], module.logged["val/aAcc"]) == (0.0, 0.0)


def test_only_readable_pictures_of_a_batch_reach_the_model(module):
    results = module.empty_results()
    add_maps(results, module.model, batch_of("ab", (0, 1), errors=("gone", "")))
    assert module.model.seen == [(1, [(4, 6)])]
    assert results.errors == {"a": "gone"}
    assert np.array_equal(results.matrix[:, 1], [2, 2, 1])
    add_maps(module.empty_results(), module.model, batch_of("a", (0,), errors=("gone",)))
    assert len(module.model.seen) == 1
