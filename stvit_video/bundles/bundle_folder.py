"""The folder of a bundle: its graphs, and all that must be known to use them."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.bundles.bundle_description import (
    EXPORT_AGAIN,
    GOLDEN,
    LABELS,
    PREPROCESSING,
    STREAMING,
    WHOLE,
    BundleError,
    damaged,
    is_bundle,
    read_description,
    read_json,
)
from stvit_video.bundles.bundle_digests import digest_faults, is_within
from stvit_video.data.transforms.preprocessing import Preprocessing

__all__ = ["Bundle", "BundleError", "Golden", "is_bundle", "read_bundle", "write_labels"]


@dataclass(frozen=True, kw_only=True)
class Golden:
    """An input and what PyTorch answers to it, against which a graph is held before it is used.

    Attributes:
        frames: (B, T, H, W, 3) uint8 RGB.
        logits: (B, num_classes) float32, by PyTorch in fp32.
        tolerance: largest absolute difference of a logit that is allowed.
    """

    frames: np.ndarray
    logits: np.ndarray
    tolerance: float

    def largest_difference(self, logits: np.ndarray) -> float:
        """How far other logits (B, num_classes) are off; infinite where one of them is no number."""
        difference = float(np.abs(np.asarray(logits, dtype=np.float64) - self.logits).max())
        return difference if np.isfinite(difference) else float("inf")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a folder says of itself; its files are whole.

    Attributes:
        folder: that was read.
        format: of the graphs, a name of `bundle_formats.FORMATS`.
        precision: "fp32", "bf16" or "int8".
        graph_paths: of "clip", or of "encode" and "decide".
        labels: in the order of the logits.
        multi_label: True = a video can have several labels, and each logit has a probability of its own (sigmoid).
        preprocessing: frames of a clip, their distance and sizes; mean and deviation are applied in the graph.
        protocol: "name", "num_clips", "num_crops" and "average", how a video is seen.
        input_size: T, H, W, 3 of a clip.
        model_name: the name that `stvit_video.models.create_model` knows.
        model_options: options for it.
        num_tokens: semantic tokens, a count or a grid; None = none, or those of the model.
        generate_at: blocks before they are generated; None likewise.
        versions: of what wrote it, by the name of the library.
        frames_per_step: of a streaming bundle, frames that "encode" takes; None = whole clips.
    """

    folder: Path
    format: str
    precision: str
    graph_paths: Mapping[str, Path]
    labels: tuple[str, ...]
    multi_label: bool
    preprocessing: Preprocessing
    protocol: Mapping[str, Any]
    input_size: tuple[int, int, int, int]
    model_name: str
    model_options: Mapping[str, Any]
    num_tokens: int | tuple[int, ...] | None
    generate_at: int | None
    versions: Mapping[str, str]
    frames_per_step: int | None = None

    def golden(self) -> Golden:
        """The input with its answer.

        Raises:
            BundleError: the file can't be read, or its arrays are not of this model.
        """
        path = self.folder / GOLDEN
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = Golden(frames=arrays["frames"], logits=arrays["logits"], tolerance=float(arrays["tolerance"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise BundleError(f"{path} can't be read ({error}); {EXPORT_AGAIN}") from error
        sizes = found.frames.shape[1:], found.logits.shape
        if sizes != (self.input_size, (len(found.frames), len(self.labels))) or found.frames.dtype != np.uint8:
            raise BundleError(
                f"{path} has frames {found.frames.shape} of {found.frames.dtype} and logits {found.logits.shape}, the "
                f"bundle takes uint8 clips {self.input_size} and has {len(self.labels)} labels; {EXPORT_AGAIN}"
            )
        return found


def read_bundle(folder: str | Path) -> Bundle:
    """Read what a bundle says, and check that all of its files are as they were written.

    Args:
        folder: made by `stvit_video.export`.

    Raises:
        BundleError: no bundle, one of a newer version, or a file that is missing, changed or of another bundle.
        OSError: a file can't be read.
    """
    folder = Path(folder)
    said = read_description(folder)
    graphs = said["graphs"]
    if sorted(graphs) not in (sorted(WHOLE), sorted(STREAMING)):
        raise damaged(folder, f"its graphs are {', '.join(graphs) or 'none'}")
    if faults := [*_left_out(said), *digest_faults(folder, said["digests"])]:
        raise BundleError(
            f"the bundle {folder} is not as it was written: {'; '.join(faults)}; copy it again, or {EXPORT_AGAIN}"
        )
    stored = read_json(folder / PREPROCESSING)
    try:
        preprocessing, protocol = Preprocessing.from_dict(stored["preprocessing"]), stored["protocol"]
        _check_protocol(protocol)
        input_size = tuple(said["input"][1:])
        model_name, model_options = said["model"]["name"], said["model"]["options"]
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(folder, f"{type(error).__name__}: {error}") from error
    size = preprocessing.crop_size
    if input_size != (preprocessing.num_frames, size, size, 3):
        raise damaged(folder, f"its input {said['input']} is not of the sizes in {PREPROCESSING}")
    tokens = said.get("num_tokens")
    return Bundle(
        folder=folder,
        format=said["format"],
        precision=said["precision"],
        graph_paths={name: folder / path for name, path in graphs.items()},
        labels=_labels(folder, said["num_classes"]),
        multi_label=said["multi_label"],
        preprocessing=preprocessing,
        protocol=protocol,
        input_size=input_size,
        model_name=model_name,
        model_options=model_options,
        num_tokens=tuple(tokens) if isinstance(tokens, list) else tokens,
        generate_at=said.get("generate_at"),
        versions=said["versions"],
        frames_per_step=_step(folder, said, preprocessing.num_frames),
    )


def write_labels(path: Path, labels: Sequence[str]) -> None:
    """Write labels, one a line (UTF-8).

    Raises:
        ValueError: a label has a line break in it.
    """
    if broken := [label for label in labels if "\n" in label]:
        raise ValueError(f"{LABELS} of a bundle has a line for each label, and {broken[0]!r} has two; rename the class")
    path.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8", newline="\n")


def _left_out(said: Mapping[str, Any]) -> list[str]:
    """Files that a bundle must have and whose digests are not in it; a graph may be a folder."""
    listed = said["digests"]
    needed = (LABELS, PREPROCESSING, GOLDEN, *said["graphs"].values())
    return [
        f"{name} is not among its files"
        for name in needed
        if not is_within(name) or not any(file == name or file.startswith(f"{name}/") for file in listed)
    ]


def _step(folder: Path, said: Mapping[str, Any], num_frames: int) -> int | None:
    """Frames of a step; None of a bundle for whole clips."""
    if sorted(said["graphs"]) == sorted(WHOLE):
        return None
    step = said.get("frames_per_step")
    if not isinstance(step, int) or isinstance(step, bool) or step < 1 or num_frames % step:
        raise damaged(folder, f"its frames_per_step={step!r} does not divide {num_frames} frames")
    return step


def _check_protocol(protocol: Mapping[str, Any]) -> None:
    """Raise KeyError or TypeError unless these are the values of a protocol."""
    for key, kind in {"name": str, "num_clips": int, "num_crops": int, "average": str}.items():
        if not isinstance(protocol[key], kind):
            raise TypeError(f"the protocol's {key} is {protocol[key]!r}")


def _labels(folder: Path, num_classes: int) -> tuple[str, ...]:
    with (folder / LABELS).open(encoding="utf-8", newline="\n") as file:
        labels = tuple(line.removesuffix("\n") for line in file)
    if len(labels) != num_classes:
        raise BundleError(
            f"{folder / LABELS} has {len(labels)} labels, a line each, for {num_classes} logits; {EXPORT_AGAIN}"
        )
    return labels
