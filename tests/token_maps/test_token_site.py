"""Logits of tokens that are put in the place of others, for every kind of model."""

import pytest
import torch

from stvit_video.models import create_model
from stvit_video.models.base import TokenModel
from stvit_video.token_maps.token_site import TokenSite, allowed_layers, default_layer, token_site
from tests.helpers.short_models import KINDS, short_clip, short_model

pytestmark = pytest.mark.filterwarnings("ignore:generate_at")

BESIDE_CLASS_TOKENS = ("deit_tiny", "video_deit_tiny")  # come out of one block; test_tokens_beside_class_tokens


@pytest.fixture(scope="module", params=KINDS)
def looked(request):
    """A model of each kind, its site, a clip and the tokens of that."""
    model = short_model(request.param)
    site = token_site(model)
    clip = short_clip(model)
    return model, site, clip, site.see(clip)


def test_the_tokens_as_they_are_give_the_logits_of_the_model(looked):
    model, site, clip, seen = looked
    with torch.no_grad():
        found = site.logits(seen.tokens.flatten(1, -2).expand(2, -1, -1), seen)
        torch.testing.assert_close(found, model(clip).expand(2, -1))


@pytest.mark.parametrize("looked", [kind for kind in KINDS if kind not in BESIDE_CLASS_TOKENS], indirect=True)
def test_other_tokens_give_what_the_whole_model_gives_with_them(looked):
    """The model is run again with them in the place of what comes out of the block."""
    model, site, clip, seen = looked
    others = seen.tokens.flatten(1, -2).flip(1).repeat(3, 1, 1) * torch.tensor([1.0, 0.5, 2.0])[:, None, None]
    anew = TokenSite(model, site.parts, site.place)
    with torch.no_grad():
        torch.testing.assert_close(site.logits(others, seen), anew.logits(others, anew.see(clip)))
        assert not torch.allclose(site.logits(others, seen), model(clip))


def test_tokens_beside_class_tokens():
    model = short_model("video_deit_tiny", depth=4)
    site, clip = token_site(model, layer=2), short_clip(model)
    seen = site.see(clip)
    image_tokens, class_tokens = model.encode_frames(clip)
    x = torch.cat([class_tokens, (image_tokens + model.temporal_pos_embed[:, :, None, None]).flatten(1, -2)], dim=1)
    x = model.blocks[1](x)
    torch.testing.assert_close(seen.class_tokens, x[:, : class_tokens.shape[1]].detach())
    torch.testing.assert_close(seen.tokens.flatten(1, -2), x[:, class_tokens.shape[1] :].detach())
    others = x[:, class_tokens.shape[1] :].flip(1)[:, 3:]  # three are left out
    expected = model.blocks[3](model.blocks[2](torch.cat([x[:, : class_tokens.shape[1]], others], dim=1)))
    expected = model.head(model.norm(expected)[:, : class_tokens.shape[1]].mean(1))
    torch.testing.assert_close(site.logits(others, seen), expected)


@pytest.mark.parametrize("name", ["stvit_deit_tiny", "stvit_r_deit_tiny", "stvit_video_deit_tiny"])
def test_fewer_tokens_are_those_of_later_layers_built_by_hand(name):
    model = short_model(name)
    site, clip = token_site(model), short_clip(model)
    seen = site.see(clip)
    assert site.can_leave_out
    fewer = seen.tokens.flatten(1, -2)[:, 1:]
    x = fewer
    for kind, block in zip(model.kinds, model.blocks, strict=True):
        if kind == "refine":
            x = block(x)
        elif kind == "recover":
            x = block(seen.image_tokens.flatten(1, -2), x)
    torch.testing.assert_close(site.logits(fewer, seen), model.head(model.norm(x).mean(1)))


@pytest.mark.parametrize("layer", [1, 2])
def test_pictures_of_a_dense_model_can_be_looked_at_behind_all_blocks_but_the_last(layer):
    model = short_model("deit_tiny", depth=3)
    site = token_site(model, layer=layer)
    seen = site.see(short_clip(model))
    assert seen.tokens.shape == (1, 4, 4, 8)
    assert site.words == f"image tokens after {layer} of 3 blocks"
    assert not site.is_semantic


def test_models_of_clips_with_joint_blocks_can_too():
    model = short_model("video_deit_tiny", base_attention="joint", depth=3)
    assert list(allowed_layers(model)) == [1, 2, 3]
    seen = token_site(model, layer=3).see(short_clip(model))
    assert (seen.tokens.shape, seen.class_tokens.shape[1]) == ((1, 2, 4, 4, 8), 0)  # the mean is classified


def test_elastic_tokens_and_places_count_as_chosen():
    model = short_model(
        "stvit_video_deit_tiny", depth=6, generate_at=3, elastic=[4, 8], elastic_generate_at=[1, 2, 3], num_tokens=8
    )
    clip = short_clip(model)
    assert token_site(model).words == "generated after 3 of 6 blocks"
    model.set_num_tokens(4)
    model.set_generate_at(1)
    site = token_site(model)
    seen = site.see(clip)
    assert site.words == "generated after 1 of 6 blocks"
    assert seen.tokens.flatten(1, -2).shape[1] == 4
    torch.testing.assert_close(site.logits(seen.tokens.flatten(1, -2), seen), model(clip))


def test_both_heads_of_a_distilled_model_count():
    model = short_model("stvit_video_casvit_xs", distillation=True)
    torch.nn.init.normal_(model.dist_head.weight)
    site, clip = token_site(model), short_clip(model)
    seen = site.see(clip)
    torch.testing.assert_close(site.logits(seen.tokens.flatten(1, -2), seen), model(clip))
    assert site.words.endswith("blocks of level 3")


def test_the_default_layer_is_allowed():
    for depth, expected in ((2, 1), (6, 4), (12, 8)):
        assert default_layer(create_model("deit_tiny", depth=depth, embed_dim=8, num_heads=2)) == expected
    clips = short_model("video_deit_tiny", depth=12, generate_at=10)
    assert default_layer(clips) == 10


@pytest.mark.parametrize(
    ("name", "layer", "words"),
    [
        ("stvit_deit_tiny", 1, "layer=1 is for dense models, and this one generates its tokens; leave layer out"),
        ("video_deit_tiny", 3, "layer=3 .* give 1, the number of blocks before"),
        ("video_deit_tiny", 2, "layer=2 is none where this model's image tokens do something for a label; give 1, "),
        ("swin_tiny", 0, "layer.*0"),
    ],
)
def test_layers_that_there_are_not(name, layer, words):
    with pytest.raises(ValueError, match=words):
        token_site(short_model(name), layer=layer)


def test_a_family_that_is_not_known_runs_all_of_its_model_again():
    class Other(TokenModel):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.grid = inner, inner.grid

        def forward_features(self, clip):
            return self.inner.forward_features(clip)

        def forward_head(self, features):
            return self.inner.forward_head(features)

    inner = short_model("stvit_deit_tiny")
    site, known = token_site(Other(inner)), token_site(inner)
    seen = site.see(short_clip(inner))
    tokens = seen.tokens.flatten(1, -2).flip(1)
    assert not site.can_leave_out
    torch.testing.assert_close(site.logits(tokens, seen), known.logits(tokens, seen))
    with pytest.raises(ValueError, match="dense Other can't be told apart; use a stvit_ model"):
        token_site(Other(short_model("deit_tiny")))


def test_behind_the_last_block_class_tokens_alone_are_classified():
    model = short_model("deit_tiny", depth=1)
    with pytest.raises(ValueError, match=r"can't be looked at: behind its 1 blocks .* or pool='mean'$"):
        token_site(model)
    whole = short_model("video_deit_tiny", depth=6, generate_at=4)
    with pytest.raises(ValueError, match="layer=6 is none .*; give 4 to 5, the number of blocks before"):
        token_site(whole, layer=6)
    pooled = short_model("deit_tiny", depth=1, pool="mean")
    seen = token_site(pooled).see(short_clip(pooled))
    assert seen.tokens.shape == (1, 4, 4, 8)
