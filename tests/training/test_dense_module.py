"""What trainings of detectors and segmenters share, with a task that answers what a test wants."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from stvit_video.evaluation.picture_results import PictureResults
from stvit_video.tokens.key_frames import KeyFrames
from stvit_video.training.dense_module import DenseModule, readable_places, shared_by_clips, shared_by_frames
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.task_module import TrainingStoppedError


class Brightness(PictureResults):
    """The mean of every picture."""

    def __init__(self):
        super().__init__("ab", classes=("x",))
        self.values = {}

    def add(self, name, value):
        self._take(name)
        self.values[name] = value

    def share(self):
        return {"values": self.values, "errors": self._errors}

    def take_share(self, share):
        for name, value in share["values"].items():
            self.add(name, value)
        for name, reason in share["errors"].items():
            self.add_missing(name, reason)


class BrightnessModule(DenseModule):
    monitor = "val/brightness"

    def batch_losses(self, batch):
        return {"loss_map": self.model.weight.sum() * batch["pictures"].mean(), "loss_auxiliary": torch.tensor(2.0)}

    def empty_results(self):
        return Brightness()

    def add_to_results(self, batch):
        for place in readable_places(self.results, batch):
            self.results.add(batch["picture_ids"][place], float(batch["pictures"][place].mean()))

    def score_values(self, whole):
        return {self.monitor: sum(whole.values.values()), "val/other": 7.0}


@pytest.fixture
def module(monkeypatch):
    """A module as Lightning would hold it."""
    recipe = OptimizerRecipe(lr=1e-3, min_lr=0.0, weight_decay=0.05, betas=(0.9, 0.999), warmup_epochs=0.0)
    guard = NonFiniteGuard(max_in_a_row=1, name_of=lambda index: f"{index}.jpg")
    model = nn.Linear(1, 1)
    nn.init.ones_(model.weight)
    module = BrightnessModule(model, metadata={}, optim=recipe, max_skipped_fraction=0.05, guard=guard)
    module.logged = {}
    module.log = lambda name, value, **given: module.logged.__setitem__(name, (float(value), given.get("prog_bar")))
    trainer = SimpleNamespace(sanity_checking=False, current_epoch=0, global_step=7, world_size=1)
    monkeypatch.setattr(BrightnessModule, "trainer", trainer, raising=False)
    monkeypatch.setattr(BrightnessModule, "current_epoch", 0)
    return module


def training_batch(value):
    return {
        "pictures": torch.full((2, 3, 5, 7), value),
        "sizes": [(5, 6), (5, 7)],
        "index": torch.tensor([4, 5]),
        "num_skipped": torch.tensor([1, 0]),
        "skipped": [(9, "bad.jpg is empty")],
    }


def batch_of(names, brightness, *, errors=("", "")):
    pictures = torch.stack([torch.full((3, 5, 7), float(value)) for value in brightness])
    return {"pictures": pictures, "picture_ids": list(names), "errors": list(errors[: len(names)])}


def test_the_loss_is_the_sum_and_each_is_logged(module):
    with torch.no_grad():
        assert float(module.training_step(training_batch(3.0), 0)) == 5.0
    assert module.logged == {
        **{"loss": (5.0, True), "loss_map": (3.0, False), "loss_auxiliary": (2.0, False)},
        **{"train/loss": (5.0, None), "train/loss_map": (3.0, None), "train/loss_auxiliary": (2.0, None)},
    }
    assert (module.num_skipped, module.num_seen) == (1, 2)


def test_a_loss_that_is_not_finite_names_the_pictures(module):
    with pytest.raises(TrainingStoppedError, match="nan .*4.jpg, 5.jpg"):
        module.training_step(training_batch(float("nan")), 0)


def test_the_results_of_all_batches_are_scored_at_the_end(module):
    for _ in range(2):  # each validation begins anew
        module.on_validation_epoch_start()
        for name, value in zip("ab", (2, 5), strict=True):
            module.validation_step(batch_of(name, [value]), 0)
        module.on_validation_epoch_end()
        assert module.logged == {
            "val/brightness": (7.0, True),
            "val/other": (7.0, False),
            "val/num_unreadable": (0.0, None),
        }


def test_pictures_that_can_not_be_read_are_left_out_with_a_note(module, capsys):
    module.on_validation_epoch_start()
    module.validation_step(batch_of("ab", (2, 5), errors=("", "b.jpg is cut off")), 0)
    module.on_validation_epoch_end()
    told = "note: 1 of 2 validation pictures can't be read and are left out of val/brightness\n"
    assert capsys.readouterr().out == told
    assert (module.logged["val/brightness"][0], module.logged["val/num_unreadable"][0]) == (2.0, 1.0)


def test_nothing_to_validate_on_stops(module):
    module.on_validation_epoch_start()
    module.validation_step(batch_of("ab", (0, 1), errors=("gone", "gone")), 0)
    with pytest.raises(TrainingStoppedError, match="2 of 2 validation pictures can't be read, .*gone"):
        module.on_validation_epoch_end()


def test_a_look_before_the_training_scores_nothing(module):
    module.trainer.sanity_checking = True
    module.on_validation_epoch_start()
    module.validation_step(batch_of("a", (0,)), 0)
    module.on_validation_epoch_end()
    assert module.logged == {}


def test_places_of_readable_pictures():
    results = Brightness()
    assert readable_places(results, batch_of("ab", (1, 1), errors=("gone", ""))) == [1]
    assert results.errors["a"] == "gone"


def test_pictures_of_a_clip_share_the_tokens_of_its_first():
    assert shared_by_clips({"sizes": [(5, 7)] * 6, "clip_frames": 3}).rows == [0, 3]
    assert shared_by_clips({"sizes": [(5, 7)] * 6}) is None


def test_pictures_that_could_be_read_share_the_tokens_of_their_key_frame():
    """Frame 2 of "a" is not there, so frame 3 is the first of its run; each of the other pictures is alone."""
    batch = {"sequences": ["a", "a", "a", "a", 7, 8], "frame_places": [0, 1, 2, 3, 0, 0]}
    assert shared_by_frames(batch, [0, 1, 3, 4, 5], KeyFrames(2)).rows == [0, 2, 3, 4]
    assert shared_by_frames(batch, [0, 1, 3, 4, 5], None) is None
