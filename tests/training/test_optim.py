import math

import pytest
import torch

from stvit_video.dense import HEADS, create_dense
from stvit_video.models.factory import create_model
from stvit_video.training.optim import OptimizerRecipe, learning_rate_factor, parameter_groups


def test_norms_biases_positions_and_centres_are_not_decayed():
    model = create_model(
        "stvit_video_deit_tiny", num_frames=4, image_size=32, num_tokens=4, embed_dim=12, depth=4, generate_at=1
    )
    decayed, rest = parameter_groups(model, weight_decay=0.05)
    names = {id(p): name for name, p in model.named_parameters()}
    decayed_names = {names[id(p)] for p in decayed["params"]}
    rest_names = {names[id(p)] for p in rest["params"]}
    assert decayed_names | rest_names == set(names.values())
    assert not decayed_names & rest_names
    assert (decayed["weight_decay"], rest["weight_decay"]) == (0.05, 0.0)
    assert all(name.endswith("weight") and "norm" not in name for name in decayed_names)
    assert {"pos_embed", "temporal_pos_embed"} <= rest_names
    assert any(name.endswith("centres") for name in rest_names)


@pytest.mark.parametrize("name", ["stvit_swin_tiny", "stvit_r_video_swin_tiny", "stvit_video_casvit_xs"])
def test_every_family_decays_the_weights_of_its_layers_alone(name):
    size = {"num_frames": 4} if "video" in name else {}
    model = create_model(name, image_size=64, **size)
    decayed, rest = parameter_groups(model, weight_decay=0.05)
    names = {id(p): name for name, p in model.named_parameters()}
    assert all(names[id(p)].endswith(".weight") and p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim == 1 or names[id(p)].endswith(("_table", "centres", "embed")) for p in rest["params"])


def test_frozen_parameters_and_empty_groups_are_left_out():
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad = False
    (group,) = parameter_groups(model, weight_decay=0.1)
    assert [p.shape for p in group["params"]] == [(2, 3)]


def test_every_parameter_is_decayed_where_asked_for():
    model = create_model("stvit_r_casvit_xs", image_size=64)
    (group,) = parameter_groups(model, weight_decay=0.05, decay_all=True)
    assert group["weight_decay"] == 0.05
    assert {id(p) for p in group["params"]} == {id(p) for p in model.parameters()}
    built = plan(decay_all=True, backbone_lr_factor=0.1).build(model, num_steps=4, max_epochs=2)["optimizer"]
    assert [(found["lr"], found["weight_decay"]) for found in built.param_groups] == [(0.05, 0.1), (0.5, 0.1)]


def test_warm_up_then_half_a_cosine():
    factors = [learning_rate_factor(step, num_steps=110, num_warmup_steps=10, min_factor=0.1) for step in range(111)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == pytest.approx(1.0)
    assert factors[60] == pytest.approx((1.0 + 0.1) / 2)
    assert factors[85] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * 0.75)))
    assert factors[110] == pytest.approx(0.1)
    assert factors[:11] == sorted(factors[:11])
    assert factors[10:] == sorted(factors[10:], reverse=True)


def test_without_warm_up_it_starts_at_the_peak_and_never_rises_after_the_end():
    assert learning_rate_factor(0, num_steps=5, num_warmup_steps=0, min_factor=0.0) == 1.0
    assert learning_rate_factor(9, num_steps=5, num_warmup_steps=0, min_factor=0.0) == pytest.approx(0.0)


def test_the_plan_warms_up_and_comes_down_step_by_step():
    plan = OptimizerRecipe(lr=0.2, min_lr=0.02, weight_decay=0.3, betas=(0.8, 0.9), warmup_epochs=2.0)
    built = plan.build(torch.nn.Linear(3, 2), num_steps=50, max_epochs=10)
    optimizer, schedule = built["optimizer"], built["lr_scheduler"]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.3, 0.0]
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.9)
    assert schedule["interval"] == "step"
    rates = []
    for _ in range(50):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule["scheduler"].step()
    assert rates[:10] == pytest.approx([0.02 * step for step in range(1, 11)])  # 2 of 10 epochs
    assert max(rates) == pytest.approx(0.2)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.02)


def plan(**changes):
    settings = {"lr": 0.5, "min_lr": 0.05, "weight_decay": 0.1, "betas": (0.9, 0.99), "warmup_epochs": 0.0}
    return OptimizerRecipe(**(settings | changes))


def learning_rates(optimizer, model):
    """Learning rate and decay of each parameter by name."""
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    return {name: found[id(p)] for name, p in model.named_parameters()}


def test_layer_decay_is_videomaes_by_hand():
    """lr of layer i of L = lr * decay^(L + 1 - i); patches and positions are layer 0, norm and head L + 1."""
    options = {"num_frames": 4, "image_size": 32, "embed_dim": 12, "num_heads": 2, "depth": 3, "pool": "cls"}
    model = create_model("video_deit_tiny", base_attention="joint", num_classes=3, **options)
    rates = learning_rates(plan(layer_decay=0.75).build(model, num_steps=9, max_epochs=3)["optimizer"], model)
    by_hand = {"cls_token": 4, "pos_embed": 4, "patch_embed.proj.weight": 4, "blocks.0.norm1.weight": 3}
    by_hand |= {"blocks.1.mlp.fc1.weight": 2, "blocks.2.attn.qkv.bias": 1, "norm.weight": 0, "head.weight": 0}
    for name, power in by_hand.items():
        assert rates[name][0] == pytest.approx(0.5 * 0.75**power), name
        assert rates[name][1] == (0.1 if name.endswith(("fc1.weight", "proj.weight", "head.weight")) else 0.0), name


def test_layer_decay_reaches_every_family_and_the_schedule_keeps_its_shares():
    model = create_model("stvit_video_casvit_xs", num_frames=2, image_size=32, num_classes=3)
    built = plan(layer_decay=0.5).build(model, num_steps=10, max_epochs=1)
    optimizer, schedule = built["optimizer"], built["lr_scheduler"]["scheduler"]
    start = learning_rates(optimizer, model)
    assert start["head.weight"][0] == 0.5
    assert start["stem.conv1.weight"][0] == pytest.approx(0.5 * 0.5**12)
    for _ in range(10):
        optimizer.step()
        schedule.step()
    end = learning_rates(optimizer, model)
    assert all(end[name][0] == pytest.approx(0.1 * rate) for name, (rate, _) in start.items())


def test_the_backbone_learns_slower_than_the_heads():
    model = create_model("casvit_xs", image_size=32, num_classes=3, distillation=True)
    rates = learning_rates(plan(backbone_lr_factor=0.1).build(model, num_steps=9, max_epochs=3)["optimizer"], model)
    for name, (rate, _) in rates.items():
        assert rate == pytest.approx(0.5 if "head" in name else 0.05), name


@pytest.mark.parametrize("head", HEADS)
def test_neck_and_heads_of_a_detector_learn_at_the_full_rate(head):
    with torch.device("meta"):
        model = create_dense(head, backbone="casvit_xs", num_classes=3)
    rates = learning_rates(plan(backbone_lr_factor=0.1).build(model, num_steps=9, max_epochs=3)["optimizer"], model)
    for name, (rate, _) in rates.items():
        assert rate == pytest.approx(0.05 if name.startswith("backbone.") else 0.5), name


def test_sgd_has_momentum():
    built = plan(optimizer="sgd", momentum=0.8, nesterov=True).build(torch.nn.Linear(3, 2), num_steps=5, max_epochs=1)
    assert isinstance(built["optimizer"], torch.optim.SGD)
    assert (built["optimizer"].defaults["momentum"], built["optimizer"].defaults["nesterov"]) == (0.8, True)


def test_warm_up_from_a_rate_then_steps():
    built = plan(warmup_lr=0.1, warmup_epochs=2, schedule="step", milestones=(6, 8), milestone_factor=0.2).build(
        torch.nn.Linear(3, 2), num_steps=40, max_epochs=10
    )
    rates = []
    for _ in range(40):
        rates.append(built["optimizer"].param_groups[0]["lr"])
        built["optimizer"].step()
        built["lr_scheduler"]["scheduler"].step()
    assert rates[:9] == pytest.approx([0.1 + 0.05 * step for step in range(1, 9)] + [0.5])
    assert rates[9:] == pytest.approx([0.5] * 15 + [0.1] * 8 + [0.02] * 8)
    assert learning_rate_factor(3, num_steps=5, num_warmup_steps=1, min_factor=0.0, schedule="constant") == 1.0


def test_poly_comes_down_as_torch_has_it():
    model = torch.nn.Linear(3, 2)
    ours = plan(schedule="poly", min_lr=0.0, poly_power=0.9).build(model, num_steps=37, max_epochs=4)
    theirs = torch.optim.SGD(model.parameters(), lr=0.5)
    schedule = torch.optim.lr_scheduler.PolynomialLR(theirs, total_iters=37, power=0.9)
    for _ in range(40):
        assert ours["optimizer"].param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-12)
        for one in (ours["optimizer"], theirs, ours["lr_scheduler"]["scheduler"], schedule):
            one.step()


def test_polys_warm_up_rises_to_a_rate_that_already_comes_down():
    """A loop over the formulas of mmcv 1.x, whose warm-up begins a step earlier: steps count from 1 there."""
    lr, lowest, power, steps, warmup, ratio = 0.5, 0.05, 1.7, 41, 7, 0.02
    expected = []
    for i in range(steps):
        regular = (lr - lowest) * (1 - i / steps) ** power + lowest
        missing = (1 - (i + 1) / warmup) * (1 - ratio) if i < warmup else 0.0
        expected.append(regular * (1 - missing))
    recipe = plan(schedule="poly", poly_power=power, warmup_epochs=warmup / steps * 3, warmup_lr=ratio * lr)
    factor = recipe.build(torch.nn.Linear(3, 2), num_steps=steps, max_epochs=3)["lr_scheduler"]["scheduler"].lr_lambdas[
        0
    ]
    assert [lr * factor(i) for i in range(steps)] == pytest.approx(expected)
    assert max(expected) == expected[warmup - 1] < lr
    assert lr * factor(steps) == pytest.approx(lowest)


def test_layers_of_a_foreign_model_are_not_known():
    with pytest.raises(ValueError, match="Linear .*no known layer.* create_model"):
        plan(layer_decay=0.7).build(torch.nn.Linear(3, 2), num_steps=5, max_epochs=1)


def test_a_probe_has_its_own_rate_and_the_schedule_begins_after_it():
    model = torch.nn.Linear(2, 3)
    recipe = {"lr": 0.2, "min_lr": 0.02, "weight_decay": 0.3, "betas": (0.8, 0.9), "warmup_epochs": 2.0}
    plain = OptimizerRecipe(**recipe).build(model, num_steps=40, max_epochs=8)["lr_scheduler"]["scheduler"]
    plan = OptimizerRecipe(**recipe, probe_epochs=3, probe_lr=0.5).build(model, num_steps=55, max_epochs=11)
    [factor], [after] = plan["lr_scheduler"]["scheduler"].lr_lambdas[:1], plain.lr_lambdas[:1]
    assert [factor(step) for step in range(15)] == [2.5] * 15
    assert [factor(step) for step in range(15, 55)] == [after(step) for step in range(40)]


def test_milestones_count_the_epochs_of_the_probe():
    recipe = {"lr": 0.2, "min_lr": 0.0, "weight_decay": 0.3, "betas": (0.8, 0.9), "warmup_epochs": 0.0}
    step = {"schedule": "step", "milestones": (5, 8), "milestone_factor": 0.5}
    plan = OptimizerRecipe(**recipe, **step, probe_epochs=3).build(torch.nn.Linear(2, 3), num_steps=20, max_epochs=10)
    factor = plan["lr_scheduler"]["scheduler"].lr_lambdas[0]
    assert [factor(number) for number in range(20)] == [1.0] * 10 + [0.5] * 6 + [0.25] * 4
