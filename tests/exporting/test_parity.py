"""How far a graph is off: measured in three batch sizes, refused in fp32, doubled in less."""

import numpy as np
import pytest
import torch
from torch import nn

from stvit_video.bundles.bundle_folder import Golden
from stvit_video.exporting.parity import Parity, ParityError, golden_logits, hold_against


class Sums(nn.Module):
    """Three sums of the bytes of a clip."""

    def forward(self, frames):
        sums = frames.float().mean((1, 2, 3))  # (B, 3)
        return sums / 255


class OffBy:
    """A graph whose logits are off by so much, in batches of one size only where `batch` says which."""

    runtime = "a runtime 1.2"

    def __init__(self, off, batch=None):
        self.off, self.batch, self.seen = off, batch, []

    def __call__(self, frames):
        self.seen.append(len(frames))
        logits = Sums()(torch.from_numpy(frames)).numpy()
        return logits + (self.off if self.batch in (None, len(frames)) else 0)


@pytest.fixture
def golden():
    frames = torch.randint(0, 256, (2, 3, 5, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Golden(frames=frames.numpy(), logits=golden_logits(Sums(), frames), tolerance=1e-3)


def test_golden_logits_are_those_of_the_module(golden):
    by_hand = golden.frames.astype(np.float64).mean((1, 2, 3)) / 255
    np.testing.assert_allclose(golden.logits, by_hand, atol=1e-6)
    with pytest.raises(ValueError, match="NaN or infinite"):
        golden_logits(nn.Sequential(Sums(), nn.Threshold(2, float("nan"))), torch.from_numpy(golden.frames))


def test_other_batches_than_the_traced_one_are_run(golden):
    graph = OffBy(5e-4)
    found = hold_against(graph, golden, precision="fp32")
    assert sorted(graph.seen) == [1, 2, 3]
    assert (found.runtime, found.tolerance) == ("a runtime 1.2", 1e-3)
    assert found.difference == pytest.approx(5e-4, rel=1e-3)
    assert found.words() == "a runtime 1.2 is off by 0.0005 of PyTorch's logits in fp32, allowed is 0.001"


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_fp32_is_refused_in_whichever_batch_it_is_off(golden, batch):
    with pytest.raises(
        ParityError,
        match=r"^golden answer not met: a runtime 1\.2 is off by 0\.31, allowed is 0\.001 in fp32; no bundle",
    ):
        hold_against(OffBy(0.31, batch), golden, precision="fp32")


@pytest.mark.parametrize(("off", "tolerance"), [(0.25, 0.5), (1e-5, 1e-3)])
def test_in_less_it_may_be_off_by_twice_what_is_measured(golden, off, tolerance):
    assert hold_against(OffBy(off), golden, precision="bf16").tolerance == pytest.approx(tolerance, rel=1e-3)


def test_nan_is_refused_in_every_precision(golden):
    for precision in ("fp32", "int8"):
        with pytest.raises(ParityError, match="off by inf"):
            hold_against(OffBy(float("nan")), golden, precision=precision)


def test_what_could_not_be_run(golden):
    found = hold_against(None, golden, precision="fp32")
    assert found == Parity(runtime="", difference=None, tolerance=1e-3)
    assert found.words().startswith("converted, not run")
