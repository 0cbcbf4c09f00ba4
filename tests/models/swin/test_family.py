from stvit_video.models import create_model
from stvit_video.models.swin.family import SWIN


def test_sizes_by_hand():
    models = SWIN.models()
    assert len(models) == 18
    assert models["stvit_video_swin_tiny"].keywords == {
        **{"video": True, "num_classes": 400, "reducer": "semantic"},
        **{"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)},
    }
    assert models["stvit_r_swin_base"].keywords == {
        **{"video": False, "num_classes": 1000, "reducer": "semantic", "recover": True},
        **{"conv_stem": True, "generate_shortcut": False, "global_centers": False, "block_layer_scale": 1e-5},
        **{"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
    }


def test_every_parameter_outside_the_levels_is_in_a_group():
    groups = SWIN.layers
    for options in ({}, {"features_only": True}):
        model = create_model("stvit_r_swin_tiny", embed_dim=12, num_heads=(1, 2, 3, 4), **options)
        outside = {name for name, _ in model.named_parameters() if not name.startswith("levels.")}
        assert all(name.startswith((*groups.first, *groups.norms, *groups.heads)) for name in outside)
        assert "patch_embed.conv1.weight" in outside
