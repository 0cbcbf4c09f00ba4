"""`python -m stvit_video.demo ckpt_path=run/best.ckpt`: a page in the browser that labels clips and shows their tokens.

It serves this machine alone until Ctrl-C. With another= a second checkpoint or bundle stands beside the first.
"""

import gc
import sys
from collections.abc import Sequence
from dataclasses import replace

from stvit_video.bundles.bundle_description import refuse_bundle
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE
from stvit_video.predictions.stopping import sigterm_ends
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.value_kinds import PATH, TEXT, Kind, positive_number, several, whole
from stvit_video.webdemo.clip_limits import ClipLimits
from stvit_video.webdemo.host_names import read_host_name
from stvit_video.webdemo.serve_demo import require_gradio, serve_demo

MAKE_ONE = "python -m stvit_video.train +experiment=quickstart run=quick"
COMMAND = Command(
    prog="python -m stvit_video.demo",
    summary="A page in the browser: drop a clip, see its likeliest labels, what the tokens have seen and the cost.",
    settings=(
        replace(CKPT_PATH, is_needed=False, default_words=f"none; {MAKE_ONE} makes one"),
        Setting(
            name="bundle",
            kind=replace(PATH, example="outputs/<run>/bundle_onnx"),
            help="folder written by stvit_video.export, in place of a checkpoint",
            excludes=("ckpt_path",),
        ),
        Setting(name="another", kind=PATH, help="a second checkpoint or bundle, side by side with the first"),
        Setting(
            name="host",
            kind=replace(TEXT, sign="ADDRESS", example="127.0.0.1"),
            help="address to listen at; with 0.0.0.0 everybody in the network can use the page",
            default="127.0.0.1",
        ),
        Setting(
            name="host_names",
            kind=several(Kind("NAME", read_host_name, "gpubox.lan")),
            help="further names by which visitors call the page, as behind a proxy or in a container",
            default=(),
        ),
        Setting(name="port", kind=whole(low=0, high=65535), help="port to listen at, 0 = any free one", default=7860),
        Setting(
            name="max_megabytes",
            kind=whole(low=1),
            help="the largest file that is taken, in MB (10^6 bytes)",
            default=ClipLimits.max_megabytes,
        ),
        Setting(
            name="max_seconds",
            kind=positive_number(),
            help="the longest clip that is taken",
            default=ClipLimits.max_seconds,
        ),
        Setting(
            name="time_limit_seconds",
            kind=positive_number(),
            help="for reading a clip, for all models together, and for a copy that the browser can play",
            default=ClipLimits.time_limit_seconds,
        ),
        Setting(
            name="keep_minutes",
            kind=positive_number(),
            help="how long a clip that nobody uses is kept; it goes before that when its page is closed",
            default=10.0,
        ),
        Setting(name="num_threads", kind=whole(low=1), help="CPU threads that run a model", default_words="one a core"),
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.demo ckpt_path=outputs/quick/best.ckpt",
        "python -m stvit_video.demo ckpt_path=outputs/quick/best.ckpt another=outputs/dense/best.ckpt port=8000",
        "python -m stvit_video.demo bundle=outputs/quick/bundle_onnx max_seconds=30",
    ),
    notes="Exit status: 1 the address can't be listened at or a library is missing, 2 a setting is wrong, 130 Ctrl-C.",
)


def demo(given: Given) -> None:
    """Serve the page until the process is asked to end.

    Raises:
        ValueError: no model is given, or one that is not for labels; CheckpointError, BundleError.
        MissingLibraryError: gradio is not installed, or what runs a model.
        OSError: nobody can listen at the address, or there is no room for clips.
        KeyboardInterrupt: Ctrl-C.
    """
    first = given.ckpt_path or given.bundle
    if first is None:
        raise ValueError(
            f"the demo needs a model; give ckpt_path= or bundle=, or make one in two minutes with {MAKE_ONE}, then "
            "give ckpt_path=outputs/quick/best.ckpt"
        )
    if given.ckpt_path is not None:
        refuse_bundle(given.ckpt_path)
    require_gradio()
    from stvit_video.webdemo.load_models import load_models

    limits = ClipLimits(
        max_megabytes=given.max_megabytes,
        max_seconds=given.max_seconds,
        time_limit_seconds=given.time_limit_seconds,
    )
    paths = [first, *([given.another] if given.another is not None else [])]
    models = load_models(paths, device=given.device, num_threads=given.num_threads)
    with sigterm_ends():
        serve_demo(
            models,
            host=given.host,
            port=given.port,
            more_names=given.host_names,
            limits=limits,
            keep_seconds=60 * given.keep_minutes,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the demo; gives the exit status."""
    return COMMAND.run(demo, arguments, failures=(MissingLibraryError,))


if __name__ == "__main__":
    status = main()
    gc.freeze()  # else Python looks through all of PyTorch and gradio for cycles before it ends, which takes seconds
    sys.exit(status)
