"""The process of one row: it builds the model, counts its operations and times it, for the process that started it.

A request is a line of JSON on standard input, an answer one on what was standard output; whatever a library prints goes
to standard error. It ends when the asking process is gone.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.bundles.runtimes import Graph
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.model_benchmark.machine_memory import give_back, limit_memory, peak_bytes
from stvit_video.model_benchmark.model_row import IN_CHANNELS, ModelRow, row_from_message
from stvit_video.model_benchmark.row_graph import logit_difference, open_row_graph, write_row_graph
from stvit_video.model_benchmark.row_model import build_row, choose_input, load_libraries
from stvit_video.model_benchmark.row_timing import Pass, make_graph_pass, make_pass, time_matrix_product, time_passes
from stvit_video.model_benchmark.row_ways import GRAPH_BACKENDS
from stvit_video.utils.memory_errors import is_short_of_memory
from stvit_video.utils.optional import MissingLibraryError

MEMORY, MISSING, FAILED = "memory", "missing", "failed"  # kinds of errors


class RowService:
    """Answers requests: a dict with "do" and what that needs -> a dict that JSON can hold."""

    def __init__(self) -> None:
        self._model: Callable[..., Any] | None = None
        self._graph: Graph | None = None
        self._optimizer: torch.optim.Optimizer | None = None
        self._input_size: tuple[int, ...] = ()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked.

        * "describe" with `row`: the input that it is measured with and why, GMACs, parameters, tokens of each stage;
        * "export" with `row`, `input_size`, `backend`, `precision`, `folder`: write the model for another runtime;
        * "prepare" with `row`, `input_size`, `backend`, `train`: build the model; the peak memory before it,
          with its libraries. For another runtime `precision` and `folder` say which graph to open in its place, and
          there is `logit_difference`;
        * "time" with `batch_size`, `precision`, `warmup`, `seconds`, `least`: seconds of passes, and the peak memory;
        * "multiply" with `precision`: seconds of matrix products.

        A failure is an answer with "error", its kind, and "text".
        """
        try:
            limit_memory()
            return self._answer(request)
        except MissingLibraryError as error:
            return {"error": MISSING, "text": str(error)}
        except Exception as error:  # it must reach the asking process, whose row tells it
            kind = MEMORY if is_short_of_memory(error) else FAILED
            words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            return {"error": kind, "text": words.strip().partition("\n")[0]}

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "describe":
                return _describe(row_from_message(request["row"]))
            case "export":
                return _export(request)
            case "prepare":
                if request["backend"] in GRAPH_BACKENDS:
                    return self._open(request)
                load_libraries(row_from_message(request["row"]), tuple(request["input_size"]))
                before = peak_bytes()
                self._prepare(request)
                return {"bytes_before": before}
            case "time":
                return self._time(request)
            case "multiply":
                wall, cpu = time_matrix_product(request["precision"])
                return {"wall": wall, "cpu": cpu}
        raise ValueError(f"nobody can do {request['do']!r}")

    def _prepare(self, request: dict[str, Any]) -> None:
        row, self._input_size = row_from_message(request["row"]), tuple(request["input_size"])
        model = build_row(row, self._input_size).train(request["train"])
        if request["train"]:
            self._optimizer = torch.optim.AdamW(model.parameters())
        self._model = torch.compile(model, dynamic=False) if request["backend"] == "compile" else model

    def _open(self, request: dict[str, Any]) -> dict[str, Any]:
        form, folder = FORMATS[request["backend"]], Path(request["folder"])
        self._input_size = tuple(request["input_size"])
        form.check_libraries((form.runtime,))
        before = peak_bytes()
        self._graph = open_row_graph(
            folder, format=form.name, precision=request["precision"], num_threads=torch.get_num_threads()
        )
        return {"bytes_before": before, "logit_difference": logit_difference(self._graph, folder)}

    def _pass(self, request: dict[str, Any]) -> Pass:
        size = (IN_CHANNELS, *self._input_size)
        if self._graph is not None:
            return make_graph_pass(self._graph, input_size=size, batch_size=request["batch_size"])
        assert self._model is not None
        return make_pass(
            self._model,
            input_size=size,
            batch_size=request["batch_size"],
            precision=request["precision"],
            optimizer=self._optimizer,
        )

    def _time(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self._pass(request)
        for _ in range(request["warmup"]):
            run()
        wall, cpu = time_passes(run, seconds=request["seconds"], least=request["least"])
        peak = peak_bytes()
        del run
        give_back()
        return {"wall": wall, "cpu": cpu, "peak_bytes": peak}


def _export(request: dict[str, Any]) -> dict[str, Any]:
    row, folder = row_from_message(request["row"]), Path(request["folder"])
    size = tuple(request["input_size"])
    write_row_graph(row, size, folder, format=request["backend"], precision=request["precision"])
    return {}


def _describe(row: ModelRow) -> dict[str, Any]:
    input_size, note = choose_input(row)
    model = build_row(row, input_size)
    return {
        "input_size": input_size,
        "note": note,
        "gmacs": count_gmacs(model, (IN_CHANNELS, *input_size)),
        "num_parameters": count_parameters(model),
        "tokens": model.tokens_per_level() if row.is_ours else (),  # type: ignore[operator]
    }


def serve(threads: int) -> None:
    """Answer requests until there are no more; runs in the process of a row.

    Args:
        threads: that torch may use for one operation.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # so that a library that prints can't break the protocol
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    service = RowService()
    for line in sys.stdin:
        print(json.dumps(service.answer(json.loads(line))), file=answers, flush=True)
