"""Batches whose loss is not finite, in one process and, with stand-ins, in several; what is done then: test_module."""

import pytest
import torch
from torch import distributed, nn

from stvit_video.training.nonfinite import KeptBuffers, NonFiniteGuard, drop_gradients

GOOD, BAD = torch.tensor(1.5), torch.tensor(float("nan"))


def guard(max_in_a_row=2):
    return NonFiniteGuard(max_in_a_row=max_in_a_row, name_of=lambda index: f"v{index}.mp4")


def test_batches_in_a_row_are_counted():
    counting, seen = guard(), []
    for loss in (BAD, GOOD, BAD, BAD):
        found = counting.check(loss, torch.tensor([3, 3, 5]))
        seen.append((found, counting.in_a_row, counting.too_many))
    text = "nan on the training videos v3.mp4, v5.mp4"
    assert seen == [(text, 1, False), ("", 0, False), (text, 1, False), (text, 2, True)]
    assert counting.state_dict() == {"in_a_row": 2, "total": 3}
    again = guard()
    again.load_state_dict(counting.state_dict())
    assert again.too_many


def test_long_batches_are_cut_and_infinity_is_named():
    found = guard().check(torch.tensor(float("-inf")), torch.arange(40))
    assert found.startswith("-inf on the training videos v0.mp4, v1.mp4, ")
    assert found.endswith("v15.mp4 and 24 more")


@pytest.mark.parametrize("own", [GOOD, BAD])
def test_all_processes_learn_of_it(monkeypatch, own):
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "all_reduce", lambda flag, op: flag.fill_(1))

    def gather(parts, text):
        parts[:] = [text, "inf on the training videos other.mp4"]

    monkeypatch.setattr(distributed, "all_gather_object", gather)
    counting = guard(max_in_a_row=1)
    found = counting.check(own, torch.tensor([7]))
    mine = "" if own is GOOD else "nan on the training videos v7.mp4; "
    assert found == f"{mine}inf on the training videos other.mp4"
    assert counting.too_many


def test_running_statistics_are_put_back():
    norm = nn.BatchNorm1d(3)
    norm(torch.randn(5, 3))
    before = {key: value.clone() for key, value in norm.state_dict().items()}
    kept = KeptBuffers(norm)
    norm(torch.full((5, 3), float("nan")))
    assert norm.running_mean.isnan().any()
    kept.restore()
    assert all(torch.equal(value, before[key]) for key, value in norm.state_dict().items())


def test_without_gradients_no_optimizer_moves_a_weight():
    for optimizer_type in (torch.optim.AdamW, torch.optim.SGD):
        model = nn.Linear(3, 2)
        optimizer = optimizer_type(model.parameters(), lr=0.1, weight_decay=0.1)
        model(torch.randn(5, 3)).sum().backward()
        optimizer.step()
        before = model.weight.clone()
        model(torch.full((5, 3), float("nan"))).sum().backward()
        drop_gradients(model.parameters())
        optimizer.step()
        assert torch.equal(model.weight, before)
