"""One forward pass or training step of a model, and the time that it takes: of the wall and of the processor."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.bundles.runtimes import Graph

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}  # of torch
MOST_PASSES = 100  # of one turn
MATRIX_SIZE = 2048
MATRIX_PASSES = 5
LEARNING_RATE = 1e-4  # it changes weights and no time

Pass = Callable[[], None]


def make_pass(
    model: Callable[[Tensor], Tensor],
    *,
    input_size: Sequence[int],
    batch_size: int,
    precision: str,
    optimizer: torch.optim.Optimizer | None = None,
) -> Pass:
    """What is timed: a forward pass in inference mode, or with an optimizer a whole training step.

    Args:
        model: from (B, *input_size) to logits (B, num_classes).
        input_size: of one item with its channels, (C, T, H, W) or (C, H, W).
        batch_size: items B of a pass.
        precision: one of PRECISIONS; "bf16" is autocast, as in evaluation and training.
        optimizer: of the model's parameters; a step is forward, loss, backward and optimizer step.
    """
    items = random_items(batch_size, input_size)

    def forward() -> None:
        with torch.inference_mode(), _autocast(precision):
            model(items)

    if optimizer is None:
        return forward
    labels = torch.zeros(batch_size, dtype=torch.long)

    def train() -> None:
        with _autocast(precision):
            loss = F.cross_entropy(model(items), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return train


def make_graph_pass(graph: Graph, *, input_size: Sequence[int], batch_size: int) -> Pass:
    """What is timed of an exported model: a call with the items that `make_pass` takes."""
    items = random_items(batch_size, input_size).numpy()

    def run() -> None:
        graph(items)

    return run


def random_items(batch_size: int, input_size: Sequence[int], *, seed: int = 0) -> Tensor:
    """Normal random numbers (B, *input_size), the same for a seed."""
    return torch.randn(batch_size, *input_size, generator=torch.Generator().manual_seed(seed))


def time_passes(run: Pass, *, seconds: float, least: int) -> tuple[list[float], list[float]]:
    """Run it as often as `seconds` of CPU time allow, and at least `least` times.

    Returns:
        Seconds of wall time, and of CPU time of all threads of this process, of every pass.
    """
    wall: list[float] = []
    cpu: list[float] = []
    while len(cpu) < least or (sum(cpu) < seconds and len(cpu) < MOST_PASSES):
        start, cpu_start = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return wall, cpu


def time_matrix_product(precision: str, *, size: int = MATRIX_SIZE) -> tuple[list[float], list[float]]:
    """Time the product of two square matrices of `size` rows, 2·size³ operations, after one that does not count.

    Returns:
        Seconds of wall time and of CPU time of every product.
    """
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, size, generator=generator).to(PRECISIONS[precision]) for _ in range(2))

    def run() -> None:
        with torch.inference_mode():
            _product(left, right)

    run()
    return time_passes(run, seconds=0, least=MATRIX_PASSES)


def _product(left: Tensor, right: Tensor) -> Tensor:
    return left @ right


def _autocast(precision: str) -> AbstractContextManager[object]:
    return nullcontext() if precision == "fp32" else torch.autocast("cpu", dtype=PRECISIONS[precision])
