"""A checkpoint that labels videos, from Python: `stvit_video.load(path)` gives a `Recognizer`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.cost_budget import read_budget
from stvit_video.inference.file_record import file_record
from stvit_video.inference.likeliest import likeliest, require_labels
from stvit_video.inference.model_input import Given, ModelInput, model_input
from stvit_video.inference.predicting import predict_records
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.stored_front import choose_within
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD, TestProtocol
from stvit_video.inference.trained_model import TrainedModel, choose_device
from stvit_video.layers.numbers import whole_number
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.load import model_from_checkpoint


class Recognizer(TrainedModel):
    """A checkpoint that labels videos.

    What is given to it is the path of a video, the frames of one, (T, H, W, 3) uint8 RGB, or a clip (C, T, H, W)
    float, normalised as in training. Of a path or frames the views (clips x crops) are those of `protocol`; a clip is
    one view, and (V, C, T, H, W) are V of them.
    """

    def __repr__(self) -> str:
        words = self.protocol.describe(short_side=self.preprocessing.short_side, multi_label=self.multi_label)
        return f"Recognizer({self.model_name}, {len(self.classes)} classes, {words}, device={self.device})"

    @overload
    def __call__(  # type: ignore[overload-overlap]  # an array is iterable, too
        self,
        given: Given,
        *,
        top_k: int = ...,
        threshold: float | None = ...,
        fps: float = ...,
        num_workers: int = ...,
        batch_size: int | None = ...,
        time_limit_seconds: float | None = ...,
        features: bool = ...,
    ) -> Prediction: ...
    @overload
    def __call__(
        self,
        given: Iterable[Given],
        *,
        top_k: int = ...,
        threshold: float | None = ...,
        fps: float = ...,
        num_workers: int = ...,
        batch_size: int | None = ...,
        time_limit_seconds: float | None = ...,
        features: bool = ...,
    ) -> list[Prediction]: ...

    def __call__(
        self,
        given: Given | Iterable[Given],
        *,
        top_k: int = 5,
        threshold: float | None = None,
        fps: float = 30.0,
        num_workers: int = 0,
        batch_size: int | None = None,
        time_limit_seconds: float | None = None,
        features: bool = False,
    ) -> Prediction | list[Prediction]:
        """Label one video, or each of a list.

        Args:
            given: a path, frames or a clip; or a list of paths, or of any of these.
            top_k: labels of a video, fewer if there are fewer classes.
            threshold: for several labels a video: every label with at least this probability in place of the top_k.
            fps: frames per second of given frames.
            num_workers: processes that decode the files of a list and, on a CPU, run the model; 0 = this one does both.
            batch_size: videos of a list that run together; None = as many as make 16 views.
            time_limit_seconds: for opening a file and for each reading of it, see `open_video`.
            features: True = predictions have features.

        Returns:
            A `Prediction`; of a list a list of them, in its order. A file of a list that can't be read gives one with
            an `error`.

        Raises:
            DecodeError: a single file can't be read.
            NonFiniteLogitsError: the model gives NaN for a single video.
            ValueError: what is given is nothing of these, or a setting is out of range.
            WorkerCrashError: there is no room for what the processes read.
        """
        require_labels(multi_label=self.multi_label, top_k=top_k, threshold=threshold)
        if isinstance(given, (str, bytes, Path, Mapping, np.ndarray, Tensor)) or not isinstance(given, Iterable):
            found = model_input(  # a table is refused there
                self,
                given,  # type: ignore[arg-type]
                fps=fps,
                time_limit_seconds=time_limit_seconds,
            )
            return self._predict(found, top_k=top_k, threshold=threshold, features=features)
        listing = list(given)
        arrays = [number for number, one in enumerate(listing) if isinstance(one, (np.ndarray, Tensor))]
        told = {
            number: self._predict(
                model_input(self, listing[number], fps=fps), top_k=top_k, threshold=threshold, features=features
            )
            for number in arrays
        }
        files = [number for number in range(len(listing)) if number not in told]
        predictions = predict_records(
            self,
            [file_record(_path(listing[number]), num_frames=self.preprocessing.num_frames) for number in files],
            top_k=top_k,
            threshold=threshold,
            num_workers=num_workers,
            batch_size=batch_size,
            time_limit_seconds=time_limit_seconds,
            features=features,
        )
        told |= dict(zip(files, predictions, strict=True))
        return [told[number] for number in range(len(listing))]

    def logits(self, given: Given, *, fps: float = 30.0) -> np.ndarray:
        """Logits (V, num_classes) float32 of the V views of a video.

        Raises:
            DecodeError, ValueError: as when it is called.
        """
        return self._run(self.model, model_input(self, given, fps=fps)).numpy()

    def features(self, given: Given, *, fps: float = 30.0) -> np.ndarray:
        """Features (V, embed_dim) float32 of the V views of a video: what the classifier's last layer sees.

        Raises:
            DecodeError, ValueError: as when it is called.
        """
        return self._run(self.model.forward_features, model_input(self, given, fps=fps)).numpy()

    def tokens(self, given: Given, *, fps: float = 30.0) -> np.ndarray:
        """Semantic tokens (V, K, C) float32 of the V views of a video; of a dense model all of its tokens.

        Raises:
            DecodeError, ValueError: as when it is called.
        """
        return self._run(self.model.forward_tokens, model_input(self, given, fps=fps)).numpy()

    def _predict(self, found: ModelInput, *, top_k: int, threshold: float | None, features: bool) -> Prediction:
        seen = self._run(self.model.forward_features, found)  # (V, embed_dim)
        with torch.inference_mode():
            logits = self.model.forward_head(seen.to(self.device)).float().cpu()  # (V, num_classes)
        if not torch.isfinite(logits).all():
            raise NonFiniteLogitsError(f"the model gives NaN or infinite logits for {found.file or 'what was given'}")
        probabilities = self.view_probabilities(logits[None])[0]  # (num_classes,)
        return likeliest(
            probabilities.numpy(),
            self.classes,
            top_k=top_k,
            threshold=threshold,
            file=found.file,
            seconds=found.seconds,
            features=seen.mean(0).numpy() if features else None,
        )

    @torch.inference_mode()
    def _run(self, function: Callable[[Tensor], Tensor], found: ModelInput) -> Tensor:
        """`function` of the views, a bounded number at a time, in float32 on the CPU."""
        parts = found.views.split(MAX_VIEWS_PER_FORWARD)
        return torch.cat([function(part.to(self.device)).float().cpu() for part in parts])


def _path(given: object) -> str | Path:
    if isinstance(given, (str, Path)):
        return given
    raise ValueError(f"{given!r:.80} in a list is no input; a list holds paths, frames or clips")


def make_output_dir(path: Path) -> Path:
    """Make the folder where results go, and try it, before time is spent on them.

    Raises:
        ValueError: it can't be made, or not written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise ValueError(
            f"the output folder {path} can't be written ({error.strerror}); give another one "
            "(stvit_video.evaluate: hydra.run.dir=FOLDER; evaluate_clips.py: output_dir=FOLDER)"
        ) from error


def load_recognizer(
    ckpt_path: str | Path,
    *,
    device: str = "auto",
    num_tokens: int | Sequence[int] | None = None,
    generate_at: int | None = None,
    protocol: str | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    short_side: int | None = None,
    crop_size: int | None = None,
    gmacs: float | None = None,
    clips_per_second: float | None = None,
    latency_ms: float | None = None,
) -> Recognizer:
    """Load a checkpoint that labels videos; what is None below is as the checkpoint says.

    A budget chooses all of the settings by the front that `python -m stvit_video.budget` wrote into the checkpoint.

    Args:
        ckpt_path: a .ckpt file written by `stvit_video.train`, or a folder of `stvit_video.export_run`.
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name.
        num_tokens: semantic tokens to run with, a count or a grid.
        generate_at: blocks before they are generated, in a pyramid of level 3; see `TokenModel.set_generate_at`.
        protocol: a name from `stvit_video.data.sampling.protocols`; what this protocol says then counts in place of the
            checkpoint's number of clips and crops, average, short side and crop size.
        num_clips: clips of a video.
        num_crops: crops of a clip, 1 or 3.
        average: how the views' scores combine, "prob" or "logit".
        num_frames: frames of a clip; None = as the model was trained, under any protocol.
        frame_stride: distance between two frames of a clip; likewise.
        short_side: of a frame before cropping, in pixels; None = the protocol's, in proportion to the training's crop.
        crop_size: in pixels; likewise.
        gmacs: budget: most multiply-adds of a video in 1e9, all views.
        clips_per_second: budget: least videos a second, all views of each.
        latency_ms: budget: most milliseconds of a video, all its views.

    Raises:
        CheckpointError: the file can't be read, is no checkpoint of ours, or holds no front to choose by a budget.
        ValueError: a value is out of range, or tokens that the model can't make, or not there; or a budget that nothing
            meets, or beside a setting that it chooses.
    """
    sizes = {"num_frames": num_frames, "frame_stride": frame_stride, "short_side": short_side, "crop_size": crop_size}
    views = {"num_clips": num_clips, "num_crops": num_crops, "average": average}
    for key, value in sizes.items():
        if value is not None:
            whole_number(key, value)
    budget = read_budget(gmacs=gmacs, clips_per_second=clips_per_second, latency_ms=latency_ms)
    if not isinstance(ckpt_path, (str, Path)):
        raise ValueError(f"ckpt_path={ckpt_path!r:.80} is no path; give a .ckpt file or a folder of export_run")
    chosen_device = choose_device(device)
    model, meta = model_from_checkpoint(ckpt_path)
    assert isinstance(model, TokenModel)  # as all that create_model builds
    if budget is not None:
        given = {"num_tokens": num_tokens, "generate_at": generate_at, "protocol": protocol, **sizes, **views}
        settings, front = choose_within(meta, budget, source=str(ckpt_path), device=chosen_device, given=given)
        wanted = settings.plain()
        num_tokens, generate_at, protocol = wanted["num_tokens"], wanted["generate_at"], front.protocol
        sizes = {key: wanted[key] for key in sizes}
        views = {"num_clips": settings.num_clips, "num_crops": settings.num_crops, "average": front.average}
    if num_tokens is not None:
        model.set_num_tokens(num_tokens)
    if generate_at is not None:
        model.set_generate_at(generate_at)
    return _recognizer(model.to(chosen_device), meta, device=chosen_device, protocol=protocol, views=views, sizes=sizes)


def _recognizer(
    model: TokenModel,
    meta: Mapping[str, Any],
    *,
    device: torch.device,
    protocol: str | None,
    views: Mapping[str, Any],
    sizes: Mapping[str, int | None],
) -> Recognizer:
    """The recognizer of a model that is where it runs; what is None in `views` and `sizes` is the checkpoint's."""
    stored: Mapping[str, Any] = meta["protocol"] if protocol is None else {"name": protocol}
    chosen = TestProtocol.named(
        stored.get("name", "uniform"),
        **{key: stored.get(key) if value is None else value for key, value in views.items()},
    )
    preprocessing = find_protocol(chosen.name).preprocessing(
        Preprocessing.from_dict(meta["preprocessing"]), num_crops=chosen.num_crops, **sizes
    )
    return Recognizer(
        model=model.eval(),
        classes=tuple(meta["classes"]),
        preprocessing=preprocessing,
        protocol=chosen,
        device=device,
        config=meta["config"],
        model_name=meta["model"]["name"],
        multi_label=meta["multi_label"],
        held_back=None if meta["held_back"] is None else tuple(meta["held_back"]),
    )
