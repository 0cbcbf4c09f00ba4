"""Which precisions go with which backends."""

import pytest
from row_services import tiny_row

from stvit_video.model_benchmark.row_ways import (
    BACKENDS,
    left_out,
    precisions_of,
    precisions_of_torch,
    rows_in,
    ways_of,
)

ROWS = [tiny_row("a"), tiny_row("b")]


def words(ways):
    return [f"{way.row.label} {way.backend} {way.precision}" for way in ways]


def test_pairs_that_a_backend_lacks_are_left_out_and_named():
    asked = {"precisions": ["fp32", "int8"], "backends": ["eager", "openvino", "onnx"]}
    ways = ways_of(ROWS, **asked)
    assert words(ways) == [
        *("a eager fp32", "b eager fp32", "a openvino fp32", "b openvino fp32", "a onnx fp32", "b onnx fp32"),
        *("a openvino int8", "b openvino int8"),
    ]
    assert left_out(**asked) == ["eager int8", "onnx int8"]
    assert rows_in(ways) == ROWS


def test_products_of_matrices_are_those_of_torch():
    both = ways_of(ROWS, precisions=["bf16", "int8"], backends=["compile", "openvino"])
    assert precisions_of_torch(both) == ["bf16"]
    exported = ways_of(ROWS, precisions=["bf16", "int8", "fp32"], backends=["openvino"])
    assert precisions_of_torch(exported) == ["fp32"]


def test_every_backend_has_fp32():
    assert all("fp32" in precisions_of(backend) for backend in BACKENDS)
    assert precisions_of("compile") == ("fp32", "bf16")


def test_nothing_that_goes_together():
    with pytest.raises(ValueError, match="precision=int8 .*backend=eager,onnx: eager has fp32, bf16; onnx has fp32"):
        ways_of(ROWS, precisions=["int8"], backends=["eager", "onnx"])
