"""The rows of preset=deployed: which, that they have what they are compared with, and that they can be built."""

from stvit_video.model_benchmark.deployed_rows import deployed_ways
from stvit_video.model_benchmark.row_ways import precisions_of, rows_in
from stvit_video.models import create_model

WAYS = deployed_ways(num_frames=4, image_size=(32, 32))


def test_the_rows():
    found = {f"{way.row.label}: {way.backend} {way.precision}" for way in WAYS}
    slots = [f"stvit_video_deit_small, after {place}" for place in (4, 2, 1)]
    everywhere = ("eager fp32", "onnx fp32", "openvino fp32", "openvino bf16", "openvino int8")
    images = [f"{name}: {way}" for name in ("casvit_xs", "stvit_casvit_xs") for way in ("eager fp32", "onnx fp32")]
    assert found == {
        *(f"{label}: {way}" for label in ("video_deit_small, joint", *slots) for way in everywhere),
        "swin3d_t (torchvision): eager fp32",
        *images,
        *(f"{name}, norms not folded: onnx fp32" for name in ("casvit_xs", "stvit_casvit_xs")),
    }
    assert len(WAYS) == len(found)


def test_what_a_row_is_compared_with_is_there():
    keys = {(way.row.label, way.backend, way.precision) for way in WAYS}
    assert all((way.row.baseline, way.backend, way.precision) in keys for way in WAYS)
    assert all((way.row.label.removesuffix(", norms not folded"), "eager", "fp32") in keys for way in WAYS)
    assert all(way.precision in precisions_of(way.backend) for way in WAYS)


def test_rows_whose_norms_are_not_folded_are_the_same_models():
    rows = {row.label: row for row in rows_in(WAYS)}
    folded, not_folded = rows["stvit_casvit_xs"], rows["stvit_casvit_xs, norms not folded"]
    assert (folded.keeps_norms, not_folded.keeps_norms) == (False, True)
    assert (folded.name, folded.options) == (not_folded.name, not_folded.options)
    assert sum(row.keeps_norms for row in rows.values()) == 2


def test_the_default_place_and_number_of_tokens_of_the_rows():
    row = rows_in(WAYS)[1]
    assert row.options["generate_at"] == 4
    plain = create_model(row.name)
    assert (plain.generate_at, plain.token_grid.count) == (4, 64)
