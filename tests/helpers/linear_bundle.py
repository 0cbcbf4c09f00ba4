"""A bundle whose graph is a linear layer on bytes, and a stand-in for the runtime that runs it: neither torch nor a
library of deployment is needed."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from made_bundle import sign_again, write_made_bundle

from stvit_video.bundles.bundle_description import GOLDEN, LABELS, PREPROCESSING, STREAMING, write_json
from stvit_video.bundles.bundle_folder import write_labels

CLASSES = ("a, comma", "jump", "run")
SIZES = {"num_frames": 4, "frame_stride": 2, "short_side": 20, "crop_size": 16}
MEAN_AND_STD = {"mean": [0.0] * 3, "std": [1.0] * 3}
PROTOCOL = {"name": "uniform", "num_clips": 2, "num_crops": 3, "average": "prob"}
ONNXRUNTIME = """
from types import SimpleNamespace

import numpy as np

__version__ = "9.8.7+cpu"


class SessionOptions:
    pass


def disable_telemetry_events():
    pass


class InferenceSession:
    def __init__(self, path, options, providers):
        with open(path, "rb") as file:
            self.weights = np.load(file)
        self.options, self.providers, self.batches = options, providers, []

    def get_inputs(self):
        return [SimpleNamespace(name="frames")]

    def run(self, names, given):
        (items,) = given.values()
        assert items.dtype in (np.uint8, np.float32)  # frames, or tokens of them
        self.batches.append(len(items))
        items = items / np.float32(255) if items.dtype == np.uint8 else items
        return [items.reshape(len(items), -1) @ self.weights]
"""


def onnxruntime_stand_in() -> ModuleType:
    """A module whose sessions multiply with the weights in the file, for `monkeypatch.setitem(sys.modules, ...)`."""
    module = ModuleType("onnxruntime")
    exec(compile(ONNXRUNTIME, "onnxruntime.py", "exec"), module.__dict__)
    return module


def linear_weights(sizes: dict[str, Any] = SIZES, *, num_classes: int = len(CLASSES)) -> np.ndarray:
    """Weights (T * H * W * 3, num_classes) float32 by which views differ, and labels of a video as well."""
    inputs = sizes["num_frames"] * sizes["crop_size"] ** 2 * 3
    return np.random.default_rng(3).normal(scale=0.2, size=(inputs, num_classes)).astype(np.float32)


def write_linear_bundle(
    folder: Path,
    *,
    sizes: dict[str, Any] = SIZES,
    protocol: dict[str, Any] = PROTOCOL,
    is_right: bool = True,
    **changes: Any,
) -> Path:
    """Write a whole bundle.

    Args:
        folder: that is made.
        sizes: of the preprocessing.
        protocol: of the bundle.
        is_right: False = the golden answer is one that the graph does not give.
        changes: of bundle.json.
    """
    size = (sizes["num_frames"], sizes["crop_size"], sizes["crop_size"], 3)
    write_made_bundle(folder, **({"input": [None, *size]} | changes))
    weights = linear_weights(sizes)
    with (folder / "clip.onnx").open("wb") as file:
        np.save(file, weights)
    write_labels(folder / LABELS, CLASSES)
    write_json(folder / PREPROCESSING, {"preprocessing": sizes | MEAN_AND_STD, "protocol": protocol})
    frames = np.random.default_rng(5).integers(0, 256, (2, *size), dtype=np.uint8)
    logits = frames.reshape(2, -1).astype(np.float32) / 255 @ weights + (0 if is_right else 0.25)
    np.savez(folder / GOLDEN, frames=frames, logits=logits.astype(np.float32), tolerance=np.float32(1e-3))
    sign_again(folder)
    return folder


def write_linear_stream(folder: Path, *, frames_per_step: int = 2, num_channels: int = 5) -> Path:
    """Write a streaming bundle: "encode" makes a token of a step of frames, "decide" logits of all of them."""
    graphs = {name: f"{name}.onnx" for name in STREAMING}
    write_linear_bundle(folder, graphs=graphs, frames_per_step=frames_per_step)
    (folder / "clip.onnx").unlink()
    num_frames, size = SIZES["num_frames"], SIZES["crop_size"]
    rng = np.random.default_rng(7)
    encode = rng.normal(scale=0.02, size=(frames_per_step * size**2 * 3, num_channels)).astype(np.float32)
    decide = rng.normal(size=(num_frames // frames_per_step * num_channels, len(CLASSES))).astype(np.float32)
    for name, weights in (("encode", encode), ("decide", decide)):
        with (folder / f"{name}.onnx").open("wb") as file:
            np.save(file, weights)
    frames = rng.integers(0, 256, (2, num_frames, size, size, 3), dtype=np.uint8)
    tokens = (frames / np.float32(255)).reshape(2 * num_frames // frames_per_step, -1) @ encode
    logits = tokens.reshape(2, -1) @ decide
    np.savez(folder / GOLDEN, frames=frames, logits=logits.astype(np.float32), tolerance=np.float32(1e-3))
    sign_again(folder)
    return folder
