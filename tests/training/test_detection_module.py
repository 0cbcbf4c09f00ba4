"""Losses and scores of a detector in training, with a model that answers what a test wants."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from stvit_video.training.detection_module import DetectionModule, add_detections
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.task_module import TrainingStoppedError

BOX = [2.0, 3.0, 12.0, 18.0]
TRUTH = [
    {"picture_id": name, "boxes": torch.tensor([BOX]).numpy(), "labels": torch.tensor([label]).numpy()}
    | {"crowd": torch.tensor([False]).numpy()}
    for name, label in (("a", 0), ("b", 1))
]


class Answers(nn.Module):
    """Losses = weight and twice the weight; detections = the true box, with a label by the picture's brightness."""

    options = SimpleNamespace(detections=100)

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def losses(self, pictures, sizes, targets, *, shared=None):
        return {"loss_box": self.weight * pictures.mean(), "loss_class": 2 * self.weight}

    def detect(self, pictures, sizes, original_sizes, *, shared=None):
        return [
            {"boxes": torch.tensor([BOX]), "scores": torch.tensor([0.9]), "labels": torch.tensor([int(one.mean())])}
            for one in pictures
        ]


def make_module(**changes):
    recipe = OptimizerRecipe(lr=1e-3, min_lr=0.0, weight_decay=0.05, betas=(0.9, 0.999), warmup_epochs=0.0)
    settings = {"metadata": {"format": 1}, "optim": recipe, "max_skipped_fraction": 0.05, "truth": TRUTH}
    module = DetectionModule(Answers(), classes=("x", "y"), masks=False, **(settings | changes))
    module.logged = {}
    module.log = lambda name, value, **_: module.logged.__setitem__(name, value)
    module.trainer = SimpleNamespace(sanity_checking=False, current_epoch=0, global_step=7, world_size=1)
    return module


def training_batch(*, value=1.0, num_skipped=0):
    return {
        "pictures": torch.full((2, 3, 32, 32), value),
        "sizes": [(20, 30), (32, 32)],
        "targets": [{}, {}],
        "index": torch.tensor([4, 5]),
        "num_skipped": torch.tensor([num_skipped, 0]),
        "skipped": [(9, "bad.jpg is empty")] * num_skipped,
    }


def batch_of(names, brightness, *, errors=("", "")):
    pictures = torch.stack([torch.full((3, 32, 32), float(value)) for value in brightness])
    return {
        "pictures": pictures,
        "sizes": [(32, 32)] * len(names),
        "original_sizes": [(32, 32)] * len(names),
        "picture_ids": list(names),
        "errors": list(errors[: len(names)]),
    }


@pytest.fixture
def attached(monkeypatch):
    """A module as Lightning would hold it."""
    module = make_module()
    monkeypatch.setattr(DetectionModule, "trainer", module.trainer, raising=False)
    monkeypatch.setattr(DetectionModule, "current_epoch", 0)
    return module


def test_the_loss_is_the_sum_of_the_heads_losses():
    module = make_module()
    loss = module.training_step(training_batch(value=3.0, num_skipped=1), 0)
    assert float(loss) == 5.0
    assert {name: float(value) for name, value in module.logged.items()} == {
        **{"loss": 5.0, "loss_box": 3.0, "loss_class": 2.0},
        **{"train/loss": 5.0, "train/loss_box": 3.0, "train/loss_class": 2.0},
    }
    assert (module.num_skipped, module.num_seen) == (1, 2)


def test_a_loss_that_is_not_finite_names_the_pictures():
    guard = NonFiniteGuard(max_in_a_row=1, name_of=lambda index: f"{index}.jpg")
    with pytest.raises(TrainingStoppedError, match="nan .*4.jpg, 5.jpg"):
        make_module(guard=guard).training_step(training_batch(value=float("nan")), 0)


def test_too_many_unreadable_pictures_stop_the_training():
    module = make_module()
    for _ in range(5):
        module.training_step(training_batch(num_skipped=1), 0)
    with pytest.raises(TrainingStoppedError, match="6 of .*pictures drawn for training .*bad.jpg is empty"):
        module.training_step(training_batch(num_skipped=1), 0)


@pytest.mark.parametrize(("brightness", "expected"), [((0, 1), 1.0), ((0, 0), 0.5), ((1, 0), 0.0)])
def test_validation_scores_what_was_detected(attached, brightness, expected):
    attached.on_validation_epoch_start()
    for name, value in zip("ab", brightness, strict=True):
        attached.validation_step(batch_of([name], [value]), 0)
    attached.on_validation_epoch_end()
    assert attached.logged["val/AP"] == pytest.approx(expected)
    assert attached.logged["val/AP50"] == pytest.approx(expected)
    assert attached.logged["val/num_unreadable"] == 0


def test_pictures_that_can_not_be_read_are_left_out_with_a_note(attached, capsys):
    attached.on_validation_epoch_start()
    attached.validation_step(batch_of("ab", (0, 1), errors=("", "b.jpg is cut off")), 0)
    attached.on_validation_epoch_end()
    assert capsys.readouterr().out == "note: 1 of 2 validation pictures can't be read and are left out of val/AP\n"
    assert (attached.logged["val/AP"], attached.logged["val/num_unreadable"]) == (1.0, 1)


def test_nothing_to_validate_on_stops(attached):
    attached.on_validation_epoch_start()
    attached.validation_step(batch_of("ab", (0, 1), errors=("gone", "gone")), 0)
    with pytest.raises(TrainingStoppedError, match="2 of 2 validation pictures can't be read, .*gone"):
        attached.on_validation_epoch_end()


def test_a_look_before_the_training_scores_nothing(attached):
    attached.trainer.sanity_checking = True
    attached.on_validation_epoch_start()
    attached.validation_step(batch_of("a", (0,)), 0)
    attached.on_validation_epoch_end()
    assert attached.logged == {}


def test_nothing_detected_and_nothing_true_is_logged_as_zero(attached, monkeypatch):
    attached.truth = [
        {name: value if name == "picture_id" else value[:0] for name, value in one.items()} for one in TRUTH
    ]
    nothing = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0), "labels": torch.zeros(0, dtype=torch.int64)}
    monkeypatch.setattr(attached.model, "detect", lambda pictures, *_, **__: [nothing] * len(pictures))
    attached.on_validation_epoch_start()
    attached.validation_step(batch_of("ab", (0, 1)), 0)
    attached.on_validation_epoch_end()
    assert attached.logged["val/AP"] == 0.0


def test_only_readable_pictures_of_a_batch_reach_the_model():
    module, seen = make_module(), []
    module.on_validation_epoch_start()
    detect = module.model.detect
    module.model.detect = lambda pictures, *sizes, **shared: (
        seen.append(len(pictures)) or detect(pictures, *sizes, **shared)
    )
    add_detections(module.results, module.model, batch_of("ab", (0, 1), errors=("gone", "")))
    module.on_validation_epoch_start()
    add_detections(module.results, module.model, batch_of("a", (0,), errors=("gone",)))
    assert seen == [1]
