import pytest
from torch import nn

from stvit_video.models.base import TokenModel
from stvit_video.models.family import Family, LayerGroups


class Nothing(TokenModel):
    """A model that only holds what it was asked for."""

    def __init__(self, **options):
        super().__init__()
        self.options = options
        self.head, self.head_drop = nn.Identity(), nn.Identity()


def nothing(*, video, num_classes, width, depth=3, num_frames=16, reducer="none", recover=False, stem="plain", cut=0):
    return Nothing(width=width, depth=depth, reducer=reducer, recover=recover, stem=stem, cut=cut, video=video)


GIVEN = {
    "name": "nothing",
    "builder": nothing,
    "model": Nothing,
    "sizes": {"big": {"width": 7}, "small2": {"width": 5, "depth": 2}},
}


def test_six_names_a_size():
    assert list(Family(**GIVEN).models()) == [
        *("nothing_big", "nothing_small2", "video_nothing_big", "video_nothing_small2"),
        *("stvit_nothing_big", "stvit_nothing_small2", "stvit_video_nothing_big", "stvit_video_nothing_small2"),
        *("stvit_r_nothing_big", "stvit_r_nothing_small2", "stvit_r_video_nothing_big", "stvit_r_video_nothing_small2"),
    ]


def test_the_builders_options_by_hand():
    models = Family(**GIVEN).models()
    assert models["nothing_big"].keywords == {"video": False, "num_classes": 1000, "width": 7}
    assert models["stvit_video_nothing_small2"].keywords == {
        **{"video": True, "num_classes": 400, "width": 5, "depth": 2, "reducer": "semantic"},
    }
    assert models["stvit_r_nothing_big"]().options == {
        **{"width": 7, "depth": 3, "reducer": "semantic", "recover": True, "stem": "plain", "cut": 0, "video": False},
    }


def test_the_more_special_option_counts():
    models = Family(
        **GIVEN,
        image={"cut": 1},
        video={"cut": 2, "num_classes": 11},
        semantic={"cut": 3},
        recovery={"stem": "conv"},
        exceptions={"stvit_nothing_big": {"cut": 4, "width": 13}},
    ).models()
    cuts = {name: builder.keywords["cut"] for name, builder in models.items() if name.endswith("big")}
    assert cuts == {
        **{"nothing_big": 1, "video_nothing_big": 2, "stvit_nothing_big": 4, "stvit_video_nothing_big": 3},
        **{"stvit_r_nothing_big": 1, "stvit_r_video_nothing_big": 2},
    }
    assert models["stvit_nothing_big"].keywords["width"] == 13
    assert models["video_nothing_big"].keywords["num_classes"] == 11
    assert [name for name, builder in models.items() if "stem" in builder.keywords] == [
        name for name in models if "stvit_r_" in name
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": {"very_big": {"width": 7}}}, "family nothing: 'very_big' .*a-z"),
        ({"exceptions": {"stvit_nothing_tiny": {"cut": 1}}}, "nothing .*stvit_nothing_tiny; .*nothing_small2"),
        ({"sizes": {"big": {"width": 7, "breadth": 1}}}, "nothing: .*breadth"),
        ({"clip_options": ("num_steps",)}, "nothing: .*num_steps"),
        (
            {"sizes": {"big": {"width": 7}, "small": {}}},  # the whole sentence, once for its family
            "^family nothing: nothing_small has no width; give it in sizes or as the builder's default$",
        ),
    ],
)
def test_families_that_are_none(change, message):
    with pytest.raises(ValueError, match=message):
        Family(**GIVEN | change)


def test_a_level_with_one_block_without_attention():
    groups = LayerGroups(attention_free_kinds=("mixer", "conv"))
    assert groups.lacks_attention(("refine", "conv"))
    assert not groups.lacks_attention(("refine", "window"))
    assert not LayerGroups().lacks_attention(("mixer",))
