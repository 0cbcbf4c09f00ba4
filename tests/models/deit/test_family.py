from stvit_video.models import create_model
from stvit_video.models.deit.family import DEIT


def test_sizes_by_hand():
    models = DEIT.models()
    assert len(models) == 18
    assert models["stvit_r_video_deit_base"].keywords == {
        **{"video": True, "num_classes": 400, "reducer": "semantic", "recover": True},
        **{"embed_dim": 768, "num_heads": 12},
    }


def test_every_parameter_outside_the_blocks_is_in_a_group():
    model = create_model("video_deit_tiny", depth=5, generate_at=2, embed_dim=12)
    outside = {name for name, _ in model.named_parameters() if not name.startswith("blocks.")}
    groups = DEIT.layers
    assert {name for name in outside if not name.startswith((*groups.first, *groups.norms, *groups.heads))} == {
        "temporal_pos_embed"
    }
    assert {name for name in outside if name.startswith(groups.first)} == {
        *("cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"),
    }
