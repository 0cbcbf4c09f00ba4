import pytest
import torch

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.models.swin.variants import VIDEO_OPTIONS, default_token_grid, swin, window_sizes
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.token_reducer import TokenReducer

SIZES = {
    "tiny": {"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)},
    "small": {"embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)},
    "base": {"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
}
IMAGE = {"video": False, "num_classes": 1000}
VIDEO = {"video": True, "num_classes": 400}
SEMANTIC = {"reducer": "semantic"}
STVIT_R = {
    "reducer": "semantic",
    "recover": True,
    "conv_stem": True,
    "generate_shortcut": False,
    "global_centers": False,
    "block_layer_scale": 1e-5,
}
LITTLE = {"num_classes": 5, "embed_dim": 4, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}


def without_weights(**options):
    """A model whose values take no memory: sizes are all that is asked for."""
    with torch.device("meta"):
        return swin(**options)


def video_gmacs(**options):
    return count_gmacs(without_weights(**VIDEO, **options), (3, 16, 224, 224))


@pytest.mark.parametrize(
    ("size", "parameters", "gmacs"), [("tiny", 28.3, 4.51), ("small", 49.6, 8.77), ("base", 87.8, 15.47)]
)
def test_cost_of_swin_is_as_published(size, parameters, gmacs):
    model = without_weights(**IMAGE, **SIZES[size])
    assert count_parameters(model) / 1e6 == pytest.approx(parameters, rel=0.01)
    assert count_gmacs(model, (3, 224, 224)) == pytest.approx(gmacs, rel=0.01)


@pytest.mark.parametrize(("size", "parameters", "gmacs"), [("small", 49.63, 5.82), ("base", 87.82, 10.26)])
def test_cost_of_stvit_r_is_as_published(size, parameters, gmacs, monkeypatch):
    model = swin(**IMAGE, **SIZES[size], **STVIT_R)
    assert count_parameters(model) / 1e6 == pytest.approx(parameters, rel=0.01)
    ours = count_gmacs(model, (3, 224, 224))
    monkeypatch.setattr("stvit_video.layers.attention.unprojected_is_cheaper", lambda *_sizes, **_settings: False)
    assert count_gmacs(model, (3, 224, 224)) == pytest.approx(gmacs, rel=0.01)  # keys and values formed, as published
    assert ours < 0.97 * gmacs
    assert model.tokens_per_level() == (3136, 784, 196, 49)
    assert model.token_grid.sizes == (6, 6)


@pytest.mark.parametrize("size", SIZES)
def test_64_tokens_save_30_percent_of_video_swin(size):
    assert video_gmacs(**SIZES[size], **SEMANTIC) <= 0.7 * video_gmacs(**SIZES[size])


@pytest.mark.parametrize(
    ("sizes", "options", "token_grid", "window", "key_window", "per_level"),
    [
        (IMAGE, SEMANTIC, (8, 8), (7, 7), None, (3136, 784, 64, 16)),
        (VIDEO, SEMANTIC, (4, 4, 4), (8, 7, 7), None, (25088, 6272, 64, 16)),
        (IMAGE, STVIT_R, (6, 6), (7, 7), (10, 10), (3136, 784, 196, 49)),
        (VIDEO, STVIT_R, (4, 6, 6), (8, 7, 7), (8, 10, 10), (25088, 6272, 1568, 392)),
    ],
)
def test_tokens_by_default(sizes, options, token_grid, window, key_window, per_level):
    model = without_weights(**sizes, **options, **SIZES["tiny"])
    generator = next(module for module in model.modules() if isinstance(module, TokenReducer))
    assert (model.token_grid.sizes, generator.window, generator.key_window) == (token_grid, window, key_window)
    assert model.tokens_per_level() == per_level


def test_small_inputs_cut_windows_keys_and_tokens():
    for options, tokens, keys in ((SEMANTIC, (1, 1, 1), None), (STVIT_R, (1, 1, 2), (2, 2, 5))):
        model = without_weights(video=True, num_frames=4, image_size=(32, 80), **LITTLE, **options)
        generator = next(module for module in model.modules() if isinstance(module, TokenReducer))
        assert (generator.window, generator.key_window) == ((2, 2, 5), keys)
        assert model.token_grid.sizes == tokens


def test_grids_that_windows_do_not_divide_are_padded():
    model = without_weights(video=False, image_size=(160, 144), window_size=4, **LITTLE, **SEMANTIC)
    assert model.grids[2] == (10, 9)
    assert model.grid.sizes == (12, 12)
    assert model.token_grid.sizes == (6, 6)


def kinds_of(**options):
    return [level.kinds for level in without_weights(video=False, image_size=32, **{**LITTLE, **options}).levels]


def test_windows_of_both_layers_and_of_recovery():
    """The picture that a model is built for does not cut them: it is one of many sizes."""
    windows = {"center_window": (21, 21), "recover_window": (27, 27)}
    model = without_weights(**IMAGE, **STVIT_R, **SIZES["tiny"], **windows, image_size=126)
    generator = model.reducers()[0]
    recovery = next(module for module in model.modules() if isinstance(module, TokenRecovery))
    assert (generator.window, generator.key_window, generator.center_window) == ((7, 7), (14, 14), (21, 21))
    assert (recovery.window, recovery.recover_window) == ((7, 7), (27, 27))
    assert model.grids[0] == (32, 32)  # 126 pixels are 31.5 patches


def test_plans():
    assert kinds_of(depths=(2, 1, 3, 2)) == [
        ("window", "shifted"),
        ("window",),
        ("window", "shifted", "window"),
        ("window", "shifted"),
    ]
    assert kinds_of(**SEMANTIC)[2:] == [("window", "shifted", "semantic", "refine", "refine"), ("refine",)]
    assert kinds_of(**SEMANTIC, generate_at=1)[2] == ("window", "semantic", "refine", "refine", "refine")
    assert kinds_of(reducer="pool")[2] == ("window", "shifted", "pool", "refine", "refine", "refine", "refine")
    unit = ("window", "semantic", "local", "refine", "recover")
    assert kinds_of(depths=(1, 1, 12, 1), **STVIT_R)[2:] == [unit * 2, ("window",)]


def test_gains_of_stvit_r_and_of_stvit():
    def gains(**options):
        model = swin(video=False, image_size=32, **LITTLE, **options)
        keys = [key for key in model.state_dict() if key.endswith("ls1.gamma")]
        return {
            key.removeprefix("levels.").removesuffix(".ls1.gamma"): model.state_dict()[key][0].item() for key in keys
        }

    level_3 = {"2.blocks.1.layers.0", "2.blocks.1.layers.1", "2.blocks.2", "2.blocks.3", "2.blocks.4"}
    others = {"0.blocks.0", "1.blocks.0", "3.blocks.0"}
    assert gains(**STVIT_R) == dict.fromkeys(level_3 | others, pytest.approx(1e-5))
    assert set(gains(**{**STVIT_R, "block_layer_scale": None})) == level_3
    assert set(gains(**SEMANTIC)) == {"2.blocks.2.layers.0", "2.blocks.2.layers.1"}
    assert gains(**SEMANTIC, block_layer_scale=0.5)["2.blocks.3"] == 0.5
    assert gains() == {}


def test_centres_are_those_of_the_first_unit():
    model = swin(video=False, **{**LITTLE, "depths": (1, 1, 18, 1)}, **{**STVIT_R, "global_centers": True})
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items() if key.endswith("centres")}
    assert shapes == {"levels.2.blocks.1.centres": (1, 6, 6, 16)}
    shortcuts = [m.layers[0].attention_shortcut for m in model.modules() if isinstance(m, TokenReducer)]
    assert shortcuts == [False] * 3


def test_windows_as_a_number_or_for_each_axis():
    assert window_sizes(5, video=False) == (5, 5)
    assert window_sizes(5, video=True) == (8, 5, 5)
    assert window_sizes([4, 5, 6], video=True) == (4, 5, 6)
    assert VIDEO_OPTIONS == ("num_frames", "tubelet_size")


def test_default_tokens_by_hand():
    assert default_token_grid((12, 8), (4, 8), recover=False) == (6, 5)
    assert default_token_grid((12, 8), (4, 8), recover=True) == (6, 3)
    assert default_token_grid((8, 1, 3), (4, 1, 3), recover=False) == (4, 1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tokens": 0}, "num_tokens=0 .*4 windows"),
        ({"num_tokens": 6}, r"num_tokens=6 .*4 windows of \(7, 7\).* multiple of 4"),
        ({"num_tokens": 800}, "num_tokens=800 .*4 windows"),
        ({"num_tokens": (15, 2)}, r"num_tokens=\(15, 2\) .*grid \(14, 14\)"),
        ({"num_tokens": (3, 4)}, r"\(3, 4\) semantic tokens .*\(2, 2\) windows"),
        ({"num_tokens": (2, 2, 2)}, r"num_tokens=\(2, 2, 2\) .*grid \(14, 14\)"),
        ({"window_size": (7, 7, 7)}, r"window_size=\(7, 7, 7\) .*axes.* \(h, w\)"),
        ({"window_size": 0}, "window_size=0 .*number, at least 1"),
        ({"token_window": (7,)}, r"token_window=\(7,\) .*axes.* \(h, w\)"),
        ({"key_window": (7,)}, r"key_window=\(7,\) .*axes.* \(h, w\)"),
        ({"key_window": (6, 7)}, r"key_window=\(6, 7\) .*cover window=\(7, 7\)"),
        ({"reducer": "none", "num_tokens": 64}, "num_tokens=64 .*dense model"),
        ({"reducer": "none", "token_window": (7, 7)}, r"token_window=\(7, 7\) .*dense model"),
        ({"reducer": "none", "elastic": [4]}, r"elastic=\[4\] .*semantic tokens"),
        ({"reducer": "best"}, "reducer='best' .*semantic"),
        ({"recover": True, "depths": (1, 1, 8, 1)}, r"depths=\(1, 1, 8, 1\) .*level 3.* multiple of 6\b"),
        ({"generate_at": 4}, "generate_at=4 .*level 3 of depths="),
        ({"depths": (1, 1), "num_heads": (1, 1)}, r"depths=\(1, 1\) .*2 levels.* at least 3"),
        ({"depths": 4}, "depths=4 .*each axis"),
        ({"image_size": 3}, r"size \(3, 3\) .*patches of \(4, 4\)"),
        ({"recover": True, "center_window": (21, 21)}, "needs recover_window too"),
        ({"conv_stem": True, "patch_size": 8}, "conv_stem .*patch_size=.8, 8. and embed_dim=4 .*patch_size=4"),
        ({"num_heads": (3, 1, 2, 2)}, "num_heads=3 .*4 channels"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        without_weights(video=False, **{**LITTLE, "reducer": "semantic", **options})
