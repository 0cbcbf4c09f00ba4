import pytest
import torch
from torch.nn import functional as F

from stvit_video.models import create_model
from stvit_video.models.base import Choice
from stvit_video.training.sandwich import Sandwich

OPTIONS = {"image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 6, "num_classes": 5}
LABELS = torch.tensor([0, 3, 4])


@pytest.fixture
def model():
    torch.manual_seed(2)
    built = create_model("stvit_deit_tiny", **OPTIONS, elastic=[1, 4], elastic_generate_at=[1, 2, 3]).train()
    torch.nn.init.normal_(built.head.weight)
    return built


def losses_of(heads):
    return {"loss": F.cross_entropy(heads[0], LABELS)}


def by_hand(model, images, *, seed):
    """Logits of the three choices, each by itself."""
    found = []
    for choice in model.sandwich_choices(generator=torch.Generator().manual_seed(seed)):
        model.use_choice(choice)
        found.append(model.forward_logits(images)[0])
    return found


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_a_step_is_the_mean_over_its_choices(model, weight):
    images = torch.randn(3, 3, 16, 16)
    heads, losses = Sandwich(distill_weight=weight).step(
        model, lambda: model.forward_logits(images), losses_of, generator=torch.Generator().manual_seed(5)
    )
    first, *others = by_hand(model, images, seed=5)
    expected = [F.cross_entropy(first, LABELS)]
    taught = []
    for logits in others:
        own = F.cross_entropy(logits, LABELS)
        target = first.softmax(-1).detach()
        taught.append((target * (target.log() - logits.log_softmax(-1))).sum(-1).mean())
        expected.append((1 - weight) * own + weight * taught[-1])
    torch.testing.assert_close(heads[0], first)
    torch.testing.assert_close(losses["loss"], sum(expected) / 3)
    assert ("sandwich_loss" in losses) == bool(weight)
    if weight:
        torch.testing.assert_close(losses["sandwich_loss"], sum(taught) / 2)


def test_the_costliest_choice_learns_nothing_from_the_others(model):
    images, seen = torch.randn(3, 3, 16, 16), []

    def forward():
        seen.append(model.forward_logits(images)[0].detach().requires_grad_())
        return (seen[-1],)

    def no_labels(heads):
        return {"loss": heads[0].sum() * 0}

    _, losses = Sandwich(distill_weight=0.5).step(model, forward, no_labels, generator=torch.Generator())
    losses["loss"].backward()
    assert torch.equal(seen[0].grad, torch.zeros_like(seen[0]))
    assert all(logits.grad.abs().sum() > 0 for logits in seen[1:])


def test_several_labels_are_taught_one_by_one(model):
    images = torch.randn(3, 3, 16, 16)
    wanted = torch.rand(3, 5)

    def of_several(heads):
        return {"loss": F.binary_cross_entropy_with_logits(heads[0], wanted)}

    _, losses = Sandwich(distill_weight=0.5).step(
        model, lambda: model.forward_logits(images), of_several, generator=torch.Generator(), multi_label=True
    )
    assert torch.isfinite(losses["loss"])


def test_the_ends_are_those_of_the_lists(model):
    first, second, _ = model.sandwich_choices()
    assert (first.place, second.place) == (3, 1)
    assert first.token_grid.count > second.token_grid.count
    assert Choice() == Choice(None, None)
