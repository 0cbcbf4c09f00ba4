"""TokenLearner against a slow loop in float64; then in a model, from layer numbers to a checkpoint."""

import math

import pytest
import torch

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.checkpoints.files import CheckpointError
from stvit_video.models.parameter_groups import layer_depths, slot_parameters
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.token_learner import TokenLearner, weighted_means
from stvit_video.training.freezing import freeze_all_but

GRID, TOKENS = (2, 3, 5), (1, 2, 3)
IMAGE = {"image_size": (12, 20), "patch_size": 4, "embed_dim": 12, "num_heads": 2, "num_classes": 3}
MODEL = {**IMAGE, "depth": 6, "generate_at": 2, "reducer": "token_learner", "num_tokens": (2, 3)}
PLACE = "blocks.2.layers.0."


def make(token_grid, grid=None, window=None, dim=7):
    torch.manual_seed(0)
    image_grid = None if grid is None else TokenGrid(grid)
    return TokenLearner(dim, token_grid=TokenGrid(token_grid), image_grid=image_grid, window=window).double().eval()


def slow_tokens(reducer, tokens):
    """The tokens of one window, number by number: (N, C) -> (K, C), in lists."""
    norm, first, _, second = reducer.layers[0]
    w1, b1, w2, b2 = (p.tolist() for p in (first.weight, first.bias, second.weight, second.bias))
    scores = []
    for token in tokens.tolist():
        mean = sum(token) / len(token)
        variance = sum((value - mean) ** 2 for value in token) / len(token)
        normed = [
            (value - mean) / math.sqrt(variance + norm.eps) * gain + shift
            for value, gain, shift in zip(token, norm.weight.tolist(), norm.bias.tolist(), strict=True)
        ]
        hidden = [sum(w * v for w, v in zip(row, normed, strict=True)) + b for row, b in zip(w1, b1, strict=True)]
        hidden = [0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in hidden]
        scores.append([sum(w * v for w, v in zip(row, hidden, strict=True)) + b for row, b in zip(w2, b2, strict=True)])
    out = []
    for k in range(len(w2)):
        parts = [math.exp(row[k]) for row in scores]
        columns = zip(*tokens.tolist(), strict=True)
        out.append([sum(p * v for p, v in zip(parts, column, strict=True)) / sum(parts) for column in columns])
    return torch.tensor(out, dtype=torch.float64)


def noisy(reducer):
    with torch.no_grad():
        for parameter in reducer.parameters():
            parameter.add_(torch.randn_like(parameter))
    return reducer


def test_tokens_equal_a_slow_loop():
    reducer, x = noisy(make(TOKENS)), torch.randn(2, *GRID, 7, dtype=torch.float64)
    expected = torch.stack([slow_tokens(reducer, tokens) for tokens in x.flatten(1, -2)])
    torch.testing.assert_close(reducer(x).flatten(1, -2), expected)
    assert reducer(x).shape == (2, *TOKENS, 7)


def test_each_window_has_its_own_softmax_and_all_share_the_maps():
    reducer, x = noisy(make((2, 6), (6, 10), (3, 5))), torch.randn(2, 6, 10, 7, dtype=torch.float64)
    out = reducer(x)
    for i in range(2):
        for j in range(2):
            window = x[1, 3 * i : 3 * i + 3, 5 * j : 5 * j + 5].flatten(0, 1)
            tokens = out[1, i : i + 1, 3 * j : 3 * j + 3].flatten(0, 1)
            torch.testing.assert_close(tokens, slow_tokens(reducer, window))


def test_equal_scores_are_the_mean_and_one_large_score_is_a_pick():
    x = torch.randn(2, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(weighted_means(x, torch.ones(2, 7, 3))[:, 2], x.mean(1))
    scores = torch.zeros(2, 7, 3)
    scores[:, 4, 1] = 1e4
    assert torch.equal(weighted_means(x, scores)[:, 1], x[:, 4])


def test_tokens_stay_within_the_image_tokens():
    x = torch.randn(3, *GRID, 7, dtype=torch.float64)
    out, flat = noisy(make(TOKENS))(x).flatten(1, -2), x.flatten(1, -2)
    assert (out <= flat.amax(1, keepdim=True) + 1e-12).all()
    assert (out >= flat.amin(1, keepdim=True) - 1e-12).all()


def test_the_order_of_image_tokens_does_not_matter_and_that_of_maps_is_that_of_tokens():
    reducer, x = noisy(make(TOKENS)), torch.randn(2, *GRID, 7, dtype=torch.float64)
    shuffled = x.flatten(1, -2)[:, torch.randperm(30)].unflatten(1, GRID)
    before = reducer(x)
    torch.testing.assert_close(reducer(shuffled), before)
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    last = reducer.layers[0][-1]
    with torch.no_grad():
        last.weight.copy_(last.weight[order])
        last.bias.copy_(last.bias[order])
    torch.testing.assert_close(reducer(x).flatten(1, -2), before.flatten(1, -2)[:, order])


def test_swapping_windows_swaps_tokens():
    reducer, x = noisy(make((2, 6), (6, 10), (3, 5))), torch.randn(2, 6, 10, 7, dtype=torch.float64)
    expected = reducer(x).flip(1)
    torch.testing.assert_close(reducer(torch.cat([x[:, 3:], x[:, :3]], dim=1)), expected)


def test_gradients_reach_every_weight_and_token():
    reducer, x = noisy(make(TOKENS)), torch.randn(2, *GRID, 7, dtype=torch.float64, requires_grad=True)
    reducer(x).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in [*reducer.layers[0][1].parameters(), reducer.layers[0][3].weight])
    assert (x.grad.abs().sum(-1) > 0).all()
    small = make((1, 2), dim=3)
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: small(x), (x,))


def build(name="stvit_deit_tiny", **options):
    torch.manual_seed(0)
    return create_model(name, **{**MODEL, **options})


def test_the_plan_and_the_layers():
    model = build()
    assert model.kinds == ("frame", "frame", "token_learner", "refine", "refine", "refine")
    depths = layer_depths(model)
    assert {depths[name] for name in depths if name.startswith("blocks.2.")} == {3}
    assert [depths[f"blocks.{i}.norm1.weight"] for i in (0, 1, 3, 4, 5)] == [1, 2, 4, 5, 6]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stvit_video_deit_tiny", {"num_frames": 4, "num_tokens": (2, 2, 3)}),
        ("stvit_video_deit_tiny", {"num_frames": 4, "num_tokens": (2, 2, 3), "base_attention": "joint"}),
        ("stvit_deit_tiny", {"token_window": (3, 5), "image_size": (24, 40), "num_tokens": (4, 6)}),
        ("stvit_r_deit_tiny", {"depth": 7}),
        ("stvit_r_video_deit_tiny", {"num_frames": 4, "num_tokens": (2, 2, 3), "depth": 7}),
    ],
)
def test_deits_that_it_goes_with(name, options):
    model = build(name, **options).eval()
    sizes = options.get("image_size", IMAGE["image_size"])
    clip = torch.randn(2, 3, *([4] if "num_frames" in options else []), *sizes)
    assert model(clip).shape == (2, 3)
    wide = torch.randn(2, 3, *clip.shape[2:-1], 2 * sizes[-1])
    assert model(wide).shape == (2, 3)


def test_a_swin_that_it_goes_with():
    options = {"image_size": 64, "embed_dim": 8, "num_heads": (1, 2, 2, 4), "depths": (1, 1, 5, 1), "num_classes": 3}
    model = create_model("stvit_swin_tiny", reducer="token_learner", **options)
    assert model.levels[2].kinds == ("window", "token_learner", "refine", "refine", "refine")
    assert model(torch.randn(2, 3, 64, 64)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("stvit_casvit_xs", {}, "reducer='token_learner' does not work in casvit models, only in deit, swin;"),
        ("stvit_r_swin_tiny", {"recover_window": (27, 27)}, "'token_learner' leaves a fixed number.*reducer=semantic"),
        ("stvit_deit_tiny", {"elastic": [1, 6]}, r"grid \(1, 1\) .* TokenLearner are for \(2, 3\) .*without elastic"),
    ],
)
def test_models_that_it_does_not_go_with(name, options, message):
    own = {key: MODEL[key] for key in ("num_tokens", "generate_at")} | IMAGE if "deit" in name else {}
    with pytest.raises(ValueError, match=message):
        create_model(name, reducer="token_learner", **own, **options)


def test_the_number_of_tokens_is_that_of_the_weights(tmp_path):
    model = build()
    model.set_num_tokens(6)
    with pytest.raises(ValueError, match=r"grid \(3, 3\) .* TokenLearner are for \(2, 3\) .*num_tokens=\(3, 3\)"):
        model.set_num_tokens(9)
    with pytest.raises(CheckpointError, match=f"{PLACE}3"):
        load_checkpoint(build(num_tokens=(3, 3)), model.state_dict())


def test_a_few_steps_lower_the_loss():
    model = build("stvit_video_deit_tiny", num_frames=4, num_tokens=(2, 2, 3)).train()
    clip, target = torch.randn(5, 3, 4, 12, 20), torch.tensor([0, 1, 2, 0, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        losses.append(torch.nn.functional.cross_entropy(model(clip), target))
        optimizer.zero_grad()
        losses[-1].backward()
        assert model.get_parameter("blocks.2.layers.0.3.weight").grad.abs().sum() > 0
        optimizer.step()
    assert losses[-1] < losses[0]


def test_the_semantic_part_has_its_weights():
    model = build("stvit_video_deit_tiny", num_frames=4, num_tokens=(2, 2, 3))
    own = {f"{PLACE}{i}.{kind}" for i in (0, 1, 3) for kind in ("weight", "bias")}
    assert slot_parameters(model) == {*own, "temporal_pos_embed"}
    freeze_all_but(model, "semantic")
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {*own, "temporal_pos_embed", "head.weight", "head.bias"}


def test_a_checkpoint_comes_back(tmp_path):
    model, again = build().eval(), build().eval()
    with torch.no_grad():
        model.get_parameter(f"{PLACE}3.bias").normal_()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    report = load_checkpoint(again, tmp_path / "model.pt")
    assert set(report.loaded) == set(model.state_dict())
    image = torch.randn(2, 3, 12, 20)
    assert torch.equal(again(image), model(image))


def test_dense_weights_leave_it_new():
    torch.manual_seed(1)
    model, dense = build(), create_model("deit_tiny", depth=6, **IMAGE)
    report = load_checkpoint(model, dense.state_dict())
    assert {name for name in report.new if not name.startswith("head")} == {
        f"{PLACE}{i}.{kind}" for i in (0, 1, 3) for kind in ("weight", "bias")
    }
    assert {name for name in report.unused if name.startswith("blocks.")} == {
        name for name in dense.state_dict() if name.startswith("blocks.2.")
    }
    assert torch.equal(model.blocks[3].mlp.fc1.weight, dense.blocks[3].mlp.fc1.weight)
