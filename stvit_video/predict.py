"""`python -m stvit_video.predict ckpt_path=run/best.ckpt video.mp4 [more ...]`: the likeliest labels of videos.

Only the checkpoint is needed: it holds labels, preprocessing and protocol. With bundle= in its place torch is neither
loaded nor needed. Videos are files, folders, patterns, lists,
or names from standard input. Without out= the labels are shown in the terminal. With it they go into a table, and the
same command goes on where an earlier one stopped.

Of a checkpoint for several labels a video each probability stands by itself; they don't sum to 1.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stvit_video.bundles.bundle_description import refuse_bundle
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.inference.shared_settings import (
    BUDGET,
    CKPT_PATH,
    DEVICE,
    OF_CHECKPOINT,
    PROTOCOL,
    SIZES,
    TIME_LIMIT,
    TOKENS,
    VIEWS,
)
from stvit_video.predictions.feature_table import FEATURE_ENDINGS
from stvit_video.predictions.label_output import FEW_VIDEOS, MOST_WORKERS
from stvit_video.predictions.result_files import ending_rule
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.optional import INSTALL_PACKAGE, MissingLibraryError, load_optional
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, Kind, number, whole


def _file_kind(example: str, endings: tuple[str, ...]) -> Kind:
    def read(text: str) -> Path:
        path = Path(PATH.read(text))
        if rule := ending_rule(path, endings):
            raise ValueError(rule)
        return path

    return Kind("FILE", read, example)


COMMAND = Command(
    prog="python -m stvit_video.predict",
    summary="The likeliest labels of videos, or the objects or label maps of pictures and videos, by a checkpoint.",
    positional=Positional(
        name="files",
        sign="FILE",
        help="a video, a folder, a pattern, a list (.csv, .txt), or - for names from standard input",
        is_many=True,
        kind=TEXT,  # a path would lose the ./ of ./-
    ),
    settings=(
        replace(CKPT_PATH, stand_ins=("bundle",)),
        Setting(
            name="bundle",
            kind=replace(PATH, example="outputs/<run>/bundle_onnx"),
            help="folder written by stvit_video.export, in place of a checkpoint",
            excludes=("ckpt_path",),
        ),
        Setting(
            name="out",
            kind=replace(PATH, example="labels.csv"),
            help="table of labels to write, .csv, .jsonl or .parquet; for found objects and label maps a folder",
            default_words="labels are shown in the terminal; objects and maps go to outputs/predict",
        ),
        Setting(
            name="features",
            kind=_file_kind("features.npz", FEATURE_ENDINGS),
            help="features to write, .npz, .parquet, .jsonl or .csv",
        ),
        Setting(name="extend", kind=YES_NO, help="predict videos that were added to the list of out=", default=False),
        Setting(name="retry_errors", kind=YES_NO, help="try the videos again that could not be read", default=False),
        Setting(name="top_k", kind=whole(low=1), help="labels of a video", default=5),
        Setting(
            name="threshold",
            kind=number(low=0, high=1),
            help="several labels a video: every label of at least this probability; objects: least score",
            excludes=("top_k",),
        ),
        Setting(
            name="every", kind=whole(low=1), help="objects, maps: look at every Nth frame of a video", default_words="1"
        ),
        Setting(
            name="key_every",
            kind=whole(low=1),
            help="objects, maps: of the frames looked at, every Nth makes semantic tokens, which those behind it share",
            default_words="1",
        ),
        *TOKENS,
        PROTOCOL,
        *VIEWS,
        *SIZES,
        Setting(
            name="long_side",
            kind=whole(low=1),
            help="objects, maps: most pixels of the long side",
            default_words=OF_CHECKPOINT,
        ),
        Setting(name="detections", kind=whole(low=1), help="objects: most in a picture", default_words=OF_CHECKPOINT),
        Setting(
            name="window",
            kind=whole(low=0),
            help="maps: pixels of the sides of the windows that a picture is looked at in; 0 = the whole picture",
            default_words=OF_CHECKPOINT,
        ),
        Setting(
            name="window_stride",
            kind=whole(low=1),
            help="maps: pixels from window to window",
            default_words=OF_CHECKPOINT,
        ),
        Setting(name="legend", kind=YES_NO, help="maps: draw the names of the classes", default_words="true"),
        *BUDGET,
        Setting(
            name="num_workers",
            kind=whole(low=0),
            help="processes that decode and, on a CPU, run the model; of a bundle threads that decode; 0 = none beside",
            default_words=f"0 for up to {FEW_VIDEOS} videos, else one a core, at most {MOST_WORKERS}",
        ),
        Setting(
            name="batch_size",
            kind=whole(low=1),
            help="videos that are loaded and run together",
            default_words="as many as make 16 clips and crops",
        ),
        TIME_LIMIT,
        Setting(
            name="num_threads",
            kind=whole(low=1),
            help="bundles: CPU threads that run the graph",
            default_words="one a core",
        ),
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.predict ckpt_path=run/best.ckpt video.mp4",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt videos/ out=labels.csv num_workers=4",
        'python -m stvit_video.predict ckpt_path=run/best.ckpt "clips/*.mp4" list.csv out=labels.jsonl features=x.npz',
        "python -m stvit_video.predict ckpt_path=run/best.ckpt - out=labels.parquet extend=true < names.txt",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt protocol=videoswin top_k=3 a.mp4 b.mp4 -- c=d.mp4",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt gmacs=5 video.mp4",
        "python -m stvit_video.predict bundle=run/bundle_onnx videos/ out=labels.csv",
        "python -m stvit_video.predict ckpt_path=detector/best.ckpt photo.jpg street.mp4 out=seen every=2",
        "python -m stvit_video.predict ckpt_path=segmenter/best.ckpt photo.jpg street.mp4 out=seen window=512",
    ),
    notes="Exit status: 0 every video was predicted, 1 some could not be read, 2 a setting is wrong.",
)


def predict(given: Given) -> int:
    """Predict by the bundle, or as the task of the checkpoint does; 1 if some files could not be read, else 0.

    Raises:
        ValueError: as `Task.predict` or `label_by_bundle`, or a setting of bundles for a checkpoint.
        MissingLibraryError: a checkpoint is given and torch is not installed, or the bundle's runtime is not.
    """
    if given.bundle is not None:
        from stvit_video.bundles.bundle_labels import label_by_bundle

        return label_by_bundle(given)
    if given.num_threads is not None:
        raise ValueError(f"num_threads={given.num_threads} is for bundles; leave it out, or give bundle=")
    refuse_bundle(given.ckpt_path)
    load_optional("torch", needed_for="ckpt_path=", install=INSTALL_PACKAGE)
    from stvit_video.tasks.task_list import task_of_checkpoint

    return task_of_checkpoint(str(given.ckpt_path)).predict(given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict videos; gives the exit status, 1 if some could not be read."""
    return COMMAND.run(predict, arguments, failures=(WorkerCrashError, MissingLibraryError))


if __name__ == "__main__":
    sys.exit(main())
