import pytest
import torch
from tiny_module import make_module, training_batch
from torch import nn

from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.task_module import TrainingStoppedError


def test_loss_that_is_not_finite_stops_and_names_the_videos():
    guard = NonFiniteGuard(max_in_a_row=1, name_of=lambda index: f"{index}.mp4")
    message = (  # the whole sentence, once for its family
        "^the loss is nan on the training videos 10.mp4, 11.mp4, 12.mp4, 13.mp4, 14.mp4, at step 0, in "
        r"1 batch\(es\) in a row; lower optim.lr, use trainer.precision=32-true, or skip such batches with "
        "trainer.max_nonfinite_steps=2 or more$"
    )
    with pytest.raises(TrainingStoppedError, match=message):
        make_module(guard=guard).training_step(training_batch(value=float("nan")), 0)
    with pytest.raises(TrainingStoppedError, match="nan .*number 10, number 11, .*max_nonfinite_steps=2"):
        make_module().training_step(training_batch(value=float("nan")), 0)


def step(module, batch, optimizer):
    """What Lightning does with a batch."""
    optimizer.zero_grad()
    module.training_step(batch, 0).backward()
    module.on_after_backward()
    module.on_before_optimizer_step(optimizer)
    optimizer.step()


def test_steps_without_a_finite_loss_change_nothing_until_there_are_too_many_in_a_row():
    guard = NonFiniteGuard(max_in_a_row=3, name_of=str)
    module = make_module(guard=guard)
    module.model.norm = nn.BatchNorm1d(3)
    module.model.forward = lambda clip: module.model.linear(module.model.norm(clip.mean((2, 3, 4))))
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    step(module, training_batch(), optimizer)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    module.logged.clear()
    for _ in range(2):
        with pytest.warns(UserWarning, match="nan .*10, 11, .*step is skipped, 3 .*max_nonfinite_steps"):
            step(module, training_batch(value=float("nan")), optimizer)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert module.logged == {}
    step(module, training_batch(), optimizer)
    assert not torch.equal(module.model.linear.weight, before["model.linear.weight"])
    assert module.model.norm.num_batches_tracked == 2
    checkpoint = {}
    module.on_save_checkpoint(checkpoint)
    assert checkpoint["nonfinite"] == {"in_a_row": 0, "total": 2}
    for _ in range(2):
        with pytest.warns(UserWarning, match="loss is (nan|inf) .*step is skipped"):
            step(module, training_batch(value=float("inf")), optimizer)
    with pytest.raises(TrainingStoppedError, match="in 3 .*in a row; .* trainer.max_nonfinite_steps=4 or more"):
        step(module, training_batch(value=float("nan")), optimizer)
    module.on_load_checkpoint(checkpoint)
    assert (guard.in_a_row, guard.total) == (0, 2)
    module.on_train_epoch_end()
    assert module.logged["train/num_nonfinite"] == 2.0


def test_a_window_of_accumulated_batches_is_skipped_as_a_whole():
    module = make_module(guard=NonFiniteGuard(max_in_a_row=2, name_of=str))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    before = module.model.linear.weight.clone()
    with pytest.warns(UserWarning, match="loss is (nan|inf) .*step is skipped"):
        module.training_step(training_batch(value=float("nan")), 0).backward()
    module.training_step(training_batch(), 1).backward()
    module.on_before_optimizer_step(optimizer)
    optimizer.step()
    assert torch.equal(module.model.linear.weight, before)


def test_the_frozen_part_works_as_in_evaluation():
    module = make_module()
    module.model.linear.requires_grad_(False)
    module.on_train_start()
    assert not module.model.linear.training
    assert module.training


def test_too_many_unreadable_videos_stop_the_training():
    module = make_module()
    for _ in range(5):
        module.training_step(training_batch(num_skipped=1), 0)
    with pytest.raises(TrainingStoppedError, match="6 of 36 .*training .*read, .*: bad.mp4 is empty$"):
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


def test_skipped_videos_are_counted_by_videos_not_by_clips():
    module, batch = make_module(), training_batch()
    batch |= {"num_skipped": torch.tensor([1]), "skipped": [(2, "bad")]}  # one video in five repeats
    module.training_step(batch, 0)
    assert (module.num_seen, module.num_skipped) == (1, 1)


def test_checkpoint_carries_the_metadata():
    checkpoint = {}
    make_module().on_save_checkpoint(checkpoint)
    assert checkpoint == {"stvit_video": {"format": 1}}
