"""Spatiotemporal semantic tokens: video recognition at a fraction of the tokens."""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stvit_video.bundles.bundle_recognizer import BundleRecognizer
    from stvit_video.data.decoding.video import open_video
    from stvit_video.detections.trained_detector import TrainedDetector
    from stvit_video.inference.prediction import Prediction
    from stvit_video.inference.recognizer import Recognizer
    from stvit_video.models import create_model, list_models, load_checkpoint, model_from_checkpoint, model_options
    from stvit_video.segmentations.trained_segmenter import TrainedSegmenter
    from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
    from stvit_video.trained.load_trained import load_trained as load

__version__ = "0.1.0"
__all__ = [
    "BundleRecognizer",
    "Prediction",
    "Recognizer",
    "StreamingRecognizer",
    "TrainedDetector",
    "TrainedSegmenter",
    "create_model",
    "list_models",
    "load",
    "load_checkpoint",
    "model_from_checkpoint",
    "model_options",
    "open_video",
]
_PLACES = {  # module and name of what is not in stvit_video.models
    "BundleRecognizer": ("stvit_video.bundles.bundle_recognizer", "BundleRecognizer"),
    "Prediction": ("stvit_video.inference.prediction", "Prediction"),
    "Recognizer": ("stvit_video.inference.recognizer", "Recognizer"),
    "StreamingRecognizer": ("stvit_video.streaming.streaming_recognizer", "StreamingRecognizer"),
    "TrainedDetector": ("stvit_video.detections.trained_detector", "TrainedDetector"),
    "TrainedSegmenter": ("stvit_video.segmentations.trained_segmenter", "TrainedSegmenter"),
    "load": ("stvit_video.trained.load_trained", "load_trained"),
    "open_video": ("stvit_video.data.decoding.video", "open_video"),
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import stvit_video` takes no time and needs no torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES.get(name, ("stvit_video.models", name))
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _end_quietly(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """End with status 130 after Ctrl-C, and with a sentence where a library is missing; both without a traceback."""
    if issubclass(kind, KeyboardInterrupt):
        os._exit(130)
    from stvit_video.utils.optional import missing_library_sentence

    told = missing_library_sentence(error)
    if told is not None and "--debug" not in sys.argv:
        print(f"error: {told}", file=sys.stderr)
        return  # Python ends with status 1
    sys.__excepthook__(kind, error, traceback)


# A command of ours is starting: `python -m` has this name for it until the module is found. Its imports take seconds,
# in which its own code can't obey Ctrl-C yet, and each may be of a library that is missing.
if sys.argv[:1] == ["-m"] or Path(*sys.argv[:1]).absolute().parent == Path(__file__).absolute().parents[1] / "scripts":
    sys.excepthook = _end_quietly
