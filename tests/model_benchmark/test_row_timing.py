"""What is timed, how often, and by which clock."""

import time

import pytest
import torch
from torch import nn

from stvit_video.model_benchmark.row_timing import (
    make_graph_pass,
    make_pass,
    random_items,
    time_matrix_product,
    time_passes,
)


class Noting(nn.Module):
    """A linear layer that notes what it was given and in which state."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * 5 * 7, 3)
        self.seen: list[tuple[object, ...]] = []

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        logits = self.linear(items.flatten(1))
        self.seen.append((tuple(items.shape), logits.dtype, torch.is_inference_mode_enabled()))
        return logits


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_forward_pass(precision, dtype):
    model = Noting()
    make_pass(model, input_size=(2, 5, 7), batch_size=4, precision=precision)()
    assert model.seen == [((4, 2, 5, 7), dtype, True)]
    assert model.linear.weight.grad is None


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_training_step_moves_the_weights_and_leaves_no_gradient(precision, dtype):
    model = Noting()
    before = model.linear.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.parameters())
    make_pass(model, input_size=(2, 5, 7), batch_size=4, precision=precision, optimizer=optimizer)()
    assert model.seen == [((4, 2, 5, 7), dtype, False)]
    assert not torch.equal(model.linear.weight, before)
    assert model.linear.weight.grad is None


def test_a_graph_is_called_with_what_a_model_gets():
    seen: list[torch.Tensor] = []
    make_graph_pass(lambda items: seen.append(torch.from_numpy(items)), input_size=(2, 5, 7), batch_size=4)()
    make_pass(seen.append, input_size=(2, 5, 7), batch_size=4, precision="fp32")()
    assert seen[0].shape == (4, 2, 5, 7)
    assert torch.equal(*seen)
    assert not torch.equal(seen[0], random_items(4, (2, 5, 7), seed=1))


@pytest.mark.parametrize(
    ("seconds", "least", "passes"), [(0, 1, 1), (0, 3, 3), (0.7, 1, 4), (0.7, 5, 5), (1e9, 1, 100)]
)
def test_passes_go_on_for_some_cpu_time_and_a_number_of_times(monkeypatch, seconds, least, passes):
    clock = {"wall": 100.0, "cpu": 7.0}

    def run():
        clock["wall"] += 5.0
        clock["cpu"] += 0.2

    monkeypatch.setattr(time, "perf_counter", lambda: clock["wall"])
    monkeypatch.setattr(time, "process_time", lambda: clock["cpu"])
    wall, cpu = time_passes(run, seconds=seconds, least=least)
    assert wall == [5.0] * passes
    assert cpu == pytest.approx([0.2] * passes)


def test_cpu_time_is_not_that_of_waiting():
    wall, cpu = time_passes(lambda: time.sleep(0.05), seconds=0, least=2)
    assert min(wall) >= 0.05
    assert min(cpu) < 0.05


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_products_of_matrices(precision):
    wall, cpu = time_matrix_product(precision, size=16)
    assert len(wall) == len(cpu) == 5
    assert min(wall) > 0
