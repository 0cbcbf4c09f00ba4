"""Graphs are written once, whoever asks, and a failure is kept."""

import pytest
from row_services import MadeUp, tiny_row

from stvit_video.model_benchmark.graph_files import GraphFiles
from stvit_video.model_benchmark.row_process import RowError

SIZE = {"input_size": (12, 20)}


def test_one_graph_for_fp32_and_bf16_and_one_for_int8(tmp_path):
    requests = []

    def answer(request):
        requests.append(request)
        return {}

    start = MadeUp(answer)
    graphs = GraphFiles(folder=tmp_path, start=start, threads=1)
    found = [
        graphs.folder_of(tiny_row(label), **SIZE, backend=backend, precision=precision)
        for label in ("a", "b")
        for backend, precision in (("onnx", "fp32"), ("openvino", "bf16"), ("openvino", "fp32"), ("openvino", "int8"))
    ]
    assert [folder.name for folder in found] == ["0", "1", "1", "2", "3", "4", "4", "5"]
    assert all(folder.is_dir() and folder.parent == tmp_path for folder in found)
    assert [words for _, words in start.asked] == ["export fp32", "export bf16", "export int8"] * 2
    assert (requests[5]["row"]["label"], requests[5]["folder"]) == ("b", str(tmp_path / "5"))
    assert start.running == set()


def test_a_failure_is_told_again_and_nothing_is_tried_again(tmp_path):
    def full(request):
        raise RowError("memory", "it is full")

    start = MadeUp(full)
    graphs = GraphFiles(folder=tmp_path, start=start, threads=1)
    for _ in range(2):
        with pytest.raises(RowError, match="it is full") as caught:
            graphs.folder_of(tiny_row(), **SIZE, backend="onnx", precision="fp32")
        assert caught.value.kind == "memory"
    assert (start.num_started, start.running) == (1, set())
