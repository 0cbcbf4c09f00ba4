from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stvit_video.data.augment import Draw
from stvit_video.data.device_transform import DeviceTransform
from stvit_video.data.mixing import Mix, Mixing
from stvit_video.data.transforms import Preprocessing
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


@pytest.mark.parametrize("mix", [Mix(0.3), Mix(0.75, (0, 2, 0, 3))])
def test_mixed_batches_have_mixed_clips_and_soft_targets(mix, monkeypatch):
    module, batch = make_module(mixing=Mixing()), training_batch()
    monkeypatch.setattr(Mixing, "draw", lambda self, height, width: mix)
    clip = batch["clip"].clone()
    expected_clip = mix.share * clip + (1 - mix.share) * clip.flip(0)
    if mix.box:
        expected_clip = clip.clone()
        expected_clip[:, :, :, 0:2, 0:3] = clip.flip(0)[:, :, :, 0:2, 0:3]
    logits = module.model(expected_clip)
    loss = 0.0
    for row, partner in zip(range(5), reversed(range(5)), strict=True):
        for number, share in ((row, mix.share), (partner, 1 - mix.share)):
            loss += share * F.cross_entropy(logits[row], batch["label"][number], label_smoothing=0.2) / 5
    torch.testing.assert_close(module.training_step(batch, 0), loss)
    assert torch.equal(batch["clip"], clip)
    dominant = batch["label"] if mix.share > 0.5 else batch["label"].flip(0)
    assert "train/top1" not in module.logged
    assert module.logged["train/top1_mixed"] is module.train_top1_mixed
    assert module.train_top1_mixed.compute() == (logits.argmax(-1) == dominant).float().mean()


def test_unmixed_batches_are_counted_apart_and_draws_follow_torchs_state():
    module, names, losses = make_module(mixing=Mixing(probability=0.5)), set(), []
    batch = training_batch()
    for seed in (*range(12), *range(12)):
        torch.manual_seed(seed)
        module.logged.clear()
        losses.append(module.training_step(batch, 0).item())
        names |= set(module.logged) & {"train/top1", "train/top1_mixed"}
    assert names == {"train/top1", "train/top1_mixed"}
    assert losses[:12] == losses[12:]
    assert 4 < len(set(losses[:12])) < 12  # those without mixing are alike


def test_a_module_without_mixing_draws_nothing():
    torch.manual_seed(3)
    module = make_module()
    batch, before = training_batch(), torch.get_rng_state()
    module.training_step(batch, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_clips_are_finished_on_the_device():
    preprocessing = Preprocessing(num_frames=2, frame_stride=1, short_side=6, crop_size=6)
    module = make_module(device_transform=DeviceTransform(preprocessing))
    batch = training_batch()
    batch["clip"] = torch.randint(256, (5, 3, 2, 6, 6), dtype=torch.uint8)
    batch["draws"] = [Draw(ops=(("invert", 0.0),))] * 5
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    finished = ((255 - batch["clip"].float()) / 255 - mean) / std
    expected = F.cross_entropy(module.model(finished), batch["label"], label_smoothing=0.2)
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_skipped_videos_are_counted_by_videos_not_by_clips():
    module, batch = make_module(), training_batch()
    batch |= {"num_skipped": torch.tensor([1]), "skipped": ["bad"]}  # one video in five repeats
    module.training_step(batch, 0)
    assert (module.num_seen, module.num_skipped) == (1, 1)


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
