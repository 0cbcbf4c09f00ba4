import json
from itertools import product

import numpy as np
import pytest
import torch
from golden_files import GOLDEN, golden_fill

from stvit_video.layers.drop_path import DropPath
from stvit_video.models.build_blocks import make_slot
from stvit_video.models.casvit.formats import FORMATS
from stvit_video.models.casvit.levels import level_grid
from stvit_video.models.casvit.model import CasViT
from stvit_video.models.casvit.plan import casvit_plan
from stvit_video.models.casvit.variants import casvit
from stvit_video.tokens.grid import TokenGrid

DIMS, DEPTHS = (6, 8, 12, 10), (1, 2, 5, 1)
SMALL = {"num_classes": 5, "embed_dims": DIMS, "depths": DEPTHS, "head_dim": 4, "mlp_ratio": 2.0}
SIZE = (50, 70)  # level 3 has a grid of 4 x 5, level 4 of 2 x 3
VIDEO = {**SMALL, "video": True, "num_frames": 3, "image_size": SIZE}
IMAGE = {**SMALL, "video": False, "image_size": SIZE}


REDUCING = ("semantic", "random", "pool", "tome")


def randomised(model, seed=0):
    """In eval mode, no layer near the identity, running statistics those of random input."""
    generator = torch.Generator().manual_seed(seed)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
        for norm in norms:
            norm.momentum = 1.0
        model.train()(torch.randn(4, 3, *model.input_size, generator=generator))
    for norm in norms:
        norm.momentum = 0.1
    return model.eval()


def video_model(reducer="none", **options):
    torch.manual_seed(0)
    return randomised(casvit(reducer=reducer, **{**VIDEO, **options}))


def image_model(reducer="none", **options):
    torch.manual_seed(0)
    return randomised(casvit(reducer=reducer, **{**IMAGE, **options}))


def clips(num_frames=3, batch=2, size=SIZE):
    return torch.randn(batch, 3, num_frames, *size, generator=torch.Generator().manual_seed(1))


def golden(name):
    """The answers, and the authors' weights in our names, with the input."""
    fill = golden_fill()
    answers = np.load(GOLDEN / f"{name}.npz")
    meta = json.loads(str(answers["meta"]))
    state = {
        key: fill.tensor_for(key, shape) if dtype == "float32" else torch.zeros(shape, dtype=torch.int64)
        for key, shape, dtype in meta["keys"]
    }
    (known,) = [known for known in FORMATS if known.matches(state)]
    options = {"embed_dims": meta["config"]["embed_dims"], "depths": meta["config"]["layers"]}
    return answers, known.convert(state), fill.image(**meta["input"]), options


def assert_like(actual, expected):
    """Equal to 1e-4 of the largest value."""
    assert actual.shape == expected.shape
    assert np.abs(actual.numpy() - expected).max() <= 1e-4 * np.abs(expected).max()


def test_classifier_answers_as_the_authors_do():
    answers, state, image, options = golden("casvit_xs")
    model = casvit(video=False, num_classes=1000, distillation=True, **options).eval()
    model.load_state_dict(state)
    with torch.no_grad():
        assert_like(model(image), answers["logits"])
        assert_like(model.forward_pyramid(image)[-1], answers["features"])


def test_pyramid_answers_as_the_authors_do():
    answers, state, image, options = golden("casvit_xs_pyramid")
    model = casvit(video=False, num_classes=1000, features_only=True, **options).eval()
    model.load_state_dict(state)
    with torch.no_grad():
        maps = model(image)
    assert len(maps) == 4
    for i, actual in enumerate(maps):
        assert_like(actual, answers[f"p{i}"])


def test_clip_is_the_mean_over_its_frames_in_a_dense_model():
    video, image = video_model(), image_model()
    image.load_state_dict(video.state_dict())
    clip = clips()
    features = torch.stack([image.forward_features(clip[:, :, t]) for t in range(3)]).mean(0)
    torch.testing.assert_close(video.forward_features(clip), features)
    torch.testing.assert_close(video(clip), image.head(features))
    torch.testing.assert_close(video(clip[:, :, [2, 0, 1]]), video(clip))
    still = clip[:, :, :1].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(video(still), image(still[:, :, 0]), atol=1e-5, rtol=1e-5)
    maps = [image.forward_pyramid(clip[:, :, t]) for t in range(3)]
    for level, actual in enumerate(video.forward_pyramid(clip)):
        torch.testing.assert_close(actual, torch.stack([frame[level] for frame in maps], dim=2))


def test_semantic_video_step_by_step():
    model, clip = video_model("semantic", num_tokens=(2, 3, 2)), clips()
    frames = []
    for t in range(3):
        maps = model.stem(clip[:, :, t]).permute(0, 2, 3, 1)
        for level in model.levels[:2]:
            maps = level(maps)
        frames.append(model.levels[2].blocks[0](model.levels[2].downsample(maps)))
    image_tokens = torch.stack(frames, dim=1)
    torch.testing.assert_close(model.encode_frames(clip), image_tokens)
    _, generate, first, second, refine = model.levels[2].blocks
    tokens = generate(image_tokens + model.temporal_pos_embed[:, :, None, None])
    tokens = torch.stack([second(first(tokens[:, t])) for t in range(2)], dim=1)
    tokens = refine(tokens.flatten(1, 3)).unflatten(1, (2, 3, 2))
    last = [model.levels[3](tokens[:, t]).permute(0, 3, 1, 2) for t in range(2)]
    normed = torch.stack([model.norm(maps).flatten(2) for maps in last], dim=2)  # (B, C, T, N)
    expected = normed.flatten(2).transpose(1, 2)
    torch.testing.assert_close(model.mix_frames(image_tokens), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.forward_tokens(clip), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model(clip), model.head(expected.mean(1)), atol=1e-5, rtol=1e-5)
    assert expected.shape == (2, 2 * 2 * 1, 10)


@pytest.mark.parametrize("reducer", ["none", "semantic"])
def test_frames_are_encoded_alone(reducer):
    model, clip = video_model(reducer), clips()
    changed = clip.clone()
    changed[:, :, 1] += 1
    before, after = model.encode_frames(clip), model.encode_frames(changed)
    assert ((before - after).abs().amax((0, 2, 3, 4)) > 0).tolist() == [False, True, False]
    torch.testing.assert_close(model.encode_frames(clip[:, :, 1:2]), before[:, 1:2])
    torch.testing.assert_close(model.mix_frames(before).mean(1), model.forward_features(clip))


def test_order_of_frames_matters_to_semantic_tokens():
    model, clip = video_model("semantic"), clips()
    assert (model(clip) - model(clip.flip(2))).abs().max() > 1e-3


def semantic_image_model(token_grid):
    """STViT-CAS-ViT over images, its last block in level 3 among all tokens as in clips."""
    image_grid = level_grid(SIZE, 2)
    model = CasViT(
        input_size=SIZE,
        num_classes=5,
        embed_dims=DIMS,
        plan=casvit_plan(depths=DEPTHS, generate_at=1, reducer="semantic", joint=True),
        slot=make_slot(image_grid, dense=False, num_tokens=token_grid, default_tokens=1),
        mlp_ratio=2.0,
        head_dim=4,
    )
    return randomised(model, seed=2)


def test_still_clip_through_inflated_semantic_model_equals_the_image_model():
    image, video = semantic_image_model((3, 2)), video_model("semantic", num_tokens=(3, 3, 2))
    state, centres = image.state_dict(), "levels.2.blocks.1.centres"
    state[centres] = state[centres][:, None].expand(-1, 3, -1, -1, -1)
    state["temporal_pos_embed"] = torch.zeros(1, 3, 12)
    video.load_state_dict(state)
    still = clips()[:, :, :1].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(video(still), image(still[:, :, 0]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("reducer", ["none", "semantic", "random", "pool", "tome"])
@pytest.mark.parametrize("size", [(3, 50, 70), (5, 47, 64), (2, 96, 81)])
def test_other_sizes_than_the_model_was_made_for(reducer, size):
    model = video_model(reducer, **({} if reducer == "none" else {"num_tokens": (2, 2, 3)}))
    logits = model(clips(size[0], size=size[1:]))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


@pytest.mark.parametrize("reducer", ["semantic", "pool", "random"])
@pytest.mark.parametrize("size", [(36, 500), (33, 33)])
def test_pictures_with_fewer_positions_than_tokens_along_an_axis(reducer, size):
    """Level 3 of 36 pixels has 3 positions: they are as many tokens, in place of 7."""
    model = casvit(**{**IMAGE, "image_size": 224}, reducer=reducer, recover=True, features_only=True, token_stride=2)
    maps = model.eval()(torch.randn(1, 3, *size))
    assert [level.shape[2:] for level in maps] == [level_grid(size, i).sizes for i in range(4)]
    assert all(level.isfinite().all() for level in maps)


@pytest.mark.parametrize(
    ("reducer", "recover"), [("none", False), *product(("semantic", "random", "pool", "tome"), (False, True))]
)
@pytest.mark.parametrize("make", [image_model, video_model])
def test_every_parameter_learns(make, reducer, recover):
    model = make(reducer, recover=recover, drop_rate=0.1, distillation=True).train()
    clip = clips(batch=4) if make is video_model else clips(batch=4)[:, :, 0]
    model(clip).square().sum().backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_recovery_gives_a_whole_pyramid():
    model = video_model("semantic", recover=True, features_only=True, num_tokens=(2, 2, 3))
    shapes = [tuple(maps.shape) for maps in model(clips())]
    assert shapes == [(2, 6, 3, 13, 18), (2, 8, 3, 7, 9), (2, 12, 3, 4, 5), (2, 10, 3, 2, 3)]
    assert model.tokens_per_level() == (3 * 13 * 18, 3 * 7 * 9, 3 * 4 * 5, 3 * 2 * 3)
    with pytest.raises(ValueError, match="features_only=True .*forward_pyramid"):
        model.forward_features(clips())


def test_pyramid_is_normed_by_each_level():
    model = image_model(features_only=True)
    image, plain = clips()[:, :, 0], image_model()
    plain.load_state_dict(model.state_dict(), strict=False)
    for norm, maps, raw in zip(model.norms, model(image), plain.forward_pyramid(image), strict=True):
        torch.testing.assert_close(maps, norm(raw))


def test_semantic_tokens_have_no_pyramid():
    with pytest.raises(ValueError, match="no map of every level.* stvit_r_"):
        image_model("semantic", features_only=True)
    with pytest.raises(ValueError, match="no map of every level.* stvit_r_"):
        image_model("pool").forward_pyramid(clips()[:, :, 0])


def test_distillation():
    model, image = image_model(distillation=True), clips()[:, :, 0]
    labels, teacher = model.forward_both(image)
    features = model.forward_features(image)
    torch.testing.assert_close(labels, model.head(features))
    torch.testing.assert_close(teacher, model.dist_head(features))
    torch.testing.assert_close(model(image), (labels + teacher) / 2)
    torch.testing.assert_close(model.train()(image), sum(model.forward_both(image)) / 2)
    with pytest.raises(ValueError, match="no second head.* distillation=True"):
        image_model().forward_both(image)
    with pytest.raises(ValueError, match="distillation=True .*features_only=True"):
        image_model(distillation=True, features_only=True)


def test_set_num_tokens():
    model, clip = video_model("semantic", num_tokens=(2, 2, 3)), clips()
    worked_on = []
    for level in model.levels:
        level.blocks[-1].register_forward_hook(
            lambda block, inputs, output: worked_on.append(output[0, ..., 0].numel())
        )
    original = model(clip)
    for tokens, shape, last in [(1, (1, 1, 1), 1), (60, (3, 4, 5), 18), ((2, 3, 4), (2, 3, 4), 8)]:
        model.set_num_tokens(tokens)
        assert model.token_grid == TokenGrid(shape)
        assert model.forward_tokens(clip).shape == (2, last, 10)
        worked_on.clear()
        model(clip)
        assert model.tokens_per_level() == tuple(worked_on)
    model.set_num_tokens((2, 2, 3))
    torch.testing.assert_close(model(clip), original)
    with pytest.raises(ValueError, match="num_tokens=61 .*60 image tokens"):
        model.set_num_tokens(61)
    with pytest.raises(ValueError, match="num_tokens=4 .*dense model"):
        video_model().set_num_tokens(4)


def test_elastic_training_draws_its_counts():
    model, seen = video_model("semantic", elastic=[6, (3, 2, 2), 15]), set()
    generate = model.levels[2].blocks[1]
    generate.register_forward_hook(lambda block, inputs, output: seen.add(tuple(output.shape[1:-1])))
    model.train()
    for _ in range(20):
        model(clips())
    assert seen == {model.resolve_tokens(count).sizes for count in (6, (3, 2, 2), 15)}
    seen.clear()
    model.eval()(clips())
    assert seen == {model.token_grid.sizes}
    backbone = video_model("semantic", elastic=[4], num_tokens=15, recover=True, features_only=True).train()
    backbone(clips())
    assert backbone.levels[2].blocks[1].token_grid.count == 4


def test_stochastic_depth_grows_over_all_blocks():
    model = video_model("semantic", drop_path_rate=0.8)
    rates = [module.drop_probability for module in model.modules() if isinstance(module, DropPath)]
    assert rates == pytest.approx([i * 0.8 / 9 for i in range(10)])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("reducer", ["none", "semantic", "pool"])
def test_huge_input_gives_finite_logits(reducer, dtype):
    torch.manual_seed(0)
    model = casvit(reducer=reducer, **{**VIDEO, "embed_dims": (16, 16, 32, 32), "depths": (3, 3, 6, 3)}).eval()
    with torch.no_grad():
        assert model.to(dtype)(1e3 * clips().to(dtype)).isfinite().all()


def test_checks_stay_out_of_exported_and_compiled_graphs():
    model, clip = video_model("semantic", num_tokens=(2, 2, 3)), clips()
    with torch.no_grad():
        expected = model(clip)
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(clip), expected)
        torch.testing.assert_close(torch.export.export(model, (clip,)).module()(clip), expected)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (torch.zeros(1, 3, 50, 70), r"shape \(1, 3, 50, 70\) .*give \(B, 3, T, H, W\)"),
        (torch.zeros(1, 2, 3, 50, 70), r"shape \(1, 2, 3, 50, 70\) .*give \(B, 3, T, H, W\)"),
        (torch.zeros(1, 3, 3, 31, 70), r"size \(3, 31, 70\) .*small.* at least 32\b"),
        (torch.zeros(1, 3, 0, 50, 70), r"size \(0, 50, 70\) .*small.* 1 frame\b"),
        (torch.zeros(1, 3, 3, 50, 70, dtype=torch.uint8), "clip is torch.uint8; .*floating point"),
        (torch.zeros(1, 3, 3, 50, 70, dtype=torch.float64), "clip is torch.float64, .*torch.float32"),
    ],
)
def test_input_that_does_not_fit(clip, message):
    with pytest.raises(ValueError, match=message):
        video_model()(clip)


def test_a_smaller_clip_has_fewer_tokens():
    model, left = video_model("semantic", num_tokens=(3, 4, 5)), []
    model.reducers()[0].register_forward_hook(lambda module, inputs, output: left.append(tuple(output.shape[1:-1])))
    assert model(clips(2, size=(40, 40))).isfinite().all()
    assert left == [(2, 3, 3)]
