import pytest
import torch

from stvit_video.models.deit.variants import deit
from stvit_video.tokens.grid import TokenGrid

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 6}
CLIPS = {**SMALL, "video": True, "num_classes": 3, "num_frames": 6, "image_size": (32, 48), "patch_size": 8}


@pytest.mark.parametrize(
    ("options", "num_class_tokens", "num_frame_blocks"),
    [
        ({}, 1, 4),
        ({"base_attention": "joint"}, 0, 0),
        ({"base_attention": "joint", "pool": "cls"}, 1, 0),
        ({"reducer": "semantic", "generate_at": 2}, 0, 2),
        ({"reducer": "semantic", "generate_at": 2, "base_attention": "joint"}, 0, 0),
    ],
)
def test_pooling_and_frame_blocks_follow_the_base(options, num_class_tokens, num_frame_blocks):
    model = deit(
        video=True,
        num_classes=3,
        image_size=32,
        num_frames=4,
        **SMALL,
        **({"num_tokens": 8} if "reducer" in options else {}),
        **options,
    )
    assert model.num_class_tokens == num_class_tokens
    assert model.num_frame_blocks == num_frame_blocks


def test_sizes_as_numbers_or_pairs():
    model = deit(
        video=True, num_classes=3, image_size=(32, 48), num_frames=6, tubelet_size=3, patch_size=(16, 8), **SMALL
    )
    assert model.grid.sizes == (2, 2, 6)
    assert deit(video=False, num_classes=3, image_size=48, patch_size=8, **SMALL).grid.sizes == (6, 6)


def test_positions_of_joint_models_cover_the_clip():
    joint = deit(video=True, num_classes=3, image_size=32, num_frames=4, base_attention="joint", **SMALL)
    frame = deit(video=True, num_classes=3, image_size=32, num_frames=4, **SMALL)
    assert joint.pos_embed.shape == (1, 2 * 2 * 2, 8)
    assert frame.pos_embed.shape == (1, 1 + 2 * 2, 8)
    assert frame.temporal_pos_embed.shape == (1, 2, 8)


def test_the_slot_follows_the_options():
    model = deit(
        reducer="semantic",
        generate_at=2,
        num_tokens=24,
        token_window=(3, 2, 3),
        key_window=(3, 4, 4),
        generate_shortcut=False,
        global_centers=False,
        layer_scale_init=0.25,
        **CLIPS,
    )
    generator = model.reducers()[0]
    assert model.token_grid == generator.token_grid == TokenGrid((1, 4, 6))
    assert (generator.window, generator.key_window, generator.centres) == ((3, 2, 3), (3, 4, 4), None)
    assert [layer.attention_shortcut for layer in generator.layers] == [False, True]
    assert generator.layers[0].ls1.gamma.unique().tolist() == [0.25]


@pytest.mark.parametrize(("video", "sizes"), [(True, (4, 4, 4)), (False, (4, 4))])
def test_tokens_where_none_are_asked_for(video, sizes):
    assert deit(video=video, num_classes=3, reducer="semantic", generate_at=1, **SMALL).token_grid.sizes == sizes


@pytest.mark.parametrize(
    ("options", "after_pool"),
    [
        ({}, False),
        ({"base_attention": "joint"}, True),
        ({"base_attention": "joint", "norm_after_pool": False}, False),
        ({"norm_after_pool": True}, True),
        ({"base_attention": "joint", "reducer": "semantic", "generate_at": 1, "num_tokens": 8}, False),
    ],
)
def test_the_norm_comes_behind_the_mean_as_in_videomae(options, after_pool):
    assert deit(**CLIPS, **options).norm_after_pool == after_pool


def test_elastic_counts_are_drawn_in_training():
    model = deit(reducer="semantic", generate_at=1, num_tokens=12, elastic=[4, (3, 2, 1)], **CLIPS).train()
    counts = set()
    for _ in range(20):
        model(torch.randn(1, 3, 6, 32, 48))
        counts.add(model.reducers()[0].token_grid.sizes)
    assert counts == {(2, 1, 2), (3, 2, 1)}
    assert model.eval().forward_tokens(torch.randn(1, 3, 6, 32, 48)).shape == (1, 12, 8)


def test_semantic_and_weightless_models_share_their_image_weights():
    semantic, pool = (deit(reducer=r, generate_at=2, num_tokens=12, **CLIPS).state_dict() for r in ("semantic", "pool"))
    shared = [key for key in pool if key in semantic and pool[key].shape == semantic[key].shape]
    assert {"patch_embed.proj.weight", "pos_embed", "blocks.0.attn.qkv.weight", "blocks.1.mlp.fc2.bias"} <= set(shared)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tokens": 0}, "num_tokens=0 .*72 image tokens"),
        ({"num_tokens": 73}, "num_tokens=73 .*72 image tokens"),
        ({"num_tokens": (4, 2, 2)}, r"num_tokens=\(4, 2, 2\) .*grid \(3, 4, 6\)"),
        ({"num_tokens": (2, 2)}, r"num_tokens=\(2, 2\) .*grid \(3, 4, 6\)"),
        ({"token_window": (2, 4, 6)}, r"windows of \(2, 4, 6\) .*divide.* grid \(3, 4, 6\)"),
        ({"key_window": (3, 4, 6)}, r"key_window=\(3, 4, 6\) needs .*token_window"),
        ({"token_window": (3, 4, 3), "key_window": (3, 4, 2)}, r"key_window=\(3, 4, 2\) .*cover window=\(3, 4, 3\)"),
        ({"elastic": [12, 73]}, "num_tokens=73 .*72 image tokens"),
        ({"reducer": "mean"}, 'reducer=\'mean\' .*"semantic", "random"'),
        ({"generate_at": 3, "recover": True}, "generate_at=3 .*depth=6.* recovery takes 1.* 1 to 2"),
        ({"pool": "cls"}, 'pool="cls" .*semantic tokens'),
        ({"pool": "max"}, 'pool=\'max\' .*"cls" or "mean"'),
        ({"num_heads": 3}, "num_heads=3 .*8 channels"),
        ({"num_frames": 5}, r"size \(5, 32, 48\) .*patches of \(2, 8, 8\)"),
        ({"generate_at": 4}, "generate_at=4 .*depth=6.* 1 to 3"),
        ({"reducer": "none", "num_tokens": 4}, "num_tokens=4 .*dense model"),
        ({"reducer": "none", "num_tokens": None, "elastic": [4]}, r"elastic=\[4\] .*semantic tokens"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        deit(**{**CLIPS, "reducer": "semantic", "generate_at": 2, "num_tokens": 12, **options})
