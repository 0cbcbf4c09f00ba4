"""What the sliders offer, of models of every kind."""

import pytest
from elastic_run import OPTIONS
from untrained_run import MODEL

from stvit_video.models import create_model
from stvit_video.webdemo.demo_model import Steps
from stvit_video.webdemo.token_steps import fixed_words, place_steps, token_steps, tokens_of_count

OF_16 = {**OPTIONS, "num_frames": 8}  # a grid of 4 x 4 x 4 image tokens


def made(**options):
    return create_model(MODEL, **{**OF_16, **options})


def test_tokens_of_an_elastic_model():
    model = made(elastic=[16, 4, 8], num_tokens=8)
    assert token_steps(model) == Steps(low=4, high=16, step=4, chosen=8, trained=(4, 8, 16))
    assert fixed_words(model) == ""
    for count in (4, 8, 12, 16):
        assert tokens_of_count(model, count) == count


def test_tokens_of_a_model_that_is_elastic_in_grids():
    model = made(elastic=[[1, 2, 2], [2, 2, 2]], num_tokens=[2, 2, 2])
    assert token_steps(model) == Steps(low=4, high=8, step=4, chosen=8, trained=(4, 8))
    assert tokens_of_count(model, 4) == [1, 2, 2]


@pytest.mark.parametrize(
    ("options", "told"),
    [({"elastic": None}, "trained for 4 tokens alone; model.elastic="), ({"elastic": [4]}, "for 4 tokens alone")],
)
def test_one_count_is_no_slider(options, told):
    model = made(**options)
    assert token_steps(model) is None
    assert told in fixed_words(model)


def test_places():
    model = made(generate_at=3, elastic_generate_at=[1, 3])
    assert place_steps(model) == Steps(low=1, high=3, step=1, chosen=3, trained=(1, 3))
    assert place_steps(made(generate_at=2, elastic_generate_at=None)) == Steps(
        low=1, high=2, step=1, chosen=2, trained=(2,)
    )
    assert place_steps(made(generate_at=1, elastic_generate_at=None)) is None


def test_a_dense_model_has_none():
    dense = create_model(
        "video_deit_tiny", **{key: OF_16[key] for key in ("num_classes", "num_frames", "image_size", "patch_size")}
    )
    assert (token_steps(dense), place_steps(dense)) == (None, None)
    assert "dense model has no semantic tokens" in fixed_words(dense)
