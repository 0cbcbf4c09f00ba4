"""What models give for frames that share semantic tokens, against frames that run alone with tokens put in by hooks."""

import pytest
import torch
from put_tokens import tokens_noted, tokens_put

from stvit_video.layers.key_spans import PADDING_RULES
from stvit_video.models import create_model
from stvit_video.models.swin.model import PADDING_RULE
from stvit_video.models.swin.windowed import RELEASED_WINDOWS
from stvit_video.tokens.key_frames import KeyFrames, clip_tokens
from stvit_video.tokens.shared_tokens import SharedTokens

SWIN = {"embed_dim": 8, "depths": (1, 1, 12, 1), "num_heads": (1, 1, 2, 2)}
MODELS = {
    "swin": ("stvit_r_swin_tiny", SWIN),
    "windowed": ("stvit_r_swin_tiny", {**SWIN, **RELEASED_WINDOWS}),
    "pool": ("stvit_r_swin_tiny", {**SWIN, "reducer": "pool"}),
    "casvit": ("stvit_r_casvit_xs", {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1)}),
}


def model_of(kind, rule=0):
    torch.manual_seed(0)
    name, options = MODELS[kind]
    model = create_model(name, features_only=True, layer_scale_init=0.5, **options)
    if kind == "windowed":
        model.load_state_dict(model.state_dict() | {PADDING_RULE: torch.tensor(rule)})
    return model.eval()


def tokens_of(model, frame):
    with tokens_noted(model) as found:
        model(frame)
    return found


def maps_from(model, frame, tokens):
    """The maps of a frame that runs alone and recovers from tokens of another one."""
    with tokens_put(model, tokens):
        return model(frame)


def assert_maps(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "rule"), [*((kind, 0) for kind in MODELS), ("windowed", 1)])
@torch.no_grad()
def test_frames_recover_from_the_tokens_of_their_key_frame(kind, rule):
    assert PADDING_RULES[1] == "released detector"
    model, frames = model_of(kind, rule), torch.randn(5, 3, 192, 160)
    found = model(frames, shared=SharedTokens(["a", "a", "b", "a", "b"]))
    for row, key in enumerate([0, 0, 2, 0, 2]):
        expected = maps_from(model, frames[row : row + 1], tokens_of(model, frames[key : key + 1]))
        assert_maps([level[row : row + 1] for level in found], expected)
    alone = model(frames[3:4])
    assert not torch.allclose(found[2][3:4], alone[2], atol=1e-3)  # what another frame's tokens change can be seen
    assert torch.equal(found[1][3:4], model(frames[[0, 1, 2, 3, 4]])[1][3:4])  # level 2 lies before all tokens


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_batches_make_no_difference(kind):
    model, frames, names = model_of(kind), torch.randn(7, 3, 96, 96), ["a"] * 5 + ["b"] * 2
    places = [0, 1, 2, 3, 4, 0, 1]
    whole = model(frames, shared=KeyFrames(3).shared(names, places))
    keys, found = KeyFrames(3), []
    for rows in (slice(0, 2), slice(2, 3), slice(3, 7)):
        found.append(model(frames[rows], shared=keys.shared(names[rows], places[rows])))
    assert_maps([torch.cat(level) for level in zip(*found, strict=True)], whole)


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_key_frames_alone_give_what_they_give_today(kind):
    model, frames = model_of(kind), torch.randn(3, 3, 96, 160)
    assert KeyFrames(1).shared(["a"] * 3, [0, 1, 2]) is None
    for one, other in zip(model(frames), model(frames, shared=SharedTokens([0, 1, 2])), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_frames_of_several_sizes(kind):
    """Each size of a run has a key frame of its own, and padding changes nothing."""
    model = model_of(kind)
    sizes = [(96, 64), (64, 96), (96, 64), (64, 96)]
    frames = torch.zeros(4, 3, 96, 96)
    for frame, (height, width) in zip(frames, sizes, strict=True):
        frame[:, :height, :width] = torch.randn(3, height, width)
    found = model(frames, sizes, shared=SharedTokens(["a"] * 4))
    for key, rows in ((0, (0, 2)), (1, (1, 3))):
        height, width = sizes[key]
        tokens = tokens_of(model, frames[key : key + 1, :, :height, :width])
        for row in rows:
            expected = maps_from(model, frames[row : row + 1, :, :height, :width], tokens)
            for level, own in zip(found, expected, strict=True):
                torch.testing.assert_close(level[row : row + 1, :, : own.shape[-2], : own.shape[-1]], own)


@pytest.mark.parametrize("kind", MODELS)
def test_training_reaches_every_weight_and_recomputed_blocks_give_the_same_gradients(kind):
    model, frames = model_of(kind), torch.randn(4, 3, 64, 64)
    found = []
    for recompute in (False, True):
        model.recompute_blocks(recompute=recompute)
        model.zero_grad()
        sum(level.square().mean() for level in model(frames, shared=clip_tokens(4, clip_frames=2))).backward()
        assert [name for name, one in model.named_parameters() if one.grad is None] == []
        found.append([one.grad.clone() for one in model.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_a_dense_model_has_nothing_to_share():
    swin = create_model("swin_tiny", features_only=True, embed_dim=8, depths=(1, 1, 2, 1), num_heads=(1, 1, 2, 2))
    for name, model in {"swin": swin, "casvit": create_model("casvit_xs", features_only=True)}.items():
        with pytest.raises(ValueError, match="key_every.*stvit_r_"):
            model(torch.zeros(2, 3, 64, 64), shared=SharedTokens([name] * 2))


@torch.no_grad()
def test_a_run_for_each_frame():
    with pytest.raises(ValueError, match=r"2 runs .* 3 frames"):
        model_of("casvit")(torch.zeros(3, 3, 64, 64), shared=SharedTokens([0, 0]))
    classifier = create_model("stvit_r_casvit_xs")
    with pytest.raises(ValueError, match="features_only=True"):
        classifier(torch.zeros(2, 3, 64, 64), shared=SharedTokens([0, 0]))
