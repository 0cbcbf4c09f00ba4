"""Graphs of rows: what they take and give, how far they are off, and what can't be opened."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from row_services import tiny_row
from torch_graphs import run_graphs_in_torch

from stvit_video.bundles.bundle_description import BundleError
from stvit_video.model_benchmark import row_graph
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_graph import ANSWER, logit_difference, open_row_graph, write_row_graph
from stvit_video.model_benchmark.row_model import build_row
from stvit_video.utils.processor import cpu_flags

ROW = tiny_row(name="stvit_deit_tiny", generate_at=1, num_tokens=3)


def written(folder, *, row=ROW, format="onnx", precision="fp32"):
    folder.mkdir(exist_ok=True)
    write_row_graph(row, row.input_size, folder, format=format, precision=precision)
    return folder


def opened(folder, *, format="onnx", precision="fp32"):
    return open_row_graph(folder, format=format, precision=precision, num_threads=1)


@torch.inference_mode()
def eager(items: np.ndarray, *, row: ModelRow = ROW) -> np.ndarray:
    return build_row(row, row.input_size).eval()(torch.from_numpy(items)).numpy()


def test_a_graph_takes_what_the_model_takes(monkeypatch, tmp_path):
    asked = run_graphs_in_torch(monkeypatch)
    graph = opened(written(tmp_path), precision="bf16")
    items = np.random.default_rng(5).normal(size=(3, 3, 12, 20)).astype(np.float32)
    np.testing.assert_allclose(graph(items), eager(items), atol=1e-5)
    assert asked[0] == {"format": "onnx", "precision": "fp32", "keeps_norms": False, "quantise": None}
    assert asked[1] == {"format": "onnx", "precision": "bf16", "num_threads": 1}


def test_the_difference_is_a_share_of_the_largest_logit(monkeypatch, tmp_path):
    run_graphs_in_torch(monkeypatch)
    graph = opened(written(tmp_path))
    assert logit_difference(graph, tmp_path) < 1e-5
    with np.load(tmp_path / ANSWER) as answer:
        items, logits = answer["items"], answer["logits"]
    np.testing.assert_array_equal(logits, eager(items))
    shifted = logits.copy()
    shifted[0, 7] -= 0.25 * np.abs(logits).max()
    assert logit_difference(lambda given: shifted, tmp_path) == pytest.approx(0.25)


def test_batch_norms_stay_where_the_row_says_so(monkeypatch, tmp_path):
    asked = run_graphs_in_torch(monkeypatch)
    written(tmp_path, row=replace(ROW, keeps_norms=True))
    assert asked[0]["keeps_norms"] is True


def test_a_peer_has_no_graph_in_8_bits(tmp_path):
    row = ModelRow(label="vit (timm)", library="timm", name="vit", input_size=(12, 20), baseline="deit_tiny")
    with pytest.raises(ValueError, match=r"int8 .*vit \(timm\).*fp32"):
        written(tmp_path, row=row, format="openvino", precision="int8")


def test_a_graph_that_can_not_be_opened_is_told_without_its_path(monkeypatch, tmp_path):
    def refuse(path, **settings):
        raise BundleError(f"{path} is a graph of precision=bf16, and this processor computes no bfloat16")

    monkeypatch.setattr(row_graph, "open_graph", refuse)
    with pytest.raises(ValueError, match="^the exported model is a graph of precision=bf16, .* no bfloat16$"):
        opened(tmp_path, format="openvino", precision="bf16")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Folders of graphs for OpenVINO, by precision."""
    folder = tmp_path_factory.mktemp("graphs")
    return {name: written(folder / name, format="openvino", precision=name) for name in ("fp32", "int8")}


@pytest.mark.deploy
def test_a_graph_on_its_runtime(deployed):
    graph = opened(deployed["fp32"], format="openvino")
    assert logit_difference(graph, deployed["fp32"]) < 1e-4
    items = np.random.default_rng(5).normal(size=(3, 3, 12, 20)).astype(np.float32)
    np.testing.assert_allclose(graph(items), eager(items), atol=1e-5)


@pytest.mark.deploy
def test_a_graph_in_8_bits_is_a_little_off(deployed):
    graph = opened(deployed["int8"], format="openvino", precision="int8")
    assert 1e-4 < logit_difference(graph, deployed["int8"]) < 0.3


@pytest.mark.deploy
def test_bfloat16_runs_or_is_refused(deployed):
    folder = deployed["fp32"]
    flags = cpu_flags()
    if flags.get("AVX512-BF16") or flags.get("AMX-BF16"):
        graph = opened(folder, format="openvino", precision="bf16")
        assert 1e-6 < logit_difference(graph, folder) < 0.1
    else:
        with pytest.raises(ValueError, match="^the exported model .*no bfloat16.*AMX"):
            opened(folder, format="openvino", precision="bf16")
