"""Whatever a stream is made of, as a `StepModel`: a checkpoint, a bundle, a model."""

import os

from stvit_video.bundles.bundle_description import BundleError, is_bundle
from stvit_video.bundles.bundle_recognizer import BundleRecognizer
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.streaming.bundle_steps import load_bundle_steps
from stvit_video.streaming.step_models import StepModel


def open_steps(given: object, *, preprocessing: Preprocessing | None = None) -> StepModel:
    """What computes a stream; torch is loaded for all but bundles.

    Args:
        given: the path of a checkpoint or of a streaming bundle, a `Recognizer`, a model, or a `StepModel`.
        preprocessing: what a bare model is fed with.

    Raises:
        BundleError, MissingLibraryError: as `load_bundle_steps`.
        CheckpointError: the checkpoint can't be read.
        ValueError: nothing of these, or a model that can't be computed step by step.
    """
    if isinstance(given, BundleRecognizer):
        raise BundleError(
            f"{given!r} is a bundle that labels whole videos; export again with streaming=true for a stream"
        )
    is_path = isinstance(given, (str, os.PathLike))
    if (is_path or isinstance(given, StepModel)) and preprocessing is not None:
        raise ValueError("preprocessing is for a bare model, a checkpoint or bundle has its own; leave it out")
    if isinstance(given, StepModel):
        return given
    if isinstance(given, (str, os.PathLike)) and is_bundle(os.fspath(given)):
        return load_bundle_steps(os.fspath(given))
    from stvit_video.streaming.torch_steps import steps_of

    if isinstance(given, (str, os.PathLike)):
        from stvit_video.inference.recognizer import load_recognizer

        given = load_recognizer(os.fspath(given))
    return steps_of(given, preprocessing)
