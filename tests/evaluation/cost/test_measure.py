"""Multiply-adds against formulas and against published figures; throughput against a model that sleeps."""

import time

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters, measure_throughput


def slow_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


class TinyAttention(nn.Module):
    """Linear, fused attention with unequal sizes, linear: N=35 tokens, 5 keys, D=6, values E=4, 2 heads."""

    def __init__(self, *, fused: bool = True) -> None:
        super().__init__()
        self.fused = fused
        self.q = nn.Linear(3, 12, bias=False)
        self.k = nn.Linear(3, 12, bias=False)
        self.v = nn.Linear(3, 8, bias=False)
        self.head = nn.Linear(8, 7)

    def forward(self, clip: Tensor) -> Tensor:  # (B, 3, 5, 7)
        x = clip.flatten(2).mT  # (B, 35, 3)
        q = self.q(x).unflatten(-1, (2, 6)).transpose(1, 2)  # (B, 2, 35, 6)
        k = self.k(x[:, :5]).unflatten(-1, (2, 6)).transpose(1, 2)  # (B, 2, 5, 6)
        v = self.v(x[:, :5]).unflatten(-1, (2, 4)).transpose(1, 2)  # (B, 2, 5, 4)
        attend = F.scaled_dot_product_attention if self.fused else slow_attention
        out = attend(q, k, v)  # (B, 2, 35, 4)
        return self.head(out.transpose(1, 2).flatten(2))  # (B, 35, 7)


FORMULA = 35 * 3 * 12 + 5 * 3 * 12 + 5 * 3 * 8 + 2 * 35 * 5 * (6 + 4) + 35 * 8 * 7


@pytest.mark.parametrize("fused", [True, False])
def test_gmacs_equal_the_formula(fused: bool) -> None:
    assert count_gmacs(TinyAttention(fused=fused), (3, 5, 7)) * 1e9 == pytest.approx(FORMULA)


def test_gmacs_of_a_video_convolution_and_the_mode_is_put_back() -> None:
    model = nn.Sequential(nn.Conv3d(3, 5, (2, 3, 4), stride=(2, 3, 4)), nn.Dropout(0.5)).train()
    assert count_gmacs(model, (3, 4, 9, 8)) * 1e9 == pytest.approx(5 * 3 * (2 * 3 * 4) * (2 * 3 * 2))
    assert model.training
    assert model[1].training


def test_each_module_gets_back_a_mode_of_its_own() -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5)).eval(), nn.Dropout(0.5)).train()
    model[0].eval()
    modes = [module.training for module in model.modules()]
    assert modes == [True, False, False, False, True]
    count_gmacs(model, (3, 4, 5))
    measure_throughput(model, (3, 4, 5), batch_size=1, device="cpu", repeats=1, warmup=0)
    assert [module.training for module in model.modules()] == modes


def test_deit_tiny_has_the_published_cost() -> None:
    model = timm.create_model("deit_tiny_patch16_224", pretrained=False)
    assert count_gmacs(model, (3, 224, 224)) == pytest.approx(1.26, abs=0.01)
    assert count_parameters(model) / 1e6 == pytest.approx(5.7, abs=0.05)


def test_a_fused_operator_that_hides_its_cost_is_an_error() -> None:
    model = nn.Sequential(nn.Flatten(2), nn.LSTM(35, 4, batch_first=True))
    with pytest.raises(ValueError, match="aten::lstm .*counted"):
        count_gmacs(model, (3, 5, 7))


def test_errors_of_the_model_come_through() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        count_gmacs(nn.Linear(3, 5), (2, 4))


def test_parameters_count_frozen_ones_and_shared_ones_once() -> None:
    layer = nn.Linear(3, 5).requires_grad_(False)
    assert count_parameters(nn.Sequential(layer, layer, nn.Linear(5, 7))) == 3 * 5 + 5 + 5 * 7 + 7


class Sleeper(nn.Module):
    """Takes 10 ms a call, except for a slow first and one outlier."""

    calls = 0

    def forward(self, clips: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        assert not self.training
        self.calls += 1
        time.sleep({1: 0.1, 3: 0.2}.get(self.calls, 0.01))
        return clips


def test_throughput_is_the_median_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, model = [500.0], Sleeper()
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.append(clock.pop() + seconds))
    clips_per_second = measure_throughput(model, (3, 2, 5), batch_size=4, device="cpu", repeats=5, warmup=1)
    assert model.calls == 6
    assert model.training
    assert clips_per_second == pytest.approx(400)


def test_throughput_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="batch_size .*at least 1, got 0"):
        measure_throughput(Sleeper(), (3,), batch_size=0, device="cpu")
    with pytest.raises(ValueError, match="repeats .*at least 1, got 0"):
        measure_throughput(Sleeper(), (3,), batch_size=1, device="cpu", repeats=0)
