"""One set of weights at several places of generation, against plain models that were built for each place."""

import warnings

import pytest
import torch

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.base import Choice
from stvit_video.tokens.generation_places import run_order

DEIT = {"image_size": 24, "patch_size": 8, "depth": 8, "embed_dim": 12, "num_heads": 2, "num_tokens": 4}
CLIPS = {**DEIT, "num_frames": 4, "num_tokens": (1, 2, 2)}
SWIN = {"image_size": 64, "embed_dim": 6, "num_heads": (1, 1, 2, 2), "depths": (1, 1, 7, 1), "window_size": 4}
CASVIT = {"image_size": 64, "embed_dims": (4, 6, 16, 16), "depths": (1, 1, 7, 1)}
MODELS = [
    ("stvit_deit_tiny", DEIT),
    ("stvit_deit_tiny", {**DEIT, "reducer": "pool"}),
    ("stvit_deit_tiny", {**DEIT, "reducer": "token_learner"}),
    ("stvit_r_deit_tiny", DEIT),
    ("stvit_video_deit_tiny", CLIPS),
    ("stvit_video_deit_tiny", {**CLIPS, "base_attention": "joint"}),
    ("stvit_video_deit_tiny", {**CLIPS, "reducer": "tome"}),
    ("stvit_swin_tiny", SWIN),
    ("stvit_video_swin_tiny", {**SWIN, "num_frames": 2}),
    ("stvit_casvit_xs", CASVIT),
    ("stvit_r_casvit_xs", CASVIT),
    ("stvit_video_casvit_xs", {**CASVIT, "num_frames": 3}),
]
PLACES = [1, 2, 4]


def build(name, options, **more):
    torch.manual_seed(1)
    model = create_model(name, num_classes=5, **options, **more).eval()
    for parameter in model.parameters():  # gains and heads that start at nearly nothing would hide a difference
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def input_of(name, options):
    frames = (options["num_frames"],) if "video" in name else ()
    return torch.randn(2, 3, *frames, options["image_size"], options["image_size"])


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_logits_at_each_place_equal_those_of_a_plain_model(name, options):
    elastic, x = build(name, options, elastic_generate_at=PLACES), input_of(name, options)
    assert (elastic.generate_at, elastic.trained_places, elastic.num_image_blocks) == (4, (1, 2, 4), 4)
    found = {}
    for place in PLACES:
        elastic.set_generate_at(place)
        plain = create_model(name, num_classes=5, **options, generate_at=place).eval()
        load_checkpoint(plain, elastic.state_dict())
        found[place] = elastic(x)
        torch.testing.assert_close(found[place], plain(x), rtol=1e-6, atol=1e-6)
    assert not torch.allclose(found[1], found[4], rtol=1e-3)  # the place matters at all


@pytest.mark.parametrize(("name", "options"), [MODELS[0], MODELS[1], MODELS[4], MODELS[7], MODELS[9]])
def test_a_plain_checkpoint_of_any_place_becomes_elastic(name, options):
    x = input_of(name, options)
    for place in PLACES:
        plain = build(name, options, generate_at=place)
        elastic = create_model(name, num_classes=5, **options, elastic_generate_at=PLACES).eval()
        load_checkpoint(elastic, plain.state_dict())
        elastic.set_generate_at(place)
        torch.testing.assert_close(elastic(x), plain(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["stvit_r_swin_tiny", "stvit_r_swin_small"])
def test_units_of_stvit_r_can_not_move_generation(name):
    depths = {"depths": (1, 1, 6 if "tiny" in name else 12, 1)}
    options = {**SWIN, **depths}
    model = create_model(name, num_classes=5, **options)
    assert (model.generate_at, model.trained_places, model.num_image_blocks) == (None, (), 0)
    with pytest.raises(ValueError, match="generate_at=1 .*units of fixed blocks"):
        model.set_generate_at(1)
    with pytest.raises(ValueError, match=r"elastic_generate_at=\[1, 2\] has no meaning for a model with recovery"):
        create_model(name, num_classes=5, elastic_generate_at=[1, 2], **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [("video_deit_tiny", {**CLIPS, "num_tokens": None}), ("swin_tiny", SWIN), ("casvit_xs", CASVIT)],
)
def test_dense_models_have_no_place(name, options):
    options = {key: value for key, value in options.items() if value is not None}
    model = create_model(name, num_classes=5, **options)
    assert (model.generate_at, model.trained_places, model.trained_counts) == (None, (), ())
    with pytest.raises(ValueError, match="generate_at=2 .*no semantic tokens"):
        model.set_generate_at(2)
    with pytest.raises(ValueError, match=r"elastic_generate_at=\[1\] has no meaning for a dense model"):
        create_model(name, num_classes=5, elastic_generate_at=[1], **options)


def test_places_that_are_not_there():
    model = build("stvit_deit_tiny", DEIT, elastic_generate_at=PLACES)
    for place, words in ((0, "at least 1"), (5, "deeper than the 4 image blocks"), (1.5, "whole number")):
        with pytest.raises(ValueError, match=f"generate_at={place} .*{words}"):
            model.set_generate_at(place)
    assert model.generate_at == 4
    with pytest.raises(ValueError, match="generate_at=7 does not fit depth=8; .*choose 1 to 5"):
        create_model("stvit_deit_tiny", **DEIT, elastic_generate_at=[1, 7])


def test_an_untrained_place_runs_with_a_warning_that_names_the_trained_ones():
    model = build("stvit_deit_tiny", DEIT, elastic_generate_at=[1, 2, 4])
    with pytest.warns(UserWarning, match="generate_at=3 .*trained for 1, 2, 4"):
        model.set_generate_at(3)
    plain = build("stvit_deit_tiny", DEIT, generate_at=4)
    with pytest.warns(UserWarning, match="generate_at=2 .*trained for 4"):
        plain.set_generate_at(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain.set_generate_at(4)


def test_training_draws_places_and_validation_has_the_chosen_one():
    model = build("stvit_video_deit_tiny", CLIPS, elastic=[1, 4], elastic_generate_at=PLACES, generate_at=2)
    orders = {place: run_order(model.kinds, place) for place in PLACES}
    generator = torch.Generator().manual_seed(3)
    model.train()
    drawn = set()
    for _ in range(60):
        model.draw_tokens(generator=generator)
        place = next(place for place, order in orders.items() if order == model.order)
        drawn.add((model.reducers()[0].token_grid.count, place))
    assert drawn == {(count, place) for count in (1, 4) for place in PLACES}
    assert model.generate_at == 2
    model.eval()
    assert (model.order, model.generate_at) == (orders[2], 2)
    model.draw_tokens()
    assert model.order == orders[2]


def test_draws_of_counts_are_those_of_a_model_without_places():
    drawn = []
    for more in ({}, {"elastic_generate_at": [3]}):
        model = build("stvit_deit_tiny", DEIT, elastic=[1, 2, 4], **more).train()
        model.draw_tokens(generator=torch.Generator().manual_seed(7))
        drawn.append(model.reducers()[0].token_grid)
    assert drawn[0] == drawn[1]


def test_a_sandwich_has_both_ends_and_a_drawn_choice():
    model = build("stvit_deit_tiny", DEIT, elastic=[4, 1, 9], elastic_generate_at=PLACES)
    grids = {grid.count: grid for grid in (model.resolve_tokens(count) for count in (1, 4, 9))}
    for seed in range(5):
        first, second, third = model.sandwich_choices(generator=torch.Generator().manual_seed(seed))
        assert (first, second) == (Choice(grids[9], 4), Choice(grids[1], 1))
        assert third.place in PLACES
        assert third.token_grid in grids.values()
    model.use_choice(Choice(grids[1], 1))
    assert (model.reducers()[0].token_grid.count, model.order) == (1, run_order(model.kinds, 1))
    plain = build("stvit_deit_tiny", DEIT)
    assert plain.sandwich_choices() == (Choice(), Choice(), Choice())


def test_the_place_lies_behind_the_frame_blocks_that_can_be_kept():
    model, clip = build("stvit_video_deit_tiny", CLIPS, elastic_generate_at=PLACES), input_of("video", CLIPS)
    counts = []
    for place in PLACES:
        model.set_generate_at(place)
        assert model.num_frame_blocks == place
        image_tokens, class_tokens = model.encode_frames(clip)
        alone, _ = model.encode_frames(clip[:, :, :2])  # the first tubelet step by itself
        torch.testing.assert_close(image_tokens[:, :1], alone)
        torch.testing.assert_close(
            model.forward_head(model.mix_frames(image_tokens, class_tokens).mean(1)), model(clip)
        )
        counts.append(len(model.blocks))
    assert counts == [7, 7, 7]  # one reducer of two layers, six ordinary blocks


@pytest.mark.parametrize(("name", "options"), MODELS)
def test_every_weight_has_a_gradient_at_every_place(name, options):
    model, x = build(name, options, elastic_generate_at=PLACES).train(), input_of(name, options)
    for place in PLACES:
        model.use_choice(Choice(place=place))
        model.zero_grad()
        model.forward_logits(x)[0].square().sum().backward()
        assert [key for key, value in model.named_parameters() if value.grad is None] == []
