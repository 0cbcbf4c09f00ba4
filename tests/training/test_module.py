from types import SimpleNamespace

import pytest
import torch
from tiny_module import Flat, make_module, training_batch
from torch.nn import functional as F

from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.mixup import Mix, Mixing
from stvit_video.data.transforms.pixel_augment import Draw
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.metrics import mean_average_precision
from stvit_video.models.factory import create_model
from stvit_video.training.distillation import Distillation, Teacher
from stvit_video.training.task_module import TrainingStoppedError


def test_loss_is_smoothed_cross_entropy():
    module, batch = make_module(), training_batch()
    log_probabilities = module.model(batch["clip"]).log_softmax(-1)
    target = 0.8 * F.one_hot(batch["label"], 4) + 0.2 / 4
    expected = -(target * log_probabilities).sum(-1).mean()
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def test_elastic_counts_follow_seed_and_batch_not_the_state_of_a_process():
    options = {"image_size": 32, "embed_dim": 12, "depth": 4, "num_heads": 2, "generate_at": 1, "num_classes": 4}
    batch, drawn = training_batch() | {"clip": torch.randn(5, 3, 32, 32)}, []
    for process, seed in enumerate((3, 3, 4)):
        module = make_module(seed=seed)
        module.model = create_model("stvit_deit_tiny", elastic=[1, 2, 4], num_tokens=4, **options)
        torch.manual_seed(process)
        drawn.append([])
        for index in range(12):
            module.training_step(batch, index)
            drawn[-1].append(module.model.reducers()[0].token_grid.count)
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {1, 2, 4}


@pytest.mark.parametrize("distillation", [False, True])
def test_a_teacher_sees_the_mixed_clips_and_teaches_the_last_head(distillation, monkeypatch):
    torch.manual_seed(0)
    teacher = Teacher(Flat(), Distillation(weight=0.3, temperature=2.0))
    module, batch = make_module(teacher=teacher, mixing=Mixing()), training_batch()
    monkeypatch.setattr(Mixing, "draw", lambda self, height, width, shared: Mix(0.25))
    batch["clip"] = torch.randn(5, 3, 32, 32)
    teacher.model.forward = lambda clip: teacher.model.linear(clip.mean((2, 3)))
    student = create_model("casvit_xs", num_classes=4, image_size=32, distillation=distillation).eval()
    module.model = student
    clips = 0.25 * batch["clip"] + 0.75 * batch["clip"].flip(0)
    heads = student.forward_both(clips) if distillation else (student(clips),)
    taught = F.kl_div((heads[-1] / 2).log_softmax(-1), (teacher.model(clips) / 2).softmax(-1), reduction="batchmean")
    targets = 0.25 * F.one_hot(batch["label"], 4) + 0.75 * F.one_hot(batch["label"].flip(0), 4)
    own = F.cross_entropy(heads[0], targets, label_smoothing=0.2)
    torch.testing.assert_close(module.training_step(batch, 0), 0.7 * own + 0.3 * 4 * taught)
    torch.testing.assert_close(module.logged["train/teacher_loss"], 4 * taught)
    assert not any("teacher" in key for key in module.state_dict())


def test_class_weights_reach_the_loss():
    module, batch = make_module(class_weights=(1.0, 2.0, 3.0, 0.5), label_smoothing=0.0), training_batch()
    each = F.cross_entropy(module.model(batch["clip"]), batch["label"], reduction="none")
    expected = (each * torch.tensor([1.0, 2.0, 3.0, 0.5, 1.0])).mean()
    torch.testing.assert_close(module.training_step(batch, 0), expected)


def finish_validation(module):
    module.trainer = SimpleNamespace(sanity_checking=True, current_epoch=0)
    module.on_validation_epoch_end()


def test_validation_averages_probabilities_and_leaves_unread_videos_out():
    module = make_module().eval()
    views = torch.randn(3, 2, 3, 2, 4, 6)
    batch = {"views": views, "label": torch.tensor([1, 2, 3]), "error": ["", "broken", ""]}
    module.validation_step(batch, 0)
    probabilities = torch.stack([module.model(views[i]).softmax(-1).mean(0) for i in (0, 2)])
    expected = -probabilities[[0, 1], [1, 3]].log().mean()
    finish_validation(module)
    assert module.logged["val/loss"] == pytest.approx(float(expected), rel=1e-5)
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
    finish_validation(module)
    finish_validation(plain)
    assert module.logged["val/loss"] == pytest.approx(plain.logged["val/loss"], rel=1e-5)
    assert module.objective.val_top1.compute() == plain.objective.val_top1.compute()


@pytest.mark.parametrize("mix", [Mix(0.3), Mix(0.75, (0, 2, 0, 3))])
def test_mixed_batches_have_mixed_clips_and_soft_targets(mix, monkeypatch):
    module, batch = make_module(mixing=Mixing()), training_batch()
    monkeypatch.setattr(Mixing, "draw", lambda self, height, width, shared: mix)
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
    module, names, losses = make_module(mixing=Mixing(probability=0.5)), [], []
    batch = training_batch()
    for place in (*range(12), *range(12)):
        torch.manual_seed(place)
        module.logged.clear()
        losses.append(module.training_step(batch, place).item())
        names.append(*set(module.logged) & {"train/top1", "train/top1_mixed"})
    assert set(names) == {"train/top1", "train/top1_mixed"}
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


def validate(module, errors, *, sanity_checking=False):
    module.trainer = SimpleNamespace(sanity_checking=sanity_checking, current_epoch=0)
    count = len(errors)
    batch = {"views": torch.zeros(count, 2, 3, 2, 4, 6), "label": torch.ones(count, dtype=int), "error": errors}
    module.on_validation_epoch_start()
    module.validation_step(batch, 0)
    module.on_validation_epoch_end()


def test_unread_validation_videos_are_counted_and_named():
    module = make_module().eval()
    with pytest.warns(UserWarning, match="1 of 2 validation .*left out of .*: broken.mp4"):
        validate(module, ["", "broken.mp4: no frames"])
    assert module.logged["val/num_unreadable"] == 1.0
    validate(module, ["", ""])
    assert module.logged["val/num_unreadable"] == 0.0


def test_validation_without_a_readable_video_stops_the_training():
    module = make_module().eval()
    with pytest.raises(TrainingStoppedError, match="2 of 2 validation .*nothing to validate on.*: a; b"):
        validate(module, ["a", "b"])
    validate(module, ["a", "b"], sanity_checking=True)


@pytest.mark.parametrize("mix", [None, Mix(0.3)])
def test_several_labels_a_clip(mix, monkeypatch):
    module, batch = make_module(multi_label=True, mixing=Mixing() if mix else None), training_batch()
    monkeypatch.setattr(Mixing, "draw", lambda self, height, width, shared: mix)
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
    finish_validation(module)
    expected = float(F.binary_cross_entropy(scores, labels[[0, 2]]))
    assert module.logged["val/loss"] == pytest.approx(expected, rel=1e-5)
    assert {"val/loss", "val/mAP", "val/num_unreadable"} == {name for name in module.logged if name.startswith("val/")}
    wanted = mean_average_precision(scores, labels[[0, 2]] > 0)
    assert module.logged["val/mAP"].compute() == pytest.approx(wanted)
