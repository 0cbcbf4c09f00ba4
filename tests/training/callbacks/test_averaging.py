"""The moving average against a loop, and what of it lies in a checkpoint."""

import warnings
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import LightningModule
from torch import nn

from stvit_video.training.callbacks.averaging import WeightAverage


class Small(LightningModule):
    """A weight, running statistics, a constant and a whole number; a place for sharding like our module's."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)
        self.register_buffer("rule", torch.tensor(1))
        self.register_buffer("constant", torch.tensor([0.1, 0.7, 3.3]))

    def configure_model(self):
        """Nothing to shard."""


def trained(average, module, num_steps, *, start=0):
    """Steps that set all weights and statistics by random numbers; the history of both."""
    average.setup(SimpleNamespace(), module, "fit")
    history = []
    for number in range(start, start + num_steps):
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for value in (*module.parameters(), module.norm.running_mean, module.norm.running_var):
                value.copy_(torch.randn(value.shape, generator=generator))
            module.norm.num_batches_tracked.add_(1)
        average.on_train_batch_end(SimpleNamespace(global_step=number + 1), module, None, None, number)
        history.append({key: value.clone() for key, value in module.state_dict().items()})
    return history


def saved(average, module):
    checkpoint = {"state_dict": module.state_dict()}
    average.on_save_checkpoint(None, module, checkpoint)
    return checkpoint


def test_the_average_is_that_of_a_loop():
    average, module = WeightAverage(0.9), Small()
    history = trained(average, module, 5)
    expected = dict(history[0])
    for state in history[1:]:
        for key, value in state.items():
            expected[key] = 0.9 * expected[key] + 0.1 * value if value.is_floating_point() else value
    checkpoint = saved(average, module)
    torch.testing.assert_close(checkpoint["state_dict"], expected)
    assert checkpoint["state_dict"]["rule"] == 1
    assert checkpoint["state_dict"]["norm.num_batches_tracked"] == 5
    assert torch.equal(checkpoint["state_dict"]["constant"], module.constant)
    assert all(torch.equal(value, history[-1][key]) for key, value in checkpoint["current_model_state"].items())


def test_validation_sees_the_average_and_a_checkpoint_within_it_is_the_same():
    average, module = WeightAverage(0.9), Small()
    trained(average, module, 3)
    before = {kind: {k: v.clone() for k, v in saved(average, module)[kind].items()} for kind in KINDS}
    average.on_validation_epoch_start(None, module)
    assert all(torch.equal(value, before["state_dict"][key]) for key, value in module.state_dict().items())
    within = saved(average, module)
    assert all(torch.equal(within[kind][key], value) for kind in KINDS for key, value in before[kind].items())
    average.on_validation_epoch_end(None, module)
    assert all(torch.equal(value, before["current_model_state"][key]) for key, value in module.state_dict().items())


KINDS = ("state_dict", "current_model_state")


def test_a_resumed_average_goes_on_as_if_nothing_had_been():
    whole, part, resumed = WeightAverage(0.7), WeightAverage(0.7), WeightAverage(0.7)
    module, again = Small(), Small()
    trained(whole, module, 6)
    first = Small()
    trained(part, first, 4)
    checkpoint = {key: dict(value) for key, value in saved(part, first).items()}
    resumed.setup(SimpleNamespace(), again, "fit")
    resumed.load_state_dict(part.state_dict())
    again.load_state_dict(checkpoint["state_dict"])
    resumed.on_load_checkpoint(None, again, checkpoint)
    resumed.setup = lambda *_: None
    trained(resumed, again, 2, start=4)
    wanted, found = saved(whole, module), saved(resumed, again)
    for kind in KINDS:
        same = [key for key, value in wanted[kind].items() if torch.equal(found[kind][key], value)]
        assert same == list(wanted[kind])


def test_nobody_is_warned_of_a_place_for_sharding():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        WeightAverage(0.5).setup(SimpleNamespace(), Small(), "fit")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_equal_weights_stay_equal(dtype):
    average, values = WeightAverage(0.9995), torch.randn(50).to(dtype)
    averages = [values.clone()]
    for _ in range(20):
        average._average(averages, [values], torch.tensor(1))
    assert torch.equal(averages[0], values)
