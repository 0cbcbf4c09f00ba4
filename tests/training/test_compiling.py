"""Compiled by torch's own tracer alone (no C compiler is needed): graphs are counted, results compared."""

import copy

import pytest
import torch
from torch import nn

from stvit_video.models import create_model
from stvit_video.models.activation_checkpointing import run_block
from stvit_video.models.base import TokenModel
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.training import compiling
from stvit_video.training.compiling import compiled_logits


class Small(TokenModel):
    """A convolution with its norm, recomputed, then few tokens of an 8 x 8 grid."""

    def __init__(self, *, elastic=None):
        super().__init__(elastic=elastic)
        self.grid = TokenGrid((8, 8))
        self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3))])
        self.slot = PoolReducer(token_grid=TokenGrid((2, 2)))
        self.head_drop, self.head = nn.Identity(), nn.Linear(3, 5)
        self.finish_tokens()

    def forward_features(self, clip):
        tokens = self.slot(run_block(self.blocks[0], clip).movedim(1, -1))
        return tokens.square().flatten(1, -2).mean(1)


IMAGES = torch.randn(5, 2, 8, 8)


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def test_each_count_is_compiled_once_and_gives_what_it_gave():
    graphs = []

    def count(graph, inputs):
        graphs.append(graph)
        return graph.forward

    model = Small(elastic=[1, 4, 64])
    keys = list(model.state_dict())
    forward, generator, seen = compiled_logits(model, backend=count), torch.Generator().manual_seed(0), set()
    for _ in range(12):
        model.draw_tokens(generator=generator)
        seen.add(model.slot.token_grid.count)
        (logits,) = forward(IMAGES)
        torch.testing.assert_close(logits, model.forward_logits(IMAGES)[0])
        logits.sum().backward()
    assert seen == {1, 4, 64}
    assert len(graphs) == 3
    assert list(model.state_dict()) == list(copy.deepcopy(model).state_dict()) == keys


def test_recomputed_blocks_compile_too_and_batch_norms_count_once():
    model = Small()
    plain = copy.deepcopy(model)
    model.recompute_blocks()
    (logits,) = compiled_logits(model, backend="aot_eager")(IMAGES)
    wanted = torch.autograd.grad(plain.forward_logits(IMAGES)[0].square().sum(), list(plain.parameters()))
    found = torch.autograd.grad(logits.square().sum(), list(model.parameters()))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.state_dict(), plain.state_dict())


def test_more_counts_than_an_older_torch_keeps_are_refused(monkeypatch):
    model = Small(elastic=[1, 2, 4, 8, 16, 32, 64, (1, 3), (2, 3)])
    assert callable(compiled_logits(model))
    monkeypatch.setattr(compiling.torch, "compile", lambda model, *, mode, backend, dynamic: model)
    with pytest.raises(ValueError, match="trainer.compile keeps 8 graphs.* need 9"):
        compiled_logits(model)


def test_each_pair_of_count_and_place_is_compiled_once():
    graphs = []

    def count(graph, inputs):
        graphs.append(graph)
        return graph.forward

    options = {"image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 6, "num_classes": 3}
    choices = {"elastic": [1, 4, 16], "elastic_generate_at": [1, 2, 3]}  # 9 graphs, more than torch keeps by itself
    model = create_model("stvit_deit_tiny", **options, **choices).train()
    forward, generator, seen = compiled_logits(model, backend=count), torch.Generator().manual_seed(0), set()
    image = torch.randn(2, 3, 16, 16)
    for _ in range(50):
        model.draw_tokens(generator=generator)
        seen.add((model.reducers()[0].token_grid.count, model.order))
        torch.testing.assert_close(forward(image)[0], model.forward_logits(image)[0])
    assert len(seen) == len(graphs) == 9
