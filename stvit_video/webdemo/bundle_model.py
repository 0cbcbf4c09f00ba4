"""A bundle on the page: labels, and what they cost. Its tokens are fixed in its graph. Nothing here needs torch."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from stvit_video.bundles.bundle_recognizer import BundleRecognizer
from stvit_video.bundles.bundle_views import read_views
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import CAN_ISOLATE
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.file_record import file_record
from stvit_video.webdemo.clip_limits import RefusedError, words_of_decoding
from stvit_video.webdemo.demo_model import (
    NUM_TIMED,
    TOP_K,
    Answer,
    ShownTokens,
    Steps,
    TokenChoice,
    UnreadableError,
    cost_facts,
    shown_name,
)
from stvit_video.webdemo.reading_budget import ReadingBudget

__all__ = ["BundleModel"]


class BundleModel:
    """See `DemoModel`.

    Args:
        recognizer: of `load_bundle`.
    """

    token_steps: Steps | None = None
    place_steps: Steps | None = None

    def __init__(self, recognizer: BundleRecognizer) -> None:
        self.recognizer = recognizer
        bundle = recognizer.bundle
        self.name = shown_name(bundle.folder)
        self.about = (
            f"{bundle.model_name}, {bundle.format} in {bundle.precision}, {len(bundle.labels)} labels, on "
            f"{recognizer.graph.runtime}"
        )
        self.labels: Sequence[str] = bundle.labels
        self.why_fixed = (
            "The graph of a bundle runs with the tokens that it was exported with; start the demo with ckpt_path= of "
            "the checkpoint for sliders and for a look at the tokens."
        )

    def label(self, path: Path, choice: TokenChoice, budget: ReadingBudget) -> Answer:
        """See `DemoModel.label`."""
        sizes = self.recognizer.preprocessing
        try:
            with budget.spent():
                found = read_views(
                    file_record(path, num_frames=sizes.num_frames),
                    preprocessing=sizes,
                    protocol=self.recognizer.protocol,
                    time_limit_seconds=budget.seconds,
                    isolate=CAN_ISOLATE or None,
                )
            prediction = self.recognizer(found.views, top_k=TOP_K)
        except DecodeError as error:
            raise UnreadableError(words_of_decoding(error, path)) from error
        except NonFiniteLogitsError as error:
            raise RefusedError("The model gives no finite values for this clip.") from error
        milliseconds = self._milliseconds(found.views[:1])
        return Answer(
            prediction=prediction, facts=cost_facts(milliseconds=milliseconds, gmacs=None, num_views=len(found.views))
        )

    def show_tokens(self, path: Path, choice: TokenChoice, folder: Path, budget: ReadingBudget) -> ShownTokens | None:
        """None; see `DemoModel.show_tokens`."""
        return None

    def _milliseconds(self, clip: np.ndarray) -> float:
        """Median time of a clip (1, T, H, W, 3) through the graph, which has run before."""
        seconds = []
        for _ in range(NUM_TIMED):
            start = time.perf_counter()
            self.recognizer.graph(clip)
            seconds.append(time.perf_counter() - start)
        return 1e3 * median(seconds)
