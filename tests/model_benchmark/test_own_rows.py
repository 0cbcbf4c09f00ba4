"""Rows of our models: which, beside which, and that they can be built."""

import pytest

from stvit_video.model_benchmark.own_rows import dense_label, dense_row, own_rows
from stvit_video.models import create_model, list_models
from stvit_video.models.registry import dense_name

SIZES = {"num_frames": 4, "image_size": (32, 48)}


def test_every_model_has_a_dense_one():
    assert {dense_name(name) for name in list_models()} <= set(list_models())
    assert all(dense_row(name, input_size=(4, 32, 32)).label == dense_label(name) for name in list_models())


def test_places_tokens_and_reducers_are_rows_behind_the_dense_model():
    rows = own_rows(
        ["stvit_video_deit_tiny"], **SIZES, places=(1, 3), token_counts=(4, (1, 2, 3)), reducers=("semantic", "tome")
    )
    assert [row.label for row in rows] == [
        "video_deit_tiny, joint",
        "stvit_video_deit_tiny, after 1, 4 tokens",
        "stvit_video_deit_tiny, after 3, 4 tokens",
        "stvit_video_deit_tiny, after 1, 1x2x3 tokens",
        "stvit_video_deit_tiny, after 3, 1x2x3 tokens",
        "stvit_video_deit_tiny, tome, after 1, 4 tokens",
        "stvit_video_deit_tiny, tome, after 3, 4 tokens",
        "stvit_video_deit_tiny, tome, after 1, 1x2x3 tokens",
        "stvit_video_deit_tiny, tome, after 3, 1x2x3 tokens",
    ]
    assert {row.baseline for row in rows} == {"video_deit_tiny, joint"}
    assert rows[0].options["base_attention"] == "joint"
    model = create_model(rows[6].name, **rows[6].options)
    assert (model.generate_at, model.token_grid.count) == (3, 4)
    assert rows[6].input_size == (4, 32, 48)


def test_the_places_of_deit_and_those_of_other_families():
    rows = own_rows(["stvit_deit_tiny", "stvit_swin_tiny"], **SIZES)
    assert [row.label for row in rows] == [
        "deit_tiny",
        "swin_tiny",
        *(f"stvit_deit_tiny, after {place}" for place in (1, 2, 4)),
        "stvit_swin_tiny",
    ]
    assert [row.input_size for row in rows] == [(32, 48)] * 6
    assert [row.baseline for row in rows] == ["deit_tiny", "swin_tiny", *["deit_tiny"] * 3, "swin_tiny"]


def test_a_dense_model_that_is_asked_for_stands_beside_the_joint_one():
    rows = own_rows(["video_deit_tiny", "stvit_r_video_deit_tiny"], **SIZES, places=(2,))
    assert [row.label for row in rows] == [
        "video_deit_tiny, joint",
        "video_deit_tiny",
        "stvit_r_video_deit_tiny, after 2",
    ]
    assert "base_attention" not in rows[1].options
    assert [row.label for row in own_rows(["deit_tiny"], **SIZES)] == ["deit_tiny"]


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"'deit_tyni', .*'deit_tiny'"):
        own_rows(["stvit_deit_tyni"], **SIZES)
