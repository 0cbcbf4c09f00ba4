"""Graphs of bundles on their runtimes: `open_graph` gives one that is called with an array.

A graph is called by one thread at a time or by several; it runs on the CPU, but for Core ML, which chooses by itself.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np

from stvit_video.bundles.bundle_description import EXPORT_AGAIN, BundleError
from stvit_video.bundles.bundle_formats import find_format
from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import load_optional

__all__ = ["Graph", "open_graph", "require_precision"]

NO_BFLOAT16 = "this processor computes no bfloat16"
ERRORS_ALONE = 3  # of onnxruntime's levels of logging


class Graph(Protocol):
    """A graph that is ready to run.

    Attributes:
        runtime: what runs it, such as "onnxruntime 1.32.0".
    """

    runtime: str

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Frames (B, T, H, W, 3) uint8 -> logits (B, num_classes) float32, for any B."""


def open_graph(path: str | Path, *, format: str, precision: str = "fp32", num_threads: int | None = None) -> Graph:
    """Open the graph of a bundle.

    Args:
        path: the file, or the folder that the format takes for a file.
        format: a name of `bundle_formats.FORMATS`.
        precision: "fp32", "bf16" or "int8", one of the format's.
        num_threads: CPU threads that run it; None = as many as the runtime takes. Core ML and
            ExecuTorch choose themselves.

    Raises:
        MissingLibraryError: the runtime is not installed.
        BundleError: the runtime can't read the file, or this machine can't run the precision.
        ValueError: no such format, or a precision that it lacks.
    """
    form = find_format(format)
    form.check_precision(precision)
    if form.name == "coreml" and sys.platform != "darwin":
        raise BundleError(
            f"{path} is a graph for Core ML, which is a part of macOS alone; use it there, or export again with "
            "format=onnx"
        )
    with without_reports():
        library = load_optional(
            form.runtime, needed_for=f"a bundle of format={form.name}", install=form.install_runtime
        )
    try:
        return RUNTIMES[form.name](library, Path(path), precision, num_threads)
    except BundleError:
        raise
    except Exception as error:  # each runtime has errors of its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BundleError(f"{path} can't be opened by {_version(library)} ({reason}); {EXPORT_AGAIN}") from error


def require_precision(format: str, precision: str) -> None:
    """Raise where this machine can't run graphs of a precision, before one is made.

    Args:
        format: a name of `bundle_formats.FORMATS`, whose runtime is installed.
        precision: one of the format's.

    Raises:
        ValueError: it can't.
    """
    if (format, precision) != ("openvino", "bf16"):
        return
    with without_reports():
        library = load_optional("openvino", needed_for="format=openvino", install=find_format(format).install)
    if not _has_bfloat16(library.Core()):
        raise ValueError(
            f"precision=bf16 is run before it is exported, and {NO_BFLOAT16}; export on one with AMX or AVX512-BF16, "
            "or give precision=fp32 or precision=int8"
        )


def _has_bfloat16(core: Any) -> bool:
    """Whether OpenVINO computes bfloat16 on this processor."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OnnxGraph:
    """A graph of format=onnx on onnxruntime."""

    def __init__(self, library: Any, path: Path, precision: str, num_threads: int | None) -> None:
        options = library.SessionOptions()
        options.log_severity_level = ERRORS_ALONE
        options.inter_op_num_threads = 1
        if num_threads is not None:
            options.intra_op_num_threads = num_threads
        library.disable_telemetry_events()
        self._session = library.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.runtime = _version(library)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`."""
        return self._session.run(None, {self._input: frames})[0]


class OpenvinoGraph:
    """A graph of format=openvino: fp32 runs in float32 wherever it is, bf16 and int8 in what the processor has."""

    def __init__(self, library: Any, path: Path, precision: str, num_threads: int | None) -> None:
        core = library.Core()
        has_bfloat16 = _has_bfloat16(core)
        if precision == "bf16" and not has_bfloat16:
            raise BundleError(
                f"{path} is a graph of precision=bf16, and {NO_BFLOAT16}; use one with AMX or AVX512-BF16, or export "
                "again with precision=fp32 or precision=int8"
            )
        in_bfloat16 = has_bfloat16 and precision != "fp32"  # of int8, what is not in 8 bits
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "bf16" if in_bfloat16 else "f32"}
        if num_threads is not None:
            settings["INFERENCE_NUM_THREADS"] = str(num_threads)
        self._request = core.compile_model(str(path), "CPU", settings).create_infer_request()
        self._lock = Lock()  # a request serves one call at a time
        self.runtime = _version(library)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`."""
        with self._lock:
            return np.array(self._request.infer({0: np.ascontiguousarray(frames)})[0])


class TorchGraph:
    """A graph of format=torch_export, which is run by torch."""

    def __init__(self, library: Any, path: Path, precision: str, num_threads: int | None) -> None:
        self._torch = library
        self._module = library.export.load(path).module()
        self._num_threads = num_threads
        self.runtime = _version(library)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`; torch has one number of threads for a process, which is put back."""
        torch = self._torch
        before = torch.get_num_threads()
        torch.set_num_threads(self._num_threads or before)
        try:
            with torch.inference_mode():
                return self._module(torch.from_numpy(np.ascontiguousarray(frames))).numpy()
        finally:
            torch.set_num_threads(before)


class CoremlGraph:
    """A graph of format=coreml, on macOS; it takes whole numbers of 32 bits for bytes."""

    def __init__(self, library: Any, path: Path, precision: str, num_threads: int | None) -> None:
        self._model = library.models.MLModel(str(path))
        description = self._model.get_spec().description
        self._input, self._output = description.input[0].name, description.output[0].name
        self.runtime = _version(library)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`."""
        return np.asarray(self._model.predict({self._input: frames.astype(np.int32)})[self._output], dtype=np.float32)


class ExecutorchGraph:
    """A graph of format=executorch; its runtime takes tensors of torch."""

    def __init__(self, library: Any, path: Path, precision: str, num_threads: int | None) -> None:
        self._torch = load_optional("torch", needed_for="a bundle of format=executorch", install="pip install torch")
        self._method = library.Runtime.get().load_program(path).load_method("forward")
        self._lock = Lock()
        self.runtime = _version(library)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`."""
        with self._lock:
            found = self._method.execute([self._torch.from_numpy(np.ascontiguousarray(frames))])[0]
            return np.array(found.numpy(), dtype=np.float32)


RUNTIMES: dict[str, Callable[[Any, Path, str, int | None], Graph]] = {
    "onnx": OnnxGraph,
    "openvino": OpenvinoGraph,
    "torch_export": TorchGraph,
    "coreml": CoremlGraph,
    "executorch": ExecutorchGraph,
}


def _version(library: Any) -> str:
    """Name and version of a library, such as "onnxruntime 1.32.0"; without what a build adds to the number."""
    name = library.__name__.split(".")[0]
    found = getattr(sys.modules[name], "__version__", None) or version(name)  # executorch says it nowhere else
    return f"{name} {str(found).split('+')[0].split('-')[0]}"
