from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stvit_video.training.module import ClassificationModule, TrainingStoppedError


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
        "lr": 1e-3,
        "min_lr": 0.0,
        "weight_decay": 0.05,
        "betas": (0.9, 0.999),
        "warmup_epochs": 0.0,
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
        "skipped": ["bad.mp4 is empty" if num_skipped else "", "", "", "", ""],
    }


def test_loss_is_smoothed_cross_entropy():
    module, batch = make_module(), training_batch()
    log_probabilities = module.model(batch["clip"]).log_softmax(-1)
    target = 0.8 * F.one_hot(batch["label"], 4) + 0.2 / 4
    expected = -(target * log_probabilities).sum(-1).mean()
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_loss_that_is_not_finite_stops_and_names_the_videos():
    with pytest.raises(TrainingStoppedError, match=r"the loss is nan at step 0, on .* indices \[10, 11, 12, 13, 14\]"):
        make_module().training_step(training_batch(value=float("nan")), 0)


def test_too_many_unreadable_videos_stop_the_training():
    module = make_module()
    for _ in range(5):
        module.training_step(training_batch(num_skipped=1), 0)
    with pytest.raises(
        TrainingStoppedError, match="6 of 36 videos drawn for training could not be read, .*: bad.mp4 is empty$"
    ):
        module.training_step(training_batch(num_skipped=1), 0)


def test_few_unreadable_videos_are_counted_and_logged():
    module = make_module()
    module.training_step(training_batch(num_skipped=2), 0)
    module.on_train_epoch_end()
    assert module.logged["train/num_skipped"] == 2.0


def test_validation_averages_probabilities_and_leaves_unread_videos_out():
    module = make_module().eval()
    views = torch.randn(3, 2, 3, 2, 4, 6)
    batch = {"views": views, "label": torch.tensor([1, 2, 3]), "error": ["", "broken", ""]}
    module.validation_step(batch, 0)
    probabilities = torch.stack([module.model(views[i]).softmax(-1).mean(0) for i in (0, 2)])
    expected = -probabilities[[0, 1], [1, 3]].log().mean()
    torch.testing.assert_close(module.logged["val/loss"], expected)
    hits = (probabilities.argmax(-1) == torch.tensor([1, 3])).float().mean()
    assert module.val_top1.compute() == hits


def validate(module, errors, *, sanity_checking=False):
    module._trainer = SimpleNamespace(sanity_checking=sanity_checking, current_epoch=0)
    count = len(errors)
    batch = {"views": torch.zeros(count, 2, 3, 2, 4, 6), "label": torch.ones(count, dtype=int), "error": errors}
    module.on_validation_epoch_start()
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()


def test_unread_validation_videos_are_counted_and_named():
    module = make_module().eval()
    with pytest.warns(UserWarning, match="1 of 2 validation videos can't be read and are left .*: broken.mp4"):
        validate(module, ["", "broken.mp4: no frames"])
    assert module.logged["val/num_unreadable"] == 1.0
    validate(module, ["", ""])
    assert module.logged["val/num_unreadable"] == 0.0


def test_validation_without_a_readable_video_stops_the_training():
    module = make_module().eval()
    with pytest.raises(TrainingStoppedError, match="2 of 2 validation videos can't be read, so .*: a; b"):
        validate(module, ["a", "b"])
    validate(module, ["a", "b"], sanity_checking=True)


def test_checkpoint_carries_the_metadata():
    checkpoint = {}
    make_module().on_save_checkpoint(checkpoint)
    assert checkpoint == {"stvit_video": {"format": 1}}
