"""Settings that all commands which use a checkpoint have in common."""

from dataclasses import replace
from typing import Any

from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.evaluation.view_average import AVERAGES
from stvit_video.inference.cost_budget import BUDGETS
from stvit_video.utils.command_line import Given, Setting
from stvit_video.utils.value_kinds import PATH, TEXT, count_or_grid, one_of, positive_number, sizes, whole

OF_PROTOCOL = "the protocol's"
OF_CHECKPOINT = "the checkpoint's"
CKPT_PATH = Setting(
    name="ckpt_path",
    kind=replace(PATH, example="outputs/<run>/best.ckpt"),
    help="checkpoint written by stvit_video.train, or a folder of stvit_video.export_run",
    is_needed=True,
)
PROTOCOL = Setting(
    name="protocol",
    kind=one_of(PROTOCOLS, sign="NAME"),
    help="which frames and crops, such as videoswin",
    default_words=OF_CHECKPOINT,
)
TOKENS = (
    Setting(
        name="num_tokens",
        kind=replace(sizes(), sign="N|NxN", example="16"),
        help="semantic tokens, a count or a grid",
        default_words=OF_CHECKPOINT,
    ),
    Setting(
        name="generate_at",
        kind=whole(low=1),
        help="blocks before the tokens are generated, one of those it was trained for",
        default_words=OF_CHECKPOINT,
    ),
)
LAYER = Setting(
    name="layer",
    kind=whole(low=1),
    help="dense models: blocks before the image tokens that are shown; not the last with a class token",
    default_words="two thirds of the blocks",
)
VIEWS = (
    Setting(name="num_clips", kind=whole(low=1), help="clips of a video", default_words=OF_PROTOCOL),
    Setting(name="num_crops", kind=whole(low=1), help="crops of a clip, 1 or 3", default_words=OF_PROTOCOL),
    Setting(name="average", kind=one_of(AVERAGES), help="how the views' scores combine", default_words=OF_PROTOCOL),
)
SIZES = tuple(
    Setting(name=name, kind=whole(low=1), help=words, default_words=OF_CHECKPOINT)
    for name, words in (
        ("num_frames", "frames of a clip"),
        ("frame_stride", "distance between two of them, in frames of the video"),
        ("short_side", "of a frame before it is cut, in pixels"),
        ("crop_size", "side of the square that the model sees, in pixels"),
    )
)
BUDGET = tuple(
    Setting(
        name=name,
        kind=replace(positive_number(), example=example),
        help=words,
        excludes=tuple(other for other in BUDGETS if other != name),
    )
    for name, example, words in (
        ("gmacs", "5", "most multiply-adds of a video in 1e9, all views"),
        ("clips_per_second", "20", "least videos a second, all views of each"),
        ("latency_ms", "50", "most milliseconds of a video, all its views"),
    )
)
TIME_LIMIT = Setting(
    name="time_limit_seconds",
    kind=positive_number(),
    help="for opening a video and for each reading of it",
    default_words="10, and more for a long video",
)
DEVICE = Setting(name="device", kind=TEXT, help="auto, cpu, cuda, cuda:1 ...", default="auto")


def token_choices(given: Given) -> dict[str, Any]:
    """Which tokens a model is to run with, as `load_recognizer` and `load_bundle` take them: TOKENS by name."""
    return {"num_tokens": count_or_grid(given.num_tokens), "generate_at": given.generate_at}


def view_choices(given: Given) -> dict[str, Any]:
    """How a video is to be seen, as `load_recognizer` and `load_bundle` take it: protocol, views and sizes by name."""
    return {setting.name: getattr(given, setting.name) for setting in (PROTOCOL, *VIEWS, *SIZES)}
