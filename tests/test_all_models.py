"""What every name promises: it builds, trains a step, compiles, round-trips, and refuses bad input in a sentence."""

import pytest
import torch

from stvit_video.models import create_model, list_models, load_checkpoint, model_options
from stvit_video.models.base import TokenModel
from stvit_video.models.registry import FAMILIES, FAMILY_OF_NAME, MODELS

NAMES = list_models()
COMMON = {"num_classes": 3}
SMALL = {  # every option that the sizes of the family set, so that all sizes are one small model
    "deit": {"embed_dim": 8, "num_heads": 2, "depth": 5, "generate_at": 1, "image_size": 32, "patch_size": 4},
    "swin": {"embed_dim": 8, "num_heads": (1, 2, 2, 4), "depths": (2, 2, 6, 2), "image_size": 64},
    "casvit": {"embed_dims": (8, 8, 16, 16), "depths": (1, 2, 4, 2), "image_size": 64},
}


def of_first_size(name):
    """The model of the same kind in the first size of its family."""
    return f"{name.rpartition('_')[0]}_{next(iter(FAMILY_OF_NAME[name].sizes))}"


FIRST = [name for name in NAMES if of_first_size(name) == name]
SEMANTIC = [name for name in FIRST if name.startswith("stvit_")]
ONE_OF_EACH_FAMILY = [f"stvit_{name}_{next(iter(family.sizes))}" for name, family in FAMILIES.items()]


def is_video(name):
    return MODELS[name].keywords["video"]


def small_options(name):
    options = COMMON | SMALL[FAMILY_OF_NAME[name].name]
    if is_video(name):
        options |= {"num_frames": 4}
    return options | ({"num_tokens": tokens_of(name)} if name.startswith("stvit_") else {})


def tokens_of(name):
    """The default count is for 224 pixels; a small input takes fewer."""
    return (2, 2, 2) if is_video(name) else (2, 2)


def small_input(name, batch=2):
    size = SMALL[FAMILY_OF_NAME[name].name]["image_size"]
    return torch.randn(batch, 3, *((4,) if is_video(name) else ()), size, size)


def small_model(name, **options):
    torch.manual_seed(0)
    return create_model(name, **small_options(name) | options)


@pytest.mark.parametrize("name", NAMES)
def test_forward_backward_and_round_trip(name):
    model, x = small_model(name), small_input(name)
    assert isinstance(model, TokenModel)
    logits = model(x)
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    without = [key for key, value in model.named_parameters() if value.grad is None]
    assert without == []
    model.eval()
    other = small_model(name).eval()
    report = load_checkpoint(other, {key: value.clone() for key, value in model.state_dict().items()})
    assert set(report.loaded) == set(model.state_dict())
    assert torch.equal(other(x), model(x))
    assert model.forward_features(x).shape == (2, model.head.in_features)
    tokens = model.forward_tokens(x)
    assert tokens.ndim == 3
    assert tokens.shape[::2] == (2, model.head.in_features)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIRST])
def test_sizes_of_a_kind_differ_in_numbers_alone(name):
    """With the same numbers they are one model: what is tested with the first size holds for all."""
    model, other, x = small_model(name).eval(), small_model(of_first_size(name)).eval(), small_input(name)
    assert str(model) == str(other)
    with torch.no_grad():
        assert torch.equal(model(x), other(x))


@pytest.mark.parametrize("name", FIRST)
def test_compiled_model_gives_the_same_logits_in_one_graph(name):
    torch.compiler.reset()  # else every model is checked against the graphs of all before it
    model, x = small_model(name).eval(), small_input(name)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))


@pytest.mark.parametrize("name", [name for name in FIRST if not is_video(name)])
def test_an_image_may_come_as_a_clip_of_one_frame(name):
    model, x = small_model(name).eval(), small_input(name)
    clip = x[:, :, None]  # (B, C, 1, H, W)
    with torch.no_grad():
        assert torch.equal(model(clip), model(x))
        assert torch.equal(model.forward_tokens(clip), model.forward_tokens(x))
    with pytest.raises(ValueError, match="has 2 frames, .*image model"):
        model(clip.repeat(1, 1, 2, 1, 1))


@pytest.mark.parametrize("name", ["stvit_deit_tiny", "swin_tiny"])
def test_a_compiled_model_takes_an_image_as_a_clip_of_one_frame(name):
    torch.compiler.reset()
    model, x = small_model(name).eval(), small_input(name)
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(x[:, :, None]), model(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", FIRST)
def test_large_input_in_half_precision_gives_finite_logits(name, dtype):
    model, x = small_model(name).eval().to(dtype), small_input(name).to(dtype) * 1000
    with torch.no_grad():
        assert model(x).isfinite().all()


@pytest.mark.parametrize("name", FIRST)
def test_another_size_at_run_time(name):
    """Not square, not a multiple of the windows, and of more frames."""
    x = torch.randn(1, 3, *((6,) if is_video(name) else ()), 96, 68)
    with torch.no_grad():
        assert small_model(name).eval()(x).isfinite().all()


@pytest.mark.parametrize("name", SEMANTIC)
def test_token_counts_at_run_time_and_drawn_in_training(name):
    few, more = ((2, 2, 2), (2, 4, 4)) if is_video(name) else ((2, 2), (4, 4))
    options = {"num_tokens": few, "elastic": [few, more], "layer_scale_init": 0.5}
    model, x = small_model(name, **options), small_input(name)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    model.eval()
    with torch.no_grad():
        before = model(x)
        model.set_num_tokens(more)
        assert model.token_grid.sizes == more
        assert not torch.allclose(model(x), before)
        model.set_num_tokens(few)
        torch.testing.assert_close(model(x), before)
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    model.train()
    seen = set()
    with torch.no_grad():
        for _ in range(20):
            model(x)
            seen.add(model.reducers()[0].token_grid.sizes)
        assert seen == {few, more}
        model.eval()(x)
    assert model.reducers()[0].token_grid.sizes == few


@pytest.mark.parametrize("reducer", ["semantic", "random", "pool", "tome"])
@pytest.mark.parametrize("name", [name for name in SEMANTIC if not name.startswith("stvit_r_")])
def test_reducers(name, reducer):
    model, x = small_model(name, reducer=reducer), small_input(name)
    model(x).sum().backward()
    with torch.no_grad():
        first, second = model.eval()(x), model(x)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tokens": 0}, "num_tokens=0"),
        ({"num_tokens": 10_000}, "num_tokens=10000"),
        ({"reducer": "mean"}, "reducer='mean' .*semantic"),
        ({"reducer": "semantik"}, "reducer='semantik' .*semantic"),
        ({"generate_at": 0}, "generate_at=0"),
        ({"generate_at": 99}, "generate_at=99"),
        ({"generate_at": "a"}, "generate_at='a'"),
        ({"layer_scale_init": "a"}, "layer_scale_init='a'"),
        ({"elastic": [0]}, "num_tokens=0"),
        ({"elastic": 8}, "elastic=8 .*list of token counts"),
        ({"shiny": 1}, "no option 'shiny'"),
        ({"num_token": 4}, "no option 'num_token', .*'num_tokens'"),
    ],
)
@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_bad_options(name, options, message):
    with pytest.raises(ValueError, match=message):
        small_model(name, **options)


@pytest.mark.parametrize("name", [name for name in ONE_OF_EACH_FAMILY if "token_window" in model_options(name)])
def test_windows_that_do_not_fit(name):
    with pytest.raises(ValueError, match=r"windows of \(3, 3\) .*divide|token_window=\(3, 3\)"):
        small_model(name, token_window=(3, 3))


@pytest.mark.parametrize("name", FIRST)
def test_bad_input(name):
    model, x = small_model(name).eval(), small_input(name)
    axes = r"\(B, 3, T, H, W\)" if is_video(name) else r"\(B, 3, H, W\)"
    with pytest.raises(ValueError, match=f"input of shape .*give {axes}"):
        model(x[:, :2])
    with pytest.raises(ValueError, match=f"input of shape .*give {axes}"):
        model(x[0])
    with pytest.raises(ValueError, match="torch.uint8; .*floating point"):
        model(x.to(torch.uint8))
    with pytest.raises(ValueError, match="input of size .*(small|patches of)|pooled"):
        model(x[..., :3, :])
    if "tubelet_size" in model_options(name):
        with pytest.raises(ValueError, match="input of size .*patches of"):
            model(x[:, :, :3])
