"""What the process of a row answers, without a process."""

import io
import json
import sys

import pytest
import torch
from row_services import tiny_row
from torch_graphs import run_graphs_in_torch

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.model_benchmark import row_worker
from stvit_video.model_benchmark.row_model import build_row
from stvit_video.model_benchmark.row_worker import RowService


@pytest.fixture(autouse=True)
def no_limit(monkeypatch):
    """This process runs other tests, too."""
    monkeypatch.setattr(row_worker, "limit_memory", lambda: None)


def asked(service: RowService, **request: object) -> dict:
    return json.loads(json.dumps(service.answer(json.loads(json.dumps(request)))))


def test_a_row_is_described():
    row = tiny_row(name="stvit_deit_tiny", generate_at=1, num_tokens=3)
    model = build_row(row, row.input_size)
    assert asked(RowService(), do="describe", row=row.to_message()) == {
        "input_size": [12, 20],
        "note": "",
        "gmacs": count_gmacs(model, (3, 12, 20)),
        "num_parameters": count_parameters(model),
        "tokens": [15, 3],
    }


@pytest.mark.parametrize("train", [False, True])
def test_passes_are_timed(train, monkeypatch):
    batches = []
    real = row_worker.make_pass

    def noting(model, **settings):
        batches.append((settings["batch_size"], settings["precision"], settings["optimizer"] is not None))
        return real(model, **settings)

    monkeypatch.setattr(row_worker, "make_pass", noting)
    service = RowService()
    row = tiny_row().to_message()
    answer = asked(service, do="prepare", row=row, input_size=(12, 20), backend="eager", train=train)
    assert answer["bytes_before"] > 1e6
    assert service._model.training is train
    answer = asked(service, do="time", batch_size=3, precision="bf16", warmup=1, seconds=0, least=2)
    assert (len(answer["wall"]), len(answer["cpu"])) == (2, 2)
    assert answer["peak_bytes"] > 1e6
    assert batches == [(3, "bf16", train)]


def test_the_compiled_backend_compiles_the_model_for_fixed_shapes(monkeypatch):
    compiled = []

    def compile_of(model, **settings):
        compiled.append(settings)
        return model

    monkeypatch.setattr(torch, "compile", compile_of)
    row = tiny_row().to_message()
    asked(RowService(), do="prepare", row=row, input_size=(12, 20), backend="compile", train=False)
    assert compiled == [{"dynamic": False}]


def test_an_exported_model_is_written_by_one_service_and_timed_by_another(monkeypatch, tmp_path):
    noted = run_graphs_in_torch(monkeypatch)
    where = {"row": tiny_row().to_message(), "input_size": (12, 20), "backend": "openvino", "folder": str(tmp_path)}
    assert asked(RowService(), do="export", precision="fp32", **where) == {}
    service = RowService()
    answer = asked(service, do="prepare", precision="bf16", train=False, **where)
    assert answer["bytes_before"] > 1e6
    assert 0 <= answer["logit_difference"] < 1e-5
    assert noted[-1] == {"format": "openvino", "precision": "bf16", "num_threads": torch.get_num_threads()}
    answer = asked(service, do="time", batch_size=3, precision="int8", warmup=1, seconds=0, least=2)
    assert (len(answer["wall"]), len(answer["cpu"])) == (2, 2)


@pytest.mark.parametrize(
    ("request_", "kind", "text"),
    [
        ({"do": "describe", "row": tiny_row(depth=0).to_message()}, "failed", "depth"),
        ({"do": "prepare", "row": tiny_row().to_message()}, "failed", "KeyError: 'backend'"),
        ({"do": "dance"}, "failed", "'dance'"),
    ],
)
def test_a_failure_is_an_answer(request_, kind, text):
    answer = asked(RowService(), **request_)
    assert answer["error"] == kind
    assert text in answer["text"]


def test_lack_of_memory_and_of_a_library_are_told_apart(monkeypatch):
    def full(row):
        raise RuntimeError("can't allocate memory: you tried\nto allocate")

    monkeypatch.setattr(row_worker, "choose_input", full)
    answer = asked(RowService(), do="describe", row=tiny_row().to_message())
    assert answer == {"error": "memory", "text": "RuntimeError: can't allocate memory: you tried"}

    def missing(row):
        raise row_worker.MissingLibraryError("it is gone")

    monkeypatch.setattr(row_worker, "choose_input", missing)
    answer = asked(RowService(), do="describe", row=tiny_row().to_message())
    assert answer == {"error": "missing", "text": "it is gone"}


def test_requests_and_answers_are_lines_and_what_a_library_prints_is_none(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(row_worker.os, "dup", lambda number: number)
    monkeypatch.setattr(row_worker.os, "dup2", lambda old, new: None)
    monkeypatch.setattr(row_worker.os, "fdopen", lambda number, mode, encoding: written)
    monkeypatch.setattr(row_worker.torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(row_worker.torch, "set_num_interop_threads", lambda threads: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"do": "a"}\n{"do": "b"}\n'))
    monkeypatch.setattr(RowService, "answer", lambda service, request: {"done": request["do"]})
    row_worker.serve(1)
    assert written.getvalue() == '{"done": "a"}\n{"done": "b"}\n'
