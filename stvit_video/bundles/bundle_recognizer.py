"""A bundle that labels videos, from Python and without torch: `stvit_video.load(folder)` gives a `BundleRecognizer`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np

from stvit_video.bundles.bundle_choices import FIXED, choose_views, refuse_other_graph
from stvit_video.bundles.bundle_description import EXPORT_AGAIN
from stvit_video.bundles.bundle_folder import Bundle, BundleError, read_bundle
from stvit_video.bundles.bundle_input import Given, given_views, is_single, read_file
from stvit_video.bundles.bundle_predicting import logits_of_views, predict_views
from stvit_video.bundles.bundle_views import ClipViews
from stvit_video.bundles.runtimes import Graph, open_graph
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.view_average import NonFiniteLogitsError, probabilities_of_views
from stvit_video.inference.file_record import file_record
from stvit_video.inference.likeliest import likeliest, require_labels
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.layers.numbers import whole_number


@dataclass(frozen=True, kw_only=True)
class BundleRecognizer:
    """A bundle that labels videos, called as a `Recognizer` is.

    What is given to it is the path of a video, the frames of one, (T, H, W, 3) uint8 RGB, or views (V, T, H, W, 3)
    uint8 of the size that the graph takes; for an image model also a picture (H, W, 3). Of a path or frames the views
    (clips x crops) are those of `protocol`. Several threads may call it.

    Attributes:
        bundle: what the folder says.
        graph: runs it.
        preprocessing: frames of a clip, their distance and sizes.
        protocol: the bundle's, where the caller gave no other.
    """

    bundle: Bundle
    graph: Graph
    preprocessing: Preprocessing
    protocol: TestProtocol

    @property
    def classes(self) -> tuple[str, ...]:
        """Label names in the order of the logits."""
        return self.bundle.labels

    @property
    def multi_label(self) -> bool:
        """True = a video can have several labels."""
        return self.bundle.multi_label

    def __repr__(self) -> str:
        words = self.protocol.describe(short_side=self.preprocessing.short_side, multi_label=self.multi_label)
        model = f"{self.bundle.model_name}, {self.bundle.format} in {self.bundle.precision}"
        return f"BundleRecognizer({model}, {len(self.classes)} classes, {words}, {self.graph.runtime})"

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
            given: a path, frames or views; or a list of paths, or of any of these.
            top_k: labels of a video, fewer if there are fewer classes.
            threshold: for several labels a video: every label with at least this probability in place of the top_k.
            fps: frames per second of given frames.
            num_workers: threads that decode the files of a list; 0 = this one does.
            batch_size: videos of a list that run together; None = as many as make 16 views.
            time_limit_seconds: for opening a file and for each reading of it, see `open_video`.
            features: of a checkpoint; True is refused.

        Returns:
            A `Prediction`; of a list a list of them, in its order. A file of a list that can't be read gives one with
            an `error`.

        Raises:
            DecodeError: a single file can't be read.
            NonFiniteLogitsError: the graph gives NaN for a single video.
            ValueError: what is given is nothing of these, or a setting is out of range.
        """
        if features:
            raise ValueError(f"features={features} came, and {FIXED['features']}")
        require_labels(multi_label=self.multi_label, top_k=top_k, threshold=threshold)
        asked: dict[str, Any] = {"top_k": top_k, "threshold": threshold}
        if is_single(given):
            return self._predicted(given, fps=fps, time_limit_seconds=time_limit_seconds, **asked)
        listing: list[Any] = list(given)  # type: ignore[arg-type]
        files = [one for one in listing if isinstance(one, (str, os.PathLike))]
        told = self.predict_records(
            [file_record(file, num_frames=self.preprocessing.num_frames) for file in files],
            num_workers=num_workers,
            batch_size=batch_size,
            time_limit_seconds=time_limit_seconds,
            **asked,
        )
        return [
            next(told) if isinstance(one, (str, os.PathLike)) else self._predicted(one, fps=fps, **asked)
            for one in listing
        ]

    def logits(self, given: Given, *, fps: float = 30.0) -> np.ndarray:
        """Logits (V, num_classes) float32 of the V views of a video.

        Raises:
            DecodeError, ValueError: as when it is called.
        """
        return logits_of_views(self.graph, self._views(given, fps=fps).views)

    def predict_records(
        self,
        records: Sequence[VideoRecord],
        *,
        top_k: int = 5,
        threshold: float | None = None,
        num_workers: int = 0,
        batch_size: int | None = None,
        time_limit_seconds: float | None = None,
    ) -> Iterator[Prediction]:
        """Predict listed videos; exactly one prediction for each, in order, those that can't be read included.

        Args:
            records: the videos; their labels are not looked at.
            top_k: as when it is called, with threshold, num_workers, batch_size and time_limit_seconds.

        Raises:
            ValueError: a setting is out of range.
        """
        require_labels(multi_label=self.multi_label, top_k=top_k, threshold=threshold)
        if time_limit_seconds is not None and not time_limit_seconds > 0:
            raise ValueError(f"time_limit_seconds={time_limit_seconds} must be positive")
        return predict_views(
            self.graph,
            records,
            read=partial(
                read_file,
                preprocessing=self.preprocessing,
                protocol=self.protocol,
                time_limit_seconds=time_limit_seconds,
            ),
            tell=partial(self._told, top_k=top_k, threshold=threshold),
            num_workers=whole_number("num_workers", num_workers, minimum=0),
            batch_size=self.protocol.videos_at_once(batch_size),
        )

    def _predicted(
        self, given: Any, *, fps: float, top_k: int, threshold: float | None, time_limit_seconds: float | None = None
    ) -> Prediction:
        """The prediction of one video, or the error."""
        found = self._views(given, fps=fps, time_limit_seconds=time_limit_seconds)
        logits = logits_of_views(self.graph, found.views)
        file = Path(given) if isinstance(given, (str, os.PathLike)) else None
        if not np.isfinite(logits).all():
            raise NonFiniteLogitsError(_not_finite(file or "what was given"))
        return self._likeliest(logits, file, found.seconds, top_k=top_k, threshold=threshold)

    def _told(
        self, record: VideoRecord, found: ClipViews, logits: np.ndarray, *, top_k: int, threshold: float | None
    ) -> Prediction:
        if not np.isfinite(logits).all():
            return Prediction(file=record.path, error=_not_finite(record.video_id))
        return self._likeliest(logits, record.path, found.seconds, top_k=top_k, threshold=threshold)

    def _likeliest(
        self, logits: np.ndarray, file: Path | None, seconds: float, *, top_k: int, threshold: float | None
    ) -> Prediction:
        probabilities = probabilities_of_views(logits, average=self.protocol.average, multi_label=self.multi_label)
        return likeliest(probabilities, self.classes, top_k=top_k, threshold=threshold, file=file, seconds=seconds)

    def _views(self, given: Any, *, fps: float, time_limit_seconds: float | None = None) -> ClipViews:
        return given_views(
            given,
            preprocessing=self.preprocessing,
            protocol=self.protocol,
            fps=fps,
            time_limit_seconds=time_limit_seconds,
        )


def load_bundle(
    folder: str | Path,
    *,
    num_threads: int | None = None,
    check: bool = True,
    protocol: str | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    short_side: int | None = None,
    crop_size: int | None = None,
    num_tokens: int | Sequence[int] | None = None,
    generate_at: int | None = None,
) -> BundleRecognizer:
    """Load a bundle of `stvit_video.export` that labels videos; what is None below is as the bundle says.

    Args:
        folder: with bundle.json in it.
        num_threads: CPU threads that run the graph; None = as many as the runtime takes.
        check: whether the graph answers the bundle's golden input first.
        protocol: see `choose_views`; with num_clips, num_crops, average, num_frames, frame_stride, short_side and
            crop_size.
        num_tokens: semantic tokens; another number than the graph's is refused.
        generate_at: blocks before they are generated; likewise.

    Raises:
        BundleError: the folder is no bundle, is damaged or of another kind, or the golden answer is not met.
        MissingLibraryError: the runtime of the graph is not installed.
        ValueError: a value is out of range, or the graph does not take it.
    """
    if num_threads is not None:
        whole_number("num_threads", num_threads)
    bundle = read_bundle(folder)
    refuse_other_graph(bundle, {"num_tokens": num_tokens, "generate_at": generate_at})
    chosen, preprocessing = choose_views(
        bundle,
        protocol=protocol,
        num_clips=num_clips,
        num_crops=num_crops,
        average=average,
        num_frames=num_frames,
        frame_stride=frame_stride,
        short_side=short_side,
        crop_size=crop_size,
    )
    if "clip" not in bundle.graph_paths:
        raise BundleError(
            f"the bundle {folder} is for streams, its graphs are {', '.join(bundle.graph_paths)}; give it to "
            "stvit_video.StreamingRecognizer or to python -m stvit_video.stream with bundle=..., or export again with "
            "streaming=false for a bundle that labels whole videos"
        )
    path = bundle.graph_paths["clip"]
    graph = open_graph(path, format=bundle.format, precision=bundle.precision, num_threads=num_threads)
    if check:
        require_golden_answer(bundle, graph)
    return BundleRecognizer(bundle=bundle, graph=graph, preprocessing=preprocessing, protocol=chosen)


def require_golden_answer(bundle: Bundle, graph: Graph) -> None:
    """Run the golden input of a bundle, and raise where the answer is not that of PyTorch.

    Raises:
        BundleError: a logit is off by more than the tolerance of the bundle.
    """
    golden = bundle.golden()
    difference = golden.largest_difference(graph(golden.frames))
    if difference > golden.tolerance:
        raise BundleError(
            f"the golden answer of {bundle.folder} is not met: {graph.runtime} is off by {difference:.2g}, allowed is "
            f"{golden.tolerance:.2g}; {EXPORT_AGAIN}, with the versions of this machine, or load it with check=False"
        )


def _not_finite(what: object) -> str:
    return f"the model gives NaN or infinite logits for {what}"
