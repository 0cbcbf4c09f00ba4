"""The settings of a search: lists from the checkpoint, all combinations, costs counted once a shape, reasons told."""

from dataclasses import replace

import pytest
import torch

from stvit_video.budgets.search_space import SearchSpace, chosen_space, count_costs, default_space
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models import create_model


def test_the_default_is_what_was_trained_and_cheaper_inputs(elastic_run):
    space = default_space(elastic_run.load())
    assert space == SearchSpace(
        num_frames=(2, 4),
        frame_stride=(2, 4),
        crop_size=(12, 16),
        num_tokens=(2, 4),
        generate_at=(1, 2),
        num_clips=(1, 2),
        num_crops=(1, 3),
    )
    assert space.plain()["num_tokens"] == [2, 4]


def test_a_plain_model_a_dense_one_and_one_of_images(tiny_run, elastic_run):
    tiny = default_space(load_recognizer(tiny_run.checkpoint, device="cpu"))
    assert (tiny.num_tokens, tiny.generate_at) == ((4,), (1,))
    options = {"embed_dim": 8, "num_heads": 2, "depth": 4, "patch_size": 4, "image_size": 16}
    dense = replace(elastic_run.load(), model=create_model("video_deit_tiny", num_frames=4, **options))
    assert (default_space(dense).num_tokens, default_space(dense).generate_at) == ((None,), (None,))
    sizes = replace(dense.preprocessing, num_frames=1)
    image = default_space(replace(dense, model=create_model("deit_tiny", **options), preprocessing=sizes))
    assert (image.num_frames, image.frame_stride, image.crop_size, image.num_clips) == ((1,), (2,), (12, 16), (1,))


def test_lists_that_are_given_take_the_place_of_the_default(elastic_run):
    trained = elastic_run.load()
    space = chosen_space(trained, {"num_tokens": (8, (1, 2, 2), 8), "num_clips": (5,), "num_crops": None})
    assert (space.num_tokens, space.num_clips, space.num_crops) == ((8, (1, 2, 2)), (5,), (1, 3))
    assert space.plain()["num_tokens"] == [8, [1, 2, 2]]


def test_combinations_are_all_and_each_once(elastic_run):
    trained = elastic_run.load()
    found = default_space(trained).combinations(trained)
    assert len(found) == len(set(found)) == 2**7
    assert {(one.crop_size, one.short_side) for one in found} == {(12, 15), (16, 20)}


def test_costs_are_those_of_all_views_and_each_shape_is_counted_once(elastic_run):
    trained = elastic_run.load()
    settings = replace(default_space(trained), num_frames=(2, 4), crop_size=(16,), generate_at=(1,)).combinations(
        trained
    )
    counted = []

    def count(model, size):
        counted.append((model.token_grid, model.generate_at, size))
        return count_gmacs(model, size)

    costs, notes = count_costs(trained, settings, count=count)
    assert len(counted) == len(set(counted)) == 2**2
    for one, cost in list(zip(settings, costs, strict=True))[::7]:
        run = load_recognizer(elastic_run.checkpoint, device="cpu", **one.plain())
        if one.num_frames == 4:
            assert cost == pytest.approx(count_gmacs(run.model, one.view_size) * one.num_views)
    refused = [one for one, cost in zip(settings, costs, strict=True) if cost is None]
    assert {one.num_frames for one in refused} <= {2}  # one step in time, and two of tokens
    assert [int(note.split()[0]) for note in notes] == ([len(refused)] if refused else [])


def test_settings_that_the_model_refuses_are_counted_with_their_reason(elastic_run):
    trained = elastic_run.load()
    space = chosen_space(
        trained, {"num_frames": (4,), "num_tokens": (2, 999), "crop_size": (16, 15), "generate_at": (1, 7)}
    )
    settings = space.combinations(trained)
    costs, notes = count_costs(trained, settings)
    assert [(one.num_tokens, one.crop_size, one.generate_at) for one, cost in zip(settings, costs, strict=True) if cost]
    assert {one.num_tokens for one, cost in zip(settings, costs, strict=True) if cost is not None} == {2}
    assert {one.crop_size for one, cost in zip(settings, costs, strict=True) if cost is not None} == {16}
    assert any("num_tokens=999" in note for note in notes)
    assert any("generate_at=7" in note for note in notes)
    assert sum(int(note.split()[0]) for note in notes) == costs.count(None)
    with pytest.raises(ValueError, match=r"not one of \d+ settings can be run: num_tokens=999"):
        count_costs(trained, [one for one in settings if one.num_tokens == 999])


def test_a_view_that_does_not_fit_into_memory_is_left_out(elastic_run):
    trained = elastic_run.load()
    settings = default_space(trained).combinations(trained)

    def count(model, size):
        if size[-1] == 16:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return 1.0

    costs, notes = count_costs(trained, settings, count=count)
    assert {one.crop_size for one, cost in zip(settings, costs, strict=True) if cost is None} == {16}
    assert any("4 frames of 16 pixels does not fit into memory" in note for note in notes)

    def broken(model, size):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        count_costs(trained, settings, count=broken)
