import pytest

from stvit_video.models.deit_variants import deit

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 6}


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
