"""Label the videos that a command line names, by a bundle and without torch."""

from typing import Any

from stvit_video.bundles.bundle_choices import refuse_fixed
from stvit_video.bundles.bundle_description import DESCRIPTION
from stvit_video.bundles.bundle_recognizer import BundleRecognizer, load_bundle
from stvit_video.inference.shared_settings import token_choices, view_choices
from stvit_video.predictions.disk_writes import file_digest
from stvit_video.predictions.label_output import OF_PICTURES, LabelSource, label_listed, label_targets
from stvit_video.predictions.label_table import pyarrow_modules
from stvit_video.predictions.made_with import made_with
from stvit_video.utils.command_line import Given


def label_by_bundle(given: Given) -> int:
    """Predict the videos; 1 if some could not be read, else 0.

    Args:
        given: the command line of predict.

    Raises:
        ValueError: BundleError, no videos, result files of another run, a setting that a bundle can't take.
        MissingLibraryError: the runtime of the graph is not installed, or pyarrow for a .parquet file.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    if foreign := [name for name in OF_PICTURES if getattr(given, name) is not None]:
        raise ValueError(
            f"{', '.join(foreign)}: for checkpoints that find objects or label pixels, bundles label videos"
        )
    refuse_fixed(vars(given))
    targets = label_targets(given)
    if targets is not None and targets.main.suffix.lower() == ".parquet":
        pyarrow_modules()  # before the work is done
    recognizer = load_bundle(given.bundle, num_threads=given.num_threads, **token_choices(given), **view_choices(given))
    return label_listed(given, _source(given, recognizer), targets)


def _source(given: Given, recognizer: BundleRecognizer) -> LabelSource:
    asked = {"top_k": given.top_k, "threshold": given.threshold}
    return LabelSource(
        classes=recognizer.classes,
        of_pictures=recognizer.preprocessing.num_frames == 1,
        separator="|",
        made_with=lambda: made_with(
            _values(recognizer),
            protocol=recognizer.protocol,
            preprocessing=recognizer.preprocessing,
            num_classes=len(recognizer.classes),
            **asked,
        ),
        predict=lambda records, num_workers: recognizer.predict_records(
            records,
            num_workers=num_workers,
            batch_size=given.batch_size,
            time_limit_seconds=given.time_limit_seconds,
            **asked,
        ),
    )


def _values(recognizer: BundleRecognizer) -> dict[str, Any]:
    """What predictions depend on in a bundle, for `made_with`; bundle.json has the digests of the other files."""
    return {"bundle": file_digest(recognizer.bundle.folder / DESCRIPTION)}
