"""Sharded weights against the plain model; two processes are in tests/test_scale.py."""

import pytest
import torch
from drawn_objects import four_pictures, tiny_detector
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from stvit_video.models import create_model
from stvit_video.tokens.key_frames import clip_tokens
from stvit_video.training import sharding
from stvit_video.training.sharding import gather_weights, shard_model, sharded_strategy, spread_weights

SHARING = {
    "backbone": "stvit_r_casvit_xs",
    "backbone_options": {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1)},
}
TINY = {"num_classes": 3, "image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 4}


@pytest.fixture
def mesh():
    """Of this process alone."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def make_model():
    torch.manual_seed(0)
    return create_model("stvit_deit_tiny", generate_at=1, num_tokens=4, **TINY)


def is_whole(module):
    return not any(isinstance(value, DTensor) for value in module.parameters())


def test_sharded_weights_train_alike_and_keep_names_and_axes(mesh):
    plain, model = make_model(), make_model()
    shard_model(model, mesh)
    shard_model(model, mesh)  # a second time nothing happens
    shapes = {name: value.shape for name, value in plain.named_parameters()}
    assert {name: value.shape for name, value in model.named_parameters()} == shapes
    clip = torch.randn(5, 3, 16, 16)
    for call in (lambda of: of(clip), lambda of: of.forward_logits(clip)[0]):
        answers = [call(of) for of in (plain, model)]
        torch.testing.assert_close(answers[1], answers[0])
        for answer in answers:
            answer.square().sum().backward()
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.grad.full_tensor(), dict(plain.named_parameters())[name].grad)


def test_gathered_weights_stay_whole_through_forward_passes(mesh):
    model = make_model().eval()
    shard_model(model, mesh)
    sharded = [model, *(block for block in model.blocks if next(block.parameters(), None) is not None)]
    gather_weights(model)
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, 3, 16, 16))
            assert all(is_whole(module) for module in sharded)
    spread_weights(model)
    assert not any(is_whole(module) for module in sharded)


def test_a_plain_model_stays_as_it_is():
    model = make_model()
    gather_weights(model)
    spread_weights(model)
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 3)


def test_the_strategy_spreads_over_all_processes_and_writes_whole_files(monkeypatch):
    monkeypatch.setattr(sharding, "ModelParallelStrategy", dict)
    wanted = {"data_parallel_size": 5, "tensor_parallel_size": 1, "save_distributed_checkpoint": False}
    assert sharded_strategy(5) == wanted


def test_detectors_are_gathered_for_losses_and_for_frames_that_share_tokens(mesh):
    plain, model = (tiny_detector("retinanet", **SHARING) for _ in range(2))
    shard_model(model, mesh)
    pictures, sizes, targets = four_pictures()
    found = [of.losses(pictures, sizes, targets, shared=clip_tokens(4, clip_frames=2)) for of in (plain, model)]
    torch.testing.assert_close(found[1], found[0])
    sum(found[1].values()).backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []
    with torch.no_grad():
        detections = [of.eval().detect(pictures, sizes) for of in (plain, model)]
    for one, other in zip(*detections, strict=True):
        torch.testing.assert_close(one["scores"], other["scores"])
