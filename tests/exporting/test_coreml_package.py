"""Packages are converted and looked at, but not run: that takes a Mac."""

import pytest
from short_models import KINDS, exported, preprocessing_of, short_model

from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.coreml_package import LARGEST_BATCH, write_coreml
from stvit_video.exporting.graph_formats import write_graph

pytestmark = pytest.mark.deploy
NAMES = [name for name in KINDS if name.endswith("casvit_xs")]


QUICK = ("stvit_r_video_casvit_xs", "stvit_deit_tiny")  # a conversion takes longer than a trace


def kind(name):
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("name", [kind(name) for name in (*NAMES, "stvit_deit_tiny")])
def test_converts_with_names_types_and_any_batch_up_to_a_bound(name, tmp_path):
    coremltools = pytest.importorskip("coremltools", exc_type=ImportError)
    if name in NAMES:
        write_coreml(exported(name)[1], tmp_path / "clip.mlpackage", outputs=["logits"])
    else:
        graph, sizes = ClipGraph(short_model(name), preprocessing_of(name)), preprocessing_of(name)
        write_graph(graph, example_frames(sizes), tmp_path, "clip", format="coreml")
    said = coremltools.models.MLModel(str(tmp_path / "clip.mlpackage"), skip_model_load=True).get_spec().description
    (frames,), (logits,) = said.input, said.output
    assert (frames.name, logits.name) == ("frames", "logits")
    kinds = coremltools.proto.FeatureTypes_pb2.ArrayFeatureType
    assert frames.type.multiArrayType.dataType == kinds.INT32
    assert logits.type.multiArrayType.dataType == kinds.FLOAT32
    bounds = frames.type.multiArrayType.shapeRange.sizeRanges
    assert (bounds[0].lowerBound, bounds[0].upperBound) == (1, LARGEST_BATCH)
    assert all(bound.lowerBound == bound.upperBound for bound in bounds[1:])
