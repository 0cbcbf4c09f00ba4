"""The teacher's part of the loss against loops and closed forms, and teachers that do not fit."""

import math

import pytest
import torch
from torch import nn

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.training.distillation import Distillation, Teacher, load_teacher


def logits(seed):
    return 2 * torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))


def softmax(values, temperature):
    powers = [math.exp(value / temperature) for value in values]
    return [power / sum(powers) for power in powers]


def test_soft_labels_by_a_loop():
    student, teacher, temperature = logits(0), logits(1), 2.5
    total = 0.0
    for row in range(5):
        p, q = softmax(teacher[row].tolist(), temperature), softmax(student[row].tolist(), temperature)
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    found = Distillation(temperature=temperature).loss(student, teacher)
    assert found.item() == pytest.approx(temperature**2 * total / 5, rel=1e-5)
    assert Distillation(temperature=3.0).loss(teacher, teacher).item() == pytest.approx(0.0, abs=1e-6)


def test_soft_labels_of_several_a_clip_by_a_loop():
    student, teacher, temperature = logits(0), logits(1), 1.5
    total = 0.0
    for s, t in zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True):
        p, q = (1 / (1 + math.exp(-value / temperature)) for value in (t, s))
        total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    found = Distillation(temperature=temperature).loss(student, teacher, multi_label=True)
    assert found.item() == pytest.approx(temperature**2 * total / 15, rel=1e-4)


def test_hard_labels_are_what_the_teacher_decides_for():
    student, teacher = logits(0), logits(1)
    hard = Distillation(kind="hard", temperature=7.0)
    chosen = -student.log_softmax(-1)[torch.arange(5), teacher.argmax(-1)].mean()
    torch.testing.assert_close(hard.loss(student, teacher), chosen)
    yes = -torch.where(teacher > 0, student.sigmoid(), 1 - student.sigmoid()).log().mean()
    torch.testing.assert_close(hard.loss(student, teacher, multi_label=True), yes)


def test_a_teacher_is_asked_without_gradient_in_evaluation_and_in_the_clips_type():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9)).train()
    teacher = Teacher(model, Distillation())
    clips = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    found = teacher.logits(clips)
    assert (found.dtype, found.requires_grad) == (torch.float32, False)
    torch.testing.assert_close(found, model[0](clips).float().detach())
    assert not any(p.requires_grad for p in model.parameters())


def fitting(tiny_run, **changes):
    metadata = read_checkpoint(tiny_run.checkpoint)["stvit_video"]
    settings = {"classes": tuple(metadata["classes"]), "multi_label": False}
    preprocessing = metadata["preprocessing"] | changes.pop("preprocessing", {})
    return settings | {"preprocessing": Preprocessing.from_dict(preprocessing)} | changes


def test_a_teacher_is_a_checkpoint_of_ours(tiny_run):
    teacher = load_teacher(str(tiny_run.checkpoint), Distillation(), **fitting(tiny_run))
    clips = torch.randn(2, 3, 4, 16, 16)
    torch.testing.assert_close(teacher.logits(clips), tiny_run.model(clips).detach())
    other_size = fitting(tiny_run, preprocessing={"short_side": 40})
    assert load_teacher(str(tiny_run.checkpoint), Distillation(), **other_size).distillation.weight == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("a", "b")}, "3 classes a, comma, jump, run, .*2 classes a, b;"),
        (
            {"multi_label": True},  # the whole sentence, once for its family
            "can't teach here: it is for one label a video, this training for several labels a video; "
            "train one on the same data settings$",
        ),
        ({"preprocessing": {"frame_stride": 5}}, "data.frame_stride=2, this training .*5;"),
        ({"preprocessing": {"std": [0.2, 0.2, 0.2]}}, r"data.std=\[0.25, .*this training .*\[0.2"),
    ],
)
def test_teachers_of_other_data_are_refused(tiny_run, changes, message):
    with pytest.raises(ValueError, match=f"^distill.teacher='.*best.ckpt' .*{message}"):
        load_teacher(str(tiny_run.checkpoint), Distillation(), **fitting(tiny_run, **changes))


def test_a_teacher_that_is_not_there(tiny_run):
    with pytest.raises(CheckpointError, match="no checkpoint file 'gone.ckpt'"):
        load_teacher("gone.ckpt", Distillation(), **fitting(tiny_run))


def test_a_teacher_may_have_its_classes_in_another_form(tiny_run):
    fits = fitting(tiny_run)
    other_form = tuple(name.replace(" ", "\u00a0") for name in fits["classes"])
    assert other_form != fits["classes"]
    load_teacher(str(tiny_run.checkpoint), Distillation(), **{**fits, "classes": other_form})
