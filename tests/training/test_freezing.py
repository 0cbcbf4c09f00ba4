import pytest
import torch
from torch import nn

from stvit_video.models.factory import create_model
from stvit_video.models.parameter_groups import learned_reducers
from stvit_video.training.freezing import freeze_all_but, put_frozen_in_eval, put_in_eval_but
from stvit_video.training.optim import OptimizerRecipe

OPTIONS = {"image_size": 32, "num_classes": 3, "drop_path_rate": 0.5, "drop_rate": 0.5}
PLAN = OptimizerRecipe(lr=0.1, min_lr=0.0, weight_decay=0.5, betas=(0.9, 0.9), warmup_epochs=0.0)


def train_once(model, part):
    """A step of training; names of all that has changed."""
    freeze_all_but(model, part)
    model.train()
    put_frozen_in_eval(model)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = PLAN.build(model, num_steps=5, max_epochs=1)["optimizer"]
    model(torch.randn(5, 3, 32, 32)).square().sum().backward()
    optimizer.step()
    in_optimizer = {id(p) for group in optimizer.param_groups for p in group["params"]}
    trained = {name for name, p in model.named_parameters() if id(p) in in_optimizer}
    return trained, {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


def test_a_linear_probe_changes_the_head_alone():
    torch.manual_seed(0)
    trained, changed = train_once(create_model("stvit_casvit_xs", **OPTIONS), "head")
    assert trained == changed == {"head.weight", "head.bias"}  # no batch norm counts


def test_the_semantic_part_and_the_head():
    torch.manual_seed(0)
    model = create_model("stvit_casvit_xs", **OPTIONS)
    trained, changed = train_once(model, "semantic")
    assert trained == changed
    assert {name.split(".")[3] for name in trained if name.startswith("levels.2.")} == {"1"}
    assert "levels.2.blocks.1.centres" in trained
    assert {name for name in trained if not name.startswith("levels.")} == {"head.weight", "head.bias"}


def test_what_is_frozen_drops_no_path_and_what_is_trained_does():
    torch.manual_seed(0)
    model = create_model("stvit_casvit_xs", **OPTIONS)
    freeze_all_but(model, "semantic")
    model.train()
    put_frozen_in_eval(model)
    assert model.training
    assert model.head_drop.training
    in_training = {name for name, module in model.named_modules() if name.startswith("levels.") and module.training}
    assert "levels.2.blocks.1.layers.0.drop_path" in in_training
    assert not any(name.endswith("drop_path") and ".blocks.1.layers" not in name for name in in_training)


def test_all_of_it_is_the_usual_training():
    model = nn.Linear(2, 3)
    freeze_all_but(model, "all")
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        (
            "deit_tiny",
            "semantic",  # the whole sentence, once for its family
            "^optim.train=semantic trains what makes the semantic tokens, and this model has no weights for that; "
            f"use a stvit_ model with model.reducer={' or '.join(learned_reducers())}, or optim.train=head$",
        ),
        (None, "head", "optim.train=head .*Linear has none"),
    ],
)
def test_parts_that_are_not_there(name, part, message):
    model = nn.Linear(2, 3) if name is None else create_model(name, depth=2, embed_dim=12, num_heads=2)
    with pytest.raises(ValueError, match=message):
        freeze_all_but(model, part)
    assert all(p.requires_grad for p in model.parameters())


def test_named_parameters_count_as_trained_whatever_has_gradients():
    model = create_model("stvit_casvit_xs", **OPTIONS).train()
    put_in_eval_but(model, {"head.weight"})
    assert model.training
    assert model.head.training
    assert not any(module.training for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    assert all(p.requires_grad for p in model.parameters())
    model.train()
    name = next(name for name, _ in model.named_parameters() if name.startswith("levels.1."))
    put_in_eval_but(model, {name})
    assert model.levels[1].training
    assert not model.levels[0].training
    assert not model.head.training
