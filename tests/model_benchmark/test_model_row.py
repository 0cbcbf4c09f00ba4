"""Rows survive JSON."""

import json

from stvit_video.model_benchmark.model_row import ModelRow, row_from_message


def test_a_row_that_has_been_json_is_the_same():
    row = ModelRow(
        label="a, after 2",
        library="stvit_video",
        name="a",
        input_size=(5, 7, 11),
        baseline="b",
        options={"num_tokens": 3},
        own_input=(2, 3, 4),
        keeps_norms=True,
    )
    assert row_from_message(json.loads(json.dumps(row.to_message()))) == row
    assert row.is_video
    assert row.is_ours


def test_a_peer_for_images_without_a_size_of_its_own():
    row = ModelRow(label="a", library="timm", name="a", input_size=(7, 11), baseline="b")
    assert row_from_message(json.loads(json.dumps(row.to_message()))) == row
    assert not row.is_video
    assert not row.is_ours
