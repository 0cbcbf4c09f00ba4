import pytest
import torch
from drawn_maps import MAP_HEADS, tiny_segmenter
from drawn_objects import ALL_HEADS, REGION_HEADS, tiny_detector
from short_models import with_statistics

from stvit_video.exporting.dense_graph import DenseGraph, dense_graphs
from stvit_video.exporting.fold_norms import fold_norms
from stvit_video.exporting.onnx_file import write_onnx
from stvit_video.exporting.torch_program import export_program

MEAN, STD = (0.1, 0.4, 0.5), (0.2, 0.3, 0.25)
SIZE = (64, 90)  # no multiple of 32: the graph pads


def tiny_dense(head):
    return with_statistics((tiny_segmenter if head in MAP_HEADS else tiny_detector)(head))


def bytes_of(batch):
    return torch.randint(256, (batch, *SIZE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("head", [*ALL_HEADS, *MAP_HEADS])
@torch.no_grad()
def test_what_a_graph_gives_is_what_the_head_answers(head):
    model, pictures = tiny_dense(head), bytes_of(3)
    graph = DenseGraph(model, SIZE, mean=MEAN, std=STD)
    found = dict(zip(graph.output_names(), graph(pictures), strict=True))
    normalised = ((pictures / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2)
    answers = model.outputs(normalised, [SIZE] * 3)
    for name in {"objects", "object_boxes", "classes", "boxes", "logits"} & set(found):
        torch.testing.assert_close(found[name], answers[name], atol=1e-4, rtol=1e-4)
    if head in REGION_HEADS:
        assert list(found) == ["objects", "object_boxes", "map_1", "map_2", "map_3", "map_4"]
        maps = [found[f"map_{i}"] for i in (1, 2, 3, 4)]
        pooled = model._pool(maps, answers["regions"][0], 7)
        logits, offsets = dense_graphs(model, SIZE)["boxes_1"].module(pooled)
        torch.testing.assert_close(logits, answers["classes"][0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(offsets, answers["boxes"][0], atol=1e-4, rtol=1e-4)


def test_the_graphs_of_a_model():
    assert list(dense_graphs(tiny_dense("semantic_fpn"), SIZE)) == ["pictures"]
    assert list(dense_graphs(tiny_dense("faster_rcnn"), SIZE)) == ["pictures", "boxes_1"]
    cascade = dense_graphs(tiny_dense("cascade_mask_rcnn"), SIZE)
    assert list(cascade) == ["pictures", *(f"{kind}_{i}" for i in (1, 2, 3) for kind in ("boxes", "masks"))]
    assert cascade["masks_2"].example.shape == (2, 16, 14, 14)


def test_names_of_outputs_leave_the_mode_of_the_model():
    model = tiny_detector("retinanet").train()
    assert DenseGraph(model, SIZE).output_names() == ("classes", "boxes")
    assert model.training


def exported(head):
    return pytest.param(head, marks=() if head in ("mask_rcnn", "upernet") else pytest.mark.slow)


@pytest.mark.deploy
@pytest.mark.parametrize("head", [exported(head) for head in (*ALL_HEADS, *MAP_HEADS)])
def test_torch_and_onnx_give_what_the_graphs_give(head, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
    for name, part in dense_graphs(tiny_dense(head), SIZE, mean=MEAN, std=STD).items():
        if name.endswith(("2", "3")):  # stages are alike
            continue
        program = export_program(fold_norms(part.module), part.example)
        write_onnx(program, tmp_path / "graph.onnx", outputs=part.outputs)
        session = onnxruntime.InferenceSession(tmp_path / "graph.onnx")
        given = bytes_of(3) if name == "pictures" else torch.randn(3, *part.example.shape[1:])
        with torch.no_grad():
            wanted, found = part.module.eval()(given), program.module()(given)
        if name.startswith("masks"):
            wanted, found = (wanted,), (found,)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
        assert [port.name for port in session.get_outputs()] == list(part.outputs)
        by_onnx = session.run(None, {session.get_inputs()[0].name: given.numpy()})
        for value, expected in zip(by_onnx, wanted, strict=True):
            torch.testing.assert_close(torch.from_numpy(value), expected, atol=1e-4, rtol=1e-4)
