from stvit_video.models import create_model
from stvit_video.models.casvit.family import CASVIT


def test_sizes_by_hand():
    models = CASVIT.models()
    assert len(models) == 24
    assert models["video_casvit_xs"].keywords == {
        **{"video": True, "num_classes": 400, "embed_dims": (48, 56, 112, 220), "depths": (2, 2, 4, 2)},
    }
    assert models["stvit_r_casvit_m"].keywords == {
        **{"video": False, "num_classes": 1000, "reducer": "semantic", "recover": True, "token_stride": 2},
        **{"embed_dims": (64, 96, 192, 384), "depths": (3, 3, 6, 3)},
    }


def test_the_larger_semantic_image_models_have_more_tokens():
    assert sorted(name for name, builder in CASVIT.models().items() if "token_stride" in builder.keywords) == [
        *("stvit_casvit_m", "stvit_casvit_s", "stvit_casvit_t"),
        *("stvit_r_casvit_m", "stvit_r_casvit_s", "stvit_r_casvit_t"),
    ]


def test_every_parameter_outside_the_levels_is_in_a_group():
    groups = CASVIT.layers
    for options in ({"distillation": True}, {"features_only": True}):
        model = create_model("casvit_xs", **options)
        outside = {name for name, _ in model.named_parameters() if not name.startswith("levels.")}
        assert all(name.startswith((*groups.first, *groups.norms, *groups.heads)) for name in outside)
