import inspect

import pytest
import torch

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.models.casvit.variants import VIDEO_OPTIONS, casvit

SIZES = {
    "xs": {"depths": (2, 2, 4, 2), "embed_dims": (48, 56, 112, 220)},
    "s": {"depths": (3, 3, 6, 3), "embed_dims": (48, 64, 128, 256)},
    "m": {"depths": (3, 3, 6, 3), "embed_dims": (64, 96, 192, 384)},
    "t": {"depths": (3, 3, 6, 3), "embed_dims": (96, 128, 256, 512)},
}
PUBLISHED = {"xs": (3.20, 0.554), "s": (5.76, 0.923), "m": (12.42, 1.874), "t": (21.76, 3.579)}  # million, GMACs
TINY = {"num_classes": 3, "embed_dims": (4, 6, 8, 10), "depths": (1, 1, 4, 1), "head_dim": 4, "image_size": (64, 80)}


@pytest.mark.parametrize("size", list(SIZES))
def test_parameters_and_cost_as_published_and_a_quarter_less_with_few_tokens(size):
    options = {"video": False, "num_classes": 1000, **SIZES[size]}
    dense = casvit(distillation=True, **options)
    parameters, gmacs = PUBLISHED[size]
    assert count_parameters(dense) / 1e6 == pytest.approx(parameters, rel=0.01)
    dense_gmacs = count_gmacs(dense, (3, 224, 224))
    assert dense_gmacs == pytest.approx(gmacs, rel=0.01)
    stride = {} if size == "xs" else {"token_stride": 2}
    semantic = casvit(reducer="semantic", distillation=True, **options, **stride)
    assert semantic.token_grid.sizes == ((4, 4) if size == "xs" else (7, 7))
    assert count_gmacs(semantic, (3, 224, 224)) <= 0.75 * dense_gmacs


def test_a_quarter_less_for_clips_too():
    options = {"video": True, "num_classes": 400, **SIZES["xs"]}  # the others save more
    semantic = casvit(reducer="semantic", num_tokens=64, **options)
    assert semantic.token_grid.sizes == (4, 4, 4)
    assert count_gmacs(semantic, (3, 16, 224, 224)) <= 0.75 * 16 * 0.554


@pytest.mark.parametrize(
    ("options", "token_grid", "counts"),
    [
        ({"video": False}, (1, 2), (320, 80, 2, 1)),
        ({"video": False, "token_stride": 2}, (2, 3), (320, 80, 6, 2)),
        ({"video": False, "num_tokens": (4, 3)}, (4, 3), (320, 80, 12, 4)),
        ({"video": False, "num_tokens": 8, "token_window": (2, 5)}, (2, 4), (320, 80, 8, 2)),
        ({"video": True, "num_frames": 9}, (3, 1, 2), (9 * 320, 9 * 80, 6, 3)),
        ({"video": True, "num_frames": 9, "recover": True}, (3, 1, 2), (9 * 320, 9 * 80, 9 * 20, 9 * 6)),
    ],
)
def test_tokens_that_are_left(options, token_grid, counts):
    model = casvit(reducer="semantic", **TINY, **options)
    assert model.token_grid.sizes == token_grid
    assert model.tokens_per_level() == counts


def test_dense_models_have_no_tokens():
    model = casvit(video=False, **TINY)
    assert model.token_grid is None
    assert model.grid.sizes == (4, 5)
    assert model.tokens_per_level() == (320, 80, 20, 6)


@pytest.mark.parametrize(
    ("reducer", "video", "kinds"),
    [
        ("none", True, ("mixer", "mixer", "mixer", "mixer")),
        ("semantic", False, ("mixer", "semantic", "mixer")),
        ("semantic", True, ("mixer", "semantic", "mixer", "refine")),
        ("pool", True, ("mixer", "pool", "mixer", "mixer", "mixer", "refine")),
    ],
)
def test_blocks_of_level_three(reducer, video, kinds):
    assert casvit(video=video, reducer=reducer, **TINY).levels[2].kinds == kinds
    if reducer != "none":
        assert casvit(video=video, reducer=reducer, recover=True, **TINY).levels[2].kinds == (*kinds, "recover")


def test_options_reach_the_model():
    model = casvit(
        video=True,
        reducer="semantic",
        **{**TINY, "depths": (1, 1, 6, 1)},
        num_frames=5,
        in_channels=2,
        mlp_ratio=3,
        generate_at=2,
        generate_shortcut=False,
        global_centers=False,
        distillation=True,
        drop_rate=0.3,
        layer_scale_init=None,
    )
    generate = model.levels[2].blocks[2]
    assert generate.centres is None
    assert not generate.layers[0].attention_shortcut
    assert not any("gamma" in key for key in model.state_dict())
    assert model.levels[0].blocks[0].mlp.fc1.out_channels == 12
    assert model.head_drop.p == 0.3
    assert model.temporal_pos_embed.shape == (1, 5, 8)
    assert model(torch.zeros(1, 2, 5, 64, 80)).shape == (1, 3)
    assert all(option in inspect.signature(casvit).parameters for option in VIDEO_OPTIONS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tokens": 0}, "num_tokens=0 .*20 image tokens"),
        ({"num_tokens": 21}, "num_tokens=21 .*20 image tokens"),
        ({"num_tokens": (5, 5)}, r"num_tokens=\(5, 5\) .*grid \(4, 5\)"),
        ({"token_stride": 0}, "token_stride=0 .*number, at least 1"),
        ({"token_window": (3, 5)}, r"windows of \(3, 5\) .*divide.* grid \(4, 5\)"),
        ({"generate_at": 2}, "generate_at=2 .*level 3 of depths="),
        ({"head_dim": 3}, "head_dim=3 .*8 channels of level 3"),
        ({"depths": (1, 4)}, r"depths=\(1, 4\) .*2 levels.* at least 3"),
        ({"embed_dims": (4, 6, 8)}, r"embed_dims=\(4, 6, 8\) .*4 levels"),
        ({"image_size": 31}, r"size \(31, 31\) .*small.* at least 32"),
        ({"reducer": "max"}, "reducer='max' .*semantic"),
        ({"reducer": "none", "num_tokens": 4}, "num_tokens=4 .*dense model"),
        ({"features_only": True}, "no map of every level.* stvit_r_"),
        ({"drop_path_rate": 1}, r"drop_path_rate=1 .*\[0, 1\)"),
        ({"elastic": []}, r"elastic=\[\] .*list of token counts"),
        ({"num_classes": 0}, "num_classes=0 .*number, at least 1"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        casvit(**{"video": False, "reducer": "semantic", **TINY, **options})
