import re
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.models import create_model, list_models, model_options
from stvit_video.models.casvit.variants import casvit
from stvit_video.models.deit.variants import deit
from stvit_video.models.family import LayerGroups
from stvit_video.models.registry import (
    FAMILIES,
    MODELS,
    dense_name,
    family_of,
    layer_groups,
    option_defaults,
    option_help,
)
from stvit_video.models.swin.variants import swin

TINY = {
    "num_classes": 3,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 4,
    "generate_at": 1,
    "image_size": 16,
    "patch_size": 4,
}


def test_sizes_of_the_names():
    assert [create_model(f"deit_{size}", depth=3).head.in_features for size in ("tiny", "small", "base")] == [
        192,
        384,
        768,
    ]
    assert create_model("stvit_deit_tiny").token_grid.sizes == (4, 4)
    assert create_model("stvit_video_deit_tiny").token_grid.sizes == (4, 4, 4)
    assert create_model("video_deit_tiny").token_grid is None


def test_list_is_sorted():
    assert list_models() == sorted(list_models())


def test_list_by_a_pattern():
    assert list_models("stvit_video_deit_*") == [f"stvit_video_deit_{size}" for size in ("base", "small", "tiny")]
    assert list_models("*") == list_models()
    assert list_models("deit") == list_models("STVIT_*") == []  # the whole name, letter by letter


IMAGE, VIDEO = {"video": False, "num_classes": 1000}, {"video": True, "num_classes": 400}
RELEASED = {"conv_stem": True, "generate_shortcut": False, "global_centers": False, "block_layer_scale": 1e-5}
BY_HAND = [
    ("deit_tiny", deit, {**IMAGE, "embed_dim": 192, "num_heads": 3}),
    ("video_deit_base", deit, {**VIDEO, "embed_dim": 768, "num_heads": 12}),
    ("stvit_video_deit_small", deit, {**VIDEO, "reducer": "semantic", "embed_dim": 384, "num_heads": 6}),
    ("stvit_r_deit_small", deit, {**IMAGE, "reducer": "semantic", "recover": True, "embed_dim": 384, "num_heads": 6}),
    ("video_swin_tiny", swin, {**VIDEO, "embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)}),
    (
        "stvit_swin_small",
        swin,
        {**IMAGE, "reducer": "semantic", "embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)},
    ),
    (
        "stvit_r_video_swin_base",
        swin,
        {
            **VIDEO,
            **{"reducer": "semantic", "recover": True},
            **RELEASED,
            **{"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
        },
    ),
    ("casvit_t", casvit, {**IMAGE, "embed_dims": (96, 128, 256, 512), "depths": (3, 3, 6, 3)}),
    (
        "stvit_casvit_s",
        casvit,
        {**IMAGE, "reducer": "semantic", "token_stride": 2, "embed_dims": (48, 64, 128, 256), "depths": (3, 3, 6, 3)},
    ),
    (
        "stvit_video_casvit_xs",
        casvit,
        {**VIDEO, "reducer": "semantic", "embed_dims": (48, 56, 112, 220), "depths": (2, 2, 4, 2)},
    ),
]


@pytest.mark.parametrize(("name", "builder", "options"), BY_HAND)
def test_what_a_name_stands_for(name, builder, options):
    assert MODELS[name].func is builder
    assert MODELS[name].keywords == options


def test_a_family_has_the_name_it_is_registered_by():
    assert {key: family.name for key, family in FAMILIES.items()} == {key: key for key in FAMILIES}
    assert len(MODELS) == sum(len(family.models()) for family in FAMILIES.values())


def test_a_models_family_is_told_by_its_class():
    with torch.device("meta"):
        assert {name: family_of(create_model(name)) for name in ("stvit_r_swin_tiny", "video_deit_tiny")} == {
            "stvit_r_swin_tiny": FAMILIES["swin"],
            "video_deit_tiny": FAMILIES["deit"],
        }
        assert layer_groups(create_model("casvit_xs")) is FAMILIES["casvit"].layers
    assert family_of(nn.Linear(2, 3)) is None
    assert layer_groups(nn.Linear(2, 3)) == LayerGroups()


def test_defaults_by_hand():
    images, clips = option_defaults("stvit_r_swin_small"), option_defaults("stvit_r_video_swin_small")
    assert list(images)[:3] == ["image_size", "in_channels", "patch_size"]
    assert {"reducer": "semantic", "recover": True, "depths": (2, 2, 18, 2)}.items() <= images.items()
    assert {"generate_at": None, "conv_stem": True, "generate_shortcut": False}.items() <= images.items()
    assert clips.keys() - images.keys() == {"num_frames", "tubelet_size"}
    assert option_defaults("stvit_casvit_s")["token_stride"] == 2
    assert option_defaults("stvit_casvit_xs")["token_stride"] == 4
    assert option_defaults("deit_tiny")["reducer"] == "none"


@pytest.mark.parametrize("name", list_models())
def test_every_option_has_a_default_and_help(name):
    assert sorted([*option_defaults(name), "num_classes"]) == model_options(name)
    lines = option_help(name)
    assert sorted(lines) == model_options(name)
    assert [option for option, line in lines.items() if not line or "\n" in line] == []


def test_help_by_hand():
    lines = option_help("stvit_deit_tiny")
    assert lines["num_tokens"] == (
        "semantic tokens, a count or a grid (H, W) or (T, H, W); where left out 4 along each axis (16, for clips 64), "
        "on smaller grids all"
    )
    assert lines["drop_rate"] == "dropout before the head"


@pytest.mark.parametrize("name", ["video_deit_tiny", "stvit_r_casvit_xs", "stvit_video_swin_tiny"])
def test_giving_the_defaults_changes_nothing(name):
    with torch.device("meta"):
        assert str(create_model(name, **option_defaults(name))) == str(create_model(name))


def test_unknown_name_suggests_the_closest():
    message = (  # the whole sentence, once for its family
        r"^no model is named 'stvit_video_diet_tiny', did you mean 'stvit_video_deit_tiny'\?; see list_models\(\)$"
    )
    with pytest.raises(ValueError, match=message):
        create_model("stvit_video_diet_tiny")


def test_unknown_option_suggests_the_closest():
    with pytest.raises(ValueError, match="deit_tiny .*no option 'num_token', .*'num_tokens'.* depth"):
        create_model("deit_tiny", num_token=3)
    with pytest.raises(ValueError, match="deit_tiny .*no option 'num_frames'"):
        create_model("deit_tiny", num_frames=8)
    assert "num_frames" in model_options("video_deit_tiny")


def without_weights(name, **options):
    """A model whose values take neither memory nor time: sizes are all that is asked for."""
    with torch.device("meta"):
        return create_model(name, **options)


@pytest.mark.parametrize(("name", "gmacs"), [("deit_tiny", 1.26), ("deit_small", 4.61), ("deit_base", 17.58)])
def test_cost_of_dense_models_is_the_published_one(name, gmacs):
    assert count_gmacs(without_weights(name), (3, 224, 224)) == pytest.approx(gmacs, rel=0.01)


@pytest.mark.parametrize(
    ("name", "limit"), [("stvit_deit_tiny", 0.55), ("stvit_deit_small", 1.95), ("stvit_deit_base", 7.4)]
)
def test_sixteen_tokens_cost_what_the_paper_says(name, limit):
    """ "Nearly 60 %" less than DeiT."""
    assert 0.9 * limit < count_gmacs(without_weights(name, num_tokens=16), (3, 224, 224)) <= limit


@pytest.mark.parametrize("name", [None, 5, ["deit_tiny"]])
def test_a_name_that_is_no_text(name):
    with pytest.raises(ValueError, match=rf"^{re.escape(repr(name))} .*no model's name.*list_models\(\)"):
        create_model(name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[
            ({option: value}, f"{option}={value} .*number, at least 1")
            for option, value in [
                ("num_classes", 0),
                ("num_classes", -1),
                ("num_classes", None),
                ("in_channels", 0),
                ("embed_dim", 8.0),
                ("num_heads", 0),
                ("depth", True),
                ("num_frames", 2.5),
                ("tubelet_size", 0),
                ("patch_size", 0),
                ("image_size", -16),
            ]
        ],
        (
            {"image_size": "16"},  # the whole sentence, once for its family
            r"^image_size='16' is not possible; give one whole number for both sides, or \(height, width\)$",
        ),
        ({"patch_size": (4, 4, 4)}, r"patch_size=\(4, 4, 4\) .*both sides, or \(height, width\)"),
        ({"patch_size": (4, 0)}, r"patch_size=\(4, 0\) .*each axis"),
        ({"mlp_ratio": 0}, r"mlp_ratio=0 .*8 channels.* 0\b"),
        ({"mlp_ratio": -1}, r"mlp_ratio=-1 .*8 channels.* -8\b"),
        ({"drop_rate": 1.0}, r"drop_rate=1.0 .*\[0, 1\)"),
        ({"drop_rate": -0.1}, r"drop_rate=-0.1 .*\[0, 1\)"),
        ({"drop_path_rate": 2}, r"drop_path_rate=2 .*\[0, 1\)"),
        ({"layer_scale_init": "1"}, "layer_scale_init='1' .*finite number"),
        ({"depth": 2}, "depth=2 .*few.* at least 4"),
        ({"num_tokens": 2.5}, "num_tokens=2.5 is no number of tokens"),
        ({"num_tokens": "4"}, "num_tokens='4' is no number of tokens"),
        ({"num_tokens": True}, "num_tokens=True is no number of tokens"),
        ({"pool": ""}, 'pool=\'\' .*"cls" or "mean"'),
    ],
)
def test_values_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        create_model("stvit_video_deit_tiny", **{**TINY, "num_frames": 4, "num_tokens": 4, **options})


def test_numpy_integers_and_lists_are_plain_numbers():
    options = {key: np.int64(value) for key, value in (TINY | {"num_frames": 4}).items()}
    options |= {"image_size": [np.int64(16), 20], "num_tokens": [1, 2, 2], "layer_scale_init": 1}
    model = create_model("stvit_video_deit_tiny", **options)
    model.set_num_tokens(np.int32(8))
    assert model.token_grid.sizes == (2, 2, 2)
    assert model(torch.randn(2, 3, 4, 16, 20)).shape == (2, 3)


def test_few_tokens_of_a_clip_cost_what_we_aim_at():
    """16 frames of 224 x 224, 64 tokens : at most 30 % of the dense model per frame, 40 % with joint blocks."""
    cost = partial(count_gmacs, input_size=(3, 16, 224, 224))
    dense = cost(without_weights("video_deit_small", base_attention="joint"))
    assert dense == pytest.approx(57, rel=0.01)  # published for VideoMAE-S
    assert cost(without_weights("stvit_video_deit_small", num_tokens=64)) <= 0.30 * dense
    assert cost(without_weights("stvit_video_deit_small", num_tokens=64, base_attention="joint")) <= 0.40 * dense
    assert cost(without_weights("stvit_video_deit_small")) <= 0.30 * cost(without_weights("video_deit_small"))


@pytest.mark.parametrize(
    ("name", "dense"),
    [("stvit_r_video_deit_tiny", "video_deit_tiny"), ("stvit_swin_base", "swin_base"), ("deit_small", "deit_small")],
)
def test_dense_names(name, dense):
    assert dense_name(name) == dense
