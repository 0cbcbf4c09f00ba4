from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stvit_video.data.augment import Draw
from stvit_video.data.device_transform import DeviceTransform
from stvit_video.data.mixing import Mix, Mixing
from stvit_video.data.transforms import Preprocessing
from stvit_video.evaluation.metrics import mean_average_precision
from stvit_video.training.module import ClassificationModule, TrainingStoppedError
from stvit_video.training.optim import OptimizerPlan


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
        "optim": OptimizerPlan(lr=1e-3, min_lr=0.0, weight_decay=0.05, betas=(0.9, 0.999), warmup_epochs=0.0),
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
    batch = training_batch(num_skipped=2)
    batch["skipped"] = [(3, "other.mp4 is long"), (7, "bad.mp4 is gone")]
    module.training_step(batch, 0)
    module.on_train_epoch_end()
    assert module.logged["train/num_skipped"] == 4.0
    assert module.skipped == {7: ("bad.mp4 is empty", 3), 3: ("other.mp4 is long", 1)}


def test_validation_averages_probabilities_and_leaves_unread_videos_out():
    module = make_module().eval()
    views = torch.randn(3, 2, 3, 2, 4, 6)
    batch = {"views": views, "label": torch.tensor([1, 2, 3]), "error": ["", "broken", ""]}
    module.validation_step(batch, 0)
    probabilities = torch.stack([module.model(views[i]).softmax(-1).mean(0) for i in (0, 2)])
    expected = -probabilities[[0, 1], [1, 3]].log().mean()
    torch.testing.assert_close(module.logged["val/loss"], expected)
    hits = (probabilities.argmax(-1) == torch.tensor([1, 3])).float().mean()
    assert module.objective.val_top1.compute() == hits


def test_views_are_finished_on_the_device_and_unread_ones_are_not(monkeypatch):
    preprocessing = Preprocessing(num_frames=2, frame_stride=1, short_side=6, crop_size=6, mean=(0.1, 0.4, 0.5))
    module = make_module(device_transform=DeviceTransform(preprocessing)).eval()
    plain = make_module().eval()
    plain.load_state_dict(module.state_dict())
    views = torch.randint(256, (3, 2, 3, 2, 5, 7), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    others = {"label": torch.tensor([1, 2, 3]), "error": ["", "broken", ""]}
    shapes, finish = [], DeviceTransform.__call__
    monkeypatch.setattr(
        DeviceTransform, "__call__", lambda self, clips: shapes.append(clips.shape) or finish(self, clips)
    )
    module.validation_step({"views": views} | others, 0)
    plain.validation_step({"views": (views / 255 - mean) / std} | others, 0)
    assert shapes == [(4, 3, 2, 5, 7)]
    torch.testing.assert_close(module.logged["val/loss"], plain.logged["val/loss"])
    assert module.objective.val_top1.compute() == plain.objective.val_top1.compute()


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
    assert module.logged["train/top1_mixed"] is module.objective.train_top1_mixed
    assert module.objective.train_top1_mixed.compute() == (logits.argmax(-1) == dominant).float().mean()


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
    batch |= {"num_skipped": torch.tensor([1]), "skipped": [(2, "bad")]}  # one video in five repeats
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


@pytest.mark.parametrize("mix", [None, Mix(0.3)])
def test_several_labels_a_clip(mix, monkeypatch):
    module, batch = make_module(multi_label=True, mixing=Mixing() if mix else None), training_batch()
    monkeypatch.setattr(Mixing, "draw", lambda self, height, width: mix)
    labels = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]]).float()
    clip, targets = batch["clip"], labels
    if mix:
        clip, targets = (0.3 * values + 0.7 * values.flip(0) for values in (clip, labels))
    expected = F.binary_cross_entropy_with_logits(module.model(clip), 0.8 * targets + 0.1)
    torch.testing.assert_close(module.training_step(batch | {"label": labels}, 0), expected)
    assert list(module.logged) == ["loss", "train/loss"]
    views = torch.randn(3, 2, 3, 2, 4, 6)
    module.validation_step({"views": views, "label": labels[:3], "error": ["", "broken", ""]}, 0)
    scores = torch.stack([module.model(views[i]).sigmoid().mean(0) for i in (0, 2)])
    torch.testing.assert_close(module.logged["val/loss"], F.binary_cross_entropy(scores, labels[[0, 2]]))
    assert {"val/loss", "val/mAP"} == {name for name in module.logged if name.startswith("val/")}
    wanted = mean_average_precision(scores, labels[[0, 2]] > 0)
    assert module.logged["val/mAP"].compute() == pytest.approx(wanted)
